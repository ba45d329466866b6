//! Filters and orders answered over the JSON of an alert: the specification for databases.
//!
//! Written for plainness, from the OData rules and not from the SQL. `None` is OData's null.

use std::cmp::Ordering;

use alerts::{Confidence, Severity};
use chrono::{DateTime, Utc};
use odata::checked::{Comparison, Direction, Filter, Literal, Operand, PropertyPath, SortKey, TextTest};
use odata::model::Type;
use serde_json::Value;

/// What the filter says of an alert: true, false or null. Only true leaves it in the list.
#[must_use]
pub fn evaluate(filter: &Filter, alert: &Value) -> Option<bool> {
    match filter {
        Filter::And(left, right) => match (evaluate(left, alert), evaluate(right, alert)) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        },
        Filter::Or(left, right) => match (evaluate(left, alert), evaluate(right, alert)) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        },
        Filter::Not(inner) => evaluate(inner, alert).map(|holds| !holds),
        Filter::Compare(left, comparison, right) => {
            Some(compared(item(left, alert).as_ref(), *comparison, item(right, alert).as_ref()))
        }
        Filter::In(operand, list) => {
            let item = item(operand, alert);
            Some(list.iter().any(|literal| of_literal(literal) == item))
        }
        Filter::Text(test, text, part) => match (item(text, alert)?, item(part, alert)?) {
            (Item::Text(text), Item::Text(part)) => Some(match test {
                TextTest::Contains => text.contains(&part),
                TextTest::StartsWith => text.starts_with(&part),
                TextTest::EndsWith => text.ends_with(&part),
            }),
            _ => None,
        },
        Filter::Is(operand) => match item(operand, alert)? {
            Item::Bool(holds) => Some(holds),
            _ => None,
        },
        Filter::Any(..) | Filter::All(..) => unreachable!("no filter of the tests has one"),
    }
}

/// How two alerts stand to each other in an order whose last tie-break is the id, in the direction
/// of the key before it. Null sorts below every value.
#[must_use]
pub fn in_order(order: &[SortKey], left: &Value, right: &Value) -> Ordering {
    let turned = |ordering: Ordering, direction: Direction| match direction {
        Direction::Ascending => ordering,
        Direction::Descending => ordering.reverse(),
    };
    for key in order {
        let (left, right) = (item(&key.by, left), item(&key.by, right));
        let ordering = left.partial_cmp(&right).unwrap_or(Ordering::Equal);
        if ordering != Ordering::Equal {
            return turned(ordering, key.direction);
        }
    }
    let last = order.last().map_or(Direction::Ascending, |key| key.direction);
    turned(left["id"].as_str().cmp(&right["id"].as_str()), last)
}

/// A value that is not null.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
enum Item {
    Text(String),
    Number(f64),
    Microseconds(i64),
    Rank(u8),
    Bool(bool),
}

fn compared(left: Option<&Item>, comparison: Comparison, right: Option<&Item>) -> bool {
    let both = left.zip(right);
    match comparison {
        Comparison::Eq => left == right,
        Comparison::Ne => left != right,
        Comparison::Lt => both.is_some_and(|(left, right)| left < right),
        Comparison::Le => both.is_some_and(|(left, right)| left <= right),
        Comparison::Gt => both.is_some_and(|(left, right)| left > right),
        Comparison::Ge => both.is_some_and(|(left, right)| left >= right),
    }
}

fn item(operand: &Operand, alert: &Value) -> Option<Item> {
    match operand {
        Operand::Property(path) => at(path, alert),
        Operand::Literal(literal) => of_literal(literal),
        Operand::Arithmetic(..)
        | Operand::Negate(_)
        | Operand::Call(..)
        | Operand::Count(..)
        | Operand::Condition(_) => unreachable!("no filter of the tests has one"),
    }
}

fn of_literal(literal: &Literal) -> Option<Item> {
    #[expect(clippy::cast_precision_loss, reason = "test literals are small")]
    match literal {
        Literal::Null => None,
        Literal::String(text) => Some(Item::Text(text.clone())),
        Literal::Boolean(value) => Some(Item::Bool(*value)),
        Literal::Int(value) => Some(Item::Number(*value as f64)),
        Literal::Double(value) => Some(Item::Number(*value)),
        Literal::DateTime(at) => Some(Item::Microseconds(at.timestamp_micros())),
        Literal::Date(_) | Literal::TimeOfDay(_) | Literal::Duration(_) => {
            unreachable!("no filter of the tests has one")
        }
        Literal::Enum(enumeration, index) => Some(member(enumeration.name, enumeration.members[*index])),
    }
}

fn at(path: &PropertyPath, alert: &Value) -> Option<Item> {
    let mut value = alert;
    for segment in &path.segments {
        value = value.get(segment)?;
    }
    match (path.ty, value) {
        (_, Value::Null) => None,
        (Type::DateTimeOffset, Value::String(text)) => {
            text.parse::<DateTime<Utc>>().ok().map(|at| Item::Microseconds(at.timestamp_micros()))
        }
        (Type::Enum(enumeration), Value::String(text)) => Some(member(enumeration.name, text)),
        (_, Value::String(text)) => Some(Item::Text(text.clone())),
        (Type::Boolean, Value::Bool(value)) => Some(Item::Bool(*value)),
        // Only an open type holds these here, and its members are read as strings.
        (_, other) => Some(Item::Text(other.to_string())),
    }
}

/// Severity and confidence go by meaning, the others by their text.
fn member(enumeration: &str, text: &str) -> Item {
    match enumeration {
        Severity::WIRE_NAME => Item::Rank(Severity::from_wire(text).rank()),
        Confidence::WIRE_NAME => Item::Rank(Confidence::from_wire(text).rank()),
        _ => Item::Text(text.to_owned()),
    }
}
