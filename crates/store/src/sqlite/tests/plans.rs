//! Which index answers what.

use ::alerts::Scope;
use odata::checked::{Comparison, Direction, Filter, Search};
use rusqlite::Connection;

use super::{connection, partner};
use crate::logic::money::{list_statement, totals_statements};
use crate::sql::alerts::{self as statements, Known};
use crate::sql::dialect::{Dialect as _, Sqlite};
use crate::sql::search;
use crate::testing::{Question, common_questions, compare, literal, operand, sort_key, term};
use crate::{AlertQuery, MoneyOrder, MoneyPosition, MoneyQuery, Position, default_order};

/// How many alerts there are while plans are made. Plans do not depend on it, or should not.
const ALERTS: u32 = 100_000;

const FILL: &str = "
insert into alert
    (partner_tenant_id, id, customer_tenant_id, reseller_tenant_id, subscription_id, origin, alert_type,
    display_name, severity_rank, confidence_rank, status, detected_at, version, modified_at, body)
with recursive number (n) as (select 1 union all select n + 1 from number where n < ?1)
select 'p', 'a' || n, 'c' || (n % 100), 'r' || (n % 7), 's' || (n % 1000), 'imported', 't',
    'x', n % 5, n % 4, iif(n % 3 = 0, 'active', 'resolved'), n * 7919 % 100000, 1, n, '{}'
from number";

fn filled() -> (tempfile::TempDir, Connection) {
    let folder = tempfile::tempdir().unwrap();
    let connection = connection::open_for_writing(&folder.path().join("a.db")).unwrap();
    // They would take far longer than the rest, and no plan depends on what they write.
    connection.execute_batch("drop trigger alert_text_inserted; drop trigger alert_count_inserted").unwrap();
    connection.execute(FILL, [ALERTS]).unwrap();
    (folder, connection)
}

/// How the database would answer, in its own words.
fn plan(connection: &Connection, select: &sea_query::SelectStatement) -> String {
    let sql = format!("explain query plan {}", select.to_string(sea_query::SqliteQueryBuilder));
    let mut statement = connection.prepare(&sql).unwrap();
    let steps = statement.query_map([], |row| row.get::<_, String>(3)).unwrap();
    steps.collect::<Result<Vec<_>, _>>().unwrap().join("; ")
}

