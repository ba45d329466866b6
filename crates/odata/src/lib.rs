//! The OData query language, and an abstract model of entities.
//!
//! Text becomes tokens, tokens a syntax tree, and the tree is checked against a model; each stage is
//! a module. This crate does not know what an alert is, or which database will answer.

pub mod checked;
pub mod model;
