//! The lake from outside: what was appended, by whom and how often, and what is read back.
#![expect(clippy::unwrap_used, reason = "tests; clippy excuses only the bodies of test functions")]

mod append;
mod compact;
mod events;
mod evolve;
mod expire;
mod processes;
mod read;
