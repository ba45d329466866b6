//! The syntax tree. It knows names only as texts; whether they exist is for the check to say.
//!
//! Its `Display` is the canonical OData text: one space around operators, keywords in lower case, and
//! no parentheses but those that precedence needs. Reading that text gives the same tree again.

use std::ops::RangeInclusive;

use crate::checked::{self, Direction, TextTest};
pub use crate::literal::Literal;
use crate::source::Spanned;

mod display;

/// An expression, and where it was written.
pub type Expr = Spanned<ExprKind>;

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// A literal.
    Literal(Literal),
    /// A path to a property.
    Path(Path),
    /// `not operand`
    Not(Box<Expr>),
    /// `-operand`
    Negate(Box<Expr>),
    /// `left operator right`
    Binary(BinaryOperator, Box<Expr>, Box<Expr>),
    /// `operand in (item, …)`; perhaps no item.
    In(Box<Expr>, Vec<Spanned<Literal>>),
    /// `function(argument, …)`, with as many arguments as [`Function::arguments`] allows.
    Call(Function, Vec<Expr>),
    /// `path/any(…)` or `path/all(…)`; the path has names.
    Lambda(Path, Quantifier, Option<Box<Lambda>>),
    /// `path/$count`, perhaps with `($filter=…)`; the path has names.
    Count(Path, Option<Box<Expr>>),
}

/// Names joined by `/`, outermost first. The first is no keyword.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    /// Whether `$it` stands in front, which is the entity. Without it there is at least one name.
    pub from_it: bool,
    /// The names.
    pub segments: Vec<Spanned<String>>,
}

/// What stands in the parentheses of `any` and `all`: `variable:condition`.
#[derive(Debug, Clone, PartialEq)]
pub struct Lambda {
    /// The name that the condition calls an item by.
    pub variable: Spanned<String>,
    /// The condition.
    pub condition: Expr,
}

/// The operators on collections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantifier {
    /// `any`; without a lambda it asks whether there is an item.
    Any,
    /// `all`; always with a lambda.
    All,
}

/// The operators between two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinaryOperator {
    /// `or`
    Or,
    /// `and`
    And,
    /// `eq`, `ne`, `lt`, `le`, `gt`, `ge`
    Compare(checked::Comparison),
    /// `add`, `sub`, `mul`, `div`, `divby`, `mod`
    Compute(checked::Arithmetic),
}

impl BinaryOperator {
    /// All of them.
    pub const ALL: &'static [Self] = {
        use checked::{Arithmetic, Comparison};
        &[
            Self::Or,
            Self::And,
            Self::Compare(Comparison::Eq),
            Self::Compare(Comparison::Ne),
            Self::Compare(Comparison::Lt),
            Self::Compare(Comparison::Le),
            Self::Compare(Comparison::Gt),
            Self::Compare(Comparison::Ge),
            Self::Compute(Arithmetic::Add),
            Self::Compute(Arithmetic::Sub),
            Self::Compute(Arithmetic::Mul),
            Self::Compute(Arithmetic::Div),
            Self::Compute(Arithmetic::DivBy),
            Self::Compute(Arithmetic::Mod),
        ]
    };

    /// The keyword in its canonical case.
    #[must_use]
    pub fn keyword(self) -> &'static str {
        use checked::{Arithmetic, Comparison};
        match self {
            Self::Or => "or",
            Self::And => "and",
            Self::Compare(Comparison::Eq) => "eq",
            Self::Compare(Comparison::Ne) => "ne",
            Self::Compare(Comparison::Lt) => "lt",
            Self::Compare(Comparison::Le) => "le",
            Self::Compare(Comparison::Gt) => "gt",
            Self::Compare(Comparison::Ge) => "ge",
            Self::Compute(Arithmetic::Add) => "add",
            Self::Compute(Arithmetic::Sub) => "sub",
            Self::Compute(Arithmetic::Mul) => "mul",
            Self::Compute(Arithmetic::Div) => "div",
            Self::Compute(Arithmetic::DivBy) => "divby",
            Self::Compute(Arithmetic::Mod) => "mod",
        }
    }

    /// How tightly it binds.
    #[must_use]
    pub fn precedence(self) -> Precedence {
        use checked::{Arithmetic, Comparison};
        match self {
            Self::Or => Precedence::Or,
            Self::And => Precedence::And,
            Self::Compare(Comparison::Eq | Comparison::Ne) => Precedence::Equality,
            Self::Compare(_) => Precedence::Relation,
            Self::Compute(Arithmetic::Add | Arithmetic::Sub) => Precedence::Sum,
            Self::Compute(_) => Precedence::Product,
        }
    }
}

