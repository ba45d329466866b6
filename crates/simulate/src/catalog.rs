//! What Azure sells, as far as the estates use it: regions, machine sizes, meters.
//!
//! Prices are round figures of the right order in US dollars, not Microsoft's price list: detection
//! must not depend on them.

mod meters;
mod regions;
mod sizes;

pub(crate) use meters::{Meter, meter};
pub(crate) use regions::{REGIONS, Region};
pub(crate) use sizes::{Size, SizeClass, of_class, size};
