//! The counts that are kept agree with counting, whatever happened to the alerts.

use ::alerts::{Alert, ResolvedReason, Scope, Status, StatusChange};
use odata::checked::{Comparison, Filter, Literal, Operand};
use odata::model::Type;
use proptest::prelude::*;
use proptest::sample::select;
use tokio::runtime::Runtime;

use super::import_time;
use crate::sql::alerts::{self as statements, Known};
use crate::sql::dialect::{Dialect, Sqlite};
use crate::sql::reads;
use crate::sqlite::SqliteStore;
use crate::testing::properties::{check, fresh_partner};
use crate::testing::{compare, generate, operand, temporary_sqlite, term, time};
use crate::{AlertQuery, AlertStore, ExpectedVersion};

/// What happens to alerts.
#[derive(Debug, Clone)]
enum Step {
    Import(Vec<Alert>),
    Change(String, StatusChange),
}

fn steps(partner: String) -> impl Strategy<Value = Vec<Step>> {
    // Ids come from a small pool, so later imports replace earlier alerts.
    let alert_type = select(vec!["CryptoMining", "cryptoMining", "it's"]);
    let import = (generate::alerts(partner, 8), alert_type).prop_map(|(mut alerts, alert_type)| {
        for alert in alerts.iter_mut().step_by(2) {
            alert.body.alert_type = alert_type.to_owned();
        }
        Step::Import(alerts)
    });
    let reason = proptest::option::of(select(ResolvedReason::ALL));
    let change = (0..8, select(Status::ALL), reason)
        .prop_map(|(n, to, reason)| Step::Change(format!("{}-{n}", n % 3), StatusChange { to, reason }));
    proptest::collection::vec(prop_oneof![1 => import, 3 => change], 1..12)
}

async fn run(store: &SqliteStore, scope: &Scope, steps: &[Step]) {
    for step in steps {
        match step {
            Step::Import(alerts) => {
                store.import_alerts(scope, alerts, import_time()).await.unwrap();
            }
            Step::Change(id, change) => {
                let (id, at) = (id.parse().unwrap(), time("2031-02-03T05:00:00Z"));
                // A change that contradicts itself is refused, and counts nothing.
                let _ = store.change_status(scope, &id, *change, &ExpectedVersion::Any, "ann", at).await;
            }
        }
    }
}

/// Every value of every property that is counted by, wanted and not wanted.
fn filters() -> Vec<Filter> {
    let mut filters = Vec::new();
    for name in ["status", "severity", "confidenceLevel", "isTest", "resolvedReason", "alertType"] {
        let literals: Vec<Literal> = match crate::alert_model().property(name).unwrap().ty {
            Type::Enum(members) => (0..members.members.len()).map(|n| Literal::Enum(members, n)).collect(),
            Type::Boolean => vec![Literal::Boolean(true), Literal::Boolean(false)],
            _ => ["CryptoMining", "it's", "x"].map(|text| Literal::String(text.to_owned())).to_vec(),
        };
        for literal in literals.into_iter().chain([Literal::Null]) {
            for comparison in [Comparison::Eq, Comparison::Ne, Comparison::Ge] {
                filters.push(Filter::Compare(operand(name), comparison, Operand::Literal(literal.clone())));
            }
        }
    }
    let pairs: Vec<Filter> = filters
        .iter()
        .zip(filters.iter().rev())
        .map(|(left, right)| {
            Filter::Or(Box::new(left.clone()), Box::new(Filter::Not(Box::new(right.clone()))))
        })
        .collect();
    filters.extend(pairs);
    filters
}

#[test]
fn counts_are_right_after_any_changes() {
    let (_folder, store) = temporary_sqlite();
    let runtime = Runtime::new().unwrap();
    let filters = filters();
    let input = Just(()).prop_flat_map(|()| {
        let partner = fresh_partner();
        (Just(partner.clone()), steps(partner))
    });
    check(60, &input, |(partner, steps)| {
        let scope = Scope::Partner(partner.parse().unwrap());
        runtime.block_on(async {
            run(&store, &scope, &steps).await;
            for filter in std::iter::once(None).chain(filters.iter().map(Some)) {
                let all = AlertQuery {
                    filter: filter.cloned(),
                    search: None,
                    order: Vec::new(),
                    limit: 1_000,
                    skip: 0,
                    after: None,
                };
                let rows = store.list_alerts(&scope, &all).await.unwrap().alerts.len();
                let count = store.count_alerts(&scope, filter, None).await.unwrap();
                assert_eq!(count, rows as u64, "{filter:?}");
            }
        });
    });
}

#[test]
fn a_filter_over_anything_else_counts_rows() {
    let kept = Sqlite.counted_columns();
    let active = compare("status", Comparison::Eq, "active");
    assert!(reads::only(&active, kept));
    for (property, text) in [("displayName", "x"), ("resolvedBy", "ann"), ("additionalDetails/One", "1")] {
        let other = compare(property, Comparison::Eq, text);
        let both = Filter::And(Box::new(active.clone()), Box::new(Filter::Not(Box::new(other))));
        assert!(!reads::only(&both, kept), "{property}");
    }
    let counted = |scope: &Scope, search: Option<&odata::checked::Search>| {
        let select = statements::count(scope, Some(&active), search, &Known::default(), &Sqlite).unwrap();
        Sqlite.statement(select.into()).sql.contains("FROM \"alert_count\"")
    };
    assert!(counted(&super::partner(), None));
    assert!(!counted(&super::partner(), Some(&term("x"))));
    assert!(!counted(&Scope::Customer("p".parse().unwrap(), "c".parse().unwrap()), None));
}
