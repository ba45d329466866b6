//! Operands at random, of a wanted type.

use chrono::{NaiveTime, TimeDelta};
use odata::checked::{Arithmetic, Function, Literal, Operand};
use odata::model::{Property, Type};
use proptest::prelude::*;
use proptest::sample::select;

use super::filter::condition;
use super::{TIMES, moment, word};
use crate::alert_model;
use crate::testing::{collection, of_item, operand, time};

/// The collections of an alert.
pub(super) const COLLECTIONS: &[&str] = &["affectedResources", "activityLogs"];

/// The types that are computed with. Enumerations come from properties alone.
const TYPES: &[Type] = &[
    Type::String,
    Type::Boolean,
    Type::Int64,
    Type::Double,
    Type::DateTimeOffset,
    Type::Date,
    Type::TimeOfDay,
    Type::Duration,
];

/// Paths into the open type; the last is in no alert.
const MEMBERS: &[&str] = &["additionalDetails/One", "additionalDetails/Two", "additionalDetails/None"];

/// The collections around a place, the innermost first; two are enough to mix them up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place([Option<&'static str>; 2]);

impl Place {
    pub(super) const ALERT: Self = Self([None, None]);

    pub(super) fn within(self, name: &'static str) -> Self {
        Self([Some(name), self.0[0]])
    }

    /// Every single value that can be named here.
    fn properties(self) -> Vec<Operand> {
        let declared = alert_model().properties.iter().filter(|property| is_single(property));
        let own = declared.map(|property| property.name).chain(MEMBERS.iter().copied()).map(operand);
        let of_items = self.0.into_iter().enumerate().filter_map(|(outwards, name)| Some((outwards, name?)));
        let of_items = of_items.flat_map(|(outwards, name)| {
            let path = collection(name);
            let properties =
                path.item.properties.iter().map(move |property| of_item(&path, outwards, property.name));
            // Named often enough to be chosen beside the many properties of the alert.
            properties.flat_map(|property| vec![property; 4])
        });
        own.chain(of_items).collect()
    }
}

fn is_single(property: &Property) -> bool {
    !matches!(property.ty, Type::Complex(_) | Type::Collection(_))
}

/// A property of the alert.
pub(super) fn property() -> impl Strategy<Value = Operand> {
    select(Place::ALERT.properties())
}

/// An operand over the alert, of any type, but no literal.
pub(super) fn any_type(levels: u32) -> impl Strategy<Value = Operand> {
    typed(Place::ALERT)
        .prop_flat_map(move |ty| of_type(Place::ALERT, ty, levels))
        .prop_filter("it differs from alert to alert", |operand| !is_constant(operand))
}

/// Whether it is null or a literal, whatever the alert is. The databases refuse to sort by that.
fn is_constant(operand: &Operand) -> bool {
    let is_null = |operand: &Operand| {
        !matches!(operand, Operand::Literal(literal) if *literal != Literal::Null) && is_constant(operand)
    };
    match operand {
        Operand::Literal(_) => true,
        Operand::Property(_) | Operand::Count(..) | Operand::Condition(_) => false,
        Operand::Arithmetic(left, _, right) => is_null(left) || is_null(right),
        Operand::Negate(inner) => is_null(inner),
        Operand::Call(_, operands) => operands.iter().any(is_null),
    }
}

/// A type: that of a property that can be named here, or any that is computed with.
pub(super) fn typed(place: Place) -> impl Strategy<Value = Type> {
    let of_properties: Vec<Type> = place.properties().iter().filter_map(Operand::ty).collect();
    prop_oneof![3 => select(of_properties), 2 => select(TYPES)]
}

/// A whole number or a double.
pub(super) fn number(place: Place, levels: u32) -> impl Strategy<Value = Operand> {
    select(vec![Type::Int64, Type::Double]).prop_flat_map(move |ty| of_type(place, ty, levels))
}

pub(super) fn number_literal() -> impl Strategy<Value = Literal> {
    prop_oneof![literal(Type::Int64), literal(Type::Double)]
}

