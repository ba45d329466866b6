//! `/security/partner` and the score with its parts.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::super::operation::Operation;
use super::super::parts::select;
use super::super::schemas::{collection, selectable, single};
use crate::auth::{READ, READ_WRITE};
use crate::error::Kind;

const PARTNER: &str = "microsoft.graph.partner.security.partnerSecurity";
const SCORE: &str = "microsoft.graph.partner.security.partnerSecurityScore";
const REQUIREMENT: &str = "microsoft.graph.partner.security.securityRequirement";
const HISTORY: &str = "microsoft.graph.partner.security.securityScoreHistory";
const INSIGHT: &str = "microsoft.graph.partner.security.customerInsight";

pub(in super::super) fn operations() -> Vec<Operation> {
    let mut operations = vec![
        entity(
            "/beta/security/partner",
            "getPartner",
            "Get the partner",
            PARTNER,
            context("partner/$entity", json!({"id": "partner"})),
        ),
        entity(
            "/beta/security/partner/securityScore",
            "getSecurityScore",
            "Get the security score",
            SCORE,
            context(
                "partner/securityScore/$entity",
                json!({"id": "score", "currentScore": 20.0, "maxScore": 100.0, "lastRefreshDateTime": "2031-02-03T04:05:06Z", "updatedDateTime": "2031-02-03T04:05:06Z"}),
            ),
        ),
    ];
    operations.extend(part(
        [
            "/beta/security/partner/securityScore/requirements",
            "/beta/security/partner/securityScore/requirements/$count",
            "/beta/security/partner/securityScore/requirements/{id}",
        ],
        ["listRequirements", "countRequirements", "getRequirement"],
        ["List the requirements", "Count the requirements", "Get a requirement"],
        REQUIREMENT,
        "requirementId",
        json!({
            "@odata.type": "#microsoft.graph.partner.security.responseTimeSecurityRequirement",
            "id": "securityAlertsPromptlyResolved", "requirementType": "securityAlertsPromptlyResolved",
            "complianceStatus": "compliant", "state": "active", "score": 20, "maxScore": 20,
            "averageResponseTimeInHours": 5.5, "actionUrl": "https://alerts.partner.example/",
            "helpUrl": "https://alerts.partner.example/", "updatedDateTime": "2031-02-03T04:05:06Z",
        }),
    ));
    operations.extend(part(
        ["/beta/security/partner/securityScore/history", "/beta/security/partner/securityScore/history/$count", "/beta/security/partner/securityScore/history/{id}"],
        ["listScoreHistory", "countScoreHistory", "getScoreHistory"],
        ["List earlier scores", "Count earlier scores", "Get an earlier score"],
        HISTORY,
        "historyId",
        json!({"id": "5a3b1e00-0005-4000-8000-000000000001", "score": 20.0, "compliantRequirementsCount": 1, "totalRequirementsCount": 5, "createdDateTime": "2031-02-03T04:05:06Z"}),
    ));
    operations.extend(part(
        [
            "/beta/security/partner/securityScore/customerInsights",
            "/beta/security/partner/securityScore/customerInsights/$count",
            "/beta/security/partner/securityScore/customerInsights/{tenantId}",
        ],
        ["listCustomerInsights", "countCustomerInsights", "getCustomerInsight"],
        ["List what is known of customers", "Count the customers", "Get what is known of a customer"],
        INSIGHT,
        "tenantId",
        json!({"tenantId": "5a3b1e00-0003-4000-8000-000000000002", "mfa": null}),
    ));
    operations
}

fn context(path: &str, mut entity: Value) -> Value {
    entity["@odata.context"] =
        format!("https://alerts.partner.example/beta/$metadata#security/{path}").into();
    entity
}

fn entity(
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    ty: &str,
    example: Value,
) -> Operation {
    Operation::get(path, id, "score", summary)
        .needs(&[READ, READ_WRITE])
        .parameter(select(&selectable(ty)))
        .takes(&["format"])
        .gives_json(StatusCode::OK, "The entity.", single(ty), example)
        .with_header("OData-Version")
        .fails(&[Kind::NotFound, Kind::NotAcceptable])
}

/// A part of the score: its list, its count, and one of it.
fn part(
    paths: [&'static str; 3],
    ids: [&'static str; 3],
    summaries: [&'static str; 3],
    ty: &str,
    key: &str,
    example: Value,
) -> [Operation; 3] {
    let [list, count, one] = paths;
    let segments = list.trim_start_matches("/beta/security/");
    let page = context(segments, json!({"value": [example.clone()]}));
    let read = |path, id, summary| Operation::get(path, id, "score", summary).needs(&[READ, READ_WRITE]);
    [
        read(list, ids[0], summaries[0])
            .parameter(select(&selectable(ty)))
            .takes(&["top", "skip", "count", "format"])
            .gives_json(StatusCode::OK, "All of them.", collection(ty), page)
            .with_header("OData-Version")
            .fails(&[Kind::NotAcceptable]),
        read(count, ids[1], summaries[1]).gives(
            StatusCode::OK,
            "The number.",
            "text/plain",
            json!({"type": "string", "pattern": "^[0-9]+$"}),
            json!("5"),
        ),
        read(one, ids[2], summaries[2])
            .takes(&[key, "format"])
            .parameter(select(&selectable(ty)))
            .gives_json(
                StatusCode::OK,
                "The entity.",
                single(ty),
                context(&format!("{segments}/$entity"), example),
            )
            .with_header("OData-Version")
            .fails(&[Kind::NotFound, Kind::NotAcceptable]),
    ]
}
