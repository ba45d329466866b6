//! The query of a detector: what a rule asks for, as DataFusion's SQL.
//!
//! A rule is text of strangers. Of it only literals reach the query, quoted by [`literal`], and one comment, which has no
//! line ends; columns and functions are ours. Long lists are cut into groups, since the planner goes as deep as a chain
//! of `or` is long.

use crate::fields::Log;
use crate::matching::{Comparison, Form, Is, Match, Source, Test};
use crate::pattern::{Pattern, Shape};
use crate::regexes;
use crate::rule::{About, one_line};

/// How many conditions stand in one chain.
const CHAIN_MAX: usize = 16;

/// The whole query of a rule.
pub(crate) fn query(about: &About, log: Log, wanted: &Match) -> String {
    let id = about.id.as_deref().map_or(String::new(), |id| format!(", rule {}", one_line(id)));
    let condition = top(wanted);
    let (columns, result) = match log {
        Log::Activity => (ACTIVITY, ACTIVITY_RESULT),
        Log::SignIn | Log::Risk => (SIGN_IN, SIGN_IN_RESULT),
        Log::Audit => (AUDIT, AUDIT_RESULT),
    };
    let rule = literal(&one_line(about.id.as_deref().unwrap_or(&about.title)));
    let title = literal(&format!("The Sigma rule \"{}\" matched ", one_line(&about.title)));
    format!(
        "-- Sigma rule: {}{id}\n\
         -- Translated by `tenantwatch detectors import`. One row for each hour and each who is behind it.\n\
         with matched as (\n{columns}  from {}\n  where event_at >= $since - interval '2 hours'\n    and {condition}\n)\n\
         select\n{}",
        one_line(&about.title),
        log.table(),
        result.replace("{title}", &title).replace("{rule}", &rule),
    )
}

const ACTIVITY: &str = "  select
    coalesce(subscription_id, '00000000-0000-0000-0000-000000000000') as subscription_id,
    customer_tenant_id,
    -- What is about no subscription belongs to a tenant.
    case when subscription_id is null then coalesce(customer_tenant_id, 'unknown') end as tenant,
    coalesce(caller_id, caller, 'unknown') as caller_id,
    coalesce(caller, caller_id, 'unknown') as caller,
    caller_ip,
    operation,
    status,
    resource_id,
    event_at
";

const ACTIVITY_RESULT: &str = "  subscription_id,
  max(customer_tenant_id) as customer_tenant_id,
  tenant,
  caller_id,
  min(event_at) as first_observed_at,
  max(event_at) as last_observed_at,
  array_agg(distinct resource_id order by resource_id) filter (where resource_id is not null) as resources,
  concat({title}, count(*), case when count(*) = 1 then ' event of ' else ' events of ' end, max(caller), ' within an hour.') as description,
  max(caller) as caller,
  array_agg(distinct caller_ip order by caller_ip) filter (where caller_ip is not null) as caller_addresses,
  array_agg(distinct operation order by operation) filter (where operation is not null) as operations,
  array_agg(distinct status order by status) filter (where status is not null) as statuses,
  count(*) as matches,
  {rule} as sigma_rule
from matched
group by subscription_id, tenant, caller_id, date_trunc('hour', event_at)
";

const SIGN_IN: &str = "  select
    customer_tenant_id,
    coalesce(customer_tenant_id, 'unknown') as tenant,
    coalesce(user_id, user_principal_name, service_principal_id, app_id, 'unknown') as user_id,
    coalesce(user_principal_name, app_name, user_id, service_principal_id, app_id, 'unknown') as user_name,
    ip,
    country,
    app_name,
    target_name,
    error_code,
    event_at
";

