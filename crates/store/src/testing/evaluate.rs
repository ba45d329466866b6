//! Filters and orders answered over the JSON of an alert: the specification for databases.
//!
//! Written for plainness, from the OData rules and not from the SQL. `None` is OData's null.

mod arithmetic;
mod function;

use std::cmp::Ordering;

use alerts::{Confidence, Severity};
use chrono::{DateTime, Datelike, NaiveTime, Timelike, Utc};
use odata::checked::{
    CollectionPath, Comparison, Direction, Filter, Literal, Operand, PropertyPath, Root, SortKey, TextTest,
};
use odata::model::Type;
use serde_json::Value;

/// What the filter says of an alert: true, false or null. Only true leaves it in the list.
#[must_use]
pub fn evaluate(filter: &Filter, alert: &Value) -> Option<bool> {
    Place { alert, items: Vec::new() }.holds(filter)
}

/// How two alerts stand to each other in an order whose last tie-break is the id, in the direction
/// of the key before it. Null sorts below every value.
#[must_use]
pub fn in_order(order: &[SortKey], left: &Value, right: &Value) -> Ordering {
    let turned = |ordering: Ordering, direction: Direction| match direction {
        Direction::Ascending => ordering,
        Direction::Descending => ordering.reverse(),
    };
    let item = |operand: &Operand, alert| Place { alert, items: Vec::new() }.item(operand);
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
    Whole(i64),
    Double(f64),
    /// Microseconds since 1970.
    Moment(i64),
    /// Days since 1970.
    Day(i64),
    /// Microseconds since midnight.
    Time(i64),
    /// Microseconds.
    Duration(i64),
    Rank(u8),
    Bool(bool),
}

/// Where a filter is asked: of an alert, and of an item of each collection that encloses the place.
#[derive(Clone)]
struct Place<'a> {
    alert: &'a Value,
    /// The outermost first.
    items: Vec<&'a Value>,
}

impl<'a> Place<'a> {
    fn holds(&self, filter: &Filter) -> Option<bool> {
        match filter {
            Filter::And(left, right) => match (self.holds(left), self.holds(right)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            Filter::Or(left, right) => match (self.holds(left), self.holds(right)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
            Filter::Not(inner) => self.holds(inner).map(|holds| !holds),
            Filter::Compare(left, comparison, right) => {
                Some(compared(self.item(left), *comparison, self.item(right)))
            }
            Filter::In(operand, list) => Some(is_in(self.item(operand), list)),
            Filter::Text(test, text, part) => match (self.item(text)?, self.item(part)?) {
                (Item::Text(text), Item::Text(part)) => Some(match test {
                    TextTest::Contains => text.contains(&part),
                    TextTest::StartsWith => text.starts_with(&part),
                    TextTest::EndsWith => text.ends_with(&part),
                }),
                _ => None,
            },
            Filter::Is(operand) => match self.item(operand)? {
                Item::Bool(holds) => Some(holds),
                _ => None,
            },
            Filter::Any(path, None) => Some(!self.collection(path).is_empty()),
            Filter::Any(path, Some(condition)) => Some(
                self.collection(path)
                    .into_iter()
                    .any(|item| self.within(item).holds(condition) == Some(true)),
            ),
            Filter::All(path, condition) => Some(
                self.collection(path)
                    .into_iter()
                    .all(|item| self.within(item).holds(condition) == Some(true)),
            ),
        }
    }

    fn item(&self, operand: &Operand) -> Option<Item> {
        match operand {
            Operand::Property(path) => at(path, self.root(path.root)?),
            Operand::Literal(literal) => of_literal(literal),
            Operand::Arithmetic(left, operator, right) => {
                arithmetic::computed(self.item(left)?, *operator, self.item(right)?)
            }
            Operand::Negate(inner) => arithmetic::negated(self.item(inner)?),
            Operand::Call(function, operands) => {
                let operands: Option<Vec<Item>> = operands.iter().map(|operand| self.item(operand)).collect();
                function::called(*function, &operands?)
            }
            Operand::Count(path, condition) => {
                let items = self.collection(path).into_iter();
                let counted = items.filter(|item| match condition {
                    Some(condition) => self.within(item).holds(condition) == Some(true),
                    None => true,
                });
                i64::try_from(counted.count()).ok().map(Item::Whole)
            }
            Operand::Condition(condition) => self.holds(condition).map(Item::Bool),
        }
    }

    fn within(&self, item: &'a Value) -> Self {
        let mut place = self.clone();
        place.items.push(item);
        place
    }

    fn root(&self, root: Root) -> Option<&'a Value> {
        match root {
            Root::Entity => Some(self.alert),
            Root::Item(outwards) => self.items.iter().rev().nth(outwards).copied(),
        }
    }

    fn collection(&self, path: &CollectionPath) -> Vec<&'a Value> {
        let value = self.root(path.root).and_then(|root| follow(&path.segments, root));
        value.and_then(Value::as_array).map(|items| items.iter().collect()).unwrap_or_default()
    }
}

