//! The OData query language, and an abstract model of entities.
//!
//! A query string goes through stages, each its own module, and stops at the first that refuses it:
//!
//! 1. [`options`]: query string to decoded option texts;
//! 2. [`lexer`]: text to tokens;
//! 3. [`parser`]: tokens to the syntax tree of [`ast`], under [`Limits`];
//! 4. [`check`], [`orderby`], [`select`]: the tree to a [`checked`] one, against a [`model`];
//! 5. [`query`]: all options together, and their [`page_token`].
//!
//! [`search`] and [`mod@format`] read the options that are no expressions. [`seal`] signs the texts that a
//! client brings back: page tokens, and [`delta_token`]s.
//!
//! What is part of OData but not supported is refused by its name, never ignored. Every error is a
//! [`QueryError`] that says where in the text it is. No input panics, and all stages take time that
//! grows with the length of the text.
//!
//! This crate reads no clock: what `now()` means is for the caller to say. It does not know what an alert is, or which database will answer.

pub mod ast;
pub mod check;
pub mod checked;
mod coerce;
pub mod delta_token;
mod error;
mod eval;
pub mod format;
pub mod lexer;
mod limits;
mod literal;
pub mod model;
pub mod options;
pub mod orderby;
pub mod page_token;
pub mod parser;
mod path;
pub mod query;
pub mod seal;
pub mod search;
pub mod select;
mod source;
mod suggest;
mod unsupported;

#[cfg(test)]
#[path = "../tests/sample/mod.rs"]
mod sample;

pub use delta_token::DeltaToken;
pub use error::{ErrorKind, QueryError, QueryOption};
pub use format::MetadataLevel;
pub use limits::Limits;
pub use model::Model;
pub use options::QueryOptions;
pub use page_token::Position;
pub use query::{CheckContext, Query};
pub use seal::{Seal, TokenKey};
pub use select::Selection;
pub use source::{Source, Span, Spanned};