const SIGN_IN_RESULT: &str = "  '00000000-0000-0000-0000-000000000000' as subscription_id,
  max(customer_tenant_id) as customer_tenant_id,
  tenant,
  user_id,
  min(event_at) as first_observed_at,
  max(event_at) as last_observed_at,
  concat({title}, count(*), case when count(*) = 1 then ' sign-in of ' else ' sign-ins of ' end, max(user_name), ' within an hour.') as description,
  max(user_name) as user_name,
  array_agg(distinct ip order by ip) filter (where ip is not null) as addresses,
  array_agg(distinct country order by country) filter (where country is not null) as countries,
  array_agg(distinct app_name order by app_name) filter (where app_name is not null) as applications,
  array_agg(distinct target_name order by target_name) filter (where target_name is not null) as targets,
  array_agg(distinct error_code order by error_code) filter (where error_code is not null) as error_codes,
  count(*) as matches,
  {rule} as sigma_rule
from matched
group by tenant, user_id, date_trunc('hour', event_at)
";

const AUDIT: &str = "  select
    coalesce(subscription_id, '00000000-0000-0000-0000-000000000000') as subscription_id,
    customer_tenant_id,
    coalesce(customer_tenant_id, 'unknown') as tenant,
    coalesce(actor_id, actor_app_id, actor, 'unknown') as actor_id,
    coalesce(actor, actor_id, actor_app_id, 'unknown') as actor,
    actor_ip,
    operation,
    result,
    target,
    event_at
";

const AUDIT_RESULT: &str = "  subscription_id,
  max(customer_tenant_id) as customer_tenant_id,
  tenant,
  actor_id,
  min(event_at) as first_observed_at,
  max(event_at) as last_observed_at,
  concat({title}, count(*), case when count(*) = 1 then ' change by ' else ' changes by ' end, max(actor), ' within an hour.') as description,
  max(actor) as actor,
  array_agg(distinct actor_ip order by actor_ip) filter (where actor_ip is not null) as actor_addresses,
  array_agg(distinct operation order by operation) filter (where operation is not null) as operations,
  array_agg(distinct target order by target) filter (where target is not null) as targets,
  array_agg(distinct result order by result) filter (where result is not null) as results,
  count(*) as matches,
  {rule} as sigma_rule
from matched
group by subscription_id, tenant, actor_id, date_trunc('hour', event_at)
";

/// A text as SQL writes it. A quote is doubled; nothing else is special within quotes.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// How long a line of alternatives may get before each has its own.
const LINE_MAX: usize = 100;

/// The condition, one line for each of what must hold together.
fn top(wanted: &Match) -> String {
    match wanted {
        Match::All(parts) if parts.len() <= CHAIN_MAX => {
            parts.iter().map(line).collect::<Vec<_>>().join("\n    and ")
        }
        other => line(other),
    }
}

/// A condition of a line; long alternatives have a line each.
fn line(wanted: &Match) -> String {
    let short = written(wanted);
    let Match::Any(parts) = wanted else { return short.beside() };
    let alternatives = alternatives(parts);
    if short.text.len() <= LINE_MAX || alternatives.len() > CHAIN_MAX {
        return short.beside();
    }
    match alternatives.as_slice() {
        [Alternative::Equal(column, values)] => {
            format!("{column} in (\n      {}\n    )", values.join(",\n      "))
        }
        several => {
            let several: Vec<String> = several.iter().map(Alternative::text).collect();
            format!("(\n      {}\n    )", several.join("\n      or "))
        }
    }
}

/// A condition, and whether it is a chain that needs parentheses beside others.
struct Written {
    text: String,
    is_chain: bool,
}

impl Written {
    fn one(text: String) -> Self {
        Self { text, is_chain: false }
    }

    /// As it stands beside `and`, `or` and `=`.
    fn beside(self) -> String {
        if self.is_chain { format!("({})", self.text) } else { self.text }
    }
}

