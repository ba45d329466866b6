//! A model as CSDL JSON 4.01 (OData CSDL JSON Representation, OASIS standard).

use serde_json::{Map, Value, json};

use crate::annotation::{Annotation, Expression};
use crate::model::{
    Container, Document, Kind, NavigationProperty, Operation, OperationKind, Property, Schema, Structured,
    Type, TypeRef, Version,
};

/// The document. There is no other version of it than 4.01.
#[must_use]
pub fn write(document: &Document) -> Value {
    let mut root = Map::new();
    root.insert("$Version".into(), Version::V4_01.as_str().into());
    if let Some((schema, container)) = document.container() {
        let name = format!("{}.{}", schema.namespace, container.name);
        root.insert("$EntityContainer".into(), name.into());
    }
    let references = document.vocabularies.iter().map(|vocabulary| {
        let include = json!([{"$Namespace": vocabulary.namespace, "$Alias": vocabulary.alias}]);
        (format!("{}.json", vocabulary.uri), json!({"$Include": include}))
    });
    root.insert("$Reference".into(), Value::Object(references.collect()));
    for schema in &document.schemas {
        root.insert(schema.namespace.into(), schema_of(schema));
    }
    Value::Object(root)
}

fn schema_of(schema: &Schema) -> Value {
    let mut members = Map::new();
    for ty in &schema.types {
        let value = match ty {
            Type::Structured(structured) => structured_of(structured),
            Type::Enumeration(enumeration) => {
                let mut members = Map::from_iter([("$Kind".to_owned(), "EnumType".into())]);
                members.extend(
                    enumeration.members.iter().map(|(name, number)| ((*name).to_owned(), (*number).into())),
                );
                Value::Object(members)
            }
        };
        members.insert(ty.name().into(), value);
    }
    for operation in &schema.operations {
        // Overloads share a name, so the value is a list.
        let overloads = members.entry(operation.name).or_insert_with(|| json!([]));
        if let Value::Array(overloads) = overloads {
            overloads.push(operation_of(operation));
        }
    }
    if let Some(container) = &schema.container {
        members.insert(container.name.into(), container_of(container));
    }
    if !schema.targeted.is_empty() {
        let targets = schema.targeted.iter().map(|targeted| {
            let mut annotations = Map::new();
            annotate(&mut annotations, &targeted.annotations);
            (targeted.target.to_owned(), Value::Object(annotations))
        });
        members.insert("$Annotations".into(), Value::Object(targets.collect()));
    }
    Value::Object(members)
}

fn structured_of(structured: &Structured) -> Value {
    let kind = match structured.kind {
        Kind::Entity => "EntityType",
        Kind::Complex => "ComplexType",
    };
    let mut members = Map::from_iter([("$Kind".to_owned(), kind.into())]);
    if let Some(base) = structured.base {
        members.insert("$BaseType".into(), base.into());
    }
    if structured.is_abstract {
        members.insert("$Abstract".into(), true.into());
    }
    if structured.is_open {
        members.insert("$OpenType".into(), true.into());
    }
    if !structured.key.is_empty() {
        members.insert("$Key".into(), structured.key.clone().into());
    }
    describe(&mut members, structured.description);
    for property in &structured.properties {
        members.insert(property.name.into(), property_of(property));
    }
    for navigation in &structured.navigation {
        members.insert(navigation.name.into(), navigation_of(navigation));
    }
    Value::Object(members)
}

fn property_of(property: &Property) -> Value {
    let mut members = Map::new();
    insert_type(&mut members, property.ty);
    if property.nullable {
        members.insert("$Nullable".into(), true.into());
    }
    describe(&mut members, property.description);
    annotate(&mut members, &property.annotations);
    Value::Object(members)
}

fn navigation_of(navigation: &NavigationProperty) -> Value {
    let mut members = Map::from_iter([("$Kind".to_owned(), "NavigationProperty".into())]);
    insert_type(&mut members, navigation.ty);
    if navigation.nullable && !navigation.ty.is_collection {
        members.insert("$Nullable".into(), true.into());
    }
    if navigation.contained {
        members.insert("$ContainsTarget".into(), true.into());
    }
    describe(&mut members, navigation.description);
    Value::Object(members)
}

fn operation_of(operation: &Operation) -> Value {
    let kind = match operation.kind {
        OperationKind::Action => "Action",
        OperationKind::Function => "Function",
    };
    let mut members = Map::from_iter([("$Kind".to_owned(), kind.into())]);
    members.insert("$IsBound".into(), true.into());
    let parameters = operation.parameters.iter().map(|parameter| {
        let mut members = Map::from_iter([("$Name".to_owned(), parameter.name.into())]);
        insert_type(&mut members, parameter.ty);
        Value::Object(members)
    });
    members.insert("$Parameter".into(), parameters.collect());
    if let Some(returns) = operation.returns {
        let mut ty = Map::new();
        insert_type(&mut ty, returns);
        members.insert("$ReturnType".into(), Value::Object(ty));
    }
    describe(&mut members, operation.description);
    Value::Object(members)
}

fn container_of(container: &Container) -> Value {
    let mut members = Map::from_iter([("$Kind".to_owned(), "EntityContainer".into())]);
    for set in &container.sets {
        members.insert(set.name.into(), json!({"$Collection": true, "$Type": set.ty}));
    }
    for singleton in &container.singletons {
        members.insert(singleton.name.into(), json!({"$Type": singleton.ty}));
    }
    annotate(&mut members, &container.annotations);
    Value::Object(members)
}

/// A string is what a type is if nothing is said.
fn insert_type(members: &mut Map<String, Value>, ty: TypeRef) {
    if ty.is_collection {
        members.insert("$Collection".into(), true.into());
    }
    if ty.name != "Edm.String" {
        members.insert("$Type".into(), ty.name.into());
    }
}

fn describe(members: &mut Map<String, Value>, description: &str) {
    if !description.is_empty() {
        members.insert("@Core.Description".into(), description.into());
    }
}

fn annotate(members: &mut Map<String, Value>, annotations: &[Annotation]) {
    members.extend(
        annotations.iter().map(|annotation| (format!("@{}", annotation.term), value_of(&annotation.value))),
    );
}

fn value_of(expression: &Expression) -> Value {
    match expression {
        Expression::Bool(value) => (*value).into(),
        Expression::Int(value) => (*value).into(),
        Expression::Text(text) => text.as_str().into(),
        Expression::Member(_, member) => (*member).into(),
        Expression::Property(path) | Expression::Navigation(path) => (*path).into(),
        Expression::Record(members) => members
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value_of(value)))
            .collect::<Map<_, _>>()
            .into(),
        Expression::Many(items) => items.iter().map(value_of).collect(),
    }
}

#[cfg(test)]
mod tests {
    use crate::sample;

    #[test]
    fn json_says_what_differs_from_the_defaults() {
        insta::assert_json_snapshot!(super::write(&sample::document()));
    }
}
