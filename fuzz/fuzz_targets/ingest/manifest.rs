//! Manifests of exports: the first line is the name of a part, the rest the manifest. What is found is of a manifest
//! that lists something, and tells the part from others and its run from none.

use chrono::DateTime;
use ingest::Listed;
use serde_json::Value;

pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (part, manifest) = text.split_once('\n').unwrap_or(("part_0_0001.csv", text));
    let at = DateTime::from_timestamp(1_930_000_000, 0).expect("a time");
    let find = |part: &str, size| Listed::find(manifest, part, size, at);
    let Some(found) = find(part, 1) else { return };
    assert_eq!(find(part, 1), Some(found));
    let larger = find(part, 2).expect("the size says nothing of whether it is listed");
    assert_eq!(larger.statement.id, found.statement.id, "one run");
    assert_ne!(larger.statement.part, found.statement.part, "another file");
    assert_eq!(
        (larger.statement.stated_at, larger.is_amortized),
        (found.statement.stated_at, found.is_amortized)
    );

    // Members that are passed over may have numbers that a `Value` cannot hold.
    let Ok(manifest) = serde_json::from_str::<Value>(manifest.trim_start_matches('\u{feff}')) else { return };
    let members = manifest.as_object().expect("a manifest is an object");
    let lists = members.iter().filter(|(name, _)| name.eq_ignore_ascii_case("blobs"));
    let blobs: Vec<&Value> = lists.filter_map(|(_, list)| list.as_array()).flatten().collect();
    assert!(!blobs.is_empty(), "it lists something");
}
