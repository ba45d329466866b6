//! `$orderby`, checked against the model.

use chrono::{DateTime, Utc};

use crate::ast::OrderItem;
use crate::check::check_sorted;
use crate::checked::{Operand, SortKey};
use crate::error::{ErrorKind, QueryError, QueryOption};
use crate::model::Model;
use crate::source::Source;

/// Checks the keys of an order. `text` is what they were parsed from, for the errors; `now` is what
/// `now()` means.
///
/// # Errors
/// A key that the model has not, one that has no order, or one that is the same for all entities.
pub fn check_orderby(
    items: &[OrderItem],
    text: &str,
    model: &Model,
    now: DateTime<Utc>,
) -> Result<Vec<SortKey>, QueryError> {
    let source = Source { option: QueryOption::OrderBy, text };
    let mut keys = Vec::with_capacity(items.len());
    for item in items {
        let by = check_sorted(&item.expr, source, model, now)?;
        if let Operand::Literal(_) = by {
            let message = format!("{} is the same for all", source.quote(item.expr.span));
            return Err(source.error(ErrorKind::WrongType, item.expr.span, message));
        }
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
    use crate::sample::{MODEL, NOW};

    fn check(text: &str, expected: &str) {
        let result = parse_orderby(text, &Limits::default()).and_then(|items| {
            let keys = check_orderby(&items, text, &MODEL, NOW)?;
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
        check("$it/id", "$it/id");
        check("resources/$count desc,id", "resources/$count desc,id");
        check("length(title) desc", "length(title) desc");
        check(
            "resources/$count($filter=resourceType eq 't')",
            "resources/$count($filter=resourceType eq 't')",
        );
        check("severity eq 'high' desc,count mod 2", "severity eq 'high' desc,count mod 2");
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
        check(
            "resources",
            "$orderby: collection 'resources' as a value is not supported here at 0; use any, all or $count",
        );
        check("'id'", "$orderby: 'id' is the same for all at 0");
        check("now()", "$orderby: 'now()' is the same for all at 0");
        check("cast(id)", "$orderby: function 'cast' is not supported here at 0");
        check(" id", "$orderby: a space in front is not allowed at 0");
        check("a,b,c,d,e,f,g,h,i", "$orderby: more than 8 sort keys at 16");
    }
}
