//! What holds of PostgreSQL alone, and the shared suite run on it.

mod connect;
mod tls;
