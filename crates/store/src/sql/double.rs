//! Doubles computed with as every database here can: without a result that is not finite, and without
//! digits being lost below the least number that has them all.
//!
//! PostgreSQL fails on both, and can only be kept from them by asking first. The questions are asked
//! here too, so that a result that is just too large is so in every database.

/// The sum; `None` if it is too large.
pub(crate) fn add(x: f64, y: f64) -> Option<f64> {
    let too_large = (x > 0.0 && y >= f64::MAX - x) || (x < 0.0 && y <= -f64::MAX - x);
    (!too_large).then_some(x + y)
}

/// The product; `None` if it is too large, 0 if it is too small.
pub(crate) fn mul(x: f64, y: f64) -> Option<f64> {
    if x.abs() >= f64::MAX / y.abs().max(1.0) {
        None
    } else if x.abs() < f64::MIN_POSITIVE / y.abs().clamp(f64::MIN_POSITIVE, 1.0) {
        Some(0.0)
    } else {
        Some(x * y)
    }
}

/// The quotient; `None` if it is too large or there is none, 0 if it is too small.
pub(crate) fn div(x: f64, y: f64) -> Option<f64> {
    if y == 0.0 || x.abs() >= f64::MAX * y.abs().min(1.0) {
        None
    } else if x.abs() < f64::MIN_POSITIVE * y.abs().max(1.0) {
        Some(0.0)
    } else {
        Some(x / y)
    }
}

/// What a division leaves, with the sign of `x`.
pub(crate) fn rem(x: f64, y: f64) -> Option<f64> {
    add(x, -mul(y, div(x, y)?.trunc())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_exist_or_are_none() {
        let check = |found: Option<f64>, expected: Option<f64>| assert_eq!(found, expected);
        check(add(1.5, 2.0), Some(3.5));
        check(add(1e308, 1e308), None);
        check(add(-1e308, -1e308), None);
        check(add(1e308, -1e308), Some(0.0));
        check(mul(1e200, 1e200), None);
        check(mul(1e-200, 1e-200), Some(0.0));
        check(mul(1e-200, 1e300), Some(1e100));
        check(mul(0.0, 1e300), Some(0.0));
        check(div(1.0, 0.0), None);
        check(div(0.0, 0.0), None);
        check(div(1e300, 1e-10), None);
        check(div(1e-300, 1e10), Some(0.0));
        check(div(1.0, 4.0), Some(0.25));
        check(div(f64::MAX / 2.0, 0.25), None);
        check(rem(-7.5, 2.0), Some(-1.5));
        check(rem(7.5, 0.0), None);
    }

    #[test]
    fn nothing_that_is_let_through_overflows_or_vanishes() {
        let edges = [
            f64::MAX,
            f64::MAX / 2.0,
            f64::MAX.sqrt(),
            1e154,
            2.0,
            1.0,
            1.0 - f64::EPSILON,
            0.5,
            1e-154,
            f64::MIN_POSITIVE,
            f64::MIN_POSITIVE * 2.0,
            f64::from_bits(1),
        ];
        for x in edges.into_iter().chain(edges.map(|edge| -edge)) {
            for y in edges.into_iter().chain(edges.map(|edge| -edge)) {
                for result in [add(x, y), mul(x, y), div(x, y), rem(x, y)].into_iter().flatten() {
                    assert!(result.is_finite(), "{x:e} {y:e}");
                }
            }
        }
    }
}
