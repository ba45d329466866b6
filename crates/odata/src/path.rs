//! Paths of the syntax tree, found in the model.

use crate::ast::Path;
use crate::checked::{CollectionPath, PropertyPath, Root};
use crate::error::{ErrorKind, QueryError};
use crate::model::{Model, StructuredType, Type};
use crate::source::{Source, Span, Spanned};
use crate::suggest::nearest;

/// What stands between an expression and the entity: the collections that conditions around it are
/// about, outermost first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scopes(Vec<Scope>);

#[derive(Debug, Clone)]
struct Scope {
    /// The variable; `None` in the filter of a `$count`, where plain names are those of the items.
    variable: Option<String>,
    item: &'static StructuredType,
}

impl Scopes {
    /// The scopes of a condition on the items of one more collection.
    pub(crate) fn within(&self, variable: Option<&str>, item: &'static StructuredType) -> Self {
        let mut scopes = self.0.clone();
        scopes.push(Scope { variable: variable.map(str::to_owned), item });
        Self(scopes)
    }

    /// Whether a variable of that name is known here.
    pub(crate) fn has(&self, variable: &str) -> bool {
        self.0.iter().any(|scope| scope.variable.as_deref() == Some(variable))
    }

    /// Where a path starts, and the names that are left of it.
    fn start<'p>(
        &self,
        path: &'p Path,
        model: &Model,
    ) -> (Root, &'static StructuredType, &'p [Spanned<String>]) {
        let found = |wanted: Option<&str>| {
            let mut inward = self.0.iter().rev().enumerate();
            inward.find(|(_, scope)| scope.variable.as_deref() == wanted)
        };
        if path.from_it {
            return (Root::Entity, model.entity, &path.segments);
        }
        if let Some((first, rest)) = path.segments.split_first()
            && let Some((depth, scope)) = found(Some(first.value.as_str()))
        {
            return (Root::Item(depth), scope.item, rest);
        }
        match found(None) {
            Some((depth, scope)) => (Root::Item(depth), scope.item, &path.segments),
            None => (Root::Entity, model.entity, &path.segments),
        }
    }
}

/// The value at the end of a path.
#[derive(Debug, Clone, Copy)]
struct Found {
    ty: Type,
    nullable: bool,
}

/// Refuses a path from the entity that the model has not. It may lead into collections, and then means
/// a property of each of their items.
pub(crate) fn check_selected(path: &Path, model: &Model, source: Source<'_>) -> Result<(), QueryError> {
    find(model.entity, &path.segments, source).map(|_| ())
}

/// Where a path leads, if it is one value that can be compared and sorted.
pub(crate) fn single(
    path: &Path,
    scopes: &Scopes,
    model: &Model,
    source: Source<'_>,
) -> Result<PropertyPath, QueryError> {
    let (root, start, rest) = scopes.start(path, model);
    refuse_collection(start, rest, |segment| {
        let what = format!("collection '{segment}' as a value");
        source.unsupported(segment.span, what).with_hint("use any, all or $count")
    })?;
    let found = find(start, rest, source)?;
    if let Type::Complex(inner) = found.ty {
        let message = format!("'{path}' is a complex value; name one of its properties");
        let error = source.error(ErrorKind::WrongType, span_of(path), message);
        let example =
            inner.properties.first().map(|property| format!("for example {path}/{}", property.name));
        return Err(example.into_iter().fold(error, QueryError::with_hint));
    }
    Ok(PropertyPath { root, segments: names(rest), ty: found.ty, nullable: found.nullable })
}

/// Where a path leads, if it is a collection.
pub(crate) fn collection(
    path: &Path,
    scopes: &Scopes,
    model: &Model,
    source: Source<'_>,
) -> Result<CollectionPath, QueryError> {
    let (root, start, rest) = scopes.start(path, model);
    if let Some((_, before)) = rest.split_last() {
        refuse_collection(start, before, |segment| {
            let message = format!("collection '{segment}' on the way to another");
            source.unsupported(segment.span, message).with_hint("use any or all for each of them")
        })?;
    }
    let found = find(start, rest, source)?;
    match found.ty {
        Type::Collection(item) => Ok(CollectionPath { root, segments: names(rest), item }),
        _ => {
            let message = format!("'{path}' is no collection");
            Err(source.error(ErrorKind::WrongType, span_of(path), message))
        }
    }
}

/// The whole stretch of a path, but for `$it`.
pub(crate) fn span_of(path: &Path) -> Span {
    match (path.segments.first(), path.segments.last()) {
        (Some(first), Some(last)) => first.span.to(last.span),
        _ => Span::default(),
    }
}

fn names(segments: &[Spanned<String>]) -> Vec<String> {
    segments.iter().map(|segment| segment.value.clone()).collect()
}

/// A collection among the names is refused at its own place, not at the end of the path.
fn refuse_collection(
    start: &'static StructuredType,
    segments: &[Spanned<String>],
    error: impl Fn(&Spanned<String>) -> QueryError,
) -> Result<(), QueryError> {
    let mut owner = start;
    for segment in segments {
        match owner.property(&segment.value).map(|property| property.ty) {
            Some(Type::Complex(inner)) => owner = inner,
            Some(Type::Collection(_)) => return Err(error(segment)),
            _ => break,
        }
    }
    Ok(())
}

fn find(
    start: &'static StructuredType,
    segments: &[Spanned<String>],
    source: Source<'_>,
) -> Result<Found, QueryError> {
    let mut found = Found { ty: Type::Complex(start), nullable: false };
    let mut before: Option<&Spanned<String>> = None;
    for segment in segments {
        let (Type::Complex(owner) | Type::Collection(owner)) = found.ty else {
            let before = before.map(|before| source.quote(before.span)).unwrap_or_default();
            let message = format!("no property {} because {before} has none", source.quote(segment.span));
            return Err(source.error(ErrorKind::UnknownName, segment.span, message));
        };
        let member = member(owner, segment, source)?;
        found = Found { ty: member.ty, nullable: found.nullable || member.nullable };
        before = Some(segment);
    }
    Ok(found)
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
