//! Values of `sea-query` as parameters of `tokio-postgres`.
//!
//! The server decides the type of each parameter from where it stands, and the driver checks that a
//! value has that very type. Statements here are written for several databases, so a number goes in
//! whatever width the server asks for.

use bytes::BytesMut;
use sea_query::Value;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use crate::StoreError;

/// A value on its way to the server.
#[derive(Debug)]
pub(super) enum Parameter {
    Null,
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(String),
}

/// What keeps a value from being sent.
#[derive(Debug, thiserror::Error)]
#[error("{value:?} cannot be sent as {ty}")]
struct Misfit {
    value: String,
    ty: Type,
}

impl Parameter {
    pub(super) fn all(values: Vec<Value>) -> Result<Vec<Self>, StoreError> {
        values.into_iter().map(Self::try_from).collect()
    }
}

impl TryFrom<Value> for Parameter {
    type Error = StoreError;

    fn try_from(value: Value) -> Result<Self, StoreError> {
        Ok(match value {
            Value::Bool(value) => value.map_or(Self::Null, Self::Bool),
            Value::Int(value) => value.map_or(Self::Null, |value| Self::Int(value.into())),
            Value::BigInt(value) => value.map_or(Self::Null, Self::Int),
            Value::BigUnsigned(None) => Self::Null,
            Value::BigUnsigned(Some(value)) => {
                Self::Int(i64::try_from(value).map_err(|_| {
                    StoreError::Unsupported("a number is too large for the database".to_owned())
                })?)
            }
            Value::Double(value) => value.map_or(Self::Null, Self::Double),
            Value::String(value) => value.map_or(Self::Null, |text| Self::Text(storable(text))),
            other => {
                return Err(StoreError::Unsupported(format!("no parameter can be bound to {other:?}")));
            }
        })
    }
}

/// PostgreSQL's text holds every character but NUL, which is no part of any alert that is meant.
///
/// It never stands in an alert's JSON, which escapes it; so only comparisons see the difference, and
/// they see it on both sides.
fn storable(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

impl ToSql for Parameter {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match (self, ty) {
            (Self::Null, _) => Ok(IsNull::Yes),
            (Self::Bool(value), &Type::BOOL) => value.to_sql(ty, out),
            (Self::Int(value), &Type::INT2) => i16::try_from(*value)?.to_sql(ty, out),
            (Self::Int(value), &Type::INT4) => i32::try_from(*value)?.to_sql(ty, out),
            (Self::Int(value), &Type::INT8) => value.to_sql(ty, out),
            #[expect(clippy::cast_precision_loss, reason = "the server would compare it as a double too")]
            (Self::Int(value), &Type::FLOAT8) => (*value as f64).to_sql(ty, out),
            (Self::Double(value), &Type::FLOAT8) => value.to_sql(ty, out),
            (Self::Text(text), &Type::TEXT | &Type::VARCHAR | &Type::UNKNOWN) => text.to_sql(ty, out),
            (value, _) => Err(Box::new(Misfit { value: format!("{value:?}"), ty: ty.clone() })),
        }
    }

    /// Whether it fits is a matter of the value, and told when it is written.
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: Value, ty: &Type) -> Result<Vec<u8>, String> {
        let mut out = BytesMut::new();
        let parameter = Parameter::try_from(value).map_err(|error| error.to_string())?;
        parameter.to_sql(ty, &mut out).map_err(|error| error.to_string())?;
        Ok(out.to_vec())
    }

    #[test]
    fn a_number_takes_the_width_that_the_server_asks_for() {
        assert_eq!(written(1_i32.into(), &Type::INT8), Ok(vec![0, 0, 0, 0, 0, 0, 0, 1]));
        assert_eq!(written(1_i64.into(), &Type::INT4), Ok(vec![0, 0, 0, 1]));
        assert_eq!(written(1_u64.into(), &Type::INT2), Ok(vec![0, 1]));
        assert_eq!(written(1_i64.into(), &Type::FLOAT8), Ok(1_f64.to_be_bytes().to_vec()));
        assert!(written(i64::MAX.into(), &Type::INT4).is_err());
        assert_eq!(
            written(u64::MAX.into(), &Type::INT8).unwrap_err(),
            "a number is too large for the database"
        );
    }

    #[test]
    fn what_does_not_fit_is_refused_and_null_always_fits() {
        assert_eq!(
            written("a".into(), &Type::INT8).unwrap_err(),
            "\"Text(\\\"a\\\")\" cannot be sent as int8"
        );
        assert_eq!(written(1.5.into(), &Type::INT8).unwrap_err(), "\"Double(1.5)\" cannot be sent as int8");
        assert_eq!(written(Value::String(None), &Type::INT8), Ok(Vec::new()));
        assert_eq!(written("a\0b".into(), &Type::TEXT), Ok("a\u{fffd}b".as_bytes().to_vec()));
    }
}
