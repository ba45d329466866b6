//! `partnerSecurityScore`: how well the partner meets the security requirements, as the published CSDL
//! has it.

use ::edm::{Kind, Property, Structured, Type, TypeRef};

use super::{contained, enumeration, graph, optional, required, structured};

const REQUIREMENT: &str = "microsoft.graph.partner.security.securityRequirement";
const POLICY_STATUS: &str = "microsoft.graph.partner.security.policyStatus";

pub(super) fn types() -> Vec<Type> {
    let mut types: Vec<Type> = vec![score(), requirement()].into_iter().map(Type::Structured).collect();
    types.extend(kinds_of_requirement().map(Type::Structured));
    types.extend([customer_insight(), customer_mfa_insight(), history()].map(Type::Structured));
    types.extend([
        // The second member is misspelled in Graph itself, so this is what goes over the wire.
        enumeration("complianceStatus", &["compliant", "noncomplaint", "unknownFutureValue"]),
        enumeration("policyStatus", &["enabled", "disabled", "unknownFutureValue"]),
        enumeration("securityRequirementState", &["active", "preview", "unknownFutureValue"]),
        enumeration(
            "securityRequirementType",
            &[
                "mfaEnforcedForAdmins",
                "mfaEnforcedForAdminsOfCustomers",
                "securityAlertsPromptlyResolved",
                "securityContactProvided",
                "spendingBudgetSetForCustomerAzureSubscriptions",
                "unknownFutureValue",
            ],
        ),
    ]);
    types
}

fn entity(name: &'static str, description: &'static str, properties: Vec<Property>) -> Structured {
    Structured { base: Some(graph::ENTITY), properties, description, ..structured(Kind::Entity, name) }
}

fn score() -> Structured {
    Structured {
        navigation: vec![
            contained(
                "customerInsights",
                TypeRef::many("microsoft.graph.partner.security.customerInsight"),
                "What is known of each customer.",
            ),
            contained(
                "history",
                TypeRef::many("microsoft.graph.partner.security.securityScoreHistory"),
                "Earlier scores.",
            ),
            contained("requirements", TypeRef::many(REQUIREMENT), "What the score is made of."),
        ],
        ..entity(
            "partnerSecurityScore",
            "How well the partner meets the security requirements.",
            vec![
                required("currentScore", "Edm.Single", "The score."),
                required("lastRefreshDateTime", "Edm.DateTimeOffset", "When the facts were last looked at."),
                required("maxScore", "Edm.Single", "The highest score there can be."),
                required("updatedDateTime", "Edm.DateTimeOffset", "When the score last changed."),
            ],
        )
    }
}

fn requirement() -> Structured {
    entity(
        "securityRequirement",
        "One requirement, and how far it is met.",
        vec![
            required("actionUrl", "Edm.String", "Where to do something about it."),
            required(
                "complianceStatus",
                "microsoft.graph.partner.security.complianceStatus",
                "Whether it is met.",
            ),
            required("helpUrl", "Edm.String", "Where it is explained."),
            required("maxScore", "Edm.Int64", "What it adds to the score at most."),
            required(
                "requirementType",
                "microsoft.graph.partner.security.securityRequirementType",
                "Which requirement it is.",
            ),
            required("score", "Edm.Int64", "What it adds to the score."),
            required(
                "state",
                "microsoft.graph.partner.security.securityRequirementState",
                "Whether it counts already.",
            ),
            required("updatedDateTime", "Edm.DateTimeOffset", "When this last changed."),
        ],
    )
}

/// The types that derive from [`requirement`]; `securityContactProvided` has none of its own.
fn kinds_of_requirement() -> impl Iterator<Item = Structured> {
    let of = |name, description, properties| Structured {
        base: Some(REQUIREMENT),
        ..entity(name, description, properties)
    };
    let count = |name, description| required(name, "Edm.Int64", description);
    let policy = |name, description| required(name, POLICY_STATUS, description);
    [
        of(
            "adminsMfaEnforcedSecurityRequirement",
            "Whether the partner's administrators must use multifactor authentication.",
            vec![
                count("adminsRequiredNotUsingMfaCount", "Administrators who must use it and do not."),
                policy("legacyPerUserMfaStatus", "Whether it is demanded per user, the older way."),
                policy("mfaConditionalAccessPolicyStatus", "Whether a conditional access policy demands it."),
                count("mfaEnabledAdminsCount", "Administrators who use it."),
                count("mfaEnabledUsersCount", "Users who use it."),
                policy("securityDefaultsStatus", "Whether security defaults are on."),
                count("totalAdminsCount", "All administrators."),
                count("totalUsersCount", "All users."),
                count("usersRequiredNotUsingMfaCount", "Users who must use it and do not."),
            ],
        ),
        of(
            "customersMfaEnforcedSecurityRequirement",
            "Whether the customers' administrators must use multifactor authentication.",
            vec![
                count("compliantTenantCount", "Customers where they must."),
                count("totalTenantCount", "All customers."),
            ],
        ),
        of(
            "customersSpendingBudgetSecurityRequirement",
            "Whether customers have a spending budget.",
            vec![
                count("customersWithSpendBudgetCount", "Customers with a budget."),
                count("totalCustomersCount", "All customers."),
            ],
        ),
        of(
            "responseTimeSecurityRequirement",
            "How fast alerts are resolved.",
            vec![required(
                "averageResponseTimeInHours",
                "Edm.Single",
                "The mean time from detection to resolution over the last 30 days, in hours.",
            )],
        ),
    ]
    .into_iter()
}

fn customer_insight() -> Structured {
    Structured {
        key: vec!["tenantId"],
        properties: vec![
            optional(
                "mfa",
                "microsoft.graph.partner.security.customerMfaInsight",
                "The use of multifactor authentication; null if it is not known.",
            ),
            required("tenantId", "Edm.String", "The customer's tenant."),
        ],
        description: "What is known of one customer.",
        ..structured(Kind::Entity, "customerInsight")
    }
}

fn customer_mfa_insight() -> Structured {
    Structured {
        properties: vec![
            required("compliantAdminsCount", "Edm.Int64", "Administrators who meet the requirement."),
            required("compliantNonAdminsCount", "Edm.Int64", "Other users who meet it."),
            required(
                "legacyPerUserMfaStatus",
                POLICY_STATUS,
                "Whether it is demanded per user, the older way.",
            ),
            required(
                "mfaConditionalAccessPolicyStatus",
                POLICY_STATUS,
                "Whether a conditional access policy demands it.",
            ),
            required("securityDefaultsStatus", POLICY_STATUS, "Whether security defaults are on."),
            required("totalUsersCount", "Edm.Int64", "All users."),
        ],
        description: "A customer's use of multifactor authentication.",
        ..structured(Kind::Complex, "customerMfaInsight")
    }
}

fn history() -> Structured {
    entity(
        "securityScoreHistory",
        "An earlier score.",
        vec![
            required("compliantRequirementsCount", "Edm.Int64", "Requirements that were met."),
            required("createdDateTime", "Edm.DateTimeOffset", "When it was written down."),
            required("score", "Edm.Single", "The score."),
            required("totalRequirementsCount", "Edm.Int64", "All requirements."),
        ],
    )
}
