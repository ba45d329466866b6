//! Whether any text within a JSON text fits a regular expression.
//!
//! Records come in several shapes: names differ in letter case, an object may be JSON text in a string, and what matters may
//! be any item of a list. This function does not mind, where `json_get_str` wants the exact path.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{BooleanArray, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use regex::{Regex, RegexBuilder};
use serde_json::Value;

/// How large a compiled expression may be, in bytes: it may come from a rule of strangers.
const COMPILED_BYTES_MAX: usize = 1 << 20;

/// `json_any_match(json, expression, name, …)`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct JsonAnyMatch {
    signature: Signature,
}

impl JsonAnyMatch {
    pub(super) fn new() -> Self {
        Self { signature: Signature::variadic_any(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for JsonAnyMatch {
    fn name(&self) -> &'static str {
        "json_any_match"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        if arguments.len() < 3 {
            return plan_err!(
                "json_any_match wants a JSON text, a regular expression and one or more names, such as json_any_match(properties, '^a', 'status')"
            );
        }
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [json, rest @ ..] = arguments.args.as_slice() else {
            return exec_err!("json_any_match lacks its arguments");
        };
        let words = rest.iter().map(constant).collect::<Result<Vec<&str>>>()?;
        let Some((expression, path)) = words.split_first() else {
            return exec_err!("json_any_match lacks its expression");
        };
        let expression = match RegexBuilder::new(expression).size_limit(COMPILED_BYTES_MAX).build() {
            Ok(expression) => expression,
            Err(error) => {
                return exec_err!("json_any_match cannot use the expression '{expression}': {error}");
            }
        };
        let texts = json.to_array(arguments.number_rows)?;
        let texts = cast(&texts, &DataType::Utf8)?;
        let texts: &StringArray = texts.as_string::<i32>();
        let found: BooleanArray = texts.iter().map(|text| any_match(text?, &expression, path)).collect();
        Ok(ColumnarValue::Array(Arc::new(found)))
    }
}

/// Expression and names are the same for all rows.
fn constant(argument: &ColumnarValue) -> Result<&str> {
    match argument {
        ColumnarValue::Scalar(
            ScalarValue::Utf8(Some(text))
            | ScalarValue::LargeUtf8(Some(text))
            | ScalarValue::Utf8View(Some(text)),
        ) => Ok(text),
        ColumnarValue::Scalar(_) | ColumnarValue::Array(_) => {
            exec_err!("json_any_match wants its expression and names as texts in quotes")
        }
    }
}

/// `None` for a text that is no JSON.
fn any_match(text: &str, expression: &Regex, path: &[&str]) -> Option<bool> {
    let value: Value = serde_json::from_str(text).ok()?;
    Some(found(&value, path, expression))
}

/// Whether something at the path fits.
fn found(value: &Value, path: &[&str], expression: &Regex) -> bool {
    let Some((name, rest)) = path.split_first() else { return fits(value, expression) };
    match value {
        Value::Array(items) => items.iter().any(|item| found(item, path, expression)),
        Value::Object(members) => {
            let mut named = members.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name)).peekable();
            if named.peek().is_some() {
                return named.any(|(_, inner)| found(inner, rest, expression));
            }
            paired(value, name).is_some_and(|inner| found(inner, rest, expression))
        }
        Value::String(text) => unfolded(text).is_some_and(|inner| found(&inner, path, expression)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The value of a pair that has this name: Entra writes lists of `{key, value}` and of `{displayName, newValue}`.
fn paired<'v>(pair: &'v Value, name: &str) -> Option<&'v Value> {
    let member = |wanted: &str| {
        pair.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
    };
    let is_it =
        |key: Option<&Value>| key.and_then(Value::as_str).is_some_and(|key| key.eq_ignore_ascii_case(name));
    if is_it(member("key")) {
        return member("value");
    }
    if is_it(member("displayname")) {
        return member("newvalue");
    }
    None
}

/// Whether the text of a value fits, or that of an item of a list. Null is no text; an object's is its JSON.
fn fits(value: &Value, expression: &Regex) -> bool {
    match value {
        Value::Null => false,
        Value::Array(items) => items.iter().any(|item| fits(item, expression)),
        // Entra quotes what was changed twice.
        Value::String(text) => {
            expression.is_match(text)
                || (text.starts_with('"')
                    && serde_json::from_str::<String>(text).is_ok_and(|inner| expression.is_match(&inner)))
        }
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => expression.is_match(&value.to_string()),
    }
}

/// An object or a list that is JSON text in a string.
fn unfolded(text: &str) -> Option<Value> {
    if !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    serde_json::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_found_whatever_the_shape() {
        let check = |json: &str, expression: &str, path: &[&str], expected: Option<bool>| {
            let expression = Regex::new(expression).unwrap();
            assert_eq!(any_match(json, &expression, path), expected, "{json} {expression} {path:?}");
        };
        check(r#"{"Status":{"errorCode":50053}}"#, "^50053$", &["status", "errorcode"], Some(true));
        check(r#"{"status":"{\"errorCode\":50053}"}"#, "^50053$", &["status", "errorCode"], Some(true));
        check(r#"{"a":[{"b":"x"},{"b":"y"}]}"#, "^y$", &["a", "b"], Some(true));
        check(r#"{"a":[{"b":"x"},{"b":"y"}]}"#, "^z$", &["a", "b"], Some(false));
        check(r#"{"a":{"b":true}}"#, "^true$", &["a", "b"], Some(true));
        check(r#"{"a":{"b":null}}"#, "", &["a", "b"], Some(false));
        check(r#"{"a":{"b":""}}"#, "", &["a", "b"], Some(true));
        check(r#"{"a":[]}"#, "", &["a"], Some(false));
        check(r#"{"a":{}}"#, "", &["b"], Some(false));
        check(r#"{"a":{"b":"xyz"}}"#, r#""b":"xyz""#, &["a"], Some(true));
        check(r#"{"a":"\"False\""}"#, "(?i)^false$", &["a"], Some(true));
        check(
            r#"{"targetResources":[{"modifiedProperties":[{"displayName":"ConsentContext.IsAdminConsent","newValue":"\"False\""}]}]}"#,
            "(?i)^false$",
            &["targetresources", "modifiedproperties", "consentcontext.isadminconsent"],
            Some(true),
        );
        check(
            r#"{"additionalDetails":[{"key":"User-Agent","value":"axios"}]}"#,
            "axios",
            &["additionaldetails", "user-agent"],
            Some(true),
        );
        check("not json", "", &["a"], None);
        check("{}", "", &["a"], Some(false));
    }

    #[tokio::test]
    async fn it_works_in_sql() {
        let session = crate::session(crate::Limits::default()).unwrap();
        let run = async |sql: &str| session.sql(sql).await.map(async |query| query.collect().await);
        let rows = run(r#"select json_any_match(t, 'b.\\', 'a') as found from (values ('{"A":"ab1\\"}'), (null), ('x')) as v (t)"#)
            .await
            .unwrap()
            .await
            .unwrap();
        let found: Vec<Option<bool>> =
            rows.iter().flat_map(|rows| rows.column(0).as_boolean().iter()).collect();
        assert_eq!(found, [Some(true), None, None]);
        assert!(run("select json_any_match('{}', 'a')").await.is_err());
        assert!(run("select json_any_match('{}', '(', 'a')").await.unwrap().await.is_err());
    }
}
