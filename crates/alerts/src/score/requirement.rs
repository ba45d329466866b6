//! The requirements, each with what its subtype adds.

use std::fmt::Display;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::enums::{UnknownMember, evolvable};

evolvable!(
    /// Whether a requirement is met.
    ComplianceStatus = "microsoft.graph.partner.security.complianceStatus" {
        /// It is.
        Compliant = "compliant",
        /// It is not. The misspelling is Microsoft's and the value on the wire.
        Noncomplaint = "noncomplaint",
    }
);

evolvable!(
    /// Whether a policy is on.
    PolicyStatus = "microsoft.graph.partner.security.policyStatus" {
        /// It is.
        Enabled = "enabled",
        /// It is not.
        Disabled = "disabled",
    }
);

evolvable!(
    /// Whether a requirement already counts.
    RequirementState = "microsoft.graph.partner.security.securityRequirementState" {
        /// It does.
        Active = "active",
        /// It is announced.
        Preview = "preview",
    }
);

evolvable!(
    /// What is required.
    RequirementType = "microsoft.graph.partner.security.securityRequirementType" {
        /// The partner's admins sign in with multi-factor authentication.
        MfaEnforcedForAdmins = "mfaEnforcedForAdmins",
        /// So do the admins of the customers.
        MfaEnforcedForAdminsOfCustomers = "mfaEnforcedForAdminsOfCustomers",
        /// Alerts are resolved in time.
        SecurityAlertsPromptlyResolved = "securityAlertsPromptlyResolved",
        /// Microsoft knows whom to call.
        SecurityContactProvided = "securityContactProvided",
        /// Customers' Azure subscriptions have a spending budget.
        SpendingBudgetSetForCustomerAzureSubscriptions = "spendingBudgetSetForCustomerAzureSubscriptions",
    }
);

/// `securityRequirement` and its subtypes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityRequirement {
    /// The key: opaque, one word.
    pub id: String,
    /// Where to act on it; empty if nobody has told.
    pub action_url: String,
    /// Where it is explained; empty if nobody has told.
    pub help_url: String,
    /// Whether it is met.
    pub compliance_status: ComplianceStatus,
    /// The points that it could give; at least 1.
    pub max_score: u32,
    /// The points that it gives.
    pub score: u32,
    /// What is required.
    pub requirement_type: RequirementType,
    /// Whether it already counts.
    pub state: RequirementState,
    /// When any of this last changed.
    pub updated_date_time: DateTime<Utc>,
    /// What its subtype adds.
    #[serde(flatten)]
    pub details: RequirementDetails,
}

/// What the subtype of a requirement adds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RequirementDetails {
    /// `adminsMfaEnforcedSecurityRequirement`
    AdminsMfa(AdminsMfa),
    /// `customersMfaEnforcedSecurityRequirement`
    CustomersMfa(CustomersMfa),
    /// `customersSpendingBudgetSecurityRequirement`
    CustomersSpendingBudget(CustomersSpendingBudget),
    /// `responseTimeSecurityRequirement`
    ResponseTime {
        /// Mean time from detection to resolution over the last 30 days, in hours.
        #[serde(rename = "averageResponseTimeInHours")]
        average_response_time_in_hours: f64,
    },
    /// The base type alone.
    None {},
}

/// What `adminsMfaEnforcedSecurityRequirement` adds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AdminsMfa {
    /// Admins who should use multi-factor authentication and do not.
    pub admins_required_not_using_mfa_count: u32,
    /// Whether it is set user by user, the old way.
    #[serde(deserialize_with = "known_member")]
    pub legacy_per_user_mfa_status: PolicyStatus,
    /// Whether a conditional access policy asks for it.
    #[serde(deserialize_with = "known_member")]
    pub mfa_conditional_access_policy_status: PolicyStatus,
    /// Admins for whom it is enabled.
    pub mfa_enabled_admins_count: u32,
    /// Users for whom it is enabled.
    pub mfa_enabled_users_count: u32,
    /// Whether the tenant has security defaults on.
    #[serde(deserialize_with = "known_member")]
    pub security_defaults_status: PolicyStatus,
    /// All admins.
    pub total_admins_count: u32,
    /// All users.
    pub total_users_count: u32,
    /// Users who should use it and do not.
    pub users_required_not_using_mfa_count: u32,
}

/// What `customersMfaEnforcedSecurityRequirement` adds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CustomersMfa {
    /// Customers that comply.
    pub compliant_tenant_count: u32,
    /// All customers.
    pub total_tenant_count: u32,
}

/// What `customersSpendingBudgetSecurityRequirement` adds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CustomersSpendingBudget {
    /// Customers with a budget.
    pub customers_with_spend_budget_count: u32,
    /// All customers.
    pub total_customers_count: u32,
}

impl RequirementDetails {
    /// The type's name without its namespace.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::AdminsMfa(_) => "adminsMfaEnforcedSecurityRequirement",
            Self::CustomersMfa(_) => "customersMfaEnforcedSecurityRequirement",
            Self::CustomersSpendingBudget(_) => "customersSpendingBudgetSecurityRequirement",
            Self::ResponseTime { .. } => "responseTimeSecurityRequirement",
            Self::None {} => "securityRequirement",
        }
    }
}

/// Reads a member of an enumeration that somebody wrote by hand, and names one that there is not.
pub(super) fn known_member<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err = UnknownMember>,
    UnknownMember: Display,
{
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(D::Error::custom)
}

#[cfg(test)]
pub(super) fn sample() -> SecurityRequirement {
    SecurityRequirement {
        id: "r-1".to_owned(),
        action_url: String::new(),
        help_url: String::new(),
        compliance_status: ComplianceStatus::Compliant,
        max_score: 20,
        score: 20,
        requirement_type: RequirementType::MfaEnforcedForAdminsOfCustomers,
        state: RequirementState::Active,
        updated_date_time: "2031-02-03T04:05:06Z".parse().unwrap(),
        details: RequirementDetails::CustomersMfa(CustomersMfa {
            compliant_tenant_count: 3,
            total_tenant_count: 3,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_form_is_graphs_and_reads_back() {
        let budget =
            CustomersSpendingBudget { customers_with_spend_budget_count: 1, total_customers_count: 2 };
        let admins = AdminsMfa {
            admins_required_not_using_mfa_count: 1,
            legacy_per_user_mfa_status: PolicyStatus::Disabled,
            mfa_conditional_access_policy_status: PolicyStatus::Enabled,
            mfa_enabled_admins_count: 4,
            mfa_enabled_users_count: 8,
            security_defaults_status: PolicyStatus::Disabled,
            total_admins_count: 5,
            total_users_count: 9,
            users_required_not_using_mfa_count: 1,
        };
        let all = [
            sample().details,
            RequirementDetails::AdminsMfa(admins),
            RequirementDetails::CustomersSpendingBudget(budget),
            RequirementDetails::ResponseTime { average_response_time_in_hours: 12.5 },
            RequirementDetails::None {},
        ]
        .map(|details| SecurityRequirement { details, ..sample() });
        let text = serde_json::to_string_pretty(&all).unwrap();
        let back: Vec<SecurityRequirement> = serde_json::from_str(&text).unwrap();
        assert_eq!(back, all);
        insta::assert_snapshot!(text);
    }
}
