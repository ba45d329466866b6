//! Parsing and checking typical query strings: `cargo bench -p odata`.

// Criterion's macros make public functions without documentation.
#![allow(missing_docs)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use odata::{CheckContext, Limits, QueryOptions, Seal, TokenKey, model};

#[path = "../tests/sample/mod.rs"]
mod sample;

fn queries() -> Vec<(&'static str, String)> {
    let guids: Vec<_> = (0..50).map(|n| format!("7c1f0a52-0b1e-4a39-9a55-{n:012}")).collect();
    vec![
        ("open and severe", "$filter=status eq 'active' and severity in ('high','critical')&$top=50".to_owned()),
        (
            "since a moment, paged",
            "%24filter=detectedDateTime%20ge%202031-02-03T04%3A05%3A06.789Z&%24orderby=severity+desc,detectedDateTime&\
             $count=true&$select=id,title,severity,address/city"
                .to_owned(),
        ),
        (
            "nested",
            "$filter=not (contains(title,'mining') or startswith(details/Region,'west')) and \
             (isTest eq false or cost gt 12.5) and address/city ne null"
                .to_owned(),
        ),
        (
            "computed and quantified",
            "$filter=resources/any(r:startswith(r/resourceId,'/sub') and r/resourceType ne 'vm') and \
             detectedDateTime ge now() sub duration'PT24H' and length(title) mod 2 eq 0&$search=crypto NOT \"a b\""
                .to_owned(),
        ),
        ("fifty ids", format!("$filter=id in ({})", guids.join(","))),
        ("refused at the end", format!("$filter={}severty eq 'high'", "isTest and ".repeat(50))),
    ]
}

fn parse_and_check(criterion: &mut Criterion) {
    let limits = Limits::default();
    let seal = Seal { key: &sample::KEY, context: b"bench" };
    let context = CheckContext { model: &sample::MODEL, limits: &limits, now: sample::NOW, seal };
    let mut group = criterion.benchmark_group("parse_and_check");
    for (name, raw) in queries() {
        group.throughput(Throughput::Bytes(raw.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| QueryOptions::parse(black_box(&raw)).and_then(|options| options.check(&context)));
        });
    }
    group.finish();
}

criterion_group!(benches, parse_and_check);
criterion_main!(benches);
