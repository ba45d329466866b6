//! Facts for the security score, and its history.

use std::sync::Arc;

use alerts::score::{
    ComplianceStatus, CustomerInsight, CustomersSpendingBudget, RequirementDetails, RequirementState,
    RequirementType, Score, ScoreSnapshot, SecurityRequirement,
};
use alerts::{Alert, Scope, Status};

use super::{customer, partner, put, reseller};
use crate::testing::{AlertBuilder, time};
use crate::{SecurityFacts, Store, StoreError, Subscription};

fn requirement(id: &str, score: u32, updated_at: &str) -> SecurityRequirement {
    SecurityRequirement {
        id: id.to_owned(),
        action_url: String::new(),
        help_url: String::new(),
        compliance_status: ComplianceStatus::Noncomplaint,
        max_score: 10,
        score,
        requirement_type: RequirementType::SpendingBudgetSetForCustomerAzureSubscriptions,
        state: RequirementState::Active,
        updated_date_time: time(updated_at),
        details: RequirementDetails::CustomersSpendingBudget(CustomersSpendingBudget {
            customers_with_spend_budget_count: 3,
            total_customers_count: 7,
        }),
    }
}

fn insight(tenant: &str) -> CustomerInsight {
    CustomerInsight { tenant_id: tenant.parse().unwrap(), mfa: None }
}

fn facts(requirements: &[SecurityRequirement], insights: &[&str]) -> SecurityFacts {
    SecurityFacts {
        requirements: Some(requirements.to_vec()),
        customer_insights: Some(insights.iter().map(|tenant| insight(tenant)).collect()),
    }
}

pub async fn facts_take_the_place_of_those_before<S: Store>(store: Arc<S>) {
    let p = partner("p");
    let (first, later) = ("2031-02-03T00:00:00Z", "2031-02-04T00:00:00Z");
    let told = facts(&[requirement("b", 1, first), requirement("a", 2, first)], &["c2", "c1"]);
    store.import_facts(&p, &told).await.unwrap();
    assert_eq!(
        store.requirements(&p).await.unwrap(),
        [requirement("a", 2, first), requirement("b", 1, first)]
    );
    assert_eq!(store.customer_insights(&p).await.unwrap(), [insight("c1"), insight("c2")]);

    // One is as it was, one has changed, one is new; the insights are not told of.
    let told = SecurityFacts {
        requirements: Some(vec![
            requirement("a", 2, later),
            requirement("b", 5, later),
            requirement("c", 1, later),
        ]),
        customer_insights: None,
    };
    store.import_facts(&p, &told).await.unwrap();
    assert_eq!(
        store.requirements(&p).await.unwrap(),
        [requirement("a", 2, first), requirement("b", 5, later), requirement("c", 1, later)]
    );
    assert_eq!(store.customer_insights(&p).await.unwrap().len(), 2);

    store.import_facts(&p, &facts(&[], &["c3"])).await.unwrap();
    assert_eq!(store.requirements(&p).await.unwrap(), []);
    assert_eq!(store.customer_insights(&p).await.unwrap(), [insight("c3")]);
}

pub async fn facts_are_shown_to_the_scopes_they_tell_of<S: Store>(store: Arc<S>) {
    let p = partner("p");
    let told = facts(&[requirement("a", 2, "2031-02-03T00:00:00Z")], &["c1", "c2", "c3"]);
    store.import_facts(&p, &told).await.unwrap();
    let subscription = |id: &str, customer: &str, reseller: &str| Subscription {
        subscription_id: id.parse().unwrap(),
        name: None,
        customer_tenant_id: Some(customer.parse().unwrap()),
        customer_name: None,
        reseller_tenant_id: Some(reseller.parse().unwrap()),
    };
    let known =
        [subscription("s1", "c1", "r1"), subscription("s2", "c2", "r1"), subscription("s3", "c3", "r2")];
    store.learn_subscriptions(&p, &known).await.unwrap();

    let cases: [(Scope, usize, &[&str]); 6] = [
        (p, 1, &["c1", "c2", "c3"]),
        (partner("q"), 0, &[]),
        (customer("p", "c2"), 0, &["c2"]),
        (customer("q", "c2"), 0, &[]),
        (reseller("p", "r1"), 0, &["c1", "c2"]),
        (reseller("q", "r1"), 0, &[]),
    ];
    for (scope, requirements, customers) in cases {
        assert_eq!(store.requirements(&scope).await.unwrap().len(), requirements, "{scope:?}");
        let insights = store.customer_insights(&scope).await.unwrap();
        let shown: Vec<&str> = insights.iter().map(|insight| insight.tenant_id.as_str()).collect();
        assert_eq!(shown, customers, "{scope:?}");
        for tenant in ["c1", "c2", "c3"] {
            let one = store.customer_insight(&scope, &tenant.parse().unwrap()).await.unwrap();
            assert_eq!(one.is_some(), customers.contains(&tenant), "{scope:?} {tenant}");
        }
    }
    for scope in [customer("p", "c1"), reseller("p", "r1")] {
        let refused = store.import_facts(&scope, &told).await;
        assert!(matches!(refused, Err(StoreError::OutOfScope { .. })), "{scope:?}: {refused:?}");
    }
}

