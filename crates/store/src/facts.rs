//! What has been told of a partner's security, beside alerts.

use alerts::score::{CustomerInsight, SecurityRequirement};

/// Facts for the security score. Each list that is there takes the place of what was known.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SecurityFacts {
    /// Requirements, each id once; `None` leaves those that are known.
    pub requirements: Option<Vec<SecurityRequirement>>,
    /// Insights on customers, each customer once; `None` leaves those that are known.
    pub customer_insights: Option<Vec<CustomerInsight>>,
}
