//! Work that runs by itself while the server is up.

pub(crate) mod scheduler;