/// An operand of that type, of so many levels at most.
pub(super) fn of_type(place: Place, ty: Type, levels: u32) -> BoxedStrategy<Operand> {
    let properties: Vec<Operand> =
        place.properties().into_iter().filter(|property| property.ty() == Some(ty)).collect();
    let leaf = if properties.is_empty() {
        literal(ty).prop_map(Operand::Literal).boxed()
    } else {
        prop_oneof![5 => select(properties), 1 => literal(ty).prop_map(Operand::Literal)].boxed()
    };
    let Some(below) = levels.checked_sub(1) else { return leaf };
    prop_oneof![2 => leaf, 1 => (0..1_u8).prop_flat_map(move |_| computed(place, ty, below))].boxed()
}

fn computed(place: Place, ty: Type, levels: u32) -> BoxedStrategy<Operand> {
    let of = move |ty| of_type(place, ty, levels);
    match ty {
        Type::String => {
            let text = || of(Type::String);
            let whole = || of(Type::Int64);
            let one = select(vec![Function::ToLower, Function::ToUpper, Function::Trim]);
            prop_oneof![
                3 => (one, text()).prop_map(|(function, text)| Operand::Call(function, vec![text])),
                1 => (text(), text()).prop_map(|(x, y)| Operand::Call(Function::Concat, vec![x, y])),
                1 => (text(), whole()).prop_map(|(x, y)| Operand::Call(Function::Substring, vec![x, y])),
                1 => (text(), whole(), whole())
                    .prop_map(|(x, y, z)| Operand::Call(Function::Substring, vec![x, y, z])),
            ]
            .boxed()
        }
        Type::Boolean => {
            condition(place, levels).prop_map(|filter| Operand::Condition(Box::new(filter))).boxed()
        }
        Type::Int64 => whole(place, levels),
        Type::Double => {
            let whole_halves = vec![Function::Round, Function::Floor, Function::Ceiling];
            let number = move || number(place, levels);
            prop_oneof![
                2 => (select(whole_halves), of(Type::Double))
                    .prop_map(|(function, x)| Operand::Call(function, vec![x])),
                1 => timed(Function::FractionalSeconds, place, levels),
                1 => timed(Function::TotalSeconds, place, levels),
                2 => (number(), number()).prop_map(|(x, y)| {
                    Operand::Arithmetic(Box::new(x), Arithmetic::DivBy, Box::new(y))
                }),
                2 => (of(Type::Double), operators(), number()).prop_map(|(x, operator, y)| {
                    Operand::Arithmetic(Box::new(x), operator, Box::new(y))
                }),
                1 => of(Type::Double).prop_map(|x| Operand::Negate(Box::new(x))),
            ]
            .boxed()
        }
        Type::DateTimeOffset => step(place, Type::DateTimeOffset, levels),
        Type::Date => timed(Function::Date, place, levels),
        Type::TimeOfDay => timed(Function::Time, place, levels),
        Type::Duration => prop_oneof![
            2 => (of(Type::DateTimeOffset), of(Type::DateTimeOffset))
                .prop_filter("null beside null is a number", |(x, y)| x.ty().is_some() && y.ty().is_some())
                .prop_map(|(x, y)| Operand::Arithmetic(Box::new(x), Arithmetic::Sub, Box::new(y))),
            1 => step(place, Type::Duration, levels),
            1 => of(Type::Duration).prop_map(|x| Operand::Negate(Box::new(x))),
        ]
        .prop_filter("it is a duration", |operand| operand.ty() == Some(Type::Duration))
        .boxed(),
        Type::Enum(_) | Type::Complex(_) | Type::Collection(_) => of_type(place, ty, 0),
    }
}

/// A moment or a duration, and a duration before or after it.
fn step(place: Place, ty: Type, levels: u32) -> BoxedStrategy<Operand> {
    let operators = select(vec![Arithmetic::Add, Arithmetic::Sub]);
    (of_type(place, ty, levels), operators, of_type(place, Type::Duration, levels))
        .prop_map(|(x, operator, y)| Operand::Arithmetic(Box::new(x), operator, Box::new(y)))
        .prop_filter("it is of that type", move |operand| operand.ty() == Some(ty))
        .boxed()
}

