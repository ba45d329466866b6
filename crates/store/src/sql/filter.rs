//! From a checked filter to a condition.
//!
//! OData's logic has three values and so has SQL's, but they disagree on comparisons: in OData
//! `x gt 5` is false for a null `x`, so `not (x gt 5)` is true; in SQL both are unknown. So a filter
//! is asked two questions, when it is true and when it is false, and `not` swaps them. Each answer is
//! an expression that is true exactly then; otherwise it is false or unknown, which a `where` treats
//! alike. A plain positive comparison stays a plain SQL comparison, which an index can serve.

use odata::checked::{Comparison, Filter, Literal, Operand, TextTest};
use sea_query::{Expr, ExprTrait, Func};

use super::column::Column;
use super::dialect::Dialect;
use super::scalar::{Scalar, fits};
use crate::StoreError;

/// That the filter is true of a row.
pub(crate) fn holds(filter: &Filter, dialect: &dyn Dialect) -> Result<Expr, StoreError> {
    Compiler { dialect }.true_when(filter)
}

struct Compiler<'a> {
    dialect: &'a dyn Dialect,
}

/// An operand, looked up.
enum Term {
    Null,
    Constant(Scalar),
    Column(Column),
}

impl Compiler<'_> {
    fn true_when(&self, filter: &Filter) -> Result<Expr, StoreError> {
        match filter {
            Filter::And(left, right) => Ok(self.true_when(left)?.and(self.true_when(right)?)),
            Filter::Or(left, right) => Ok(self.true_when(left)?.or(self.true_when(right)?)),
            Filter::Not(inner) => self.false_when(inner),
            Filter::Compare(left, comparison, right) => {
                let (left, right) = self.comparable(left, right)?;
                Ok(compared_true(left, *comparison, right))
            }
            Filter::In(operand, list) => self.one_of(operand, list),
            Filter::Text(test, text, part) => self.text_true(*test, text, part),
            Filter::Is(operand) => self.boolean(operand, true),
            Filter::Any(..) | Filter::All(..) => Err(unsupported("a condition on a collection")),
        }
    }

    fn false_when(&self, filter: &Filter) -> Result<Expr, StoreError> {
        match filter {
            Filter::And(left, right) => Ok(self.false_when(left)?.or(self.false_when(right)?)),
            Filter::Or(left, right) => Ok(self.false_when(left)?.and(self.false_when(right)?)),
            Filter::Not(inner) => self.true_when(inner),
            Filter::Compare(left, comparison, right) => {
                let (left, right) = self.comparable(left, right)?;
                Ok(compared_false(left, *comparison, right))
            }
            Filter::In(operand, list) => self.none_of(operand, list),
            Filter::Text(test, text, part) => self.text_false(*test, text, part),
            Filter::Is(operand) => self.boolean(operand, false),
            Filter::Any(..) | Filter::All(..) => Err(unsupported("a condition on a collection")),
        }
    }

    fn term(&self, operand: &Operand) -> Result<Term, StoreError> {
        match operand {
            Operand::Property(path) => Column::at(path, self.dialect).map(Term::Column),
            Operand::Literal(literal) => Ok(Scalar::of(literal)?.map_or(Term::Null, Term::Constant)),
            Operand::Arithmetic(..)
            | Operand::Negate(_)
            | Operand::Call(..)
            | Operand::Count(..)
            | Operand::Condition(_) => Err(unsupported("a computed value")),
        }
    }

    /// Both operands, once it is certain that their values are stored alike.
    fn comparable(&self, left: &Operand, right: &Operand) -> Result<(Term, Term), StoreError> {
        let alike = match (left, right) {
            (Operand::Property(path), Operand::Literal(literal))
            | (Operand::Literal(literal), Operand::Property(path)) => fits(literal, path.ty),
            (Operand::Property(left), Operand::Property(right)) => left.ty == right.ty,
            (Operand::Literal(_), Operand::Literal(_)) => true,
            (left, right) => left.ty() == right.ty(),
        };
        if !alike {
            return Err(StoreError::Unsupported("the operands of a comparison differ in type".to_owned()));
        }
        Ok((self.term(left)?, self.term(right)?))
    }

    fn one_of(&self, operand: &Operand, list: &[Literal]) -> Result<Expr, StoreError> {
        let (values, lists_null) = self.members(operand, list)?;
        Ok(match self.term(operand)? {
            Term::Null => constant(lists_null),
            Term::Constant(scalar) => constant(values.contains(&scalar)),
            Term::Column(column) => {
                let listed = (!values.is_empty()).then(|| column.in_range().is_in(values));
                let null = if lists_null { column.is_null() } else { None };
                any([listed, null])
            }
        })
    }

    fn none_of(&self, operand: &Operand, list: &[Literal]) -> Result<Expr, StoreError> {
        let (values, lists_null) = self.members(operand, list)?;
        Ok(match self.term(operand)? {
            Term::Null => constant(!lists_null),
            Term::Constant(scalar) => constant(!values.contains(&scalar)),
            Term::Column(column) if values.is_empty() => {
                if lists_null {
                    column.is_not_null().unwrap_or_else(always)
                } else {
                    always()
                }
            }
            Term::Column(column) => {
                let unlisted = column.expr.clone().is_not_in(values);
                let null = if lists_null { None } else { column.is_null() };
                any([Some(unlisted), null])
            }
        })
    }

    /// The values of an `in` list, and whether null is among them.
    fn members(&self, operand: &Operand, list: &[Literal]) -> Result<(Vec<Scalar>, bool), StoreError> {
        if let Operand::Property(path) = operand
            && !list.iter().all(|literal| fits(literal, path.ty))
        {
            return Err(StoreError::Unsupported(
                "the list of 'in' differs in type from its operand".to_owned(),
            ));
        }
        let scalars = list.iter().map(Scalar::of).collect::<Result<Vec<_>, _>>()?;
        let lists_null = scalars.iter().any(Option::is_none);
        Ok((scalars.into_iter().flatten().collect(), lists_null))
    }

    fn text_true(&self, test: TextTest, text: &Operand, part: &Operand) -> Result<Expr, StoreError> {
        Ok(self.text_test(test, text, part)?.unwrap_or_else(never))
    }

    /// A function of null is null, and so is its negation: SQL agrees here.
    fn text_false(&self, test: TextTest, text: &Operand, part: &Operand) -> Result<Expr, StoreError> {
        Ok(self.text_test(test, text, part)?.map_or_else(never, ExprTrait::not))
    }

    /// The test as an expression that is unknown if an operand is null; `None` if one always is.
    fn text_test(&self, test: TextTest, text: &Operand, part: &Operand) -> Result<Option<Expr>, StoreError> {
        let (text, part) = match (self.term(text)?, self.term(part)?) {
            (Term::Null, _) | (_, Term::Null) => return Ok(None),
            (Term::Constant(Scalar::Text(text)), Term::Constant(Scalar::Text(part))) => {
                return Ok(Some(constant(passes(test, &text, &part))));
            }
            (text, part) => (text_expr(text)?, text_expr(part)?),
        };
        let length = |of: &Expr| Expr::from(Func::cust("length").arg(of.clone()));
        Ok(Some(match test {
            TextTest::Contains => self.dialect.position_of(text, part).gt(0),
            TextTest::StartsWith => {
                let start = Func::cust("substr").arg(text).arg(1).arg(length(&part));
                Expr::from(start).eq(part)
            }
            TextTest::EndsWith => {
                // A start below 1 would count from the end in SQLite, so the lengths come first.
                let long_enough = length(&text).gte(length(&part));
                let from = length(&text).sub(length(&part)).add(1);
                let end = Func::cust("substr").arg(text).arg(from);
                long_enough.and(Expr::from(end).eq(part))
            }
        }))
    }

    fn boolean(&self, operand: &Operand, wanted: bool) -> Result<Expr, StoreError> {
        match self.term(operand)? {
            Term::Null => Ok(never()),
            Term::Constant(Scalar::Bool(value)) => Ok(constant(value == wanted)),
            Term::Column(Column { expr, ty: odata::model::Type::Boolean, .. }) => Ok(expr.eq(wanted)),
            Term::Constant(_) | Term::Column(_) => {
                Err(StoreError::Unsupported("a condition must be true or false".to_owned()))
            }
        }
    }
}

