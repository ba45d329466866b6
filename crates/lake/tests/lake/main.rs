//! The lake from outside: what was appended, by whom and how often, and what is read back.

mod append;
mod events;
mod evolve;
mod processes;
mod read;
