//! What a commit brought for each customer and subscription.

use alerts::{CustomerTenantId, SubscriptionId};
use arrow_array::RecordBatch;
use arrow_array::cast::AsArray as _;
use arrow_array::types::TimestampMicrosecondType;
use chrono::{DateTime, Utc};
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use ingest::Texts;
use ingest::schema::Kind;
use store::{Arrival, StoreError};

use crate::app::Instance;

/// What several commits brought, added up until it is noted: large files bring the same subscriptions in each of
/// their commits, and a note costs a statement for each.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    arrivals: HashMap<(String, Option<CustomerTenantId>, Option<SubscriptionId>), Arrival>,
}

impl Tally {
    /// Adds what a commit brought.
    pub(crate) fn add(&mut self, arrivals: Vec<Arrival>) {
        for arrival in arrivals {
            let key =
                (arrival.kind.clone(), arrival.customer_tenant_id.clone(), arrival.subscription_id.clone());
            match self.arrivals.entry(key) {
                Entry::Occupied(mut known) => known.get_mut().add(&arrival),
                Entry::Vacant(place) => {
                    place.insert(arrival);
                }
            }
        }
    }

    /// Notes what was added since the last note.
    ///
    /// # Errors
    ///
    /// [`StoreError`] of the store; then it is still to be noted.
    pub(crate) async fn note(&mut self, instance: &Instance, now: DateTime<Utc>) -> Result<(), StoreError> {
        if self.arrivals.is_empty() {
            return Ok(());
        }
        let arrivals: Vec<Arrival> = self.arrivals.values().cloned().collect();
        instance.store.note_arrivals(&instance.scope(), &arrivals, now).await?;
        self.arrivals.clear();
        Ok(())
    }
}

/// Adds up the rows of batches of one kind by whose they are; `is_new` has an entry for each row.
///
/// A row whose owner is no identity counts as one of nobody.
pub(crate) fn arrivals(kind: Kind, batches: &[RecordBatch], is_new: &[bool]) -> Vec<Arrival> {
    let mut sums: Vec<(Owner<'_>, Sum)> = Vec::new();
    let mut places: HashMap<Owner<'_>, usize> = HashMap::new();
    let mut is_new = is_new.iter();
    for batch in batches {
        let text = |name| batch.column_by_name(name).and_then(|column| Texts::of(column));
        let times = batch.column_by_name("event_at");
        let times = times.and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>());
        let (Some(customers), Some(subscriptions), Some(times)) =
            (text("customer_tenant_id"), text("subscription_id"), times)
        else {
            continue;
        };
        // Rows of a subscription come in runs.
        let mut last = None;
        let owners = customers.iter().zip(subscriptions.iter());
        for ((owner, time), is_new) in owners.zip(times.values()).zip(is_new.by_ref()) {
            let place = match last {
                Some((of, place)) if of == owner => place,
                _ => *places.entry(owner).or_insert_with(|| {
                    sums.push((owner, Sum { first: *time, last: *time, stored: 0, duplicates: 0 }));
                    sums.len() - 1
                }),
            };
            last = Some((owner, place));
            sums[place].1.add(*time, *is_new);
        }
    }
    sums.into_iter().map(|(owner, sum)| sum.arrival(kind, owner)).collect()
}

/// Customer and subscription.
type Owner<'a> = (Option<&'a str>, Option<&'a str>);

/// What came of one owner; times in microseconds since 1970.
struct Sum {
    first: i64,
    last: i64,
    stored: u64,
    duplicates: u64,
}

impl Sum {
    fn add(&mut self, time: i64, is_new: bool) {
        self.first = self.first.min(time);
        self.last = self.last.max(time);
        self.stored += u64::from(is_new);
        self.duplicates += u64::from(!is_new);
    }

    fn arrival(self, kind: Kind, (customer, subscription): Owner<'_>) -> Arrival {
        Arrival {
            kind: kind.name().to_owned(),
            customer_tenant_id: customer.and_then(|id| id.parse().ok()),
            subscription_id: subscription.and_then(|id| id.parse().ok()),
            first_event_at: DateTime::from_timestamp_micros(self.first),
            last_event_at: DateTime::from_timestamp_micros(self.last),
            stored: self.stored,
            duplicates: self.duplicates,
            rejected: 0,
        }
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
    fn commits_add_up_by_whose_they_are() {
        let mut tally = Tally::default();
        for (rows, is_new) in [
            (&[(Some("c"), Some("s"), 30), (Some("d"), None, 9)][..], &[true, true][..]),
            (&[(Some("c"), Some("s"), 20)], &[false]),
            (&[(Some("c"), Some("s"), 50)], &[true]),
        ] {
            tally.add(arrivals(Kind::Cost, &[batch(rows)], is_new));
        }
        let mut all: Vec<_> = tally
            .arrivals
            .values()
            .map(|all| {
                let times = [all.first_event_at, all.last_event_at];
                (all.stored, all.duplicates, times.map(|time| time.unwrap().timestamp_micros()))
            })
            .collect();
        all.sort_unstable();
        assert_eq!(all, [(1, 0, [9, 9]), (2, 1, [20, 50])]);
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
