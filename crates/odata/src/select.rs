//! `$select`, checked against the model: which properties of an entity are shown.

use serde_json::Value;

use crate::ast::{Path, SelectItem};
use crate::error::{QueryError, QueryOption};
use crate::model::Model;
use crate::path;
use crate::source::Source;

/// Which properties are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// All, because `*` was among the items.
    All,
    /// Those at the end of these paths, whole. In the order of the query, none twice, and none that
    /// lies under another of them. A path may lead into a collection, and then holds for each item.
    Paths(Vec<Vec<String>>),
}

/// Checks a selection. `text` is what it was parsed from, for the errors.
///
/// # Errors
/// A path that the model has not: selecting an undeclared property of a closed type is malformed.
pub fn check_select(items: &[SelectItem], text: &str, model: &Model) -> Result<Selection, QueryError> {
    let source = Source { option: QueryOption::Select, text };
    let mut paths: Vec<Vec<String>> = Vec::new();
    let mut all = false;
    for path in flat(items) {
        match path {
            None => all = true,
            Some(path) => {
                path::check_selected(&path, model, source)?;
                add(&mut paths, path.segments.into_iter().map(|segment| segment.value).collect());
            }
        }
    }
    Ok(if all { Selection::All } else { Selection::Paths(paths) })
}

/// The paths that the items select; `None` is `*`. What is nested in parentheses becomes a path, and
/// `*` there selects the whole property.
fn flat(items: &[SelectItem]) -> Vec<Option<Path>> {
    let mut paths = Vec::new();
    for item in items {
        match item {
            SelectItem::All => paths.push(None),
            SelectItem::Path(path) => paths.push(Some(path.clone())),
            SelectItem::Nested(owner, inner) => paths.extend(flat(inner).into_iter().map(|inner| {
                let mut path = owner.clone();
                path.segments.extend(inner.into_iter().flat_map(|inner| inner.segments));
                Some(path)
            })),
        }
    }
    paths
}

/// Adds a path, unless one that is there shows it already; takes out those that it shows.
fn add(paths: &mut Vec<Vec<String>>, path: Vec<String>) {
    if paths.iter().any(|known| path.starts_with(known)) {
        return;
    }
    paths.retain(|known| !known.starts_with(&path));
    paths.push(path);
}

impl Selection {
    /// The list that `@odata.context` shows in parentheses: `*`, or paths such as `id,address/city`.
    #[must_use]
    pub fn context_list(&self) -> String {
        match self {
            Self::All => "*".to_owned(),
            Self::Paths(paths) => paths.iter().map(|path| path.join("/")).collect::<Vec<_>>().join(","),
        }
    }

    /// Takes what is not selected out of an entity's JSON. The order of the rest stays.
    pub fn apply(&self, entity: &mut Value) {
        if let Self::Paths(paths) = self {
            let paths: Vec<&[String]> = paths.iter().map(Vec::as_slice).collect();
            keep(&paths, entity);
        }
    }
}

/// Keeps what the paths lead to. The recursion ends with the paths, whatever the value is.
fn keep(paths: &[&[String]], value: &mut Value) {
    match value {
        Value::Object(members) => {
            let rests = |name: &str| -> Vec<&[String]> {
                paths
                    .iter()
                    .filter_map(|path| path.split_first())
                    .filter(|(first, _)| *first == name)
                    .map(|(_, rest)| rest)
                    .collect()
            };
            members.retain(|name, _| !rests(name).is_empty());
            for (name, member) in members.iter_mut() {
                let rests = rests(name);
                let is_whole = rests.iter().any(|rest| rest.is_empty());
                if !is_whole {
                    keep(&rests, member);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| keep(paths, item)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::limits::Limits;
    use crate::parser::parse_select;
    use crate::sample::MODEL;

    fn select(text: &str) -> Result<Selection, QueryError> {
        parse_select(text, &Limits::default()).and_then(|items| check_select(&items, text, &MODEL))
    }

    fn check(text: &str, expected: &str) {
        let found = select(text).map(|selection| selection.context_list());
        assert_eq!(found.unwrap_or_else(|error| error.to_string()), expected, "{text}");
    }

    #[test]
    fn the_context_lists_each_path_once_in_the_order_of_the_query() {
        check("status,id", "status,id");
        check("id , status ", "id,status");
        check(
            "resources($select=resourceId, resourceType),id",
            "resources/resourceId,resources/resourceType,id",
        );
        check("resources(select=*)", "resources");
        check("address($select=city),address", "address");
        check("id,id", "id");
        check("address/city,id", "address/city,id");
        check("address/city,id,address", "id,address");
        check("address,address/city", "address");
        check("resources/resourceId", "resources/resourceId");
        check("details/VmCount,details/Region", "details/VmCount,details/Region");
        check("*", "*");
        check("id,*", "*");
    }

    #[test]
    fn what_cannot_be_selected_is_refused_by_name() {
        check("", "$select: expected a property but found the end at 0");
        check("id,", "$select: expected a property but found the end at 3");
        check("id status", "$select: expected ',' but found 'status' at 3");
        check("severty", "$select: unknown property 'severty' at 0; did you mean 'severity'?");
        check("id/x", "$select: no property 'x' because 'id' has none at 3");
        check("id/", "$select: expected a property but found the end at 3");
        check("address/*", "$select: expected a property but found '*' at 8");
        check(
            "resources($top=5)",
            "$select: '$top' in parentheses is not supported here at 10; only $select=… may stand there",
        );
        check(
            "resources($select=resourceId;$top=5)",
            "$select: a second option in parentheses is not supported here at 28",
        );
        check("resources($select=id)", "$select: unknown property 'id' at 18");
        check(
            "resources($select=resourceId",
            "$select: expected ')' for the '(' at 9 but found the end at 28",
        );
        check("$it/id", "$select: segment '$it' is not supported here at 0");
        check("@n.t", "$select: annotation '@n' is not supported here at 0");
        check(
            "sample.address",
            "$select: type cast or qualified name 'sample.address' is not supported here at 0",
        );
        check("$count", "$select: segment '$count' is not supported here at 0");
    }

    #[test]
    fn a_selection_is_applied_to_json() {
        let check = |text: &str, expected: Value| {
            let mut entity = json!({
                "id": "a", "severity": "high", "address": {"city": "Bonn", "street": null},
                "details": null, "resources": [{"resourceId": "r", "resourceType": "t"}]
            });
            select(text).unwrap().apply(&mut entity);
            assert_eq!(entity.to_string(), expected.to_string(), "{text}");
        };
        check("severity,id", json!({"id": "a", "severity": "high"}));
        check("address/city", json!({"address": {"city": "Bonn"}}));
        check("address/city,address/street", json!({"address": {"city": "Bonn", "street": null}}));
        check("resources/resourceId", json!({"resources": [{"resourceId": "r"}]}));
        check("details/VmCount", json!({"details": null}));
        check("title", json!({}));
    }
}
