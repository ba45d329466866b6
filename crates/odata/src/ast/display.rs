//! The canonical text of a syntax tree.

use std::fmt;

use super::{Expr, ExprKind, Lambda, OrderItem, Path, Precedence, Quantifier, SelectItem};
use crate::checked::Direction;

impl ExprKind {
    fn precedence(&self) -> Precedence {
        match self {
            Self::Literal(_) | Self::Path(_) | Self::Call(..) | Self::Lambda(..) | Self::Count(..) => {
                Precedence::Primary
            }
            Self::In(..) => Precedence::In,
            Self::Not(_) | Self::Negate(_) => Precedence::Unary,
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
                write_operand(f, operand, Precedence::Unary)
            }
            Self::Negate(operand) => {
                let text = operand.to_string();
                // Before a digit the sign would be read as part of a number or date.
                let is_open = operand.value.precedence() < Precedence::Unary
                    || text.starts_with(|ch: char| ch.is_ascii_digit());
                if is_open { write!(f, "-({text})") } else { write!(f, "-{text}") }
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
            Self::Lambda(path, quantifier, lambda) => {
                write!(f, "{path}/{}(", quantifier.keyword())?;
                if let Some(lambda) = lambda {
                    lambda.fmt(f)?;
                }
                f.write_str(")")
            }
            Self::Count(path, None) => write!(f, "{path}/$count"),
            Self::Count(path, Some(filter)) => write!(f, "{path}/$count($filter={filter})"),
        }
    }
}

impl Quantifier {
    /// The keyword in its canonical case.
    #[must_use]
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::All => "all",
        }
    }
}

impl fmt::Display for Lambda {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.variable, self.condition)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.from_it, self.segments.is_empty()) {
            (true, true) => return f.write_str("$it"),
            (true, false) => f.write_str("$it/")?,
            (false, _) => {}
        }
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
            Self::Nested(path, items) => {
                write!(f, "{path}($select=")?;
                write_list(f, items, ",")?;
                f.write_str(")")
            }
        }
    }
}
