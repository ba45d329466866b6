//! Literals given the type of what they are compared with.

use chrono::NaiveTime;

use crate::ast::Literal as Written;
use crate::checked::Literal;
use crate::error::{ErrorKind, QueryError, shown};
use crate::literal::read_duration;
use crate::model::{EnumType, Model, Type};
use crate::source::{Source, Span};

/// Why a literal does not fit.
pub(crate) enum Misfit {
    /// It is of another type.
    Type(Type, Option<&'static str>),
    /// The enumeration has no such member.
    Member(&'static EnumType, String),
    /// It is of another enumeration, or of none that exists.
    Enumeration(String, Type),
}

/// The literal as a value of the type.
pub(crate) fn fit(written: &Written, ty: Type, model: &Model) -> Result<Literal, Misfit> {
    let fitted = match (ty, written) {
        (_, Written::Null) => Literal::Null,
        (Type::String, Written::String(text)) => Literal::String(text.clone()),
        // Identities are texts in the model, and an unquoted GUID is how callers write them.
        (Type::String, Written::Guid(guid)) => Literal::String(guid.to_string()),
        (Type::Boolean, Written::Boolean(value)) => Literal::Boolean(*value),
        (Type::Int64, Written::Integer(value)) => Literal::Int(*value),
        (Type::Int64 | Type::Double, Written::Double(value)) => Literal::Double(*value),
        (Type::Double, Written::Integer(value)) => Literal::Double(*value as f64),
        (Type::DateTimeOffset, Written::Date(date)) => {
            Literal::DateTime(date.and_time(NaiveTime::MIN).and_utc())
        }
        (Type::DateTimeOffset, Written::DateTime(at)) => Literal::DateTime(*at),
        (Type::Date, Written::Date(date)) => Literal::Date(*date),
        (Type::TimeOfDay, Written::TimeOfDay(time)) => Literal::TimeOfDay(*time),
        (Type::Duration, Written::Duration(length)) => Literal::Duration(*length),
        // OData 4.01 lets a duration go without its prefix.
        (Type::Duration, Written::String(text)) => match read_duration(text) {
            Ok(length) => Literal::Duration(length),
            Err(_) => return Err(Misfit::Type(ty, advice(ty, written))),
        },
        (Type::Enum(enumeration), Written::String(text)) => member(enumeration, text)?,
        (Type::Enum(enumeration), Written::Enum { type_name, member: text })
            if model.names_type(type_name, enumeration.name) =>
        {
            member(enumeration, text)?
        }
        (_, Written::Enum { type_name, .. }) => return Err(Misfit::Enumeration(type_name.clone(), ty)),
        _ => return Err(Misfit::Type(ty, advice(ty, written))),
    };
    Ok(fitted)
}

/// The type that a literal has by itself; `null` has any, and an enumeration's name says it elsewhere.
pub(crate) fn natural_type(written: &Written) -> Option<Type> {
    match written {
        Written::Null | Written::Enum { .. } => None,
        Written::Boolean(_) => Some(Type::Boolean),
        Written::Integer(_) => Some(Type::Int64),
        Written::Double(_) => Some(Type::Double),
        Written::Date(_) | Written::DateTime(_) => Some(Type::DateTimeOffset),
        Written::TimeOfDay(_) => Some(Type::TimeOfDay),
        Written::Duration(_) => Some(Type::Duration),
        Written::Guid(_) | Written::String(_) => Some(Type::String),
    }
}

/// Whether values of two types can be compared with each other.
pub(crate) fn like(first: Type, second: Type) -> bool {
    let is_number = |ty| matches!(ty, Type::Int64 | Type::Double);
    first == second || (is_number(first) && is_number(second))
}

/// What a value of the type is, in a sentence.
pub(crate) fn type_name(ty: Type) -> &'static str {
    match ty {
        Type::String => "a text",
        Type::Boolean => "true or false",
        Type::Int64 => "a whole number",
        Type::Double => "a number",
        Type::DateTimeOffset => "a date and time",
        Type::Date => "a date",
        Type::TimeOfDay => "a time of day",
        Type::Duration => "a duration",
        Type::Enum(_) => "a member of an enumeration",
        Type::Complex(_) => "a complex value",
        Type::Collection(_) => "a collection",
    }
}

fn member(enumeration: &'static EnumType, text: &str) -> Result<Literal, Misfit> {
    match enumeration.members.iter().position(|member| *member == text) {
        Some(index) => Ok(Literal::Enum(enumeration, index)),
        None => Err(Misfit::Member(enumeration, text.to_owned())),
    }
}

fn advice(ty: Type, written: &Written) -> Option<&'static str> {
    match (ty, written) {
        (Type::DateTimeOffset, Written::String(_)) => {
            Some("write dates without quotes: 2031-02-03T04:05:06Z or 2031-02-03")
        }
        (Type::Date, Written::String(_)) => Some("write dates without quotes: 2031-02-03"),
        (Type::Date, Written::DateTime(_)) => Some("name a day alone: 2031-02-03"),
        (Type::TimeOfDay, Written::String(_)) => Some("write times without quotes: 04:05:06"),
        (Type::Duration, _) => Some("write durations as duration'P1DT2H3M4S'"),
        (Type::Boolean | Type::Int64 | Type::Double, Written::String(_)) => Some("write it without quotes"),
        (Type::String | Type::Enum(_), _) => Some("put it in quotes"),
        _ => None,
    }
}

impl Misfit {
    /// The error about the literal at that place, beside the property of that name if it is one.
    pub(crate) fn at(self, span: Span, property: Option<&str>, source: Source<'_>) -> QueryError {
        let beside =
            property.map_or_else(|| "the other side".to_owned(), |name| format!("'{}'", shown(name)));
        match self {
            Self::Type(ty, hint) => {
                let message = format!(
                    "{beside} is {} and cannot be compared with {}",
                    type_name(ty),
                    source.quote(span)
                );
                let error = source.error(ErrorKind::WrongType, span, message);
                hint.into_iter().fold(error, QueryError::with_hint)
            }
            Self::Member(enumeration, text) => {
                let message = format!("'{}' is not a member of {}", shown(&text), enumeration.name);
                let allowed = enumeration.members.join(", ");
                source.error(ErrorKind::UnknownName, span, message).with_hint(format!("use one of {allowed}"))
            }
            Self::Enumeration(written, Type::Enum(enumeration)) => {
                let message = format!("unknown enumeration '{}' beside {beside}", shown(&written));
                source.error(ErrorKind::UnknownName, span, message).suggesting(Some(enumeration.name))
            }
            Self::Enumeration(_, ty) => {
                let message = format!("{beside} is {}, not a member of an enumeration,", type_name(ty));
                source.error(ErrorKind::WrongType, span, message)
            }
        }
    }
}
