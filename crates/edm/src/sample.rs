//! A small model that uses every kind of element, for the tests of this crate.

use crate::annotation::{Annotation, Expression};
use crate::model::{
    Container, Document, EntitySet, Enumeration, Kind, NavigationProperty, Operation, OperationKind,
    Parameter, Property, Schema, Singleton, Structured, Targeted, Type, TypeRef, Vocabulary,
};

fn structured(kind: Kind, name: &'static str) -> Structured {
    Structured {
        kind,
        name,
        base: None,
        is_abstract: false,
        is_open: false,
        key: Vec::new(),
        properties: Vec::new(),
        navigation: Vec::new(),
        description: "",
    }
}

fn property(name: &'static str, ty: TypeRef, nullable: bool) -> Property {
    Property { name, ty, nullable, description: "", annotations: Vec::new() }
}

pub(crate) fn document() -> Document {
    let thing = Structured {
        key: vec!["id"],
        is_abstract: true,
        properties: vec![property("id", TypeRef::one("Edm.String"), false)],
        ..structured(Kind::Entity, "thing")
    };
    let bag = Structured { is_open: true, description: "Anything.", ..structured(Kind::Complex, "bag") };
    let shelf = Structured {
        base: Some("a.b.thing"),
        properties: vec![
            Property {
                description: "Its colour.",
                annotations: vec![Annotation::new(
                    "Core.Permissions",
                    Expression::Member("Core.Permission", "Read"),
                )],
                ..property("colour", TypeRef::one("a.b.colour"), true)
            },
            property("bags", TypeRef::many("a.b.bag"), false),
        ],
        navigation: vec![
            NavigationProperty {
                name: "things",
                ty: TypeRef::many("a.b.shelf"),
                nullable: false,
                contained: true,
                description: "",
            },
            NavigationProperty {
                name: "owner",
                ty: TypeRef::one("a.b.thing"),
                nullable: true,
                contained: false,
                description: "",
            },
        ],
        ..structured(Kind::Entity, "shelf")
    };
    let colour = Enumeration { name: "colour", members: vec![("red", 0), ("blue", 7)] };
    let shelf_operation = |kind, name, ty, returns| Operation {
        kind,
        name,
        parameters: vec![Parameter { name: "on", ty }],
        returns,
        description: "",
    };
    let restrictions = vec![
        ("Filterable", true.into()),
        ("MaxLevels", Expression::Int(3)),
        ("NonFilterableProperties", Expression::properties(["bags"])),
        ("Navigation", Expression::Navigation("owner")),
    ];
    Document {
        vocabularies: vec![Vocabulary {
            namespace: "Org.OData.Core.V1",
            alias: "Core",
            uri: "https://vocabularies.example/Org.OData.Core.V1",
        }],
        schemas: vec![Schema {
            namespace: "a.b",
            types: vec![
                Type::Structured(thing),
                Type::Structured(bag),
                Type::Structured(shelf),
                Type::Enumeration(colour),
            ],
            operations: vec![
                shelf_operation(OperationKind::Action, "tidy", TypeRef::one("a.b.shelf"), None),
                shelf_operation(
                    OperationKind::Function,
                    "newest",
                    TypeRef::many("a.b.shelf"),
                    Some(TypeRef::many("a.b.shelf")),
                ),
            ],
            container: Some(Container {
                name: "store",
                sets: vec![EntitySet { name: "shelves", ty: "a.b.shelf" }],
                singletons: vec![Singleton { name: "best", ty: "a.b.shelf" }],
                annotations: vec![Annotation::new("Core.ODataVersions", "4.0 4.01")],
            }),
            targeted: vec![Targeted {
                target: "a.b.store/best/things",
                annotations: vec![Annotation::new("Core.Restrictions", restrictions)],
            }],
        }],
    }
}
