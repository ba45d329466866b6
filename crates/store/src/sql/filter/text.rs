//! The string functions that are true or false.

use odata::checked::{Operand, TextTest};
use odata::model::Type;
use sea_query::{Expr, ExprTrait};

use super::super::column::Column;
use super::super::scalar::Scalar;
use super::{Compiler, Term, constant};
use crate::StoreError;

impl Compiler<'_> {
    /// The test as an expression that is unknown if an operand is null; `None` if one always is.
    pub(super) fn text_test(
        &self,
        test: TextTest,
        text: &Operand,
        part: &Operand,
    ) -> Result<Option<Expr>, StoreError> {
        let (text, part) = match (self.term(text)?, self.term(part)?) {
            (Term::Null, _) | (_, Term::Null) => return Ok(None),
            (Term::Constant(Scalar::Text(text)), Term::Constant(Scalar::Text(part))) => {
                return Ok(Some(constant(passes(test, &text, &part))));
            }
            (text, part) => (text_expr(text)?, text_expr(part)?),
        };
        Ok(Some(match test {
            TextTest::Contains => self.dialect.position_of(text, part).gt(0),
            TextTest::StartsWith => self.dialect.starts_with(text, part),
            TextTest::EndsWith => self.dialect.ends_with(text, part),
        }))
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
        Term::Column(Column { expr, ty: Type::String, .. }) => Ok(expr),
        Term::Constant(Scalar::Text(text)) => Ok(Expr::val(text)),
        Term::Null | Term::Column(_) | Term::Constant(_) => {
            Err(StoreError::Unsupported("a string function takes strings".to_owned()))
        }
    }
}
