//! The SQL functions, as any query uses them.
#![expect(clippy::unwrap_used, reason = "tests; clippy excuses only the bodies of test functions")]

use arrow_array::RecordBatch;
use datafusion::arrow::util::display::array_value_to_string;
use detect::{GeoDatabase, Limits};

async fn rows(sql: &str) -> Result<Vec<String>, String> {
    rows_with(sql, None).await
}

/// The rows of a query, columns with ` | ` between them.
async fn rows_with(sql: &str, places: Option<&GeoDatabase>) -> Result<Vec<String>, String> {
    let session = detect::session(Limits::default()).unwrap();
    if let Some(places) = places {
        places.register(&session);
    }
    let planned = session.sql(sql).await.map_err(|error| error.to_string())?;
    let batches: Vec<RecordBatch> = planned.collect().await.map_err(|error| error.to_string())?;
    let mut rows = Vec::new();
    for batch in &batches {
        for row in 0..batch.num_rows() {
            let values = batch.columns().iter().map(|column| array_value_to_string(column, row).unwrap());
            rows.push(values.collect::<Vec<_>>().join(" | "));
        }
    }
    Ok(rows)
}

#[tokio::test]
async fn scalars() {
    for (expression, expected) in [
        ("ip_network('203.0.113.77', 24, 64)", "203.0.113.0/24"),
        ("ip_network('2001:db8:1:2:3::9', 24, 64)", "2001:db8:1:2::/64"),
        ("ip_network(null, 24, 64)", ""),
        ("ip_network('nowhere', 24, 64)", ""),
        ("ip_in_network('203.0.113.77', '203.0.113.0/24')", "true"),
        ("ip_in_network('203.0.113.77', null)", ""),
        ("set_distance(make_array('a', 'b'), make_array('b', 'c'))", "0.6666666666666667"),
        ("set_distance(make_array('a', 'a'), make_array('a'))", "0.0"),
        ("set_distance(make_array('a'), make_array('b'))", "1.0"),
        ("set_distance(make_array('a'), null)", ""),
        ("round(geo_distance_km(52.52, 13.405, 48.137, 11.575))", "504.0"),
        ("geo_distance_km(52.52, 13.405, 48.137, null)", ""),
        ("geo_distance_km(152.52, 13.405, 48.137, 11.0)", ""),
        (
            "round(geo_speed_kmh(52.52, 13.405, timestamp '2031-03-01T10:00:00Z', 48.137, 11.575, timestamp '2031-03-01T08:00:00Z'))",
            "252.0",
        ),
        // Rounded to the same second, they are a second apart.
        (
            "round(geo_speed_kmh(0, 0, timestamp '2031-03-01T10:00:00Z', 0, 1, timestamp '2031-03-01T10:00:00Z') / 3600)",
            "111.0",
        ),
        ("ip_location('203.0.113.77')", ""),
    ] {
        assert_eq!(
            rows(&format!("select {expression}")).await,
            Ok(vec![expected.to_owned()]),
            "{expression}"
        );
    }
    let error = rows("select ip_network('203.0.113.77', 240, 64)").await.unwrap_err();
    assert!(error.contains("no network of 240 bits"), "{error}");
}

