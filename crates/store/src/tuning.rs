//! Questions on what was silenced.

use alerts::SubscriptionId;

/// Which silenced findings to read. What is not named may be anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SilencedQuery {
    /// Those of one detector.
    pub detector_id: Option<String>,
    /// Those of one subscription.
    pub subscription_id: Option<SubscriptionId>,
    /// Those that one rule silenced.
    pub rule_id: Option<String>,
    /// How many at most.
    pub limit: Option<u64>,
}
