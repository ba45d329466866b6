//! Filters at random.

use odata::checked::{Comparison, Filter, Operand, TextTest};
use odata::model::Type;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::operand::{self, Place};

/// A filter with something of everything in it.
pub fn filter() -> impl Strategy<Value = Filter> {
    condition(Place::ALERT, 3)
}

/// A condition of so many levels at most.
///
/// What follows a choice is made only when the choice is, or each level would hold all below it.
pub(super) fn condition(place: Place, levels: u32) -> BoxedStrategy<Filter> {
    let leaf = prop_oneof![
        6 => comparison(place, levels),
        2 => text_test(place, levels),
        2 => membership(place, levels),
        1 => boolean(place, levels),
    ];
    let Some(below) = levels.checked_sub(1) else { return leaf.boxed() };
    let inner = move || (0..1_u8).prop_flat_map(move |_| condition(place, below)).prop_map(Box::new);
    prop_oneof![
        6 => leaf,
        2 => (inner(), inner()).prop_map(|(left, right)| Filter::And(left, right)),
        2 => (inner(), inner()).prop_map(|(left, right)| Filter::Or(left, right)),
        2 => inner().prop_map(Filter::Not),
        3 => lambda(place, below),
    ]
    .boxed()
}

/// A condition on a collection.
fn lambda(place: Place, levels: u32) -> impl Strategy<Value = Filter> {
    (select(operand::COLLECTIONS), any::<bool>(), any::<bool>()).prop_flat_map(
        move |(name, is_all, has_condition)| {
            let path = crate::testing::collection(name);
            let inner = condition(place.within(name), levels);
            inner.prop_map(move |condition| match (is_all, has_condition) {
                (true, _) => Filter::All(path.clone(), Box::new(condition)),
                (false, true) => Filter::Any(path.clone(), Some(Box::new(condition))),
                (false, false) => Filter::Any(path.clone(), None),
            })
        },
    )
}

fn comparison(place: Place, levels: u32) -> impl Strategy<Value = Filter> {
    let operators =
        vec![Comparison::Eq, Comparison::Ne, Comparison::Lt, Comparison::Le, Comparison::Gt, Comparison::Ge];
    let unlike = (select(operators.clone()), operand::number(place, levels), operand::number(place, levels))
        .prop_map(|(operator, left, right)| Filter::Compare(left, operator, right));
    let alike = (select(operators), operand::typed(place)).prop_flat_map(move |(operator, ty)| {
        let left = operand::of_type(place, ty, levels);
        let right = prop_oneof![
            2 => operand::literal(ty).prop_map(Operand::Literal),
            1 => operand::of_type(place, ty, levels),
        ];
        (left, right, any::<bool>()).prop_map(move |(left, right, turned)| {
            let (left, right) = if turned { (right, left) } else { (left, right) };
            Filter::Compare(left, operator, right)
        })
    });
    prop_oneof![8 => alike, 1 => unlike]
}

fn text_test(place: Place, levels: u32) -> impl Strategy<Value = Filter> {
    let tests = select(vec![TextTest::Contains, TextTest::StartsWith, TextTest::EndsWith]);
    let part = prop_oneof![
        operand::literal(Type::String).prop_map(Operand::Literal),
        operand::of_type(place, Type::String, levels)
    ];
    (tests, operand::of_type(place, Type::String, levels), part)
        .prop_map(|(test, text, part)| Filter::Text(test, text, part))
}

fn membership(place: Place, levels: u32) -> impl Strategy<Value = Filter> {
    let mixed = (operand::number(place, levels), vec(operand::number_literal(), 0..4))
        .prop_map(|(operand, list)| Filter::In(operand, list));
    let of_one_type = operand::typed(place).prop_flat_map(move |ty| {
        (operand::of_type(place, ty, levels), vec(operand::literal(ty), 0..4))
            .prop_map(|(operand, list)| Filter::In(operand, list))
    });
    prop_oneof![4 => of_one_type, 1 => mixed]
}

fn boolean(place: Place, levels: u32) -> impl Strategy<Value = Filter> {
    prop_oneof![
        2 => operand::of_type(place, Type::Boolean, levels),
        1 => operand::literal(Type::Boolean).prop_map(Operand::Literal),
    ]
    .prop_map(Filter::Is)
}
