//! The abstract model that a query is checked against: entity types, their properties and types.
//!
//! The crate does not know what an alert is; whoever owns an entity describes it with these types.

/// What one set of entities can be asked.
#[derive(Debug, PartialEq, Eq)]
pub struct Model {
    /// The type of the entities.
    pub entity: &'static StructuredType,
    /// The order of a query without `$orderby`, as the text of one; empty for none. Page tokens hold
    /// values of these keys too.
    pub default_orderby: &'static str,
    /// Other names of namespaces, as pairs of alias and name. They are read, never written.
    pub namespace_aliases: &'static [(&'static str, &'static str)],
    /// What `$search` looks in, by the names that a search may restrict itself to; empty if there is no
    /// search. The store knows what each of them means.
    pub searchable: &'static [&'static str],
}

impl Model {
    /// Whether a qualified name, as a caller wrote it, means the type of that name.
    #[must_use]
    pub fn names_type(&self, written: &str, name: &str) -> bool {
        let through_alias = || {
            let (namespace, local) = written.rsplit_once('.')?;
            let (_, real) = self.namespace_aliases.iter().find(|(alias, _)| *alias == namespace)?;
            let (name_space, name_local) = name.rsplit_once('.')?;
            Some(*real == name_space && local == name_local)
        };
        written == name || through_alias().unwrap_or(false)
    }
}

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
    /// `Edm.Date`.
    Date,
    /// `Edm.TimeOfDay`.
    TimeOfDay,
    /// `Edm.Duration`.
    Duration,
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
