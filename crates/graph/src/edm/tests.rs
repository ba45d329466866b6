//! The description against itself, the published facts, and what the server does.

use ::edm::{Structured, Type, Version, check, json, xml};

use super::{PARTNER_SECURITY, alert, document};

fn types() -> &'static [Type] {
    let schema = document().schemas.iter().find(|schema| schema.namespace == PARTNER_SECURITY);
    &schema.unwrap().types
}

fn structured(name: &str) -> &'static Structured {
    document().find_structured(&format!("{PARTNER_SECURITY}.{name}")).unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn every_name_in_it_leads_somewhere() {
    assert_eq!(check::problems(document()), [""; 0]);
}

#[test]
fn the_xml_is_what_it_is() {
    insta::assert_snapshot!(xml::write(document(), Version::V4_01));
}

#[test]
fn the_json_is_what_it_is() {
    insta::assert_json_snapshot!(json::write(document()));
}

/// Both representations say the same: the elements of the XML, counted by kind, are those of the JSON.
#[test]
fn xml_and_json_have_the_same_elements() {
    use quick_xml::events::Event;

    let text = xml::write(document(), Version::V4_01);
    let mut reader = quick_xml::Reader::from_str(&text);
    let (mut properties, mut navigation, mut members) = (0, 0, 0);
    loop {
        match reader.read_event().unwrap() {
            Event::Start(element) | Event::Empty(element) if element.name().as_ref() == b"Property" => {
                properties += 1
            }
            Event::Start(element) | Event::Empty(element)
                if element.name().as_ref() == b"NavigationProperty" =>
            {
                navigation += 1
            }
            Event::Empty(element) if element.name().as_ref() == b"Member" => members += 1,
            Event::Eof => break,
            _ => {}
        }
    }
    let json = json::write(document());
    let schemas = json.as_object().unwrap().iter().filter(|(name, _)| !name.starts_with('$'));
    let (mut json_properties, mut json_navigation, mut json_members) = (0, 0, 0);
    for (_, ty) in schemas.flat_map(|(_, schema)| schema.as_object().unwrap()) {
        let named = |ty: &serde_json::Value| {
            let object = ty.as_object().unwrap();
            object
                .iter()
                .filter(|(name, _)| !name.contains(['$', '@']))
                .map(|(_, value)| value.clone())
                .collect::<Vec<_>>()
        };
        match ty["$Kind"].as_str() {
            Some("EntityType" | "ComplexType") => {
                let leads = |member: &&serde_json::Value| member["$Kind"] == "NavigationProperty";
                let all = named(ty);
                json_navigation += all.iter().filter(leads).count();
                json_properties += all.iter().filter(|member| !leads(member)).count();
            }
            Some("EnumType") => json_members += named(ty).len(),
            _ => {}
        }
    }
    assert_eq!((properties, navigation, members), (json_properties, json_navigation, json_members));
    assert!(properties > 60 && navigation == 6 && members > 30, "{properties} {navigation} {members}");
}

#[test]
fn every_property_of_the_alert_is_described() {
    let types = ["partnerSecurityAlert", "affectedResource", "activityLog"].map(structured);
    for property in types.iter().flat_map(|ty| &ty.properties) {
        assert!(alert::description(property.name).is_some(), "{} has no description", property.name);
    }
}

/// Members and numbers of the published CSDL.
#[test]
fn enumerations_have_the_published_numbers() {
    let check = |name: &str, expected: &[&str]| {
        let found = types().iter().find_map(|ty| match ty {
            Type::Enumeration(enumeration) if enumeration.name == name => Some(&enumeration.members),
            _ => None,
        });
        let expected: Vec<_> = expected.iter().copied().zip(0..).collect();
        assert_eq!(found, Some(&expected), "{name}");
    };
    check("securityAlertStatus", &["active", "resolved", "investigating", "unknownFutureValue"]);
    check("securityAlertSeverity", &["informational", "high", "medium", "low", "unknownFutureValue"]);
    check("securityAlertConfidence", &["low", "medium", "high", "unknownFutureValue"]);
    check("securityAlertResolvedReason", &["legitimate", "ignore", "fraud", "unknownFutureValue"]);
    check("complianceStatus", &["compliant", "noncomplaint", "unknownFutureValue"]);
    check("policyStatus", &["enabled", "disabled", "unknownFutureValue"]);
    check("securityRequirementState", &["active", "preview", "unknownFutureValue"]);
    check(
        "securityRequirementType",
        &[
            "mfaEnforcedForAdmins",
            "mfaEnforcedForAdminsOfCustomers",
            "securityAlertsPromptlyResolved",
            "securityContactProvided",
            "spendingBudgetSetForCustomerAzureSubscriptions",
            "unknownFutureValue",
        ],
    );
}

