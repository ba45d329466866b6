//! The parts of a model, named as the CSDL names them.

use crate::annotation::Annotation;

/// Which version of OData a description is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// OData 4.0, for clients that take no more. It has no JSON representation.
    V4_0,
    /// OData 4.01.
    V4_01,
}

impl Version {
    /// As headers and documents write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V4_0 => "4.0",
            Self::V4_01 => "4.01",
        }
    }
}

/// A whole description.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The vocabularies whose terms the annotations use.
    pub vocabularies: Vec<Vocabulary>,
    /// The schemas, one a namespace.
    pub schemas: Vec<Schema>,
}

/// A vocabulary of annotation terms, published elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vocabulary {
    /// Its namespace, such as `Org.OData.Core.V1`.
    pub namespace: &'static str,
    /// What terms are prefixed with here, such as `Core`.
    pub alias: &'static str,
    /// Where it is published, without `.xml` or `.json` at the end.
    pub uri: &'static str,
}

/// All that has one namespace.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    /// The namespace.
    pub namespace: &'static str,
    /// Entity types, complex types and enumerations.
    pub types: Vec<Type>,
    /// Actions and functions.
    pub operations: Vec<Operation>,
    /// What the service offers. One schema of a document has it.
    pub container: Option<Container>,
    /// Annotations of elements by their path.
    pub targeted: Vec<Targeted>,
}

/// A type.
#[derive(Debug, Clone, PartialEq)]
pub enum Type {
    /// An entity type or a complex type.
    Structured(Structured),
    /// An enumeration type.
    Enumeration(Enumeration),
}

impl Type {
    /// The name, without the namespace.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Structured(structured) => structured.name,
            Self::Enumeration(enumeration) => enumeration.name,
        }
    }
}

/// Whether the values of a structured type have a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// They have; or they are the only one of their place.
    Entity,
    /// They have none.
    Complex,
}

/// An entity type or a complex type.
#[derive(Debug, Clone, PartialEq)]
pub struct Structured {
    /// Which of them.
    pub kind: Kind,
    /// The name, without the namespace.
    pub name: &'static str,
    /// The qualified name of the type that this one derives from.
    pub base: Option<&'static str>,
    /// Whether there are only values of derived types.
    pub is_abstract: bool,
    /// Whether values may have undeclared properties.
    pub is_open: bool,
    /// The names of the properties that make the key; empty if it is inherited or there is none.
    pub key: Vec<&'static str>,
    /// The properties beyond those of the base type.
    pub properties: Vec<Property>,
    /// The navigation properties beyond those of the base type.
    pub navigation: Vec<NavigationProperty>,
    /// What it is; empty to say nothing.
    pub description: &'static str,
}

/// A property.
#[derive(Debug, Clone, PartialEq)]
pub struct Property {
    /// The name.
    pub name: &'static str,
    /// The type of the value.
    pub ty: TypeRef,
    /// Whether the value may be null; for a collection, whether its items may be.
    pub nullable: bool,
    /// What it is; empty to say nothing.
    pub description: &'static str,
    /// What else is known of it.
    pub annotations: Vec<Annotation>,
}

/// A property that leads to entities.
#[derive(Debug, Clone, PartialEq)]
pub struct NavigationProperty {
    /// The name.
    pub name: &'static str,
    /// The type of the entities.
    pub ty: TypeRef,
    /// Whether there may be none. Only for a single entity.
    pub nullable: bool,
    /// Whether the entities are part of the one that has the property.
    pub contained: bool,
    /// What it is; empty to say nothing.
    pub description: &'static str,
}

/// A type by its qualified name, or a collection of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypeRef {
    /// The qualified name, such as `Edm.String`.
    pub name: &'static str,
    /// Whether there are many.
    pub is_collection: bool,
}

impl TypeRef {
    /// One value of that type.
    #[must_use]
    pub const fn one(name: &'static str) -> Self {
        Self { name, is_collection: false }
    }

    /// A collection of values of that type.
    #[must_use]
    pub const fn many(name: &'static str) -> Self {
        Self { name, is_collection: true }
    }
}

/// An enumeration type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enumeration {
    /// The name, without the namespace.
    pub name: &'static str,
    /// The members and their numbers.
    pub members: Vec<(&'static str, i64)>,
}

/// Whether an operation changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperationKind {
    /// It may.
    Action,
    /// It does not.
    Function,
}

/// An action or a function that is bound to its first parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// Which of them.
    pub kind: OperationKind,
    /// The name, without the namespace.
    pub name: &'static str,
    /// The parameters; the first is what it is called on.
    pub parameters: Vec<Parameter>,
    /// What it gives; `None` for nothing.
    pub returns: Option<TypeRef>,
    /// What it does; empty to say nothing.
    pub description: &'static str,
}

/// A parameter of an operation; never null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// The name.
    pub name: &'static str,
    /// The type of the value.
    pub ty: TypeRef,
}

/// What a service offers at its root.
#[derive(Debug, Clone, PartialEq)]
pub struct Container {
    /// The name, without the namespace.
    pub name: &'static str,
    /// The entity sets.
    pub sets: Vec<EntitySet>,
    /// The singletons.
    pub singletons: Vec<Singleton>,
    /// What the service as a whole can do.
    pub annotations: Vec<Annotation>,
}

/// A named collection of entities at the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntitySet {
    /// The name.
    pub name: &'static str,
    /// The qualified name of the entities' type.
    pub ty: &'static str,
}

/// A named entity at the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Singleton {
    /// The name.
    pub name: &'static str,
    /// The qualified name of its type.
    pub ty: &'static str,
}

/// The annotations of one element.
#[derive(Debug, Clone, PartialEq)]
pub struct Targeted {
    /// The element: the container's qualified name and the segments from there, with slashes between.
    pub target: &'static str,
    /// What is known of it.
    pub annotations: Vec<Annotation>,
}

impl Document {
    /// The container and the schema that has it.
    #[must_use]
    pub fn container(&self) -> Option<(&Schema, &Container)> {
        self.schemas.iter().find_map(|schema| Some((schema, schema.container.as_ref()?)))
    }

    /// The type of that qualified name.
    #[must_use]
    pub fn find_type(&self, qualified: &str) -> Option<&Type> {
        let (namespace, name) = qualified.rsplit_once('.')?;
        let schema = self.schemas.iter().find(|schema| schema.namespace == namespace)?;
        schema.types.iter().find(|ty| ty.name() == name)
    }

    /// The structured type of that qualified name.
    #[must_use]
    pub fn find_structured(&self, qualified: &str) -> Option<&Structured> {
        match self.find_type(qualified)? {
            Type::Structured(structured) => Some(structured),
            Type::Enumeration(_) => None,
        }
    }

    /// The type of that qualified name and those that it derives from, itself first.
    #[must_use]
    pub fn lineage(&self, qualified: &str) -> Vec<&Structured> {
        let mut lineage: Vec<&Structured> = Vec::new();
        let mut next = Some(qualified);
        while let Some(structured) = next.and_then(|name| self.find_structured(name)) {
            // A type that derives from itself is a mistake, which `check` reports.
            if lineage.iter().any(|known| std::ptr::eq(*known, structured)) {
                break;
            }
            lineage.push(structured);
            next = structured.base;
        }
        lineage
    }
}
