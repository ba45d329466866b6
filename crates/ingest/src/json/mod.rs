//! JSON input: cut into records ([`frames`]), read loosely ([`loose`]), told apart and handed to the
//! parser of their kind ([`document`]).

pub(crate) mod document;
pub(crate) mod envelope;
pub(crate) mod frames;
pub(crate) mod kept;
pub(crate) mod loose;
pub(crate) mod scan;
mod window;
