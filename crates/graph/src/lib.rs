//! The Microsoft Graph surface: who is calling, what they ask for, and the exact form of the replies.
//!
//! [`app`] holds what callers do, free of HTTP; the command line calls it too. [`http`] holds the
//! routes. [`edm`] and [`openapi`] describe the API to programs. [`auth`] says who is calling. [`error`]
//! alone knows status codes. [`notify`] tells receivers of changes. This crate reads and
//! writes alerts through [`store::Store`] and knows nothing of events and detectors, so it builds
//! without a query engine.

pub mod app;
pub mod auth;
pub mod edm;
pub mod error;
pub mod http;
pub mod notify;
pub mod openapi;
pub mod webhooks;

pub use error::ApiError;
pub use http::Graph;
