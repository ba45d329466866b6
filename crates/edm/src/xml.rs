//! A model as CSDL XML 4.0 or 4.01 (OData CSDL XML Representation, OASIS standard).
//!
//! The model becomes a tree of elements first, so that what is written where is decided apart from
//! how XML is escaped.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, Event};

use crate::annotation::{Annotation, Expression};
use crate::model::{
    Container, Document, Enumeration, Kind, NavigationProperty, Operation, OperationKind, Property, Schema,
    Structured, Type, TypeRef, Version, Vocabulary,
};

const EDMX: &str = "http://docs.oasis-open.org/odata/ns/edmx";
const EDM: &str = "http://docs.oasis-open.org/odata/ns/edm";

/// The document, in UTF-8.
#[must_use]
pub fn write(document: &Document, version: Version) -> String {
    let references = document.vocabularies.iter().map(reference_of);
    let schemas = document.schemas.iter().map(schema_of).collect();
    let services = Element::new("edmx:DataServices").with_all(schemas);
    let root = Element::new("edmx:Edmx")
        .attribute("xmlns:edmx", EDMX)
        .attribute("Version", version.as_str())
        .with_all(references.collect())
        .with(services);
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer
        .write_event(Event::Decl(BytesDecl::new("1.0", Some("utf-8"), None)))
        .and_then(|()| root.write(&mut writer))
        .expect("memory takes every write");
    String::from_utf8(writer.into_inner()).expect("only texts were written")
}

struct Element {
    name: &'static str,
    attributes: Vec<(&'static str, String)>,
    children: Vec<Element>,
    text: Option<String>,
}

impl Element {
    fn new(name: &'static str) -> Self {
        Self { name, attributes: Vec::new(), children: Vec::new(), text: None }
    }

    fn attribute(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.attributes.push((name, value.into()));
        self
    }

    fn attribute_if(self, condition: bool, name: &'static str, value: &str) -> Self {
        if condition { self.attribute(name, value) } else { self }
    }

