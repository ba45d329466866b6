//! The syntax tree. It knows names only as texts; whether they exist is for the check to say.
//!
//! Its `Display` is the canonical OData text: one space around operators, keywords in lower case, and
//! no parentheses but those that precedence needs. Reading that text gives the same tree again.

use std::fmt;

use crate::checked::Direction;
pub use crate::literal::Literal;
use crate::source::Spanned;

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
    /// `left operator right`
    Binary(BinaryOperator, Box<Expr>, Box<Expr>),
    /// `operand in (item, …)`; at least one item.
    In(Box<Expr>, Vec<Spanned<Literal>>),
    /// `function(argument, …)`, with as many arguments as [`Function::ARGUMENTS`] says.
    Call(Function, Vec<Expr>),
}

/// Names joined by `/`, outermost first; at least one. The first is no keyword.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    /// The names.
    pub segments: Vec<Spanned<String>>,
}

/// The operators between two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinaryOperator {
    /// `or`
    Or,
    /// `and`
    And,
    /// `eq`
    Eq,
    /// `ne`
    Ne,
    /// `lt`
    Lt,
    /// `le`
    Le,
    /// `gt`
    Gt,
    /// `ge`
    Ge,
}

impl BinaryOperator {
    /// All of them.
    pub const ALL: &'static [Self] =
        &[Self::Or, Self::And, Self::Eq, Self::Ne, Self::Lt, Self::Le, Self::Gt, Self::Ge];

    /// The keyword in its canonical case.
    #[must_use]
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Or => "or",
            Self::And => "and",
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Lt => "lt",
            Self::Le => "le",
            Self::Gt => "gt",
            Self::Ge => "ge",
        }
    }

    /// How tightly it binds.
    #[must_use]
    pub fn precedence(self) -> Precedence {
        match self {
            Self::Or => Precedence::Or,
            Self::And => Precedence::And,
            Self::Eq | Self::Ne => Precedence::Equality,
            Self::Lt | Self::Le | Self::Gt | Self::Ge => Precedence::Relation,
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
    /// `not`
    Not,
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
            Self::Relation => Self::Not,
            Self::Not => Self::In,
            Self::In | Self::Primary => Self::Primary,
        }
    }
}

/// The functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// `contains`
    Contains,
    /// `startswith`
    StartsWith,
    /// `endswith`
    EndsWith,
}

impl Function {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Contains, Self::StartsWith, Self::EndsWith];

    /// How many arguments each takes.
    pub const ARGUMENTS: usize = 2;

    /// The name in its canonical case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Contains => "contains",
            Self::StartsWith => "startswith",
            Self::EndsWith => "endswith",
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
    /// A path.
    Path(Path),
}

impl ExprKind {
    fn precedence(&self) -> Precedence {
        match self {
            Self::Literal(_) | Self::Path(_) | Self::Call(..) => Precedence::Primary,
            Self::In(..) => Precedence::In,
            Self::Not(_) => Precedence::Not,
            Self::Binary(operator, ..) => operator.precedence(),
        }
    }
}

/// Prints an operand, in parentheses if it binds less tightly than its place needs.
fn write_operand(f: &mut fmt::Formatter<'_>, operand: &Expr, least: Precedence) -> fmt::Result {
    if operand.value.precedence() < least { write!(f, "({operand})") } else { write!(f, "{operand}") }
}

fn write_list<T: fmt::Display>(f: &mut fmt::Formatter<'_>, items: &[T], separator: &str) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            f.write_str(separator)?;
        }
        write!(f, "{item}")?;
    }
    Ok(())
}

impl fmt::Display for ExprKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(literal) => literal.fmt(f),
            Self::Path(path) => path.fmt(f),
            Self::Not(operand) => {
                f.write_str("not ")?;
                write_operand(f, operand, Precedence::Not)
            }
            Self::Binary(operator, left, right) => {
                write_operand(f, left, operator.precedence())?;
                write!(f, " {} ", operator.keyword())?;
                write_operand(f, right, operator.precedence().tighter())
            }
            Self::In(operand, items) => {
                write_operand(f, operand, Precedence::In)?;
                f.write_str(" in (")?;
                write_list(f, items, ",")?;
                f.write_str(")")
            }
            Self::Call(function, arguments) => {
                write!(f, "{}(", function.name())?;
                write_list(f, arguments, ",")?;
                f.write_str(")")
            }
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_list(f, &self.segments, "/")
    }
}

impl fmt::Display for OrderItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.direction {
            Direction::Ascending => write!(f, "{}", self.expr),
            Direction::Descending => write!(f, "{} desc", self.expr),
        }
    }
}

impl fmt::Display for SelectItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::Path(path) => path.fmt(f),
        }
    }
}
