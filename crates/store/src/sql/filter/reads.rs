//! Which columns a filter reads.

use std::collections::BTreeSet;

use odata::checked::{Filter, Operand, PropertyPath, Root};

use crate::model::{Stored, stored};

/// The columns that a filter reads; `None` if it looks into the alert's JSON, or at what is not there.
///
/// A table with these columns can be asked the same condition.
pub(crate) fn columns_read(filter: &Filter) -> Option<BTreeSet<&'static str>> {
    let mut columns = BTreeSet::new();
    reads(filter, &mut columns)?;
    Some(columns)
}

fn reads(filter: &Filter, columns: &mut BTreeSet<&'static str>) -> Option<()> {
    match filter {
        Filter::And(left, right) | Filter::Or(left, right) => {
            reads(left, columns)?;
            reads(right, columns)
        }
        Filter::Not(inner) => reads(inner, columns),
        Filter::Compare(left, _, right) | Filter::Text(_, left, right) => {
            operand_reads(left, columns)?;
            operand_reads(right, columns)
        }
        Filter::In(operand, _) | Filter::Is(operand) => operand_reads(operand, columns),
        Filter::Any(..) | Filter::All(..) => None,
    }
}

fn operand_reads(operand: &Operand, columns: &mut BTreeSet<&'static str>) -> Option<()> {
    match operand {
        Operand::Property(path) => {
            columns.insert(column_of(path)?);
            Some(())
        }
        Operand::Literal(_) => Some(()),
        Operand::Arithmetic(left, _, right) => {
            operand_reads(left, columns)?;
            operand_reads(right, columns)
        }
        Operand::Negate(inner) => operand_reads(inner, columns),
        Operand::Call(_, operands) => operands.iter().try_for_each(|operand| operand_reads(operand, columns)),
        Operand::Count(..) => None,
        Operand::Condition(condition) => reads(condition, columns),
    }
}

fn column_of(path: &PropertyPath) -> Option<&'static str> {
    let [name] = path.segments.as_slice() else { return None };
    match stored(name)? {
        Stored::Column(column) if path.root == Root::Entity => Some(column),
        Stored::Column(_) | Stored::OpenMembers | Stored::BodyOnly => None,
    }
}

#[cfg(test)]
mod tests {
    use odata::checked::{Comparison, Function, Literal};

    use super::*;
    use crate::testing::{compare, operand, value};

    #[test]
    fn a_filter_tells_which_columns_it_reads() {
        let check = |filter: Filter, expected: Option<&[&'static str]>| {
            let expected = expected.map(|columns| columns.iter().copied().collect());
            assert_eq!(columns_read(&filter), expected, "{filter:?}");
        };
        let both = |left: Filter, right: Filter| Filter::And(Box::new(left), Box::new(right));
        let status = || compare("status", Comparison::Eq, "active");
        let member = || compare("additionalDetails/VmCount", Comparison::Eq, "12");
        let upper = Operand::Call(Function::ToUpper, vec![operand("displayName")]);
        let computed = Filter::Compare(upper, Comparison::Eq, value(Literal::String("A".into())));
        check(status(), Some(&["status"]));
        check(both(status(), Filter::Is(operand("isTest"))), Some(&["is_test", "status"]));
        check(Filter::Not(Box::new(computed)), Some(&["display_name"]));
        check(Filter::Is(Operand::Condition(Box::new(status()))), Some(&["status"]));
        check(Filter::Is(value(Literal::Boolean(true))), Some(&[]));
        check(both(status(), member()), None);
        let resources = crate::testing::collection("affectedResources");
        check(Filter::Any(resources.clone(), None), None);
        let count = Operand::Count(resources, None);
        check(Filter::Compare(count, Comparison::Gt, value(Literal::Int(1))), None);
    }
}
