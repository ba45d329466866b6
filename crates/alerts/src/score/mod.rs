//! The partner's security score: requirements, what is known of customers, and how it all adds up.
//!
//! Types and names are those of `microsoft.graph.partner.security` in the published CSDL. Microsoft
//! does not publish how it computes the score, so the sum is ours: see [`Score::of`]. What is not
//! known is absent; nothing here stands for a requirement of which nobody has told.

mod requirement;
mod response_time;

pub use requirement::{
    AdminsMfa, ComplianceStatus, CustomersMfa, CustomersSpendingBudget, PolicyStatus, RequirementDetails,
    RequirementState, RequirementType, SecurityRequirement,
};
pub use response_time::{ResolvedAlerts, ResponseTimeTarget, ResponseTimes};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::CustomerTenantId;

/// The score that a partner who meets every known requirement has; Microsoft's samples show 100.
pub const MAX_SCORE: f64 = 100.0;

/// `customerInsight`: what is known of one customer's protection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CustomerInsight {
    /// The customer; also the key.
    pub tenant_id: CustomerTenantId,
    /// How its users sign in; null if nobody has told.
    #[serde(default)]
    pub mfa: Option<CustomerMfaInsight>,
}

/// `customerMfaInsight`: how the users of a customer sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CustomerMfaInsight {
    /// Admins for whom multi-factor authentication is enforced.
    pub compliant_admins_count: u32,
    /// Other users for whom it is.
    pub compliant_non_admins_count: u32,
    /// All users.
    pub total_users_count: u32,
    /// Whether it is set user by user, the old way.
    #[serde(deserialize_with = "requirement::known_member")]
    pub legacy_per_user_mfa_status: PolicyStatus,
    /// Whether a conditional access policy asks for it.
    #[serde(deserialize_with = "requirement::known_member")]
    pub mfa_conditional_access_policy_status: PolicyStatus,
    /// Whether the tenant has security defaults on.
    #[serde(deserialize_with = "requirement::known_member")]
    pub security_defaults_status: PolicyStatus,
}

/// How the known requirements add up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// The points of all known requirements over the points that they could give, scaled to
    /// [`MAX_SCORE`] and rounded to two decimals.
    pub current: f64,
    /// How many of the known requirements are met.
    pub compliant_requirements: u32,
    /// How many requirements are known.
    pub total_requirements: u32,
}

/// `securityScoreHistory`: the score as it was from some moment on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoreSnapshot {
    /// The score.
    pub score: Score,
    /// When it was found to be so.
    pub created_at: DateTime<Utc>,
}

impl Score {
    /// Adds up requirements; `None` if not one is known, as there is no score then.
    ///
    /// A requirement that is not known counts neither in the points reached nor in those that could be.
    #[must_use]
    pub fn of(requirements: &[SecurityRequirement]) -> Option<Self> {
        let points: u64 = requirements.iter().map(|requirement| u64::from(requirement.score)).sum();
        let possible: u64 = requirements.iter().map(|requirement| u64::from(requirement.max_score)).sum();
        if possible == 0 {
            return None;
        }
        let is_compliant =
            |requirement: &&SecurityRequirement| requirement.compliance_status == ComplianceStatus::Compliant;
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        #[expect(clippy::cast_precision_loss, reason = "points are few")]
        let share = points as f64 / possible as f64;
        Some(Self {
            current: (share * MAX_SCORE * 100.0).round() / 100.0,
            compliant_requirements: count(requirements.iter().filter(is_compliant).count()),
            total_requirements: count(requirements.len()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::requirement::sample;

    #[test]
    fn the_score_is_the_share_of_the_known_points() {
        let check = |points: &[(u32, u32)], expected: Option<f64>| {
            let requirements: Vec<_> = points
                .iter()
                .map(|&(score, max_score)| SecurityRequirement { score, max_score, ..sample() })
                .collect();
            assert_eq!(Score::of(&requirements).map(|score| score.current), expected, "{points:?}");
        };
        check(&[], None);
        check(&[(20, 20)], Some(100.0));
        check(&[(0, 20)], Some(0.0));
        check(&[(20, 20), (0, 10)], Some(66.67));
        check(&[(5, 20), (10, 10), (0, 30)], Some(25.0));
    }

    #[test]
    fn requirements_that_are_met_are_counted() {
        let missed = SecurityRequirement { compliance_status: ComplianceStatus::Noncomplaint, ..sample() };
        let score = Score::of(&[sample(), missed, sample()]).unwrap();
        assert_eq!((score.compliant_requirements, score.total_requirements), (2, 3));
    }
}