fn whole(place: Place, levels: u32) -> BoxedStrategy<Operand> {
    let of = move |ty| of_type(place, ty, levels);
    let parts = vec![
        Function::Year,
        Function::Month,
        Function::Day,
        Function::Hour,
        Function::Minute,
        Function::Second,
        Function::TotalOffsetMinutes,
    ];
    let counted = (select(COLLECTIONS), any::<bool>()).prop_flat_map(move |(name, filtered)| {
        condition(place.within(name), levels).prop_map(move |condition| {
            Operand::Count(collection(name), filtered.then(|| Box::new(condition)))
        })
    });
    prop_oneof![
        2 => of(Type::String).prop_map(|x| Operand::Call(Function::Length, vec![x])),
        1 => (of(Type::String), of(Type::String))
            .prop_map(|(x, y)| Operand::Call(Function::IndexOf, vec![x, y])),
        3 => select(parts).prop_flat_map(move |part| timed(part, place, levels)),
        3 => (of(Type::Int64), operators(), of(Type::Int64)).prop_map(|(x, operator, y)| {
            Operand::Arithmetic(Box::new(x), operator, Box::new(y))
        }),
        1 => of(Type::Int64).prop_map(|x| Operand::Negate(Box::new(x))),
        2 => counted,
    ]
    .boxed()
}

/// A function of one operand, of any type that it takes.
fn timed(function: Function, place: Place, levels: u32) -> BoxedStrategy<Operand> {
    select(function.operand_types(0))
        .prop_flat_map(move |ty| of_type(place, ty, levels))
        .prop_map(move |operand| Operand::Call(function, vec![operand]))
        .boxed()
}

fn operators() -> impl Strategy<Value = Arithmetic> {
    select(vec![Arithmetic::Add, Arithmetic::Sub, Arithmetic::Mul, Arithmetic::Div, Arithmetic::Mod])
}

/// A literal of that type, or null.
pub(super) fn literal(ty: Type) -> BoxedStrategy<Literal> {
    let value = match ty {
        Type::Boolean => any::<bool>().prop_map(Literal::Boolean).boxed(),
        Type::Int64 => prop_oneof![
            6 => -3_i64..13,
            1 => select(vec![2031, i64::MAX, i64::MIN, 1 << 53, (1 << 53) + 1, 3_000_000_000]),
        ]
        .prop_map(Literal::Int)
        .boxed(),
        Type::Double => select(vec![
            0.0,
            0.5,
            1.5,
            -0.5,
            -2.5,
            2.0,
            12.0,
            0.1,
            0.499_999_999_999_999_94,
            1e300,
            -1e300,
            1e-300,
        ])
        .prop_map(Literal::Double)
        .boxed(),
        Type::DateTimeOffset => moment().prop_map(Literal::DateTime).boxed(),
        Type::Date => select(TIMES).prop_map(|text| Literal::Date(time(text).date_naive())).boxed(),
        Type::TimeOfDay => {
            prop_oneof![select(TIMES).prop_map(|text| time(text).time()), Just(NaiveTime::MIN),]
                .prop_map(Literal::TimeOfDay)
                .boxed()
        }
        Type::Duration => prop_oneof![
            3 => select(vec![0, 1, -1, 1_000, 1_000_000, -86_400_000_000, 3_600_000_000])
                .prop_map(TimeDelta::microseconds),
            1 => select(vec![-3_652_500, 3_652_500, 2_914_000]).prop_map(TimeDelta::days),
        ]
        .prop_map(Literal::Duration)
        .boxed(),
        Type::Enum(enumeration) => {
            (0..enumeration.members.len()).prop_map(move |index| Literal::Enum(enumeration, index)).boxed()
        }
        Type::String | Type::Complex(_) | Type::Collection(_) => {
            prop_oneof![word(), select(vec!["c1", "r1", "0-0", "1-1"]).prop_map(str::to_owned)]
                .prop_map(Literal::String)
                .boxed()
        }
    };
    prop_oneof![1 => Just(Literal::Null), 6 => value].boxed()
}
