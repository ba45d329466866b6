//! What Azure sells, as far as the estates use it: regions, machine sizes, meters; what Entra knows:
//! Microsoft's applications, the answers to a sign-in; and where in the world people are.
//!
//! Prices are round figures of the right order in US dollars, not Microsoft's price list: detection
//! must not depend on them.

pub(crate) mod answers;
pub(crate) mod applications;
mod meters;
mod places;
mod regions;
mod sizes;

pub(crate) use meters::{Meter, meter};
pub(crate) use places::{Network, Place, WORLD, Whereabouts, places_around};
pub(crate) use regions::{REGIONS, Region};
pub(crate) use sizes::{Size, SizeClass, of_class, size};