/// One side of a comparison that is not the literal null.
struct Side {
    expr: Expr,
    /// The same, as it is best written in a comparison of order.
    in_range: Expr,
    nullable: bool,
}

impl Side {
    fn is_null(&self) -> Option<Expr> {
        self.nullable.then(|| self.expr.clone().is_null())
    }

    /// That this side is null and the other is not.
    fn alone_is_null(&self, other: &Self) -> Option<Expr> {
        let null = self.is_null()?;
        Some(if other.nullable { null.and(other.expr.clone().is_not_null()) } else { null })
    }
}

impl From<Column> for Side {
    fn from(column: Column) -> Self {
        Self { in_range: column.in_range(), expr: column.expr, nullable: column.nullable }
    }
}

impl From<Scalar> for Side {
    fn from(scalar: Scalar) -> Self {
        let expr = Expr::val(scalar);
        Self { in_range: expr.clone(), expr, nullable: false }
    }
}

fn compared_true(left: Term, comparison: Comparison, right: Term) -> Expr {
    match (left, right) {
        (Term::Null, Term::Null) => constant(comparison == Comparison::Eq),
        (Term::Null, Term::Constant(_)) | (Term::Constant(_), Term::Null) => {
            constant(comparison == Comparison::Ne)
        }
        (Term::Constant(left), Term::Constant(right)) => constant(agrees(&left, comparison, &right)),
        (Term::Null, Term::Column(column)) | (Term::Column(column), Term::Null) => match comparison {
            Comparison::Eq => column.is_null().unwrap_or_else(never),
            Comparison::Ne => column.is_not_null().unwrap_or_else(always),
            Comparison::Lt | Comparison::Le | Comparison::Gt | Comparison::Ge => never(),
        },
        (Term::Column(left), Term::Column(right)) => sides_true(&left.into(), comparison, &right.into()),
        (Term::Column(left), Term::Constant(right)) => sides_true(&left.into(), comparison, &right.into()),
        (Term::Constant(left), Term::Column(right)) => {
            sides_true(&right.into(), mirrored(comparison), &left.into())
        }
    }
}