#[tokio::test]
async fn series_are_scored_by_time_or_day_and_each_partition_by_itself() {
    let sql = "
with points as (
  select
    series,
    cast(day as int) as day,
    case when series = 'b' and day = 60 then 900.0 when day = 55 and series = 'a' then null else 100.0 + day % 7 end as value
  from (select unnest(range(0, 61)) as day) cross join (values ('a'), ('b')) as s (series)
)
select series, day, round(scored['score'], 2) as score, round(scored['expected']) as expected,
  scored['low'] < value and value < scored['high'] as usual, scored['aspect'] as aspect
from (
  select *, series_score(date '2031-01-01' + cast(day as int), value, 1.0) over (partition by series order by date '2031-01-01' + cast(day as int)) as scored
  from points
)
where day in (0, 55, 60)
order by series, day";
    let expected = [
        "a | 0 | 0.0 |  |  | position",
        "a | 55 | 0.0 |  |  | position",
        "a | 60 | 0.0 | 104.0 | true | position",
        "b | 0 | 0.0 |  |  | position",
        "b | 55 | 0.0 | 106.0 | true | position",
        "b | 60 | 1.0 | 104.0 | false | position",
    ];
    let found = rows(sql).await.unwrap();
    let shape: Vec<String> = found.iter().map(|row| row.rsplit_once(" | ").unwrap().0.to_owned()).collect();
    let wanted: Vec<&str> = expected.iter().map(|row| row.rsplit_once(" | ").unwrap().0).collect();
    assert_eq!(shape[0], wanted[0], "{found:?}");
    assert!(found[5].starts_with("b | 60 | 1.0 |") && found[5].contains("| false |"), "{found:?}");
    assert!(found[2].starts_with("a | 60 | 0"), "{found:?}");
    let by_time = rows("
select max(scored['score']) > 0.9
from (select series_score(at, value, 0.0) over (order by at) as scored
  from (select to_timestamp_seconds(1924992000 + n * 3600) as at, case when n = 400 then 50.0 else n % 24 end as value
    from (select unnest(range(0, 401)) as n)))")
    .await;
    assert_eq!(by_time, Ok(vec!["true".to_owned()]));
    let unordered = rows(
        "
select series_score(at, 1.0, 0.0) over (order by at desc)
from (values (timestamp '2031-01-01T00:00:00Z'), (timestamp '2031-01-02T00:00:00Z')) as t (at)",
    )
    .await
    .unwrap_err();
    assert!(unordered.contains("order by at"), "{unordered}");
}

#[tokio::test]
async fn rarity_counts_what_lies_in_the_history() {
    let sql = "
select n, seen['seen'], seen['rows'], round(seen['share'], 2)
from (
  select n, rarity(who, to_timestamp_seconds(1924992000 + h * 3600), 48, 24) over (order by h) as seen
  from (values (1, 'a', 0), (2, 'b', 1), (3, 'a', 20), (4, 'a', 24), (5, 'b', 30), (6, 'c', 48), (7, null, 48), (8, 'a', 49), (9, 'a', 200)) as t (n, who, h)
)
order by n";
    let expected = [
        "1 | 0 | 0 | ",
        "2 | 0 | 0 | ",
        "3 | 0 | 0 | ",
        "4 | 1 | 1 | 1.0", // exactly a gap later
        "5 | 1 | 2 | 0.5",
        "6 | 0 | 4 | 0.0", // never seen: the first
        "7 |  | 4 | ",
        "8 | 2 | 3 | 0.67", // the first row is older than the history
        "9 | 0 | 0 | ",
    ];
    assert_eq!(rows(sql).await.unwrap(), expected);
    let error =
        rows("select rarity('a', timestamp '2031-01-01T00:00:00Z', 24, 24) over ()").await.unwrap_err();
    assert!(error.contains("leaves nothing"), "{error}");
    let error = rows("select rarity('a', timestamp '2031-01-01T00:00:00Z', 0, 0) over ()").await.unwrap_err();
    assert!(error.contains("history must be 1 to"), "{error}");
}

#[tokio::test]
async fn sequences_are_found_in_groups() {
    let sql = "
select who, found['first_at'], found['last_at']
from (
  select who, sequence_within(step, to_timestamp_seconds(1924992000 + h * 3600), 'sign-in > grant > deploy', 10800) as found
  from (values
    ('ann', 'sign-in', 1), ('ann', 'deploy', 4), ('ann', 'grant', 2), ('ann', 'other', 3),
    ('bob', 'sign-in', 1), ('bob', 'grant', 2), ('bob', 'deploy', 9),
    ('eve', null, 1)
  ) as t (who, step, h)
  group by who
)
order by who";
    let expected = ["ann | 2031-01-01T01:00:00Z | 2031-01-01T04:00:00Z", "bob |  | ", "eve |  | "];
    assert_eq!(rows(sql).await.unwrap(), expected);
}

#[tokio::test]
async fn addresses_have_places_once_there_is_a_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("places.mmdb");
    let write = |kind: &str| {
        let mut database = maxminddb_writer::Database::default();
        database.metadata.database_type = kind.to_owned();
        database.metadata.binary_format_major_version = 2;
        let berlin = serde_json::json!({
            "city": {"names": {"en": "Berlin"}},
            "country": {"iso_code": "DE"},
            "location": {"latitude": 52.52, "longitude": 13.405},
        });
        let berlin = database.insert_value(berlin).unwrap();
        let network: maxminddb_writer::paths::IpAddrWithMask = "203.0.113.0/24".parse().unwrap();
        database.insert_node(network, berlin);
        database.write_to(std::fs::File::create(&path).unwrap()).unwrap();
    };
    write("GeoLite2-City");
    let places = GeoDatabase::open(&path).unwrap();
    let sql = "select ip_location(address)['country'], ip_location(address)['city'], ip_location(address)['latitude'], ip_location(address) is null
        from (values ('203.0.113.9', 1), ('198.51.100.1', 2), ('no address', 3)) as t (address, n) order by n";
    let expected = ["DE | Berlin | 52.52 | false", " |  |  | true", " |  |  | true"];
    assert_eq!(rows_with(sql, Some(&places)).await.unwrap(), expected);

    write("GeoLite2-ASN");
    let error = GeoDatabase::open(&path).unwrap_err().to_string();
    assert!(error.contains("'GeoLite2-ASN' has no places"), "{error}");
    std::fs::write(&path, "text").unwrap();
    let error = GeoDatabase::open(&path).unwrap_err().to_string();
    assert!(error.contains("places.mmdb cannot be read") && error.contains(".mmdb)"), "{error}");
}
