//! `$orderby`, checked against the model.

use crate::ast::{ExprKind, OrderItem};
use crate::checked::{Operand, SortKey};
use crate::error::{QueryError, QueryOption};
use crate::model::Model;
use crate::path;
use crate::source::Source;

/// Checks the keys of an order. `text` is what they were parsed from, for the errors.
///
/// # Errors
/// A key that is no property, or one that has no order.
pub fn check_orderby(items: &[OrderItem], text: &str, model: &Model) -> Result<Vec<SortKey>, QueryError> {
    let source = Source { option: QueryOption::OrderBy, text };
    let mut keys = Vec::with_capacity(items.len());
    for item in items {
        let ExprKind::Path(path) = &item.expr.value else {
            let error = source.unsupported(item.expr.span, "sorting by anything but a property");
            return Err(error);
        };
        let by = Operand::Property(path::find_single(path, model, source)?);
        keys.push(SortKey { by, direction: item.direction });
    }
    Ok(keys)
}

/// The canonical text of an order.
#[must_use]
pub fn canonical(items: &[OrderItem]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;
    use crate::parser::parse_orderby;
    use crate::sample::MODEL;

    fn check(text: &str, expected: &str) {
        let result = parse_orderby(text, &Limits::default()).and_then(|items| {
            let keys = check_orderby(&items, text, &MODEL)?;
            assert_eq!(keys.len(), items.len());
            Ok(canonical(&items))
        });
        assert_eq!(result.unwrap_or_else(|error| error.to_string()), expected, "{text}");
    }

    #[test]
    fn keys_are_properties_with_a_direction() {
        check("severity", "severity");
        check("severity DESC,status asc , id", "severity desc,status,id");
        check("address/city desc", "address/city desc");
        check("details/VmCount", "details/VmCount");
        check("(id)", "id");
    }

    #[test]
    fn what_has_no_order_is_refused_by_name() {
        check("", "$orderby: expected a property, a literal or a function but found the end at 0");
        check("severty", "$orderby: unknown property 'severty' at 0; did you mean 'severity'?");
        check("id,id up", "$orderby: expected ',', 'asc', 'desc' but found 'up' at 6");
        check("id,", "$orderby: expected a property, a literal or a function but found the end at 3");
        check("id desc asc", "$orderby: expected ',', 'asc', 'desc' but found 'asc' at 8");
        check(
            "address",
            "$orderby: 'address' is a complex value; name one of its properties at 0; for example address/city",
        );
        check("resources", "$orderby: collection 'resources' as a value is not supported here at 0");
        check("resources/$count", "$orderby: segment '$count' is not supported here at 10");
        check("'id'", "$orderby: sorting by anything but a property is not supported here at 0");
        check("id eq 'a'", "$orderby: sorting by anything but a property is not supported here at 0");
        check("tolower(id)", "$orderby: function 'tolower' is not supported here at 0");
        check("a,b,c,d,e,f,g,h,i", "$orderby: more than 8 sort keys at 16");
    }
}
