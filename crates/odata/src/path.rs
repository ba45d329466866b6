//! Paths of the syntax tree, found in the model.

use crate::ast::Path;
use crate::checked::{PropertyPath, Root};
use crate::error::{ErrorKind, QueryError};
use crate::model::{Model, StructuredType, Type};
use crate::source::{Source, Span, Spanned};
use crate::suggest::nearest;

/// The value at the end of a path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    pub(crate) ty: Type,
    pub(crate) nullable: bool,
}

/// Where a path leads; into collections too, where it then means a property of each of their items.
pub(crate) fn find(path: &Path, model: &Model, source: Source<'_>) -> Result<Found, QueryError> {
    let mut found = Found { ty: Type::Complex(model.entity), nullable: false };
    for (index, segment) in path.segments.iter().enumerate() {
        let owner = match found.ty {
            Type::Complex(owner) | Type::Collection(owner) => owner,
            Type::String
            | Type::Boolean
            | Type::Int64
            | Type::Double
            | Type::DateTimeOffset
            | Type::Date
            | Type::TimeOfDay
            | Type::Duration
            | Type::Enum(_) => {
                let before = source.quote(path.segments[index - 1].span);
                let message = format!("no property {} because {before} has none", source.quote(segment.span));
                return Err(source.error(ErrorKind::UnknownName, segment.span, message));
            }
        };
        let member = member(owner, segment, source)?;
        found = Found { ty: member.ty, nullable: found.nullable || member.nullable };
    }
    Ok(found)
}

/// Where a path leads, if it is one value that can be compared and sorted.
pub(crate) fn find_single(
    path: &Path,
    model: &Model,
    source: Source<'_>,
) -> Result<PropertyPath, QueryError> {
    let mut owner = model.entity;
    // A collection on the way is refused at its own place, not at the end of the path.
    for segment in &path.segments {
        match owner.property(&segment.value).map(|property| property.ty) {
            Some(Type::Complex(inner)) => owner = inner,
            Some(Type::Collection(_)) => {
                return Err(
                    source.unsupported(segment.span, format_args!("collection '{segment}' as a value"))
                );
            }
            _ => break,
        }
    }
    let found = find(path, model, source)?;
    if let Type::Complex(inner) = found.ty {
        let message = format!("'{path}' is a complex value; name one of its properties");
        let error = source.error(ErrorKind::WrongType, span_of(path), message);
        let example =
            inner.properties.first().map(|property| format!("for example {path}/{}", property.name));
        return Err(example.into_iter().fold(error, QueryError::with_hint));
    }
    let segments = path.segments.iter().map(|segment| segment.value.clone()).collect();
    Ok(PropertyPath { root: Root::Entity, segments, ty: found.ty, nullable: found.nullable })
}

/// The whole stretch of a path.
pub(crate) fn span_of(path: &Path) -> Span {
    match (path.segments.first(), path.segments.last()) {
        (Some(first), Some(last)) => first.span.to(last.span),
        _ => Span::default(),
    }
}

fn member(
    owner: &'static StructuredType,
    segment: &Spanned<String>,
    source: Source<'_>,
) -> Result<Found, QueryError> {
    if let Some(property) = owner.property(&segment.value) {
        return Ok(Found { ty: property.ty, nullable: property.nullable });
    }
    if owner.open {
        return Ok(Found { ty: Type::String, nullable: true });
    }
    let message = format!("unknown property {}", source.quote(segment.span));
    let names = owner.properties.iter().map(|property| property.name);
    Err(source
        .error(ErrorKind::UnknownName, segment.span, message)
        .suggesting(nearest(&segment.value, names)))
}