/// An alert detected at midnight of the third.
fn alert(id: &str, customer: &str, resolved_at: Option<&str>) -> AlertBuilder {
    AlertBuilder::new("p", id).of(customer, Some("r1")).with(|body| {
        body.detected_date_time = time("2031-02-03T00:00:00Z");
        if let Some(resolved_at) = resolved_at {
            body.status = Status::Resolved;
            body.resolved_on_date_time = Some(time(resolved_at));
        }
    })
}

pub async fn response_times_are_those_of_the_scope<S: Store>(store: Arc<S>) {
    let alerts: Vec<Alert> = [
        alert("two-hours", "c1", Some("2031-02-03T02:00:00Z")),
        alert("four-hours", "c1", Some("2031-02-03T04:00:00Z")),
        alert("nine-hours", "c2", Some("2031-02-03T09:00:00Z")),
        alert("open", "c2", None),
        alert("test", "c1", Some("2031-02-09T00:00:00Z")).with(|body| body.is_test = Some(true)),
        alert("open-test", "c1", None).with(|body| body.is_test = Some(true)),
        alert("long-ago", "c1", Some("2031-01-01T00:00:00Z")),
        alert("clocks-differ", "c3", Some("2031-02-02T23:00:00Z")),
    ]
    .map(AlertBuilder::build)
    .into();
    put(&*store, &alerts).await;

    let since = time("2031-02-02T00:00:00Z");
    let check =
        |scope: Scope, overdue_before: &'static str, expected: Option<(f64, &'static str)>, late: bool| {
            let store = store.clone();
            async move {
                let found = store.response_times(&scope, since, time(overdue_before)).await.unwrap();
                let resolved = found.resolved.map(|resolved| {
                    (resolved.mean_microseconds / 3_600_000_000.0, resolved.last_resolved_at)
                });
                let expected = expected.map(|(hours, last)| (hours, time(last)));
                assert_eq!((resolved, found.some_overdue), (expected, late), "{scope:?} {overdue_before}");
            }
        };
    check(partner("p"), "2031-02-04T00:00:00Z", Some((3.75, "2031-02-03T09:00:00Z")), true).await;
    check(partner("p"), "2031-02-03T00:00:00Z", Some((3.75, "2031-02-03T09:00:00Z")), false).await;
    check(customer("p", "c1"), "2031-02-04T00:00:00Z", Some((3.0, "2031-02-03T04:00:00Z")), false).await;
    check(customer("p", "c2"), "2031-02-04T00:00:00Z", Some((9.0, "2031-02-03T09:00:00Z")), true).await;
    check(customer("p", "c3"), "2031-02-04T00:00:00Z", Some((0.0, "2031-02-02T23:00:00Z")), false).await;
    check(reseller("p", "r1"), "2031-02-04T00:00:00Z", Some((3.75, "2031-02-03T09:00:00Z")), true).await;
    check(reseller("p", "r2"), "2031-02-04T00:00:00Z", None, false).await;
    check(partner("q"), "2031-02-04T00:00:00Z", None, false).await;
}

pub async fn the_history_grows_with_each_change_of_the_score<S: Store>(store: Arc<S>) {
    let p = partner("p");
    let snapshot = |current: f64, at: &str| ScoreSnapshot {
        score: Score { current, compliant_requirements: 1, total_requirements: 3 },
        created_at: time(at),
    };
    for (current, at, added) in [
        (33.33, "2031-02-03T01:00:00Z", true),
        (33.33, "2031-02-03T02:00:00Z", false),
        (50.0, "2031-02-03T03:00:00Z", true),
        (50.0, "2031-02-04T01:00:00Z", false),
        (100.0, "2031-02-05T01:00:00Z", true),
        (66.67, "2031-02-05T23:59:59Z", true),
    ] {
        assert_eq!(store.add_score_snapshot(&p, &snapshot(current, at)).await.unwrap(), added, "{at}");
    }
    let expected = [snapshot(50.0, "2031-02-03T03:00:00Z"), snapshot(66.67, "2031-02-05T23:59:59Z")];
    assert_eq!(store.score_history(&p).await.unwrap(), expected);

    for scope in [partner("q"), customer("p", "c"), reseller("p", "r")] {
        assert_eq!(store.score_history(&scope).await.unwrap(), [], "{scope:?}");
    }
    let refused = store.add_score_snapshot(&customer("p", "c"), &expected[0]).await;
    assert!(matches!(refused, Err(StoreError::OutOfScope { .. })), "{refused:?}");
}
