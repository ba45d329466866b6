//! Scoring series of the usual steps: `cargo bench -p series`. `benches/series-beside-stl` has the same series
//! decomposed by statsmodels.

// Criterion's macros make public functions without documentation.
#![allow(missing_docs)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// A rhythm of the day with noise that is the same in every run.
fn points(step_s: i64, count: i64) -> Vec<(i64, f64)> {
    let mut state: u64 = 88_172_645_463_325_252;
    let mut noise = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let value = |at_s: i64, noise: f64| {
        let day = (at_s % 86_400) as f64 / 86_400.0 * std::f64::consts::TAU;
        100.0 + 30.0 * day.sin() + 10.0 * noise
    };
    (0..count).map(|n| (n * step_s, value(n * step_s, noise()))).collect()
}

fn score(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("score");
    for (name, step_s, count) in
        [("5-minutes-4032", 300, 4_032), ("hours-2000", 3600, 2_000), ("days-365", 86_400, 365)]
    {
        let points = points(step_s, count);
        group.throughput(Throughput::Elements(points.len() as u64));
        group.bench_function(name, |bencher| bencher.iter(|| series::score(black_box(&points))));
    }
    group.finish();
}

criterion_group!(benches, score);
criterion_main!(benches);
