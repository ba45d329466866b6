//! The checked tree: every path is known to the model and every operation is between like types.
//!
//! Only this form is handed to a database. It holds no text of the query but literals, which a
//! database must bind as parameters, and names of members of open types.
//!
//! # What it means
//!
//! These rules are for whoever compiles or evaluates the tree. They are those of OData 4.01 part 2,
//! and where that leaves a choice, ours.
//!
//! - **Logic has three values.** `not null` is null, `false and null` is false, `true or null` is true.
//!   An entity is in the list only if its filter is true.
//! - **Comparisons are true or false, never null**: see [`Comparison`]. So are [`Filter::In`],
//!   [`Filter::Any`] and [`Filter::All`].
//! - **Functions and arithmetic with a null operand are null**, and so are [`Filter::Text`] and
//!   [`Filter::Is`].
//! - **Texts** are compared by code points, with case. Positions and lengths count code points.
//! - **Times** are in UTC. A store may keep less than nanoseconds, and then cuts literals as it cut the
//!   values.
//! - **Numbers** are [`Type::Int64`] or [`Type::Double`]; what OData calls a decimal is a double.
//!   An integer beside a double becomes one.
//! - **A result that does not exist is null**: a division by zero, an integer that does not fit 64 bits,
//!   a double that is not finite, a time outside the years 1 to 9999. Where all operands are literals
//!   the check refuses it instead. Durations may be
//!   at most 10,000 years long.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};

use crate::model::{EnumType, StructuredType, Type};

mod types;

/// A filter that the model admits.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// Both hold.
    And(Box<Filter>, Box<Filter>),
    /// One holds.
    Or(Box<Filter>, Box<Filter>),
    /// It does not hold.
    Not(Box<Filter>),
    /// Two operands of like type compared. Beside another operand a literal stands on the right,
    /// whatever the order in the query was. Integers and doubles are alike, and null is like anything.
    Compare(Operand, Comparison, Operand),
    /// The operand is one of the literals, of which there is at least one. As with `eq`, a null
    /// operand is found by [`Literal::Null`] and by nothing else.
    In(Operand, Vec<Literal>),
    /// A string function that is true or false; null if an operand is null.
    Text(TextTest, Operand, Operand),
    /// A Boolean operand by itself, never `null` as it was written; null if it is null.
    Is(Operand),
    /// The collection has an item for which the filter is true; with no filter, any item at all. False
    /// otherwise, also when the filter is null for all of them.
    ///
    /// In the filter the items are [`Root::Item`]`(0)`, and all roots outside are one further away.
    Any(CollectionPath, Option<Box<Filter>>),
    /// The filter is true for every item of the collection, and for none if it is empty. False
    /// otherwise, also when it is null for one. Roots are counted as with [`Filter::Any`].
    All(CollectionPath, Box<Filter>),
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
    /// `contains(text, part)`; an empty part is in every text, as with the next two.
    Contains,
    /// `startswith(text, part)`
    StartsWith,
    /// `endswith(text, part)`
    EndsWith,
}

/// What is compared, computed with, and sorted by.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// A property.
    Property(PropertyPath),
    /// A literal.
    Literal(Literal),
    /// Two operands computed with. See [`Arithmetic`] for their types.
    Arithmetic(Box<Operand>, Arithmetic, Box<Operand>),
    /// `-operand`: of a number or a duration.
    Negate(Box<Operand>),
    /// A function of as many operands as it takes.
    Call(Function, Vec<Operand>),
    /// How many items the collection has for which the filter is true; without one, how many it has.
    /// Never null. Roots in the filter are counted as with [`Filter::Any`].
    Count(CollectionPath, Option<Box<Filter>>),
    /// A condition as a value, as in `contains(a,b) eq true`; null if the condition is.
    Condition(Box<Filter>),
}

/// The arithmetic operators.
///
/// Between numbers the result is an integer if both operands are, but of `divby`; otherwise a double.
/// Between times there are: moment `add` or `sub` duration, which is a moment; moment `sub` moment,
/// which is a duration; duration `add` or `sub` duration. A duration is never on the left of a moment:
/// the check turns `duration add moment` round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arithmetic {
    /// `add`
    Add,
    /// `sub`
    Sub,
    /// `mul`
    Mul,
    /// `div`: between integers, an integer cut towards zero.
    Div,
    /// `divby`: always a double.
    DivBy,
    /// `mod`: what `div` leaves, `a - b * cut(a / b)`, so it has the sign of the left operand. Between
    /// doubles too.
    Mod,
}

