//! The document against itself; `http::tests::descriptions` holds it against the router.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{document, operations};

const SERVER: &str = "https://alerts.partner.example";

#[test]
fn the_document_is_what_it_is() {
    insta::assert_json_snapshot!(document(SERVER));
}

#[test]
fn every_operation_says_what_it_is() {
    let document = document(SERVER);
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let text = |name: &str| operation[name].as_str().unwrap_or_default();
            assert!(!text("summary").is_empty() && !text("description").is_empty(), "{method} {path}");
            assert!(ids.insert(text("operationId").to_owned()), "{method} {path}");
            let responses = operation["responses"].as_object().unwrap();
            assert!(responses.keys().any(|status| status.starts_with('2')), "{method} {path}");
            let is_open = operation.get("security").is_some();
            assert_eq!(responses.contains_key("401"), !is_open, "{method} {path}");
            let in_path = path.matches('{').count();
            let named = operation["parameters"].as_array().into_iter().flatten().filter(|parameter| {
                let parameter = resolve(&document, parameter);
                parameter["in"] == "path"
                    && path.contains(&format!("{{{}}}", parameter["name"].as_str().unwrap()))
            });
            assert_eq!(named.count(), in_path, "{method} {path}");
        }
    }
    assert_eq!(ids.len(), operations().len());
}

#[test]
fn every_reference_leads_somewhere() {
    fn collect<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str));
                members.values().for_each(|value| collect(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| collect(value, found)),
            _ => {}
        }
    }
    let document = document(SERVER);
    let mut found = BTreeSet::new();
    collect(&document, &mut found);
    assert!(found.len() > 50, "{}", found.len());
    for reference in &found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    for group in ["parameters", "headers", "responses"] {
        for name in document["components"][group].as_object().unwrap().keys() {
            assert!(
                found.contains(format!("#/components/{group}/{name}").as_str()),
                "{group} {name} is not used"
            );
        }
    }
}

fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
        Some(pointer) => document.pointer(pointer).unwrap(),
        None => value,
    }
}
