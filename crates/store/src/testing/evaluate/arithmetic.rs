//! The arithmetic operators over values. A result that does not exist is null.

use odata::checked::Arithmetic;

use super::Item;
use super::function::moment;

pub(super) fn computed(left: Item, operator: Arithmetic, right: Item) -> Option<Item> {
    match (left, right) {
        (Item::Whole(x), Item::Whole(y)) if operator != Arithmetic::DivBy => {
            whole(x.into(), operator, y.into()).map(Item::Whole)
        }
        (x @ (Item::Whole(_) | Item::Double(_)), y @ (Item::Whole(_) | Item::Double(_))) => {
            match (x.widened(), y.widened()) {
                (Item::Double(x), Item::Double(y)) => double(x, operator, y).map(Item::Double),
                _ => None,
            }
        }
        (Item::Moment(at), Item::Duration(length)) => {
            let at = whole(at.into(), operator, length.into())?;
            moment(at).map(|_| Item::Moment(at))
        }
        (Item::Moment(x) | Item::Duration(x), Item::Moment(y) | Item::Duration(y)) => {
            whole(x.into(), operator, y.into()).map(Item::Duration)
        }
        _ => None,
    }
}

pub(super) fn negated(item: Item) -> Option<Item> {
    match item {
        Item::Whole(value) => value.checked_neg().map(Item::Whole),
        Item::Double(value) => Some(Item::Double(-value)),
        Item::Duration(value) => value.checked_neg().map(Item::Duration),
        _ => None,
    }
}

fn whole(x: i128, operator: Arithmetic, y: i128) -> Option<i64> {
    let result = match operator {
        Arithmetic::Add => x + y,
        Arithmetic::Sub => x - y,
        Arithmetic::Mul => x * y,
        Arithmetic::Div | Arithmetic::DivBy => x.checked_div(y)?,
        Arithmetic::Mod => x.checked_rem(y)?,
    };
    result.try_into().ok()
}

fn double(x: f64, operator: Arithmetic, y: f64) -> Option<f64> {
    let result = match operator {
        Arithmetic::Add => x + y,
        Arithmetic::Sub => x - y,
        Arithmetic::Mul => x * y,
        Arithmetic::Div | Arithmetic::DivBy => x / y,
        Arithmetic::Mod => x - y * double(x, Arithmetic::Div, y)?.trunc(),
    };
    result.is_finite().then_some(result)
}