/// Properties of the published CSDL; a question mark says that null is allowed.
#[test]
fn types_have_the_published_properties() {
    let check = |name: &str, base: Option<&str>, expected: &str| {
        let ty = structured(name);
        let written = ty.properties.iter().map(|property| {
            let many = if property.ty.is_collection { "[]" } else { "" };
            let null = if property.nullable { "?" } else { "" };
            let local = property
                .ty
                .name
                .strip_prefix("microsoft.graph.partner.security.")
                .unwrap_or(property.ty.name);
            format!("{} {local}{many}{null}", property.name)
        });
        let mut written: Vec<_> = written.filter(|text| !text.starts_with("lastModifiedDateTime ")).collect();
        written.sort();
        assert_eq!(written.join(", "), expected, "{name}");
        assert_eq!(ty.base, base, "{name}");
    };
    let entity = Some("microsoft.graph.entity");
    let requirement = Some("microsoft.graph.partner.security.securityRequirement");
    check(
        "partnerSecurityAlert",
        entity,
        "activityLogs activityLog[], additionalDetails additionalDataDictionary?, affectedResources affectedResource[], alertType Edm.String, catalogOfferId Edm.String?, confidenceLevel securityAlertConfidence, customerTenantId Edm.String, description Edm.String?, detectedDateTime Edm.DateTimeOffset, displayName Edm.String, firstObservedDateTime Edm.DateTimeOffset?, isTest Edm.Boolean?, lastObservedDateTime Edm.DateTimeOffset?, resolvedBy Edm.String?, resolvedOnDateTime Edm.DateTimeOffset?, resolvedReason securityAlertResolvedReason?, severity securityAlertSeverity, status securityAlertStatus, subscriptionId Edm.String, valueAddedResellerTenantId Edm.String?",
    );
    check("partnerSecurity", entity, "");
    check(
        "activityLog",
        None,
        "statusFrom securityAlertStatus, statusTo securityAlertStatus, updatedBy Edm.String, updatedDateTime Edm.DateTimeOffset",
    );
    check("affectedResource", None, "resourceId Edm.String, resourceType Edm.String");
    check("additionalDataDictionary", Some("microsoft.graph.Dictionary"), "");
    assert!(structured("additionalDataDictionary").is_open);
    check(
        "partnerSecurityScore",
        entity,
        "currentScore Edm.Single, lastRefreshDateTime Edm.DateTimeOffset, maxScore Edm.Single, updatedDateTime Edm.DateTimeOffset",
    );
    check(
        "securityRequirement",
        entity,
        "actionUrl Edm.String, complianceStatus complianceStatus, helpUrl Edm.String, maxScore Edm.Int64, requirementType securityRequirementType, score Edm.Int64, state securityRequirementState, updatedDateTime Edm.DateTimeOffset",
    );
    check(
        "adminsMfaEnforcedSecurityRequirement",
        requirement,
        "adminsRequiredNotUsingMfaCount Edm.Int64, legacyPerUserMfaStatus policyStatus, mfaConditionalAccessPolicyStatus policyStatus, mfaEnabledAdminsCount Edm.Int64, mfaEnabledUsersCount Edm.Int64, securityDefaultsStatus policyStatus, totalAdminsCount Edm.Int64, totalUsersCount Edm.Int64, usersRequiredNotUsingMfaCount Edm.Int64",
    );
    check(
        "customersMfaEnforcedSecurityRequirement",
        requirement,
        "compliantTenantCount Edm.Int64, totalTenantCount Edm.Int64",
    );
    check(
        "customersSpendingBudgetSecurityRequirement",
        requirement,
        "customersWithSpendBudgetCount Edm.Int64, totalCustomersCount Edm.Int64",
    );
    check("responseTimeSecurityRequirement", requirement, "averageResponseTimeInHours Edm.Single");
    check("customerInsight", None, "mfa customerMfaInsight?, tenantId Edm.String");
    assert_eq!(structured("customerInsight").key, ["tenantId"]);
    check(
        "customerMfaInsight",
        None,
        "compliantAdminsCount Edm.Int64, compliantNonAdminsCount Edm.Int64, legacyPerUserMfaStatus policyStatus, mfaConditionalAccessPolicyStatus policyStatus, securityDefaultsStatus policyStatus, totalUsersCount Edm.Int64",
    );
    check(
        "securityScoreHistory",
        entity,
        "compliantRequirementsCount Edm.Int64, createdDateTime Edm.DateTimeOffset, score Edm.Single, totalRequirementsCount Edm.Int64",
    );
}
