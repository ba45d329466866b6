//! Work that runs by itself while the server is up.

pub(crate) mod housekeeping;
pub(crate) mod lake_upkeep;
pub(crate) mod money;
pub(crate) mod notifications;
pub(crate) mod scheduler;
pub(crate) mod silence;
pub(crate) mod sources;
pub(crate) mod webhook_deliveries;
