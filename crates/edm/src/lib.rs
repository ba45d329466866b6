//! The entity data model of an OData service, and its description on the wire.
//!
//! A [`Document`] holds what a service's `$metadata` says: types, operations, the container and the
//! annotations of all of them. [`xml`] and [`json`] write it as CSDL 4.01 in its two representations
//! (OData CSDL XML and CSDL JSON, OASIS standards of 2020); [`check`] finds what does not resolve.
//!
//! Only what our service needs is here: no type definitions, terms, referential constraints,
//! navigation bindings or function imports. This crate does not know which entities there are.

pub mod annotation;
pub mod check;
pub mod json;
pub mod model;
#[cfg(test)]
mod sample;
pub mod xml;

pub use annotation::{Annotation, Expression, Record};
pub use model::{
    Container, Document, EntitySet, Enumeration, Kind, NavigationProperty, Operation, OperationKind,
    Parameter, Property, Schema, Singleton, Structured, Targeted, Type, TypeRef, Version, Vocabulary,
};