/// Each common question, the index that has to serve it, and how far that narrows the search. All
/// come out in order, without a sort.
#[test]
fn common_questions_are_served_by_an_index() {
    let (_folder, connection) = filled();
    let check = |select: &sea_query::SelectStatement, index: &str, narrowed: &str| {
        let found = plan(&connection, select);
        let key = if narrowed.is_empty() { String::new() } else { format!(" AND {narrowed}") };
        let expected = format!("INDEX {index} (partner_tenant_id=?{key})");
        assert!(found.starts_with("SEARCH alert") && found.ends_with(&expected), "{expected}: {found}");
    };
    let list = |scope: &Scope, filter: Option<&Filter>, order, after| {
        let query = AlertQuery { filter: filter.cloned(), search: None, order, limit: 50, skip: 0, after };
        statements::list(scope, &query, &Known::default(), &Sqlite).unwrap().0
    };
    let count = |scope, filter| statements::count(scope, filter, None, &Known::default(), &Sqlite).unwrap();
    let and = |left: &Filter, right: &Filter| Filter::And(Box::new(left.clone()), Box::new(right.clone()));
    let p = partner();
    let reseller = Scope::Reseller("p".parse().unwrap(), "r".parse().unwrap());
    let customer = Scope::Customer("p".parse().unwrap(), "c".parse().unwrap());
    let ascending = || vec![sort_key("detectedDateTime", Direction::Ascending)];
    let after = |keys| Some(Position { keys, id: "a".to_owned() });
    let after_time = || after(vec![literal("detectedDateTime", "2031-01-01T00:00:00Z")]);
    let active = compare("status", Comparison::Eq, "active");
    let active_and_high = and(&active, &compare("severity", Comparison::Eq, "high"));
    let since = compare("detectedDateTime", Comparison::Ge, "2030-01-01T00:00:00Z");
    let of_customer_since = and(&compare("customerTenantId", Comparison::Eq, "c"), &since);
    let two_ids = Filter::In(operand("id"), vec![literal("id", "a"), literal("id", "b")]);

    check(&statements::body(&p, &"a".parse().unwrap()), "alert_by_id", "id=?");
    check(&list(&p, Some(&two_ids), vec![], None), "alert_by_id", "id=?");
    check(&list(&p, None, vec![], None), "alert_by_id", "");
    check(&list(&p, None, vec![], after(vec![])), "alert_by_id", "id>?");
    check(
        &statements::latest_of_incident(&p, "d", "s", "g"),
        "alert_by_incident",
        "detector_id=? AND subscription_id=? AND grouping_key=?",
    );

    let index = "alert_by_detection";
    check(&list(&p, None, default_order(), None), index, "");
    check(&list(&p, None, default_order(), after_time()), index, "(detected_at,id)<(?,?)");
    check(&list(&p, None, ascending(), after_time()), index, "(detected_at,id)>(?,?)");
    check(&list(&p, Some(&since), default_order(), None), index, "detected_at>?");
    check(&list(&p, Some(&since), ascending(), after_time()), index, "(detected_at,id)>(?,?)");
    check(&count(&p, Some(&since)), index, "detected_at>?");

    check(&list(&p, Some(&active), default_order(), None), "alert_by_status", "status=?");
    let active_and_not_low = and(&active, &compare("severity", Comparison::Ge, "medium"));
    check(&list(&p, Some(&active_and_not_low), default_order(), None), "alert_by_status", "status=?");
    let high_or_medium = vec![literal("severity", "high"), literal("severity", "medium")];
    let active_and_one_of = and(&active, &Filter::In(operand("severity"), high_or_medium));
    check(&list(&p, Some(&active_and_one_of), default_order(), None), "alert_by_status", "status=?");
    let (index, key) = ("alert_by_status", "status=?");
    check(&list(&p, Some(&active_and_high), default_order(), None), index, key);
    let after_key = format!("{key} AND (detected_at,id)<(?,?)");
    check(&list(&p, Some(&active_and_high), default_order(), after_time()), index, &after_key);

    let index = "alert_by_customer";
    let key = "customer_tenant_id=?";
    check(&list(&p, Some(&of_customer_since), ascending(), None), index, &format!("{key} AND detected_at>?"));
    let after_key = format!("{key} AND (detected_at,id)>(?,?)");
    check(&list(&p, Some(&of_customer_since), ascending(), after_time()), index, &after_key);
    check(&list(&customer, None, default_order(), None), index, key);
    check(&count(&customer, Some(&active)), "alert_by_customer", key);
    check(&list(&reseller, None, default_order(), None), "alert_by_reseller", "reseller_tenant_id=?");

    let index = "alert_by_subscription";
    let of_subscription = compare("subscriptionId", Comparison::Eq, "s");
    check(&list(&p, Some(&of_subscription), default_order(), None), index, "subscription_id=?");
    let active_of_subscription = and(&of_subscription, &active);
    check(&list(&p, Some(&active_of_subscription), default_order(), None), index, "subscription_id=?");

    let index = "alert_by_modification";
    let by_change = || vec![sort_key("lastModifiedDateTime", Direction::Ascending)];
    let changed = compare("lastModifiedDateTime", Comparison::Gt, "2030-01-01T00:00:00Z");
    check(&list(&p, Some(&changed), by_change(), None), index, "modified_at>?");
    check(&list(&p, Some(&changed), by_change(), after_time()), index, "(modified_at,id)>(?,?)");
    check(&count(&p, Some(&changed)), index, "modified_at>?");

    let index = "alert_count_by_columns";
    check(&count(&p, None), index, "");
    check(&count(&p, Some(&active)), index, "status=?");
    let open = compare("status", Comparison::Ne, "resolved");
    check(&count(&p, Some(&open)), index, "status=?");
    let open_since = and(&open, &since);
    check(&count(&p, Some(&open_since)), "alert_by_status", "status=? AND detected_at>?");
    check(&count(&p, Some(&active_and_high)), index, "status=? AND severity_rank=?");
}

