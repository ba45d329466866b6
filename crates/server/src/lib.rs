//! The server: use cases, the Graph API over HTTP, and work that runs by itself.
//!
//! [`app`] holds the use cases and is free of HTTP; the command line calls them too. `api` holds the
//! routes, [`auth`] says who is calling, `error` alone knows status codes, `jobs` runs the detectors.

mod api;
pub mod app;
pub mod auth;
pub mod config;
mod error;
mod jobs;
mod serve;

pub use serve::{ServeError, ServeOptions, Server};
