//! A small model for tests, benchmarks and fuzzing: something like an alert, with every kind of type.

use chrono::{DateTime, Utc};

use super::TokenKey;
use super::model::{EnumType, Model, Property, StructuredType, Type};

/// The enumeration of the sample.
pub(crate) static SEVERITY: EnumType = EnumType {
    name: "sample.security.severity",
    members: &["informational", "low", "medium", "high", "critical"],
};

static STATUS: EnumType = EnumType { name: "sample.security.status", members: &["active", "resolved"] };

static ADDRESS: StructuredType = StructuredType {
    name: "sample.security.address",
    properties: &[required("city", Type::String), optional("street", Type::String)],
    open: false,
};

static DETAILS: StructuredType = StructuredType {
    name: "sample.security.details",
    properties: &[optional("kind", Type::String)],
    open: true,
};

static RESOURCE: StructuredType = StructuredType {
    name: "sample.security.resource",
    properties: &[required("resourceId", Type::String), required("resourceType", Type::String)],
    open: false,
};

static ENTITY: StructuredType = StructuredType {
    name: "sample.security.alert",
    properties: &[
        required("id", Type::String),
        required("title", Type::String),
        required("severity", Type::Enum(&SEVERITY)),
        required("status", Type::Enum(&STATUS)),
        required("detectedDateTime", Type::DateTimeOffset),
        optional("resolvedDateTime", Type::DateTimeOffset),
        optional("isTest", Type::Boolean),
        required("count", Type::Int64),
        optional("cost", Type::Double),
        optional("address", Type::Complex(&ADDRESS)),
        optional("details", Type::Complex(&DETAILS)),
        required("resources", Type::Collection(&RESOURCE)),
    ],
    open: false,
};

/// What tokens are sealed with, in tests.
pub(crate) const KEY: TokenKey = TokenKey::new([7; 32]);

/// When queries are read, in tests: 2033-05-18T03:33:20Z.
pub(crate) const NOW: DateTime<Utc> = match DateTime::from_timestamp(2_000_000_000, 0) {
    Some(now) => now,
    None => DateTime::UNIX_EPOCH,
};

/// The sample.
pub(crate) const MODEL: Model = Model {
    entity: &ENTITY,
    default_orderby: "detectedDateTime desc",
    namespace_aliases: &[("sample.securities", "sample.security")],
    searchable: &["title", "address/city", "resources"],
};

const fn required(name: &'static str, ty: Type) -> Property {
    Property { name, ty, nullable: false }
}

const fn optional(name: &'static str, ty: Type) -> Property {
    Property { name, ty, nullable: true }
}