/// How tightly operators bind, loosest first: OData 4.01 part 2, "Operator Precedence". Operators of
/// the same rank group from the left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Precedence {
    /// `or`
    Or,
    /// `and`
    And,
    /// `eq`, `ne`
    Equality,
    /// `lt`, `le`, `gt`, `ge`
    Relation,
    /// `add`, `sub`
    Sum,
    /// `mul`, `div`, `divby`, `mod`
    Product,
    /// `not`, `-`
    Unary,
    /// `in`
    In,
    /// Literals, paths, calls and parentheses.
    Primary,
}

impl Precedence {
    /// The next tighter rank.
    #[must_use]
    pub fn tighter(self) -> Self {
        match self {
            Self::Or => Self::And,
            Self::And => Self::Equality,
            Self::Equality => Self::Relation,
            Self::Relation => Self::Sum,
            Self::Sum => Self::Product,
            Self::Product => Self::Unary,
            Self::Unary => Self::In,
            Self::In | Self::Primary => Self::Primary,
        }
    }
}

/// The functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// `contains`, `startswith`, `endswith`
    Test(TextTest),
    /// A function of operands that gives a value.
    Value(checked::Function),
    /// `now`
    Now,
    /// `mindatetime`
    MinDateTime,
    /// `maxdatetime`
    MaxDateTime,
}

impl Function {
    /// All of them.
    pub const ALL: &'static [Self] = {
        use checked::Function as Value;
        &[
            Self::Test(TextTest::Contains),
            Self::Test(TextTest::StartsWith),
            Self::Test(TextTest::EndsWith),
            Self::Value(Value::Length),
            Self::Value(Value::IndexOf),
            Self::Value(Value::Substring),
            Self::Value(Value::ToLower),
            Self::Value(Value::ToUpper),
            Self::Value(Value::Trim),
            Self::Value(Value::Concat),
            Self::Value(Value::Year),
            Self::Value(Value::Month),
            Self::Value(Value::Day),
            Self::Value(Value::Hour),
            Self::Value(Value::Minute),
            Self::Value(Value::Second),
            Self::Value(Value::FractionalSeconds),
            Self::Value(Value::Date),
            Self::Value(Value::Time),
            Self::Value(Value::TotalOffsetMinutes),
            Self::Value(Value::TotalSeconds),
            Self::Value(Value::Round),
            Self::Value(Value::Floor),
            Self::Value(Value::Ceiling),
            Self::Now,
            Self::MinDateTime,
            Self::MaxDateTime,
        ]
    };

    /// The name in its canonical case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Test(TextTest::Contains) => "contains",
            Self::Test(TextTest::StartsWith) => "startswith",
            Self::Test(TextTest::EndsWith) => "endswith",
            Self::Value(function) => function.name(),
            Self::Now => "now",
            Self::MinDateTime => "mindatetime",
            Self::MaxDateTime => "maxdatetime",
        }
    }

    /// How many arguments it takes.
    #[must_use]
    pub fn arguments(self) -> RangeInclusive<usize> {
        match self {
            Self::Test(_) => 2..=2,
            Self::Value(function) => function.operands(),
            Self::Now | Self::MinDateTime | Self::MaxDateTime => 0..=0,
        }
    }
}

/// One key of `$orderby`.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderItem {
    /// What to sort by.
    pub expr: Expr,
    /// The direction.
    pub direction: Direction,
}

/// One item of `$select`.
#[derive(Debug, Clone, PartialEq)]
pub enum SelectItem {
    /// `*`
    All,
    /// A path; never from `$it`.
    Path(Path),
    /// `path($select=item,…)`; at least one item.
    Nested(Path, Vec<SelectItem>),
}

impl ExprKind {
    /// Whether some part of it, or the whole, is as asked.
    pub fn any(&self, is: &mut impl FnMut(&Self) -> bool) -> bool {
        if is(self) {
            return true;
        }
        match self {
            Self::Literal(_) | Self::Path(_) => false,
            Self::Not(operand) | Self::Negate(operand) | Self::In(operand, _) => operand.value.any(is),
            Self::Binary(_, left, right) => left.value.any(is) || right.value.any(is),
            Self::Call(_, arguments) => arguments.iter().any(|argument| argument.value.any(is)),
            Self::Lambda(.., lambda) => lambda.as_ref().is_some_and(|lambda| lambda.condition.value.any(is)),
            Self::Count(_, filter) => filter.as_ref().is_some_and(|filter| filter.value.any(is)),
        }
    }

    /// Whether it asks for the time of day, so that its meaning depends on when it is read.
    #[must_use]
    pub fn asks_for_now(&self) -> bool {
        self.any(&mut |part| matches!(part, Self::Call(Function::Now, _)))
    }
}