/// What no index gives in order is sorted along the one that holds all it takes, without a look at an alert; then the
/// alerts of the page are read by their ids.
#[test]
fn what_the_console_sorts_by_is_sorted_within_an_index() {
    let (_folder, connection) = filled();
    let open = compare("status", Comparison::Ne, "resolved");
    let resolved = compare("status", Comparison::Eq, "resolved");
    let both = |left: &Filter, right: Filter| Filter::And(Box::new(left.clone()), Box::new(right));
    let severe = both(&open, compare("severity", Comparison::Ge, "medium"));
    let filters = [(None, ""), (Some(open), " AND status=?"), (Some(resolved), " AND status=?")];
    let filters = filters.into_iter().chain([(Some(severe), " AND status=?")]);
    for (filter, narrowed) in filters {
        for property in [
            "customerTenantId",
            "subscriptionId",
            "severity",
            "displayName",
            "alertType",
            "lastObservedDateTime",
            "confidenceLevel",
            "resolvedOnDateTime",
        ] {
            for direction in [Direction::Ascending, Direction::Descending] {
                let order = vec![sort_key(property, direction), default_order().remove(0)];
                let query = AlertQuery {
                    filter: filter.clone(),
                    search: None,
                    order,
                    limit: 50,
                    skip: 0,
                    after: None,
                };
                let found = plan(
                    &connection,
                    &statements::list(&partner(), &query, &Known::default(), &Sqlite).unwrap().0,
                );
                let by_id =
                    "SEARCH alert USING INDEX alert_by_id (partner_tenant_id=? AND id=?); LIST SUBQUERY";
                let sorted = match narrowed {
                    "" => "SEARCH alert USING COVERING INDEX ".to_owned(),
                    _ => format!(
                        "SEARCH alert USING COVERING INDEX alert_by_status (partner_tenant_id=?{narrowed})"
                    ),
                };
                assert!(found.starts_with(by_id) && found.contains(&sorted), "{property}: {found}");
            }
        }
    }
}

/// A detector that seldom fires, or nothing but what is resolved: who asks for the few that are left has not all alerts
/// looked at on the way.
#[test]
fn the_alerts_of_a_detector_are_found_and_counted_within_an_index() {
    let (_folder, connection) = filled();
    let of_detector = compare("additionalDetails/DetectorId", Comparison::Eq, "crypto_mining");
    let and = |other| Filter::And(Box::new(of_detector.clone()), Box::new(other));
    let is_fraud = compare("resolvedReason", Comparison::Eq, "fraud");
    for (filter, narrowed) in [
        (of_detector.clone(), ""),
        (and(is_fraud), ""),
        (and(compare("status", Comparison::Ne, "resolved")), " AND status=?"),
    ] {
        let wide =
            format!("SEARCH alert USING COVERING INDEX alert_by_status (partner_tenant_id=?{narrowed}");
        let count = statements::count(&partner(), Some(&filter), None, &Known::default(), &Sqlite).unwrap();
        assert!(plan(&connection, &count).starts_with(&wide), "{}", plan(&connection, &count));
        for property in ["detectedDateTime", "displayName", "customerTenantId", "severity"] {
            let order = vec![sort_key(property, Direction::Descending)];
            let after = Position { keys: vec![literal(property, first_value(property))], id: "a".to_owned() };
            for after in [None, Some(after)] {
                let query = AlertQuery {
                    filter: Some(filter.clone()),
                    search: None,
                    order: order.clone(),
                    limit: 50,
                    skip: 0,
                    after,
                };
                let found = plan(
                    &connection,
                    &statements::list(&partner(), &query, &Known::default(), &Sqlite).unwrap().0,
                );
                assert!(found.contains(&wide), "{property}: {found}");
            }
        }
    }
}

/// A value that the property may have.
fn first_value(property: &str) -> &'static str {
    match property {
        "detectedDateTime" => "2031-01-01T00:00:00Z",
        "severity" => "medium",
        _ => "c1",
    }
}

/// What very many alerts have is asked of the alerts along the index of the list, or of its order: to look up each of them and
/// to sort them all took longer the more there were.
#[test]
fn alerts_with_a_common_word_are_found_along_an_index() {
    let (_folder, connection) = filled();
    let (rare, common) = (term("rare"), term("common"));
    let both = Search::And(Box::new(common.clone()), Box::new(rare.clone()));
    let known = || {
        let common_terms = search::terms(&common).into_iter().cloned().collect();
        Known { common_terms, ..Known::default() }
    };
    let of_customer = compare("customerTenantId", Comparison::Eq, "c1");
    let by_title = || vec![sort_key("displayName", Direction::Ascending)];
    let by_number = "SEARCH alert USING INTEGER PRIMARY KEY (rowid=?); ";
    let along = |index: &str| format!("SEARCH alert USING INDEX {index} (partner_tenant_id=?");
    let within = "SEARCH alert USING COVERING INDEX ";
    for (search, filter, order, expected, is_sorted) in [
        (&rare, None, default_order(), by_number.to_owned(), true),
        (&both, None, default_order(), by_number.to_owned(), true),
        (&common, None, default_order(), along("alert_by_detection"), false),
        (&common, Some(of_customer), default_order(), along("alert_by_customer"), false),
        (&common, None, by_title(), within.to_owned(), true),
    ] {
        let search = Some(search.clone());
        let query = AlertQuery { filter, search, order, limit: 50, skip: 0, after: None };
        let found = plan(&connection, &statements::list(&partner(), &query, &known(), &Sqlite).unwrap().0);
        assert!(found.contains(&expected), "{query:?}: {found}");
        assert_eq!(found.contains("USE TEMP B-TREE FOR ORDER BY"), is_sorted, "{query:?}: {found}");
    }
    let count = statements::count(&partner(), None, Some(&common), &known(), &Sqlite).unwrap();
    let found = plan(&connection, &count);
    assert!(found.starts_with(within), "{found}");
}