fn compared(left: Option<Item>, comparison: Comparison, right: Option<Item>) -> bool {
    let (left, right) = alike(left, right);
    let both = left.as_ref().zip(right.as_ref());
    match comparison {
        Comparison::Eq => left == right,
        Comparison::Ne => left != right,
        Comparison::Lt => both.is_some_and(|(left, right)| left < right),
        Comparison::Le => both.is_some_and(|(left, right)| left <= right),
        Comparison::Gt => both.is_some_and(|(left, right)| left > right),
        Comparison::Ge => both.is_some_and(|(left, right)| left >= right),
    }
}

/// A list is of one type: with one double in it, its whole numbers are doubles.
fn is_in(item: Option<Item>, list: &[Literal]) -> bool {
    let has_double = list.iter().any(|literal| matches!(literal, Literal::Double(_)));
    let typed = |item: Option<Item>| if has_double { item.map(Item::widened) } else { item };
    let item = typed(item);
    list.iter().any(|literal| alike(typed(of_literal(literal)), item.clone()) == (item.clone(), item.clone()))
}

/// A whole number beside a double becomes one.
fn alike(left: Option<Item>, right: Option<Item>) -> (Option<Item>, Option<Item>) {
    match (&left, &right) {
        (Some(Item::Whole(_)), Some(Item::Double(_))) => (left.map(Item::widened), right),
        (Some(Item::Double(_)), Some(Item::Whole(_))) => (left, right.map(Item::widened)),
        _ => (left, right),
    }
}

impl Item {
    #[expect(clippy::cast_precision_loss, reason = "OData's promotion loses it too")]
    fn widened(self) -> Self {
        match self {
            Self::Whole(value) => Self::Double(value as f64),
            other => other,
        }
    }
}

fn of_literal(literal: &Literal) -> Option<Item> {
    Some(match literal {
        Literal::Null => return None,
        Literal::String(text) => Item::Text(text.clone()),
        Literal::Boolean(value) => Item::Bool(*value),
        Literal::Int(value) => Item::Whole(*value),
        Literal::Double(value) => Item::Double(*value),
        Literal::DateTime(at) => Item::Moment(at.timestamp_micros()),
        Literal::Date(day) => Item::Day(day.to_epoch_days().into()),
        Literal::TimeOfDay(time) => Item::Time(microseconds(*time)),
        Literal::Duration(length) => Item::Duration(length.num_microseconds()?),
        Literal::Enum(enumeration, index) => member(enumeration.name, enumeration.members[*index]),
    })
}

fn microseconds(time: NaiveTime) -> i64 {
    i64::from(time.num_seconds_from_midnight()) * 1_000_000 + i64::from(time.nanosecond() / 1_000)
}

fn follow<'a>(segments: &[String], root: &'a Value) -> Option<&'a Value> {
    segments.iter().try_fold(root, |value, segment| value.get(segment))
}

fn at(path: &PropertyPath, root: &Value) -> Option<Item> {
    let value = follow(&path.segments, root)?;
    match (path.ty, value) {
        (_, Value::Null) => None,
        (Type::DateTimeOffset, Value::String(text)) => {
            let moment = text.parse::<DateTime<Utc>>().ok()?;
            (1..=9999).contains(&moment.year()).then(|| Item::Moment(moment.timestamp_micros()))
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
