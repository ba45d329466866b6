//! What clients ask most: an index has to serve each of these on every database.

use alerts::Scope;
use odata::checked::{Comparison, Direction, Filter};

use super::{compare, literal, operand, sort_key, term};
use crate::{AlertQuery, Position, default_order};

/// One question about the alerts of partner `p`.
#[derive(Debug, Clone)]
pub struct Question {
    /// What it asks, in few words.
    pub name: &'static str,
    /// Who asks: the partner, its customer `c1` or its reseller `r1`.
    pub scope: Scope,
    /// The page that is asked for; when only the count is, its filter.
    pub query: AlertQuery,
    /// Whether only the count is asked for.
    pub only_count: bool,
}

/// The questions: pages of 50, and counts. The store has alerts of customers `c0`, `c1` and so on, of
/// resellers `r0`, `r1` and so on, and of subscriptions `s0`, `s1` and so on; `w7` is a rare word.
///
/// # Panics
///
/// Never: the names in here are well formed.
#[must_use]
pub fn common_questions() -> Vec<Question> {
    let partner = Scope::Partner("p".parse().expect("an id"));
    let customer = Scope::Customer("p".parse().expect("an id"), "c1".parse().expect("an id"));
    let reseller = Scope::Reseller("p".parse().expect("an id"), "r1".parse().expect("an id"));
    let eq = |property: &str, value: &str| compare(property, Comparison::Eq, value);
    let since = |property: &str, time: &str| compare(property, Comparison::Gt, time);
    let and = |left: Filter, right: Filter| Filter::And(Box::new(left), Box::new(right));
    let by = |property: &str, direction| vec![sort_key(property, direction)];
    let oldest_first = || by("detectedDateTime", Direction::Ascending);
    let changes = || by("lastModifiedDateTime", Direction::Ascending);
    let page = |name, scope: &Scope, filter, order, after| Question {
        name,
        scope: scope.clone(),
        query: AlertQuery { filter, search: None, order, limit: 50, skip: 0, after },
        only_count: false,
    };
    let count = |name, scope: &Scope, filter| Question {
        only_count: true,
        ..page(name, scope, filter, Vec::new(), None)
    };
    let after = |property: &str, time: &str| {
        Some(Position { keys: vec![literal(property, time)], id: "a5".to_owned() })
    };
    let active_and_high = || and(eq("status", "active"), eq("severity", "high"));
    let of_customer = || and(eq("customerTenantId", "c1"), since("detectedDateTime", "2031-01-20T00:00:00Z"));
    let searched = page("a search for a rare word", &partner, None, default_order(), None);
    let searched =
        Question { query: AlertQuery { search: Some(term("w7")), ..searched.query.clone() }, ..searched };
    let some_ids = Filter::In(operand("id"), vec![literal("id", "a1"), literal("id", "a2")]);
    vec![
        page("some ids", &partner, Some(some_ids), Vec::new(), None),
        page("the first page", &partner, None, default_order(), None),
        page(
            "a later page",
            &partner,
            None,
            default_order(),
            after("detectedDateTime", "2031-01-15T00:00:00Z"),
        ),
        page("oldest first", &partner, None, oldest_first(), None),
        page("by id", &partner, None, Vec::new(), None),
        page("active", &partner, Some(eq("status", "active")), default_order(), None),
        page("active and high", &partner, Some(active_and_high()), default_order(), None),
        page(
            "active and high, a later page",
            &partner,
            Some(active_and_high()),
            default_order(),
            after("detectedDateTime", "2031-01-15T00:00:00Z"),
        ),
        page("a customer's since", &partner, Some(of_customer()), oldest_first(), None),
        page("a subscription's", &partner, Some(eq("subscriptionId", "s1")), default_order(), None),
        page(
            "changes since",
            &partner,
            Some(since("lastModifiedDateTime", "2031-03-01T00:00:00Z")),
            changes(),
            None,
        ),
        searched,
        page("what a customer sees", &customer, None, default_order(), None),
        page("what a reseller sees", &reseller, None, default_order(), None),
        count("count of a customer", &partner, Some(of_customer())),
        count("count of active and high", &partner, Some(active_and_high())),
    ]
}
