//! What does not fit together in a model: names that lead nowhere, keys that are no properties.

use std::collections::HashSet;

use crate::annotation::{Annotation, Expression};
use crate::model::{Document, Structured, Type, TypeRef};

/// The primitive types that a model may name; all those that an alert could have.
const PRIMITIVE: &[&str] = &[
    "Edm.Boolean",
    "Edm.Date",
    "Edm.DateTimeOffset",
    "Edm.Double",
    "Edm.Duration",
    "Edm.Int32",
    "Edm.Int64",
    "Edm.Single",
    "Edm.String",
    "Edm.TimeOfDay",
];

/// One sentence for each mistake; none if all is well.
#[must_use]
pub fn problems(document: &Document) -> Vec<String> {
    let mut check = Check { document, problems: Vec::new() };
    check.names();
    for schema in &document.schemas {
        for ty in &schema.types {
            if let Type::Structured(structured) = ty {
                check.structured(schema.namespace, structured);
            }
        }
        for operation in &schema.operations {
            let types = operation.parameters.iter().map(|parameter| parameter.ty).chain(operation.returns);
            types.for_each(|ty| check.ty(ty, operation.name));
            if operation.parameters.is_empty() {
                check.report(format!("{} is bound to nothing", operation.name));
            }
        }
        for targeted in &schema.targeted {
            check.targeted(targeted.target, &targeted.annotations);
        }
        if let Some(container) = &schema.container {
            check.annotations(&container.annotations, None, container.name);
        }
    }
    check.container();
    check.problems
}

struct Check<'a> {
    document: &'a Document,
    problems: Vec<String>,
}

