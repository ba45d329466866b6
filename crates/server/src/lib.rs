//! The server: use cases over events and detectors, and work that runs by itself.
//!
//! [`app`] holds the use cases and is free of HTTP; the command line calls them too. `api` holds the
//! routes beside those of the crate `graph`, `jobs` runs the detectors.

mod api;
pub mod app;
pub mod config;
pub mod follow;
mod jobs;
mod serve;
mod tls;

pub use serve::{ServeError, ServeOptions, Server};
pub use tls::{Tls, TlsError};
