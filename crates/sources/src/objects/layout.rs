//! How exports lay out objects: by hour, or in runs with a manifest.
//!
//! Diagnostic settings and flow logs write `…/y=2031/m=02/d=03/h=04/m=00/[macAddress=…/]PT1H.json`: one object an
//! hour, in UTC, for each resource (learn.microsoft.com/azure/azure-monitor/essentials/resource-logs and
//! …/network-watcher/vnet-flow-logs-overview). Cost Management writes
//! `…/20310201-20310228/[run id/]part_0_0001.csv` with a `manifest.json` beside the parts of a run.

use chrono::{DateTime, Days, TimeDelta, TimeZone, Utc};

/// The hour that an object of an hourly layout is about.
pub(crate) fn hour_of(path: &str) -> Option<DateTime<Utc>> {
    let mut numbers = [None; 4];
    for segment in path.split('/') {
        let Some((name, value)) = segment.split_once('=') else { continue };
        let place = match name {
            "y" => 0,
            // Twice in a path: the month, and after the hour the minute.
            "m" if numbers[1].is_none() => 1,
            "d" => 2,
            "h" => 3,
            _ => continue,
        };
        numbers[place] = value.parse::<u32>().ok();
    }
    let [Some(year), Some(month), Some(day), Some(hour)] = numbers else { return None };
    Utc.with_ymd_and_hms(i32::try_from(year).ok()?, month, day, hour, 0, 0).single()
}

/// Whether this is the name of a folder of a year: below it everything is laid out by time.
pub(crate) fn is_year(segment: &str) -> bool {
    segment
        .strip_prefix("y=")
        .is_some_and(|year| year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The folders of the days from `from` to `to`, below the folder `root` that holds years.
pub(crate) fn days(root: &str, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<String> {
    let mut days = Vec::new();
    let mut day = from.date_naive();
    while day <= to.date_naive() {
        days.push(join(root, &day.format("y=%Y/m=%m/d=%d").to_string()));
        let Some(next) = day.checked_add_days(Days::new(1)) else { break };
        day = next;
    }
    days
}

/// Whether something may be written about the hour at a time: from its beginning until `after` its end.
pub(crate) fn is_within(hour: DateTime<Utc>, from: DateTime<Utc>) -> bool {
    hour + TimeDelta::hours(1) > from
}

/// Joins a folder and a name; the folder may be empty.
pub(crate) fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// Folder and name of an object.
pub(crate) fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// A part of a run of a cost export: `part_0_0001.csv`, `.csv.gz`, `.parquet`, `.snappy.parquet`.
pub(crate) fn is_part(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("part_") else { return false };
    let Some((numbers, ending)) = rest.split_once('.') else { return false };
    numbers.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
        && (ending.contains("csv") || ending.ends_with("parquet"))
}

/// What stands beside the parts of a run once they are all there.
pub(crate) const MANIFEST: &str = "manifest.json";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hour_is_read_from_the_path() {
        let of = |path: &str| hour_of(path).map(|hour| hour.format("%Y-%m-%dT%H").to_string());
        let cases = [
            ("resourceId=/SUBSCRIPTIONS/A/y=2031/m=02/d=03/h=04/m=00/PT1H.json", Some("2031-02-03T04")),
            (
                "flowLogResourceID=/A/y=2031/m=12/d=31/h=23/m=00/macAddress=00224871C205/PT1H.json",
                Some("2031-12-31T23"),
            ),
            ("tenantId=a/y=2031/m=02/d=30/h=04/m=00/PT1H.json", None),
            ("y=2031/m=02/d=03/PT1D.json", None),
            ("y=x/m=02/d=03/h=04/a.json", None),
            ("exports/20310201-20310228/part_0_0001.csv", None),
        ];
        for (path, expected) in cases {
            assert_eq!(of(path).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn days_are_listed_with_both_ends() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let days = days("tenantId=a", at("2031-02-27T23:59:00Z"), at("2031-03-01T00:00:00Z"));
        assert_eq!(
            days,
            ["tenantId=a/y=2031/m=02/d=27", "tenantId=a/y=2031/m=02/d=28", "tenantId=a/y=2031/m=03/d=01"]
        );
        assert_eq!(
            super::days("", at("2031-02-27T23:59:00Z"), at("2031-02-27T23:59:00Z")),
            ["y=2031/m=02/d=27"]
        );
    }

    #[test]
    fn parts_are_known_by_their_names() {
        for name in
            ["part_0_0001.csv", "part_1_0001.csv.gz", "part_0_0001.parquet", "part_0_0001.snappy.parquet"]
        {
            assert!(is_part(name), "{name}");
        }
        for name in ["manifest.json", "part_a.csv", "parts.csv", "part_0_0001", "part_0_0001.json"] {
            assert!(!is_part(name), "{name}");
        }
    }

    #[test]
    fn years_are_known_by_their_names() {
        assert!(is_year("y=2031"));
        for name in ["y=31", "m=02", "year=2031", "y=20a1"] {
            assert!(!is_year(name), "{name}");
        }
    }
}