/// The functions that give a value, each with the types of its operands and result.
///
/// In a [`Operand::Call`] every operand has exactly the type named here, or is [`Literal::Null`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// `length(String)`: Int64, in code points.
    Length,
    /// `indexof(String, String)`: Int64, where the second text first stands in the first, in code
    /// points from 0; -1 if nowhere. An empty text stands at 0.
    IndexOf,
    /// `substring(String, Int64 [, Int64])`: String, what starts at that code point, counted from 0;
    /// with a third operand at most so many code points of it. A negative start is as 0, a negative
    /// count is as 0, and what starts behind the end is the empty text.
    Substring,
    /// `tolower(String)`: String, by Unicode's full case mapping of no locale ("É" to "é").
    ToLower,
    /// `toupper(String)`: String, as `tolower` ("ß" to "SS").
    ToUpper,
    /// `trim(String)`: String, without the [`WHITE_SPACE`] at both ends.
    Trim,
    /// `concat(String, String)`: String.
    Concat,
    /// `year(DateTimeOffset or Date)`: Int64.
    Year,
    /// `month(DateTimeOffset or Date)`: Int64 from 1.
    Month,
    /// `day(DateTimeOffset or Date)`: Int64 from 1.
    Day,
    /// `hour(DateTimeOffset or TimeOfDay)`: Int64, 0 to 23.
    Hour,
    /// `minute(DateTimeOffset or TimeOfDay)`: Int64, 0 to 59.
    Minute,
    /// `second(DateTimeOffset or TimeOfDay)`: Int64, 0 to 59, without the fraction.
    Second,
    /// `fractionalseconds(DateTimeOffset or TimeOfDay)`: Double from 0 to less than 1.
    FractionalSeconds,
    /// `date(DateTimeOffset)`: Date.
    Date,
    /// `time(DateTimeOffset)`: TimeOfDay.
    Time,
    /// `totaloffsetminutes(DateTimeOffset)`: Int64; 0, because times are in UTC; null of null.
    TotalOffsetMinutes,
    /// `totalseconds(Duration)`: Double.
    TotalSeconds,
    /// `round(Double)`: Double, the nearest whole number; halves go away from zero.
    Round,
    /// `floor(Double)`: Double.
    Floor,
    /// `ceiling(Double)`: Double.
    Ceiling,
}

/// What `trim` takes away: the code points with Unicode's property `White_Space`.
pub const WHITE_SPACE: &str = "\u{9}\u{a}\u{b}\u{c}\u{d}\u{20}\u{85}\u{a0}\u{1680}\u{2000}\u{2001}\u{2002}\u{2003}\u{2004}\
     \u{2005}\u{2006}\u{2007}\u{2008}\u{2009}\u{200a}\u{2028}\u{2029}\u{202f}\u{205f}\u{3000}";

/// Where a path starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Root {
    /// At the entity that is listed.
    Entity,
    /// At an item of a collection that a condition is about: 0 is the innermost such collection, 1 the
    /// next one outwards.
    Item(usize),
}

/// A path to a single value, such as `severity` or `additionalDetails/VmCount`.
#[derive(Debug, Clone, PartialEq)]
pub struct PropertyPath {
    /// Where it starts.
    pub root: Root,
    /// The names, outermost first; at least one. All but members of open types are the model's own.
    pub segments: Vec<String>,
    /// The type of the value at the end. A member of an open type is a string.
    pub ty: Type,
    /// Whether the value may be null.
    pub nullable: bool,
}

/// A path to a collection, such as `affectedResources`. A collection that is null is as an empty one.
#[derive(Debug, Clone, PartialEq)]
pub struct CollectionPath {
    /// Where it starts.
    pub root: Root,
    /// The names, outermost first; at least one, all the model's own.
    pub segments: Vec<String>,
    /// The type of the items.
    pub item: &'static StructuredType,
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
    /// A number with a fraction or an exponent; finite.
    Double(f64),
    /// A point in time; a bare date is its first moment in UTC.
    DateTime(DateTime<Utc>),
    /// A day, beside what is a day.
    Date(NaiveDate),
    /// A time of day, beside what is one.
    TimeOfDay(NaiveTime),
    /// A length of time; may be negative.
    Duration(TimeDelta),
    /// A member of an enumeration, by its index in [`EnumType::members`].
    Enum(&'static EnumType, usize),
}

/// One key of `$orderby`.
#[derive(Debug, Clone, PartialEq)]
pub struct SortKey {
    /// What to sort by; no literal. Null sorts below every value.
    pub by: Operand,
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

/// What `$search` asks for. It is true or false, never null.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Search {
    /// Both are found.
    And(Box<Search>, Box<Search>),
    /// One is found.
    Or(Box<Search>, Box<Search>),
    /// It is not found.
    Not(Box<Search>),
    /// A word or a phrase.
    Term(SearchTerm),
}

/// A word or phrase to be found: its words stand side by side, in this order, in one of the properties,
/// whatever the case of their letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchTerm {
    /// The text without quotes; has at least one letter or digit.
    pub text: String,
    /// The one property to look in, out of [`Model::searchable`](crate::Model::searchable); `None` for
    /// all of them.
    pub property: Option<&'static str>,
}
