//! The abstract model that a query is checked against: entity types, their properties and types.
//!
//! The crate does not know what an alert is; whoever owns an entity describes it with these types.

/// A type that entities or complex values have.
#[derive(Debug, PartialEq, Eq)]
pub struct StructuredType {
    /// The qualified name, such as `microsoft.graph.partner.security.partnerSecurityAlert`.
    pub name: &'static str,
    /// The declared properties.
    pub properties: &'static [Property],
    /// Whether values may have undeclared properties, which then are strings.
    pub open: bool,
}

/// One declared property.
#[derive(Debug, PartialEq, Eq)]
pub struct Property {
    /// The name on the wire; compared with case.
    pub name: &'static str,
    /// The type of the value.
    pub ty: Type,
    /// Whether the value may be null.
    pub nullable: bool,
}

/// A type of the model. Comparison with `==` is by content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// `Edm.String`.
    String,
    /// `Edm.Boolean`.
    Boolean,
    /// `Edm.Int64`.
    Int64,
    /// `Edm.Double`.
    Double,
    /// `Edm.DateTimeOffset`.
    DateTimeOffset,
    /// An enumeration; see [`EnumType`].
    Enum(&'static EnumType),
    /// A complex type.
    Complex(&'static StructuredType),
    /// A collection of complex values.
    Collection(&'static StructuredType),
}

/// An enumeration.
#[derive(Debug, PartialEq, Eq)]
pub struct EnumType {
    /// The qualified name.
    pub name: &'static str,
    /// The members, in the order of their numbers.
    pub members: &'static [&'static str],
}

impl StructuredType {
    /// The declared property of that name.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<&'static Property> {
        self.properties.iter().find(|property| property.name == name)
    }
}
