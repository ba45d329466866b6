//! A client of Microsoft Graph's partner security alert API, for Graph itself and for every server
//! that speaks as Graph does, such as our own.
//!
//! Nouns: a [`Client`] knows one server and one token. [`ListOptions`] say which alerts; a list comes
//! as a stream of [`Page`]s, a delta query as a stream of [`DeltaPage`]s, and one alert as an
//! [`Entity`] with its ETag. What fails is an [`Error`]; what the server itself refused is a
//! [`GraphError`].
//!
//! Alerts are read as whatever type the caller names: [`alerts::PartnerSecurityAlert`] for whole ones,
//! a JSON object where `$select` cuts them down or unknown properties must survive.
//!
//! What always holds:
//!
//! - **The token goes to one origin only.** Links that lead elsewhere are refused, redirects are not
//!   followed, and plain HTTP to another machine has to be asked for.
//! - **Everything ends.** Requests have a timeout, replies a largest size, retries a largest number.
//! - **Waiting is a parameter** ([`Builder::sleep_with`]), so tests do not wait.
//!
//! Graph's permissions, for tokens: `PartnerSecurity.Read.All` to read, `PartnerSecurity.ReadWrite.All`
//! to change.

mod address;
mod builder;
mod client;
mod delta;
mod error;
mod graph_error;
mod options;
mod page;
mod reply;
mod retry;

pub use builder::Builder;
pub use client::{Client, Entity};
pub use delta::{Change, DeltaPage, DeltaStart};
pub use error::Error;
pub use graph_error::GraphError;
pub use options::ListOptions;
pub use page::Page;
pub use secrecy::SecretString;
