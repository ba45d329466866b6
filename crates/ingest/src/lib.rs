//! Reads Azure's own record formats and normalises them into events.

pub mod schema;
