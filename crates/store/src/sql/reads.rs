//! Which columns of an alert a filter or an order reads.

use odata::checked::{CollectionPath, Filter, Operand, PropertyPath, Root};

use crate::AlertQuery;
use crate::model::{NAMED_DETECTOR, Stored, names_detector, stored};

/// The column of the alert's JSON, which is read for what has no column of its own.
const BODY: &str = "body";

/// Whether the filter reads no other columns than these.
pub(crate) fn only(filter: &Filter, columns: &[&str]) -> bool {
    !in_filter(filter, &|column| !columns.contains(&column))
}

/// Whether the filter or the order of a list reads this column.
pub(crate) fn query_reads(query: &AlertQuery, column: &str) -> bool {
    let is_it = |read: &str| read == column;
    query.filter.as_ref().is_some_and(|filter| in_filter(filter, &is_it))
        || query.order.iter().any(|key| in_operand(&key.by, &is_it))
}

/// Whether the filter reads this column.
pub(crate) fn filter_reads(filter: &Filter, column: &str) -> bool {
    in_filter(filter, &|read| read == column)
}

/// Whether the filter reads a column that is looked for.
fn in_filter(filter: &Filter, wanted: &dyn Fn(&str) -> bool) -> bool {
    match filter {
        Filter::And(left, right) | Filter::Or(left, right) => {
            in_filter(left, wanted) || in_filter(right, wanted)
        }
        Filter::Not(inner) => in_filter(inner, wanted),
        Filter::Compare(left, _, right) | Filter::Text(_, left, right) => {
            in_operand(left, wanted) || in_operand(right, wanted)
        }
        Filter::In(operand, _) | Filter::Is(operand) => in_operand(operand, wanted),
        Filter::Any(path, inner) => in_collection(path, inner.as_deref(), wanted),
        Filter::All(path, inner) => in_collection(path, Some(inner), wanted),
    }
}

fn in_operand(operand: &Operand, wanted: &dyn Fn(&str) -> bool) -> bool {
    match operand {
        Operand::Property(PropertyPath { root, segments, .. }) => in_path(*root, segments, wanted),
        Operand::Literal(_) => false,
        Operand::Arithmetic(left, _, right) => in_operand(left, wanted) || in_operand(right, wanted),
        Operand::Negate(operand) => in_operand(operand, wanted),
        Operand::Call(_, operands) => operands.iter().any(|operand| in_operand(operand, wanted)),
        Operand::Count(path, inner) => in_collection(path, inner.as_deref(), wanted),
        Operand::Condition(condition) => in_filter(condition, wanted),
    }
}

fn in_collection(path: &CollectionPath, inner: Option<&Filter>, wanted: &dyn Fn(&str) -> bool) -> bool {
    in_path(path.root, &path.segments, wanted) || inner.is_some_and(|inner| in_filter(inner, wanted))
}

fn in_path(root: Root, segments: &[String], wanted: &dyn Fn(&str) -> bool) -> bool {
    // Items belong to a collection, whose own path is looked at too.
    if root != Root::Entity {
        return false;
    }
    if let [property, member] = segments
        && names_detector(property, member)
    {
        return wanted(NAMED_DETECTOR);
    }
    match segments.first().and_then(|name| stored(name)) {
        Some(Stored::Column(column)) => wanted(column),
        Some(Stored::OpenMembers | Stored::BodyOnly) | None => wanted(BODY),
    }
}
