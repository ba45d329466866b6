//! The checked tree: every path is known to the model and every comparison is between like types.
//!
//! Only this form is handed to a database. It holds no text of the query but literals, which a
//! database must bind as parameters.

use chrono::{DateTime, Utc};

use crate::model::{EnumType, Type};

/// A filter that the model admits.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// Both hold.
    And(Box<Filter>, Box<Filter>),
    /// One holds.
    Or(Box<Filter>, Box<Filter>),
    /// It does not hold. OData's logic has three values: not null is null.
    Not(Box<Filter>),
    /// Two operands of like type compared. Beside a property a literal stands on the right, whatever
    /// the order in the query was. Integers and doubles are alike, and null is like anything.
    Compare(Operand, Comparison, Operand),
    /// The operand is one of the literals, of which there is at least one. As with `eq`, a null
    /// operand is found by [`Literal::Null`] and by nothing else.
    In(Operand, Vec<Literal>),
    /// A string function that is true or false; null if an operand is null.
    Text(TextTest, Operand, Operand),
    /// A Boolean operand by itself, never `null`.
    Is(Operand),
}

/// The comparison operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `eq`; null equals null.
    Eq,
    /// `ne`; null differs from every value.
    Ne,
    /// `lt`; false with a null operand, as the next three.
    Lt,
    /// `le`
    Le,
    /// `gt`
    Gt,
    /// `ge`
    Ge,
}

/// The string functions that are true or false; they compare with case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextTest {
    /// `contains(text, part)`
    Contains,
    /// `startswith(text, part)`
    StartsWith,
    /// `endswith(text, part)`
    EndsWith,
}

/// What is compared.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// A property of the entity.
    Property(PropertyPath),
    /// A literal.
    Literal(Literal),
}

/// A path from the entity to a single value, such as `severity` or `additionalDetails/VmCount`.
#[derive(Debug, Clone, PartialEq)]
pub struct PropertyPath {
    /// The names, outermost first; at least one. All but members of open types are the model's own.
    pub segments: Vec<String>,
    /// The type of the value at the end. A member of an open type is a string.
    pub ty: Type,
    /// Whether the value may be null.
    pub nullable: bool,
}

/// A literal of a known type.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// `null`
    Null,
    /// A string, without its quotes.
    String(String),
    /// `true` or `false`
    Boolean(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction or an exponent.
    Double(f64),
    /// A point in time; a bare date is its first moment in UTC.
    DateTime(DateTime<Utc>),
    /// A member of an enumeration, by its index in [`EnumType::members`].
    Enum(&'static EnumType, usize),
}

/// One key of `$orderby`.
#[derive(Debug, Clone, PartialEq)]
pub struct SortKey {
    /// What to sort by. Null sorts below every value.
    pub path: PropertyPath,
    /// The direction.
    pub direction: Direction,
}

/// The direction of a sort key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// `asc`, the default.
    Ascending,
    /// `desc`
    Descending,
}