/// Sums of money read what is open, not what was ever reckoned.
#[test]
fn money_of_open_alerts_is_summed_from_an_index() {
    let (_folder, connection) = filled();
    for (text, values) in totals_statements(&partner()) {
        let given = rusqlite::params_from_iter(vec![1; values.len()]);
        let sql = format!("explain query plan {}", Sqlite.text(&text, values).sql);
        let mut statement = connection.prepare(&sql).unwrap();
        let steps = statement.query_map(given, |row| row.get::<_, String>(3)).unwrap();
        let steps: Vec<String> = steps.collect::<Result<_, _>>().unwrap();
        assert!(steps[0].ends_with("(partner_tenant_id=? AND is_open=?)"), "{steps:?}");
    }
}

/// The list by money is read along the index of its order, and stops at its end.
#[test]
fn alerts_come_in_the_order_of_their_money_from_an_index() {
    let (_folder, connection) = filled();
    let position =
        MoneyPosition { first: 1, second: 1, alert_id: "a".to_owned(), currency: "EUR".to_owned() };
    for (order, index) in [(MoneyOrder::PerHour, "money_by_hour"), (MoneyOrder::SoFar, "money_by_sum")] {
        for after in [None, Some(position.clone())] {
            let query = MoneyQuery { order, after, currency: None, limit: Some(10) };
            let (text, values) = list_statement(&partner(), &query);
            let given = rusqlite::params_from_iter(vec![1; values.len()]);
            let sql = format!("explain query plan {}", Sqlite.text(&text, values).sql);
            let mut statement = connection.prepare(&sql).unwrap();
            let steps = statement.query_map(given, |row| row.get::<_, String>(3)).unwrap();
            let steps: Vec<String> = steps.collect::<Result<_, _>>().unwrap();
            let first =
                format!("SEARCH total USING COVERING INDEX {index} (partner_tenant_id=? AND is_open=?");
            assert!(steps[0].starts_with(&first) && steps.len() == 3, "{steps:?}");
        }
    }
}

/// What no index answers by itself is still asked within the partner, along an index.
#[test]
fn no_question_reads_the_whole_table() {
    let (_folder, connection) = filled();
    let check = |query: &AlertQuery| {
        let select = statements::list(&partner(), query, &Known::default(), &Sqlite).unwrap().0;
        let found = plan(&connection, &select);
        assert!(found.contains("SEARCH alert USING "), "{found}");
        assert!(!found.contains("SCAN alert;") && !found.ends_with("SCAN alert"), "{found}");
    };
    let all =
        || AlertQuery { filter: None, search: None, order: default_order(), limit: 50, skip: 0, after: None };
    for property in ["displayName", "description", "catalogOfferId", "resolvedBy", "additionalDetails/One"] {
        check(&AlertQuery { filter: Some(compare(property, Comparison::Eq, "x")), ..all() });
        check(&AlertQuery { order: vec![sort_key(property, Direction::Ascending)], ..all() });
    }
    check(&AlertQuery { search: Some(term("x")), ..all() });
}

/// The questions that every database is asked.
#[test]
fn the_common_questions_of_all_databases_search() {
    let (_folder, connection) = filled();
    for Question { name, scope, query, only_count } in common_questions() {
        let select = if only_count {
            statements::count(
                &scope,
                query.filter.as_ref(),
                query.search.as_ref(),
                &Known::default(),
                &Sqlite,
            )
            .unwrap()
        } else {
            statements::list(&scope, &query, &Known::default(), &Sqlite).unwrap().0
        };
        let found = plan(&connection, &select);
        assert!(found.contains("SEARCH alert"), "{name}: {found}");
        let scans =
            found.split("; ").any(|step| step == "SCAN alert" || step.starts_with("SCAN alert USING"));
        assert!(!scans, "{name}: {found}");
    }
}