fn written(wanted: &Match) -> Written {
    match wanted {
        Match::All(parts) => chain(parts.iter().map(|part| written(part).beside()).collect(), " and "),
        Match::Any(parts) => chain(alternatives(parts).iter().map(Alternative::text).collect(), " or "),
        // Null counts as no, so `not` is asked of truth.
        Match::Not(inner) => Written::one(format!("({}) is not true", written(inner).text)),
        Match::AtLeast(number, parts) => {
            let counted = parts
                .iter()
                .map(|part| format!("case when {} then 1 else 0 end", written(part).beside()))
                .collect();
            Written::one(format!("({}) >= {number}", chain(counted, " + ").text))
        }
        Match::Test(test) => Written::one(written_test(test)),
    }
}

/// One of several conditions.
enum Alternative {
    /// A column that equals one of these.
    Equal(String, Vec<String>),
    Other(String),
}

impl Alternative {
    fn text(&self) -> String {
        match self {
            Self::Equal(column, values) => match values.as_slice() {
                [value] => format!("{column} = {value}"),
                values => format!("{column} in ({})", values.join(", ")),
            },
            Self::Other(text) => text.clone(),
        }
    }
}

/// Several conditions; those that compare one column with equal values are one.
fn alternatives(parts: &[Match]) -> Vec<Alternative> {
    let mut lists: Vec<(String, Vec<String>)> = Vec::new();
    let mut others = Vec::new();
    for part in parts {
        let compared = match part {
            Match::Test(test) => equality(test),
            Match::All(_) | Match::Any(_) | Match::Not(_) | Match::AtLeast(..) => None,
        };
        let Some((column, value)) = compared else {
            others.push(Alternative::Other(written(part).beside()));
            continue;
        };
        match lists.iter_mut().find(|(other, _)| *other == column) {
            Some((_, values)) if values.contains(&value) => {}
            Some((_, values)) => values.push(value),
            None => lists.push((column, vec![value])),
        }
    }
    let lists = lists.into_iter().map(|(column, values)| Alternative::Equal(column, values));
    lists.chain(others).collect()
}

/// Parts with a word between them; long chains in groups.
fn chain(mut parts: Vec<String>, word: &str) -> Written {
    while parts.len() > CHAIN_MAX {
        parts = parts
            .chunks(CHAIN_MAX)
            .map(|group| if group.len() == 1 { group[0].clone() } else { format!("({})", group.join(word)) })
            .collect();
    }
    Written { is_chain: parts.len() > 1, text: parts.join(word) }
}

/// A comparison with `=`, as its two sides.
fn equality(test: &Test) -> Option<(String, String)> {
    match (&test.source, &test.is) {
        (Source::Column(column, Form::Number), Is::Number(Comparison::Equal, number)) => {
            Some(((*column).to_owned(), number.to_string()))
        }
        (Source::Column(column, form), Is::Like { pattern, cased }) => {
            let (expression, pattern) = folded(column, *form, pattern, *cased);
            pattern.as_literal().map(|text| (expression, literal(text)))
        }
        _ => None,
    }
}

/// A column and a value in the same letter case.
fn folded(column: &str, form: Form, pattern: &Pattern, cased: bool) -> (String, Pattern) {
    match form {
        Form::AsWritten if cased => (column.to_owned(), pattern.clone()),
        Form::AsWritten => (format!("lower({column})"), pattern.lower()),
        Form::Lower | Form::Number => (column.to_owned(), pattern.lower()),
    }
}

fn written_test(test: &Test) -> String {
    match &test.source {
        Source::Column(column, form) => of_column(column, *form, &test.is),
        Source::Json(path) => of_json(path, &test.is),
    }
}

fn of_column(column: &str, form: Form, is: &Is) -> String {
    match is {
        Is::Like { pattern, cased } => {
            let (expression, pattern) = folded(column, form, pattern, *cased);
            match pattern.shape() {
                Shape::Exactly(text) => format!("{expression} = {}", literal(text)),
                Shape::Starts(text) => format!("starts_with({expression}, {})", literal(text)),
                Shape::Ends(text) => format!("ends_with({expression}, {})", literal(text)),
                Shape::Contains(text) => format!("contains({expression}, {})", literal(text)),
                Shape::Anything => format!("{column} is not null"),
                Shape::Mixed => {
                    format!("regexp_like({expression}, {})", literal(&regexes::of(&pattern, true)))
                }
            }
        }
        Is::Regex(expression) => format!("regexp_like({column}, {})", literal(expression)),
        Is::Number(comparison, number) => format!("{column} {} {number}", comparison.sign()),
        Is::Absent => format!("{column} is null"),
        Is::Empty => format!("coalesce({column}, '') = ''"),
    }
}

