//! What a commit brought for each customer and subscription.

use std::collections::HashMap;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray as _;
use arrow_array::types::TimestampMicrosecondType;
use chrono::DateTime;
use ingest::schema::Kind;
use store::Arrival;

/// Adds up the rows of batches of one kind by whose they are; `is_new` has an entry for each row.
///
/// A row whose owner is no identity counts as one of nobody.
pub(crate) fn arrivals(kind: Kind, batches: &[RecordBatch], is_new: &[bool]) -> Vec<Arrival> {
    let mut found: Vec<Arrival> = Vec::new();
    let mut places: HashMap<(Option<&str>, Option<&str>), usize> = HashMap::new();
    let mut row_of_all = 0;
    for batch in batches {
        let text = |name| batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
        let times = batch.column_by_name("event_at");
        let times = times.and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>());
        let (Some(customers), Some(subscriptions), Some(times)) =
            (text("customer_tenant_id"), text("subscription_id"), times)
        else {
            continue;
        };
        // Rows of a subscription come in runs.
        let mut last = None;
        for ((customer, subscription), time) in customers.iter().zip(subscriptions).zip(times.values()) {
            let owner = (customer, subscription);
            let place = match last {
                Some((of, place)) if of == owner => place,
                _ => *places.entry(owner).or_insert_with(|| {
                    found.push(nothing(kind, customer, subscription));
                    found.len() - 1
                }),
            };
            last = Some((owner, place));
            let arrival = &mut found[place];
            if is_new[row_of_all] {
                arrival.stored += 1;
            } else {
                arrival.duplicates += 1;
            }
            row_of_all += 1;
            let at = DateTime::from_timestamp_micros(*time);
            arrival.first_event_at = arrival.first_event_at.min(at).or(at);
            arrival.last_event_at = arrival.last_event_at.max(at);
        }
    }
    found
}

fn nothing(kind: Kind, customer: Option<&str>, subscription: Option<&str>) -> Arrival {
    Arrival {
        kind: kind.name().to_owned(),
        customer_tenant_id: customer.and_then(|id| id.parse().ok()),
        subscription_id: subscription.and_then(|id| id.parse().ok()),
        first_event_at: None,
        last_event_at: None,
        stored: 0,
        duplicates: 0,
        rejected: 0,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, StringArray, TimestampMicrosecondArray};

    use super::*;

    fn batch(rows: &[(Option<&str>, Option<&str>, i64)]) -> RecordBatch {
        let customers: StringArray = rows.iter().map(|row| row.0).collect();
        let subscriptions: StringArray = rows.iter().map(|row| row.1).collect();
        let times: TimestampMicrosecondArray = rows.iter().map(|row| Some(row.2)).collect();
        RecordBatch::try_from_iter([
            ("customer_tenant_id", Arc::new(customers) as ArrayRef),
            ("subscription_id", Arc::new(subscriptions) as ArrayRef),
            ("event_at", Arc::new(times.with_timezone("UTC")) as ArrayRef),
        ])
        .unwrap()
    }

    #[test]
    fn rows_add_up_by_whose_they_are() {
        let one = batch(&[(Some("c"), Some("s"), 30), (Some("c"), Some("s"), 10), (None, None, 5)]);
        let two = batch(&[(Some("c"), Some("s"), 20), (Some("c"), None, 7)]);
        let found = arrivals(Kind::Flow, &[one, two], &[true, false, true, true, false]);
        let shown: Vec<_> = found
            .iter()
            .map(|arrival| {
                let times = [arrival.first_event_at, arrival.last_event_at];
                let times = times.map(|time| time.unwrap().timestamp_micros());
                (arrival.subscription_id.is_some(), arrival.stored, arrival.duplicates, times)
            })
            .collect();
        assert_eq!(shown, [(true, 2, 1, [10, 30]), (false, 1, 0, [5, 5]), (false, 0, 1, [7, 7])]);
        assert!(found.iter().all(|arrival| arrival.kind == "flow"));
    }
}