fn compared_false(left: Term, comparison: Comparison, right: Term) -> Expr {
    match (left, right) {
        (Term::Null, Term::Null) => constant(comparison != Comparison::Eq),
        (Term::Null, Term::Constant(_)) | (Term::Constant(_), Term::Null) => {
            constant(comparison != Comparison::Ne)
        }
        (Term::Constant(left), Term::Constant(right)) => constant(!agrees(&left, comparison, &right)),
        (Term::Null, Term::Column(column)) | (Term::Column(column), Term::Null) => match comparison {
            Comparison::Eq => column.is_not_null().unwrap_or_else(always),
            Comparison::Ne => column.is_null().unwrap_or_else(never),
            Comparison::Lt | Comparison::Le | Comparison::Gt | Comparison::Ge => always(),
        },
        (Term::Column(left), Term::Column(right)) => sides_false(&left.into(), comparison, &right.into()),
        (Term::Column(left), Term::Constant(right)) => sides_false(&left.into(), comparison, &right.into()),
        (Term::Constant(left), Term::Column(right)) => {
            sides_false(&right.into(), mirrored(comparison), &left.into())
        }
    }
}

fn sides_true(left: &Side, comparison: Comparison, right: &Side) -> Expr {
    let (a, b) = (left.expr.clone(), right.expr.clone());
    let (x, y) = (left.in_range.clone(), right.in_range.clone());
    let both_null = || match (left.is_null(), right.is_null()) {
        (Some(left), Some(right)) => Some(left.and(right)),
        _ => None,
    };
    match comparison {
        Comparison::Eq => any([Some(a.eq(b)), both_null()]),
        Comparison::Ne => any([Some(a.ne(b)), left.alone_is_null(right), right.alone_is_null(left)]),
        Comparison::Lt => x.lt(y),
        Comparison::Le => x.lte(y),
        Comparison::Gt => x.gt(y),
        Comparison::Ge => x.gte(y),
    }
}

fn sides_false(left: &Side, comparison: Comparison, right: &Side) -> Expr {
    let or_null = |expr: Expr| any([Some(expr), left.is_null(), right.is_null()]);
    match comparison {
        Comparison::Eq => sides_true(left, Comparison::Ne, right),
        Comparison::Ne => sides_true(left, Comparison::Eq, right),
        Comparison::Lt => or_null(sides_true(left, Comparison::Ge, right)),
        Comparison::Le => or_null(sides_true(left, Comparison::Gt, right)),
        Comparison::Gt => or_null(sides_true(left, Comparison::Le, right)),
        Comparison::Ge => or_null(sides_true(left, Comparison::Lt, right)),
    }
}

/// The comparison with its sides swapped.
fn mirrored(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Eq => Comparison::Eq,
        Comparison::Ne => Comparison::Ne,
        Comparison::Lt => Comparison::Gt,
        Comparison::Le => Comparison::Ge,
        Comparison::Gt => Comparison::Lt,
        Comparison::Ge => Comparison::Le,
    }
}

fn agrees(left: &Scalar, comparison: Comparison, right: &Scalar) -> bool {
    match comparison {
        Comparison::Eq => left == right,
        Comparison::Ne => left != right,
        Comparison::Lt => left < right,
        Comparison::Le => left <= right,
        Comparison::Gt => left > right,
        Comparison::Ge => left >= right,
    }
}

fn passes(test: TextTest, text: &str, part: &str) -> bool {
    match test {
        TextTest::Contains => text.contains(part),
        TextTest::StartsWith => text.starts_with(part),
        TextTest::EndsWith => text.ends_with(part),
    }
}

fn text_expr(term: Term) -> Result<Expr, StoreError> {
    match term {
        Term::Column(Column { expr, ty: odata::model::Type::String, .. }) => Ok(expr),
        Term::Constant(Scalar::Text(text)) => Ok(Expr::val(text)),
        Term::Null | Term::Column(_) | Term::Constant(_) => {
            Err(StoreError::Unsupported("a string function takes strings".to_owned()))
        }
    }
}

fn unsupported(what: &str) -> StoreError {
    StoreError::Unsupported(format!("{what} cannot be filtered by"))
}

fn any<const N: usize>(parts: [Option<Expr>; N]) -> Expr {
    parts.into_iter().flatten().reduce(ExprTrait::or).unwrap_or_else(never)
}

fn constant(value: bool) -> Expr {
    if value { always() } else { never() }
}

fn always() -> Expr {
    Expr::cust("1 = 1")
}

fn never() -> Expr {
    Expr::cust("1 = 0")
}