fn of_json(path: &[String], is: &Is) -> String {
    let path: String = path.iter().map(|name| format!(", {}", literal(name))).collect();
    let found = |expression: &str| format!("json_any_match(properties, {}{path})", literal(expression));
    match is {
        Is::Like { pattern, cased } => found(&regexes::of(pattern, *cased)),
        Is::Regex(expression) => found(expression),
        Is::Number(comparison, number) => {
            format!("json_get_int(properties{path}) {} {number}", comparison.sign())
        }
        Is::Absent => format!("{} is not true", found("")),
        Is::Empty => format!("{} is not true", found(".")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn like(column: &'static str, form: Form, text: &str) -> Match {
        Match::test(Source::Column(column, form), Is::Like { pattern: Pattern::parse(text), cased: false })
    }

    #[test]
    fn conditions_are_written() {
        let check = |wanted: &Match, expected: &str| assert_eq!(written(wanted).beside(), expected);
        let lower = |text: &str| like("operation", Form::Lower, text);
        check(&lower("A/Write"), "operation = 'a/write'");
        check(&lower("A*"), "starts_with(operation, 'a')");
        check(&lower("*A"), "ends_with(operation, 'a')");
        check(&lower("*it's*"), "contains(operation, 'it''s')");
        check(&lower("a?"), "regexp_like(operation, '(?s)^a.$')");
        check(&lower("*"), "operation is not null");
        check(&like("user_agent", Form::AsWritten, "Hound*"), "starts_with(lower(user_agent), 'hound')");
        check(
            &Match::Any(vec![lower("a"), lower("c*"), lower("B"), lower("A")]),
            "(operation in ('a', 'b') or starts_with(operation, 'c'))",
        );
        check(&Match::not(lower("a")), "(operation = 'a') is not true");
        check(
            &Match::not(Match::All(vec![lower("a"), lower("b*")])),
            "(operation = 'a' and starts_with(operation, 'b')) is not true",
        );
        check(
            &Match::not(Match::All(vec![
                Match::Any(vec![lower("a*"), lower("(*")]),
                Match::Any(vec![lower("b*"), lower("')*")]),
            ])),
            "((starts_with(operation, 'a') or starts_with(operation, '(')) and (starts_with(operation, 'b') or \
             starts_with(operation, ''')'))) is not true",
        );
        check(
            &Match::AtLeast(2, vec![lower("a"), lower("b")]),
            "(case when operation = 'a' then 1 else 0 end + case when operation = 'b' then 1 else 0 end) >= 2",
        );
        let json = |is: Is| Match::test(Source::Json(vec!["status".to_owned(), "it's".to_owned()]), is);
        check(&json(Is::Absent), "json_any_match(properties, '', 'status', 'it''s') is not true");
        check(
            &json(Is::Like { pattern: Pattern::parse("a.b"), cased: false }),
            r"json_any_match(properties, '(?is)^a\.b$', 'status', 'it''s')",
        );
        check(
            &Match::test(Source::Column("error_code", Form::Number), Is::Number(Comparison::AtLeast, -5)),
            "error_code >= -5",
        );
    }

    #[test]
    fn long_chains_are_cut() {
        let many = Match::Any((0..300).map(|n| like("operation", Form::Lower, &format!("{n}*"))).collect());
        let text = written(&many).beside();
        let mut depth = 0_i32;
        let deepest = text
            .chars()
            .map(|c| {
                depth += i32::from(c == '(') - i32::from(c == ')');
                depth
            })
            .max();
        assert_eq!(deepest, Some(4));
    }
}