    fn with(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    fn with_all(mut self, children: Vec<Self>) -> Self {
        self.children.extend(children);
        self
    }

    fn containing(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }

    fn write(&self, writer: &mut Writer<Vec<u8>>) -> io::Result<()> {
        let attributes = self.attributes.iter().map(|(name, value)| (*name, value.as_str()));
        let element = writer.create_element(self.name).with_attributes(attributes);
        if let Some(text) = &self.text {
            element.write_text_content(quick_xml::events::BytesText::new(text))?;
        } else if self.children.is_empty() {
            element.write_empty()?;
        } else {
            element.write_inner_content(|writer| {
                self.children.iter().try_for_each(|child| child.write(writer))
            })?;
        }
        Ok(())
    }
}

fn reference_of(vocabulary: &Vocabulary) -> Element {
    let include = Element::new("edmx:Include")
        .attribute("Namespace", vocabulary.namespace)
        .attribute("Alias", vocabulary.alias);
    Element::new("edmx:Reference").attribute("Uri", format!("{}.xml", vocabulary.uri)).with(include)
}

fn schema_of(schema: &Schema) -> Element {
    let types = schema.types.iter().map(|ty| match ty {
        Type::Structured(structured) => structured_of(structured),
        Type::Enumeration(enumeration) => enumeration_of(enumeration),
    });
    let targeted = schema.targeted.iter().map(|targeted| {
        Element::new("Annotations")
            .attribute("Target", targeted.target)
            .with_all(annotations_of(&targeted.annotations))
    });
    Element::new("Schema")
        .attribute("xmlns", EDM)
        .attribute("Namespace", schema.namespace)
        .with_all(types.collect())
        .with_all(schema.operations.iter().map(operation_of).collect())
        .with_all(schema.container.iter().map(container_of).collect())
        .with_all(targeted.collect())
}

fn structured_of(structured: &Structured) -> Element {
    let mut element = match structured.kind {
        Kind::Entity => Element::new("EntityType"),
        Kind::Complex => Element::new("ComplexType"),
    }
    .attribute("Name", structured.name);
    if let Some(base) = structured.base {
        element = element.attribute("BaseType", base);
    }
    element = element.attribute_if(structured.is_abstract, "Abstract", "true").attribute_if(
        structured.is_open,
        "OpenType",
        "true",
    );
    if !structured.key.is_empty() {
        let names = structured.key.iter().map(|name| Element::new("PropertyRef").attribute("Name", *name));
        element = element.with(Element::new("Key").with_all(names.collect()));
    }
    element
        .with_all(structured.properties.iter().map(property_of).collect())
        .with_all(structured.navigation.iter().map(navigation_of).collect())
        .with_all(described(structured.description))
}

fn property_of(property: &Property) -> Element {
    Element::new("Property")
        .attribute("Name", property.name)
        .attribute("Type", type_name(property.ty))
        .attribute_if(!property.nullable, "Nullable", "false")
        .with_all(described(property.description))
        .with_all(annotations_of(&property.annotations))
}

fn navigation_of(navigation: &NavigationProperty) -> Element {
    let is_always_there = !navigation.nullable && !navigation.ty.is_collection;
    Element::new("NavigationProperty")
        .attribute("Name", navigation.name)
        .attribute("Type", type_name(navigation.ty))
        .attribute_if(is_always_there, "Nullable", "false")
        .attribute_if(navigation.contained, "ContainsTarget", "true")
        .with_all(described(navigation.description))
}

fn enumeration_of(enumeration: &Enumeration) -> Element {
    let members = enumeration.members.iter().map(|(name, number)| {
        Element::new("Member").attribute("Name", *name).attribute("Value", number.to_string())
    });
    Element::new("EnumType").attribute("Name", enumeration.name).with_all(members.collect())
}

fn operation_of(operation: &Operation) -> Element {
    let element = match operation.kind {
        OperationKind::Action => Element::new("Action"),
        OperationKind::Function => Element::new("Function"),
    };
    let parameters = operation.parameters.iter().map(|parameter| {
        Element::new("Parameter")
            .attribute("Name", parameter.name)
            .attribute("Type", type_name(parameter.ty))
            .attribute("Nullable", "false")
    });
    let returns = operation.returns.iter().map(|ty| {
        Element::new("ReturnType").attribute("Type", type_name(*ty)).attribute("Nullable", "false")
    });
    element
        .attribute("Name", operation.name)
        .attribute("IsBound", "true")
        .with_all(parameters.collect())
        .with_all(returns.collect())
        .with_all(described(operation.description))
}

fn container_of(container: &Container) -> Element {
    let sets = container
        .sets
        .iter()
        .map(|set| Element::new("EntitySet").attribute("Name", set.name).attribute("EntityType", set.ty));
    let singletons = container.singletons.iter().map(|singleton| {
        Element::new("Singleton").attribute("Name", singleton.name).attribute("Type", singleton.ty)
    });
    Element::new("EntityContainer")
        .attribute("Name", container.name)
        .with_all(sets.collect())
        .with_all(singletons.collect())
        .with_all(annotations_of(&container.annotations))
}

fn type_name(ty: TypeRef) -> String {
    if ty.is_collection { format!("Collection({})", ty.name) } else { ty.name.to_owned() }
}

fn described(description: &'static str) -> Vec<Element> {
    if description.is_empty() {
        return Vec::new();
    }
    annotations_of(&[Annotation::new("Core.Description", description)])
}

fn annotations_of(annotations: &[Annotation]) -> Vec<Element> {
    annotations
        .iter()
        .map(|annotation| {
            valued(Element::new("Annotation").attribute("Term", annotation.term), &annotation.value)
        })
        .collect()
}

/// Adds a value to what has one: as an attribute if it is simple, inside otherwise.
fn valued(element: Element, value: &Expression) -> Element {
    match value {
        Expression::Bool(value) => element.attribute("Bool", value.to_string()),
        Expression::Int(value) => element.attribute("Int", value.to_string()),
        Expression::Text(text) => element.attribute("String", text),
        Expression::Member(enumeration, member) => {
            element.attribute("EnumMember", format!("{enumeration}/{member}"))
        }
        Expression::Property(path) => element.attribute("PropertyPath", *path),
        Expression::Navigation(path) => element.attribute("NavigationPropertyPath", *path),
        Expression::Record(_) | Expression::Many(_) => element.with(item(value)),
    }
}

/// A value that is an element of its own, as collections hold them.
fn item(value: &Expression) -> Element {
    match value {
        Expression::Bool(value) => Element::new("Bool").containing(value.to_string()),
        Expression::Int(value) => Element::new("Int").containing(value.to_string()),
        Expression::Text(text) => Element::new("String").containing(text),
        Expression::Member(enumeration, member) => {
            Element::new("EnumMember").containing(format!("{enumeration}/{member}"))
        }
        Expression::Property(path) => Element::new("PropertyPath").containing(*path),
        Expression::Navigation(path) => Element::new("NavigationPropertyPath").containing(*path),
        Expression::Record(members) => {
            let values = members.iter().map(|(name, value)| {
                valued(Element::new("PropertyValue").attribute("Property", *name), value)
            });
            Element::new("Record").with_all(values.collect())
        }
        Expression::Many(items) => Element::new("Collection").with_all(items.iter().map(item).collect()),
    }
}

#[cfg(test)]
mod tests {
    use quick_xml::Reader;

    use super::*;
    use crate::sample;

    #[test]
    fn xml_says_what_differs_from_the_defaults() {
        insta::assert_snapshot!(write(&sample::document(), Version::V4_01));
    }

    #[test]
    fn the_version_is_the_one_asked_for() {
        assert!(write(&sample::document(), Version::V4_0).contains(" Version=\"4.0\">"));
        assert!(write(&sample::document(), Version::V4_01).contains(" Version=\"4.01\">"));
    }

    #[test]
    fn texts_are_escaped() {
        let mut document = sample::document();
        let odd = Expression::texts(["a < b & \"c\""]);
        document.schemas[0].targeted[0].annotations = vec![
            Annotation::new("Core.LongDescription", "a < b & \"c\""),
            Annotation::new("Capabilities.FilterFunctions", odd),
        ];
        let text = write(&document, Version::V4_01);
        let mut reader = Reader::from_str(&text);
        let mut found = Vec::new();
        loop {
            match reader.read_event().unwrap() {
                Event::Empty(element) => {
                    let value = element.try_get_attribute("String").unwrap();
                    found.extend(value.map(|value| value.unescape_value().unwrap().into_owned()));
                }
                Event::Eof => break,
                _ => {}
            }
        }
        assert!(found.contains(&"a < b & \"c\"".to_owned()), "{found:?}");
        assert!(text.contains("<String>a &lt; b &amp; &quot;c&quot;</String>"), "{text}");
    }
}
