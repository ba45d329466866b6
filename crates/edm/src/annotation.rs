//! Annotations: what is known of an element beyond its type, in the terms of a vocabulary.

/// One annotation.
#[derive(Debug, Clone, PartialEq)]
pub struct Annotation {
    /// The term, prefixed with its vocabulary's alias: `Core.Description`.
    pub term: &'static str,
    /// The value.
    pub value: Expression,
}

/// The members of a record, in their order.
pub type Record = Vec<(&'static str, Expression)>;

/// The value of an annotation.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    /// True or false; what a tag says.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A text.
    Text(String),
    /// A member of an enumeration, by the enumeration's name with alias, and its own.
    Member(&'static str, &'static str),
    /// The way to a property, from the type that is annotated.
    Property(&'static str),
    /// The way to a navigation property, from the type that is annotated.
    Navigation(&'static str),
    /// Named values.
    Record(Record),
    /// Many values.
    Many(Vec<Expression>),
}

impl Annotation {
    /// An annotation.
    #[must_use]
    pub fn new(term: &'static str, value: impl Into<Expression>) -> Self {
        Self { term, value: value.into() }
    }
}

impl Expression {
    /// Several texts.
    pub fn texts(texts: impl IntoIterator<Item = &'static str>) -> Self {
        Self::Many(texts.into_iter().map(Self::from).collect())
    }

    /// The ways to several properties.
    pub fn properties(paths: impl IntoIterator<Item = &'static str>) -> Self {
        Self::Many(paths.into_iter().map(Self::Property).collect())
    }
}

impl From<bool> for Expression {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&'static str> for Expression {
    fn from(text: &'static str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Record> for Expression {
    fn from(members: Record) -> Self {
        Self::Record(members)
    }
}
