//! Distances on the globe.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, TimestampMicrosecondType};
use arrow_array::{Array, Float64Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::exec_err;
use datafusion::logical_expr::{Signature, Volatility};

use super::scalar::ScalarFunction;

/// The mean radius of the Earth.
const EARTH_KM: f64 = 6371.0;

/// Two places at one moment are this long apart: what stands in a log is rounded to seconds.
const MOMENT_S: f64 = 1.0;

/// `geo_distance_km(latitude, longitude, latitude, longitude)`
pub(super) fn distance() -> ScalarFunction {
    let signature = Signature::exact(vec![DataType::Float64; 4], Volatility::Immutable);
    ScalarFunction::new("geo_distance_km", signature, DataType::Float64, |columns| {
        let [lat_a, lon_a, lat_b, lon_b] = columns else {
            return exec_err!("geo_distance_km takes two latitudes and longitudes");
        };
        let places = [lat_a, lon_a, lat_b, lon_b].map(|column| column.as_primitive::<Float64Type>());
        let distances = (0..lat_a.len()).map(|row| {
            let known = places.iter().all(|column| column.is_valid(row));
            let [lat_a, lon_a, lat_b, lon_b] = places.map(|column| column.value(row));
            if known { kilometres((lat_a, lon_a), (lat_b, lon_b)) } else { None }
        });
        Ok(Arc::new(distances.collect::<Float64Array>()))
    })
}

/// `geo_speed_kmh(latitude, longitude, at, latitude, longitude, at)`
pub(super) fn speed() -> ScalarFunction {
    let time = || DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let place = || DataType::Float64;
    let arguments = vec![place(), place(), time(), place(), place(), time()];
    let signature = Signature::exact(arguments, Volatility::Immutable);
    ScalarFunction::new("geo_speed_kmh", signature, DataType::Float64, |columns| {
        let [lat_a, lon_a, at_a, lat_b, lon_b, at_b] = columns else {
            return exec_err!("geo_speed_kmh takes two latitudes, longitudes and times");
        };
        let places = [lat_a, lon_a, lat_b, lon_b].map(|column| column.as_primitive::<Float64Type>());
        let micros = |column| cast(column, &DataType::Timestamp(TimeUnit::Microsecond, None));
        let (at_a, at_b) = (micros(at_a)?, micros(at_b)?);
        let times = [&at_a, &at_b].map(|column| column.as_primitive::<TimestampMicrosecondType>());
        let speeds = (0..lat_a.len()).map(|row| {
            let known = places.iter().all(|column| column.is_valid(row))
                && times.iter().all(|column| column.is_valid(row));
            let [lat_a, lon_a, lat_b, lon_b] = places.map(|column| column.value(row));
            let apart_s = (times[0].value(row) as f64 - times[1].value(row) as f64).abs() / 1e6;
            let distance = if known { kilometres((lat_a, lon_a), (lat_b, lon_b)) } else { None };
            distance.map(|distance| distance * 3600.0 / apart_s.max(MOMENT_S))
        });
        Ok(Arc::new(speeds.collect::<Float64Array>()))
    })
}

/// The way over the surface of a sphere, by the haversine formula; `None` for what is no place.
fn kilometres(one: (f64, f64), other: (f64, f64)) -> Option<f64> {
    let is_place = |(latitude, longitude): (f64, f64)| latitude.abs() <= 90.0 && longitude.abs() <= 180.0;
    if !is_place(one) || !is_place(other) {
        return None;
    }
    let (lat_a, lat_b) = (one.0.to_radians(), other.0.to_radians());
    let half_lat = (lat_b - lat_a) / 2.0;
    let half_lon = (other.1 - one.1).to_radians() / 2.0;
    let chord = half_lat.sin().powi(2) + lat_a.cos() * lat_b.cos() * half_lon.sin().powi(2);
    Some(2.0 * EARTH_KM * chord.clamp(0.0, 1.0).sqrt().asin())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_maps() {
        for (one, other, expected) in [
            ((52.52, 13.405), (48.137, 11.575), 504.0),    // Berlin, Munich
            ((51.507, -0.128), (40.713, -74.006), 5570.0), // London, New York
            ((0.0, 179.5), (0.0, -179.5), 111.2),          // over the date line
            ((90.0, 0.0), (-90.0, 0.0), 20_015.0),         // pole to pole
            ((10.0, 20.0), (10.0, 20.0), 0.0),
        ] {
            let found = kilometres(one, other).unwrap();
            assert!((found - expected).abs() <= 0.003 * expected.max(1.0), "{one:?} {other:?}: {found}");
        }
        for nowhere in [(91.0, 0.0), (0.0, 181.0), (f64::NAN, 0.0), (0.0, f64::INFINITY)] {
            assert_eq!(kilometres(nowhere, (0.0, 0.0)), None, "{nowhere:?}");
        }
    }
}
