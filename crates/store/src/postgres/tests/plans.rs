//! Which plans the server makes for what clients ask most.

use crate::session::{Session, Statement};
use crate::sql::alerts::{self as statements, Known};
use crate::sql::dialect::{Dialect, Postgres};
use crate::testing::postgres::{execute, temporary_postgres};
use crate::testing::{Question, common_questions};

/// How many alerts there are while plans are made.
const ALERTS: usize = 100_000;

/// How many rows a page of 50 may read: a few hundred, where estimates were off.
const ROWS_READ_MAX: u64 = 1_000;

/// Alerts of one partner, as large as real ones. Their words are written beside them, as telling them
/// apart takes the server longer than all the rest.
const FILL: &str = "
alter table alert disable trigger user;
insert into alert
    (partner_tenant_id, id, customer_tenant_id, reseller_tenant_id, subscription_id, origin, alert_type,
    display_name, severity_rank, confidence_rank, status, detected_at, version, modified_at, body)
select 'p', 'a' || n, 'c' || (n % 1000), case n % 2 when 0 then 'r' || (n % 40) / 2 end, 's' || (n % 4000),
    'imported', 't', 'x', 1 + n % 4, n % 4, case n % 3 when 0 then 'active' else 'resolved' end,
    extract(epoch from timestamptz '2031-01-01T00:00:00Z') * 1000000 + (n::bigint * 7919 % {alerts}) * 25000000,
    1,
    extract(epoch from timestamptz '2031-02-01T00:00:00Z') * 1000000 + n::bigint * 25000000,
    '{{}}' || repeat(' ', 1600)
from generate_series(1, {alerts}) as n;
insert into alert_text (alert_number, words)
select alert_number, format('''w%s'':1A ''common'':2A', alert_number % 10000)::tsvector
from alert;
analyze";

/// The server's own account of how it answered a question.
async fn plan(session: &mut impl Session, question: &Question) -> String {
    let Question { scope, query, .. } = question;
    let Statement { sql, values } = if question.only_count {
        let select = statements::count(
            scope,
            query.filter.as_ref(),
            query.search.as_ref(),
            &Known::default(),
            &Postgres,
        );
        Postgres.statement(select.unwrap().into())
    } else {
        Postgres.statement(statements::list(scope, query, &Known::default(), &Postgres).unwrap().0.into())
    };
    let explain = Statement { sql: format!("explain (analyze, timing off) {sql}"), values };
    let lines = session.rows(explain).await.unwrap();
    let lines = lines.into_iter().map(|mut line| line.text(0).unwrap());
    lines.collect::<Vec<_>>().join("\n")
}

/// How many rows were read from tables and indexes: those that a scan gave, and those it threw away.
fn rows_read(plan: &str) -> u64 {
    let number = |text: &str| text.split([' ', ')']).next().and_then(|digits| digits.parse::<u64>().ok());
    let after = |line: &str, mark: &str| line.split_once(mark).and_then(|(_, rest)| number(rest));
    let counts = plan.lines().map(|line| {
        let given = line.split_once("(actual ").and_then(|(_, actual)| after(actual, "rows="));
        let is_scan = line.contains(" Scan ");
        let removed = after(line, "Rows Removed by Filter: ");
        given.filter(|_| is_scan).or(removed).unwrap_or_default()
    });
    counts.sum()
}

#[test]
fn rows_are_counted_that_a_scan_gives_or_throws_away() {
    let plan = "Limit  (cost=0.42..8.44 rows=51 width=9) (actual rows=51 loops=1)
  ->  Index Scan using alert_by_id on alert  (cost=0.42..8.44 rows=1 width=9) (actual rows=51 loops=1)
        Index Cond: ((partner_tenant_id = 'p'::text) AND (id = 'a7'::text))
        Rows Removed by Filter: 900";
    assert_eq!(rows_read(plan), 951);
}

#[tokio::test]
async fn common_questions_are_served_by_an_index() {
    let (database, store) = temporary_postgres().await;
    execute(&database.url, &FILL.replace("{alerts}", &ALERTS.to_string()).replace("{{}}", "{}")).await;
    let mut session = store.reading().await.unwrap();
    let select =
        Postgres.statement(statements::body(&common_questions()[0].scope, &"a7".parse().unwrap()).into());
    let explain = Statement { sql: format!("explain {}", select.sql), values: select.values };
    let by_id = session.rows(explain).await.unwrap()[0].clone().text(0).unwrap();
    assert!(by_id.starts_with("Index Scan using alert_by_id"), "{by_id}");
    for question in common_questions() {
        let plan = plan(&mut session, &question).await;
        assert!(!plan.contains("Seq Scan"), "{}: {plan}", question.name);
        if !question.only_count {
            assert!(rows_read(&plan) <= ROWS_READ_MAX, "{}: {plan}", question.name);
        }
    }
}
