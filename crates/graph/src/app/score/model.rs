//! What can be selected of the score's entities: the properties of the published CSDL.
//!
//! A requirement can be asked for the properties of its subtypes without a type cast; those that an
//! entity does not have are left out of it.

use odata::Model;
use odata::model::{EnumType, Property, StructuredType, Type};

pub(super) static PARTNER: Model = model(&StructuredType {
    name: "microsoft.graph.partner.security.partnerSecurity",
    properties: &[ID],
    open: false,
});

pub(super) static SCORE: Model = model(&StructuredType {
    name: "microsoft.graph.partner.security.partnerSecurityScore",
    properties: &[
        ID,
        property("currentScore", Type::Double),
        property("lastRefreshDateTime", Type::DateTimeOffset),
        property("maxScore", Type::Double),
        property("updatedDateTime", Type::DateTimeOffset),
    ],
    open: false,
});

pub(super) static REQUIREMENT: Model = model(&StructuredType {
    name: "microsoft.graph.partner.security.securityRequirement",
    properties: &[
        ID,
        property("actionUrl", Type::String),
        property("helpUrl", Type::String),
        property("complianceStatus", Type::Enum(&COMPLIANCE_STATUS)),
        property("maxScore", Type::Int64),
        property("score", Type::Int64),
        property("requirementType", Type::Enum(&REQUIREMENT_TYPE)),
        property("state", Type::Enum(&STATE)),
        property("updatedDateTime", Type::DateTimeOffset),
        property("adminsRequiredNotUsingMfaCount", Type::Int64),
        property("legacyPerUserMfaStatus", Type::Enum(&POLICY_STATUS)),
        property("mfaConditionalAccessPolicyStatus", Type::Enum(&POLICY_STATUS)),
        property("mfaEnabledAdminsCount", Type::Int64),
        property("mfaEnabledUsersCount", Type::Int64),
        property("securityDefaultsStatus", Type::Enum(&POLICY_STATUS)),
        property("totalAdminsCount", Type::Int64),
        property("totalUsersCount", Type::Int64),
        property("usersRequiredNotUsingMfaCount", Type::Int64),
        property("compliantTenantCount", Type::Int64),
        property("totalTenantCount", Type::Int64),
        property("customersWithSpendBudgetCount", Type::Int64),
        property("totalCustomersCount", Type::Int64),
        property("averageResponseTimeInHours", Type::Double),
    ],
    open: false,
});

pub(super) static HISTORY: Model = model(&StructuredType {
    name: "microsoft.graph.partner.security.securityScoreHistory",
    properties: &[
        ID,
        property("compliantRequirementsCount", Type::Int64),
        property("createdDateTime", Type::DateTimeOffset),
        property("score", Type::Double),
        property("totalRequirementsCount", Type::Int64),
    ],
    open: false,
});

pub(super) static CUSTOMER_INSIGHT: Model = model(&StructuredType {
    name: "microsoft.graph.partner.security.customerInsight",
    properties: &[
        property("tenantId", Type::String),
        Property { name: "mfa", ty: Type::Complex(&CUSTOMER_MFA), nullable: true },
    ],
    open: false,
});

static CUSTOMER_MFA: StructuredType = StructuredType {
    name: "microsoft.graph.partner.security.customerMfaInsight",
    properties: &[
        property("compliantAdminsCount", Type::Int64),
        property("compliantNonAdminsCount", Type::Int64),
        property("totalUsersCount", Type::Int64),
        property("legacyPerUserMfaStatus", Type::Enum(&POLICY_STATUS)),
        property("mfaConditionalAccessPolicyStatus", Type::Enum(&POLICY_STATUS)),
        property("securityDefaultsStatus", Type::Enum(&POLICY_STATUS)),
    ],
    open: false,
};

static COMPLIANCE_STATUS: EnumType = EnumType {
    name: "microsoft.graph.partner.security.complianceStatus",
    members: &["compliant", "noncomplaint", "unknownFutureValue"],
};

static POLICY_STATUS: EnumType = EnumType {
    name: "microsoft.graph.partner.security.policyStatus",
    members: &["enabled", "disabled", "unknownFutureValue"],
};

static STATE: EnumType = EnumType {
    name: "microsoft.graph.partner.security.securityRequirementState",
    members: &["active", "preview", "unknownFutureValue"],
};

static REQUIREMENT_TYPE: EnumType = EnumType {
    name: "microsoft.graph.partner.security.securityRequirementType",
    members: &[
        "mfaEnforcedForAdmins",
        "mfaEnforcedForAdminsOfCustomers",
        "securityAlertsPromptlyResolved",
        "securityContactProvided",
        "spendingBudgetSetForCustomerAzureSubscriptions",
        "unknownFutureValue",
    ],
};

const ID: Property = property("id", Type::String);

const fn property(name: &'static str, ty: Type) -> Property {
    Property { name, ty, nullable: false }
}

const fn model(entity: &'static StructuredType) -> Model {
    Model {
        entity,
        // The key, which ends every order anyway.
        default_orderby: "",
        searchable: &[],
        namespace_aliases: &[("microsoft.graph.partners.security", "microsoft.graph.partner.security")],
    }
}