impl Check<'_> {
    fn report(&mut self, problem: String) {
        self.problems.push(problem);
    }

    /// Each namespace has one schema, and each name one type.
    fn names(&mut self) {
        let mut known = HashSet::new();
        for schema in &self.document.schemas {
            let types = schema.types.iter().map(|ty| format!("{}.{}", schema.namespace, ty.name()));
            for name in types.chain([schema.namespace.to_owned()]) {
                // Microsoft Graph itself has a namespace and a type of the same name; types and
                // schemas are looked up apart, so only two of one kind are a mistake.
                let kind = if name == schema.namespace { "schema" } else { "type" };
                if !known.insert((kind, name.clone())) {
                    self.problems.push(format!("{kind} {name} is there twice"));
                }
            }
        }
    }

    fn container(&mut self) {
        let containers = self.document.schemas.iter().filter(|schema| schema.container.is_some()).count();
        if containers != 1 {
            self.report(format!("there are {containers} containers"));
        }
        let Some((_, container)) = self.document.container() else { return };
        let sets = container.sets.iter().map(|set| (set.name, set.ty));
        for (name, ty) in sets.chain(container.singletons.iter().map(|one| (one.name, one.ty))) {
            if self.document.find_structured(ty).is_none() {
                self.report(format!("{name} is of {ty}, which is no structured type"));
            }
        }
    }

    fn structured(&mut self, namespace: &str, structured: &Structured) {
        let name = format!("{namespace}.{}", structured.name);
        if let Some(base) = structured.base
            && self.document.find_structured(base).is_none()
        {
            self.report(format!("{name} derives from {base}, which is no structured type"));
        }
        for key in &structured.key {
            if !structured.properties.iter().any(|property| property.name == *key && !property.nullable) {
                self.report(format!("the key {key} of {name} is no property that is always there"));
            }
        }
        let lineage = self.document.lineage(&name);
        let members = lineage.iter().flat_map(|ty| {
            let properties = ty.properties.iter().map(|property| property.name);
            properties.chain(ty.navigation.iter().map(|navigation| navigation.name))
        });
        let mut known = HashSet::new();
        for member in members {
            if !known.insert(member) {
                self.problems.push(format!("{name} has {member} twice"));
            }
        }
        for property in &structured.properties {
            self.ty(property.ty, property.name);
            self.annotations(&property.annotations, None, property.name);
        }
        for navigation in &structured.navigation {
            if self.document.find_structured(navigation.ty.name).is_none() {
                self.report(format!(
                    "{name}/{} leads to {}, which is no structured type",
                    navigation.name, navigation.ty.name
                ));
            }
        }
    }

    fn ty(&mut self, ty: TypeRef, whose: &str) {
        if !PRIMITIVE.contains(&ty.name) && self.document.find_type(ty.name).is_none() {
            self.report(format!("{whose} is of {}, which is not there", ty.name));
        }
    }

    fn targeted(&mut self, target: &str, annotations: &[Annotation]) {
        match self.resolve(target) {
            Some(ty) => self.annotations(annotations, Some(ty), target),
            None => self.report(format!("the target {target} leads nowhere")),
        }
    }

    /// The structured type at the end of a path from the container.
    fn resolve(&self, target: &str) -> Option<&'static str> {
        let mut segments = target.split('/');
        let (schema, container) = self.document.container()?;
        if segments.next()? != format!("{}.{}", schema.namespace, container.name) {
            return None;
        }
        let first = segments.next()?;
        let sets = container.sets.iter().map(|set| (set.name, set.ty));
        let (_, start) = sets
            .chain(container.singletons.iter().map(|one| (one.name, one.ty)))
            .find(|(name, _)| *name == first)?;
        segments.try_fold(start, |ty, segment| self.member(ty, segment))
    }

    /// The type of a member of a structured type.
    fn member(&self, ty: &str, name: &str) -> Option<&'static str> {
        self.document.lineage(ty).into_iter().find_map(|ty| {
            let properties = ty.properties.iter().map(|property| (property.name, property.ty.name));
            let navigation = ty.navigation.iter().map(|navigation| (navigation.name, navigation.ty.name));
            properties.chain(navigation).find(|(known, _)| *known == name).map(|(_, ty)| ty)
        })
    }

    fn annotations(&mut self, annotations: &[Annotation], ty: Option<&str>, whose: &str) {
        for annotation in annotations {
            self.name_with_alias(annotation.term, whose);
            self.expression(&annotation.value, ty, whose);
        }
    }

    fn expression(&mut self, expression: &Expression, ty: Option<&str>, whose: &str) {
        match expression {
            Expression::Bool(_) | Expression::Int(_) | Expression::Text(_) => {}
            Expression::Member(enumeration, _) => self.name_with_alias(enumeration, whose),
            Expression::Property(path) | Expression::Navigation(path) => {
                let end = path.split('/').try_fold(ty, |ty, segment| self.member(ty?, segment).map(Some));
                if end.is_none() {
                    self.report(format!("the path {path} in an annotation of {whose} leads nowhere"));
                }
            }
            Expression::Record(members) => {
                members.iter().for_each(|(_, value)| self.expression(value, ty, whose));
            }
            Expression::Many(items) => items.iter().for_each(|item| self.expression(item, ty, whose)),
        }
    }

    fn name_with_alias(&mut self, name: &str, whose: &str) {
        let known = name.split_once('.').is_some_and(|(alias, _)| {
            self.document.vocabularies.iter().any(|vocabulary| vocabulary.alias == alias)
        });
        if !known {
            self.report(format!("{name} in an annotation of {whose} is of no vocabulary"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Document, Property};
    use crate::sample;

    fn first(document: &mut Document, name: &str) -> usize {
        document.schemas[0].types.iter().position(|ty| ty.name() == name).unwrap()
    }

    fn edit(name: &str, change: impl FnOnce(&mut Structured)) -> Vec<String> {
        let mut document = sample::document();
        let index = first(&mut document, name);
        match &mut document.schemas[0].types[index] {
            Type::Structured(structured) => change(structured),
            Type::Enumeration(_) => panic!("{name} is no structured type"),
        }
        problems(&document)
    }

    #[test]
    fn the_sample_is_sound() {
        assert_eq!(problems(&sample::document()), [""; 0]);
    }

    #[test]
    fn what_leads_nowhere_is_named() {
        let check = |found: Vec<String>, expected: &str| assert_eq!(found, [expected]);
        check(
            edit("shelf", |shelf| shelf.properties[0].ty.name = "a.b.color"),
            "colour is of a.b.color, which is not there",
        );
        check(
            edit("thing", |thing| thing.key = vec!["no"]),
            "the key no of a.b.thing is no property that is always there",
        );
        check(
            edit("bag", |bag| bag.base = Some("a.b.none")),
            "a.b.bag derives from a.b.none, which is no structured type",
        );
        check(
            edit("shelf", |shelf| shelf.navigation[1].ty.name = "Edm.String"),
            "a.b.shelf/owner leads to Edm.String, which is no structured type",
        );
        check(
            edit("shelf", |shelf| {
                shelf.properties.push(Property {
                    name: "id",
                    ty: TypeRef::one("Edm.String"),
                    nullable: false,
                    description: "",
                    annotations: Vec::new(),
                });
            }),
            "a.b.shelf has id twice",
        );
    }

    #[test]
    fn annotations_that_lead_nowhere_are_named() {
        let check = |change: fn(&mut Document), expected: &str| {
            let mut document = sample::document();
            change(&mut document);
            assert_eq!(problems(&document), [expected]);
        };
        check(
            |document| document.schemas[0].targeted[0].target = "a.b.store/worst/things",
            "the target a.b.store/worst/things leads nowhere",
        );
        check(
            |document| {
                document.schemas[0].targeted[0].annotations =
                    vec![Annotation::new("Core.Restrictions", Expression::properties(["bags", "boxes"]))];
            },
            "the path boxes in an annotation of a.b.store/best/things leads nowhere",
        );
        check(
            |document| document.schemas[0].targeted[0].annotations[0].term = "Cor.Restrictions",
            "Cor.Restrictions in an annotation of a.b.store/best/things is of no vocabulary",
        );
        check(
            |document| {
                document.schemas[0].container = None;
                document.schemas[0].targeted.clear();
            },
            "there are 0 containers",
        );
    }
}
