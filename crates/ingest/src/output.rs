//! Where parsers put what they read: rows into batches, rejections to the sink, counts into the
//! summary. What goes in and what comes out is counted apart, so that nothing read can go missing.

use std::cell::OnceCell;
use std::io;

use alerts::{CustomerTenantId, SubscriptionId};
use arrow_array::RecordBatch;
use hashbrown::HashMap;

use crate::activity::ActivityRows;
use crate::advisory::AdvisoryRows;
use crate::columns::Common;
use crate::cost::CostRows;
use crate::discover::InputFile;
use crate::dns::DnsRows;
use crate::entra::{AuditRows, SignInRows};
use crate::flow::FlowRows;
use crate::inventory::InventoryRows;
use crate::read::{FileSummary, Item, Reading, Stop};
use crate::rejected::{KEPT_BYTES_MAX, Rejected, kept};
use crate::schema::Kind;
use crate::security_alert::SecurityAlertRows;
use crate::statement::{Origin, Statement};

/// How many bytes of input batches are made of at most, beside one record: more than the usual number of usual records
/// has.
const BATCH_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Normalised events of one kind, ready for the lake.
#[derive(Debug, Clone)]
pub struct EventBatch {
    /// The kind, hence the table.
    pub kind: Kind,
    /// The events, with the columns of [`Kind::schema`]; texts that come again and again are a
    /// [dictionary](crate::repeated_text) here.
    pub rows: RecordBatch,
    /// The subscriptions that the events name, by id, each once.
    pub subscriptions: Vec<SeenSubscription>,
}

/// A subscription as events named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenSubscription {
    /// The subscription.
    pub subscription_id: SubscriptionId,
    /// Its name, if a record told.
    pub name: Option<String>,
    /// Its customer's tenant, if a record told.
    pub customer_tenant_id: Option<CustomerTenantId>,
    /// The customer's name, if a record told.
    pub customer_name: Option<String>,
}

/// Why reading an input stopped.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The system could not read on.
    Read(io::Error),
    /// The sink wants no more.
    Stopped(Stop),
    /// Not all records that were met came out.
    Unaccounted { met: u64, accounted: u64 },
}

/// The sink of one input, with batches under way.
pub(crate) struct Output<'a> {
    pub(crate) reading: &'a Reading<'a>,
    place: Place<'a>,
    origin: OnceCell<Origin>,
    sink: &'a mut dyn FnMut(Item) -> Result<(), Stop>,
    summary: FileSummary,
    under_way: UnderWay,
    /// How many bytes were read for the batches under way, at most.
    bytes_under_way: usize,
}

/// What input it is that is read, and how.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    file: &'a str,
    source: Source<'a>,
    reading: &'a Reading<'a>,
}

/// Where an input is, to find out which statement of costs it belongs to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Source<'a> {
    File(&'a InputFile),
    Bytes(&'a [u8]),
}

/// The batches under way, one a kind.
#[derive(Default)]
pub(crate) struct UnderWay {
    pub(crate) activity: Pending<ActivityRows>,
    pub(crate) cost: Pending<CostRows>,
    pub(crate) flow: Pending<FlowRows>,
    pub(crate) sign_in: Pending<SignInRows>,
    pub(crate) audit: Pending<AuditRows>,
    pub(crate) dns: Pending<DnsRows>,
    pub(crate) inventory: Pending<InventoryRows>,
    pub(crate) advisory: Pending<AdvisoryRows>,
    pub(crate) security_alert: Pending<SecurityAlertRows>,
}

/// A normalised event of one kind; made by `rows!`.
pub(crate) trait Event {
    type Rows: Rows;
    /// Its kind's batch.
    fn batch(under_way: &mut UnderWay) -> &mut Pending<Self::Rows>;
    /// Adds a row for it.
    fn append(&self, rows: &mut Self::Rows, reading: &Reading<'_>) -> Common<'_>;
}

/// Builders of one kind's columns.
pub(crate) trait Rows: Default {
    const KIND: Kind;
    /// The rows so far; none are left behind.
    fn finish(&mut self) -> RecordBatch;
}

/// A batch under way.
pub(crate) struct Pending<R> {
    /// Made with the first event: an input holds few kinds, and builders of all the columns of all kinds are
    /// more than a small input is worth.
    rows: Option<R>,
    count: usize,
    subscriptions: HashMap<String, Names>,
    /// The subscription of the last event, and what is known of it: records come in runs.
    last: (String, [bool; 3]),
}

impl<R> Default for Pending<R> {
    fn default() -> Self {
        Self { rows: None, count: 0, subscriptions: HashMap::new(), last: Default::default() }
    }
}

#[derive(Default)]
struct Names {
    name: Option<String>,
    customer_tenant_id: Option<String>,
    customer_name: Option<String>,
}

impl<'a> Output<'a> {
    pub(crate) fn new(
        file: &'a str,
        source: Source<'a>,
        reading: &'a Reading<'a>,
        sink: &'a mut dyn FnMut(Item) -> Result<(), Stop>,
    ) -> Self {
        Self::at(Place { file, source, reading }, sink)
    }

    /// A further output of an input that is read on several threads; see [`Output::add_counts`].
    pub(crate) fn at(place: Place<'a>, sink: &'a mut dyn FnMut(Item) -> Result<(), Stop>) -> Self {
        Self {
            reading: place.reading,
            place,
            origin: OnceCell::new(),
            sink,
            summary: FileSummary::default(),
            under_way: UnderWay::default(),
            bytes_under_way: 0,
        }
    }

    /// The input.
    pub(crate) fn place(&self) -> Place<'a> {
        self.place
    }

    /// Passes on what a further output gave.
    pub(crate) fn pass(&mut self, item: Item) -> Result<(), Failure> {
        (self.sink)(item).map_err(Failure::Stopped)
    }

    /// Adds what a further output took and rejected.
    pub(crate) fn add_counts(&mut self, counts: &FileSummary) {
        for (sum, count) in self.summary.by_kind.iter_mut().zip(counts.by_kind) {
            *sum += count;
        }
        self.summary.read += counts.read;
        self.summary.rejected += counts.rejected;
        self.summary.empty += counts.empty;
    }

    /// Ends a further output: passes on the batches under way, and gives its counts. What was met is counted where
    /// the input is cut, so that the two are not compared here.
    pub(crate) fn into_counts(mut self) -> Result<FileSummary, Failure> {
        self.flush()?;
        Ok(self.summary)
    }

    /// The statement that the input's costs are part of. Found out only for costs: files are read for it.
    pub(crate) fn origin(&self) -> Origin {
        let arrived_at = self.reading.arrived_at;
        *self.origin.get_or_init(|| {
            let found = match (self.reading.statement, self.place.source) {
                (Some(statement), _) => Origin::of_named(self.place.file, statement),
                (None, Source::File(file)) => Origin::of_file(file, arrived_at),
                (None, Source::Bytes(bytes)) => {
                    Origin::of_named(self.place.file, Statement::of_bytes(bytes, arrived_at))
                }
            };
            Origin { is_amortized: self.reading.is_amortized.or(found.is_amortized), ..found }
        })
    }

    /// Notes how many bytes were read, before a record is taken of them. Batches under way that may have become large
    /// by now are passed on, so that memory stays bounded however large the records are.
    pub(crate) fn passed(&mut self, bytes: usize) -> Result<(), Failure> {
        self.bytes_under_way += bytes;
        if self.bytes_under_way <= BATCH_BYTES_MAX {
            return Ok(());
        }
        self.bytes_under_way = bytes;
        self.flush()
    }

    /// Counts records where they are met, before anything is done with them; each is then taken or rejected,
    /// once. [`Output::finish`] compares.
    pub(crate) fn met(&mut self, records: u64) {
        self.summary.read += records;
    }

    /// Takes an event.
    pub(crate) fn take<E: Event>(&mut self, event: &E) -> Result<(), Failure> {
        let batch = E::batch(&mut self.under_way);
        let common = event.append(batch.rows.get_or_insert_default(), self.reading);
        batch.saw(&common);
        self.summary.by_kind[E::Rows::KIND as usize] += 1;
        batch.count_row(self.reading, self.sink)
    }

    /// Notes a record that says, as it may, that nothing happened, or a manifest, which is about files. It is not
    /// counted as met.
    pub(crate) fn empty(&mut self) {
        self.summary.empty += 1;
    }

    /// Passes on a record that could not be read; `text` is all of it.
    pub(crate) fn reject(
        &mut self,
        line: u64,
        kind: Option<Kind>,
        reason: String,
        text: &[u8],
    ) -> Result<(), Failure> {
        let is_kept_whole = text.len() < KEPT_BYTES_MAX;
        // What is not text is kept with replacements, which are not to be taken in for it. What says nothing,
        // such as an empty list, would be read again as nothing, and be gone.
        let is_nothing = |c: char| c.is_whitespace() || matches!(c, ',' | '[' | ']' | '\u{feff}');
        let says_something = std::str::from_utf8(text).is_ok_and(|text| !text.chars().all(is_nothing));
        self.pass_on(line, kind, reason, text, is_kept_whole && says_something)
    }

    /// Meets and passes on an input that is refused as a whole, or from here on.
    pub(crate) fn refuse(
        &mut self,
        line: u64,
        kind: Option<Kind>,
        reason: String,
        text: &[u8],
    ) -> Result<(), Failure> {
        self.met(1);
        self.reject_part(line, kind, reason, text)
    }

    /// Passes on what could not be read and cannot be read without what stands around it.
    pub(crate) fn reject_part(
        &mut self,
        line: u64,
        kind: Option<Kind>,
        reason: String,
        text: &[u8],
    ) -> Result<(), Failure> {
        self.pass_on(line, kind, reason, text, false)
    }

    fn pass_on(
        &mut self,
        line: u64,
        kind: Option<Kind>,
        reason: String,
        text: &[u8],
        is_complete: bool,
    ) -> Result<(), Failure> {
        self.summary.rejected += 1;
        let file = self.place.file.to_owned();
        let rejected = Rejected { file, line, kind, reason, record: kept(text), is_complete };
        (self.sink)(Item::Rejected(rejected)).map_err(Failure::Stopped)
    }

    /// Passes on the batches under way, and gives the counts.
    pub(crate) fn finish(mut self) -> Result<FileSummary, Failure> {
        self.flush()?;
        let (met, accounted) = (self.summary.read, self.summary.stored() + self.summary.rejected);
        if met == accounted { Ok(self.summary) } else { Err(Failure::Unaccounted { met, accounted }) }
    }

    fn flush(&mut self) -> Result<(), Failure> {
        let UnderWay { activity, cost, flow, sign_in, audit, dns, inventory, advisory, security_alert } =
            &mut self.under_way;
        activity.flush(self.sink)?;
        cost.flush(self.sink)?;
        flow.flush(self.sink)?;
        sign_in.flush(self.sink)?;
        audit.flush(self.sink)?;
        dns.flush(self.sink)?;
        inventory.flush(self.sink)?;
        advisory.flush(self.sink)?;
        security_alert.flush(self.sink)
    }
}

impl<R: Rows> Pending<R> {
    fn count_row(
        &mut self,
        reading: &Reading<'_>,
        sink: &mut dyn FnMut(Item) -> Result<(), Stop>,
    ) -> Result<(), Failure> {
        self.count += 1;
        if self.count >= reading.rows_per_batch { self.flush(sink) } else { Ok(()) }
    }

    fn flush(&mut self, sink: &mut dyn FnMut(Item) -> Result<(), Stop>) -> Result<(), Failure> {
        let Some(rows) = self.rows.as_mut().filter(|_| self.count > 0) else { return Ok(()) };
        self.count = 0;
        self.last = Default::default();
        let mut subscriptions: Vec<SeenSubscription> = self.subscriptions.drain().filter_map(seen).collect();
        subscriptions.sort_by(|one, other| one.subscription_id.as_str().cmp(other.subscription_id.as_str()));
        let batch = EventBatch { kind: R::KIND, rows: rows.finish(), subscriptions };
        sink(Item::Batch(batch)).map_err(Failure::Stopped)
    }

    /// Notes a subscription; what an earlier event said of it stays.
    fn saw(&mut self, common: &Common<'_>) {
        let Some(id) = common.subscription_id else { return };
        let told = [common.names.subscription, common.customer_tenant_id, common.names.customer];
        let (last, known) = &mut self.last;
        if last == id && told.iter().zip(*known).all(|(told, is_known)| is_known || told.is_none()) {
            return;
        }
        let names = match self.subscriptions.get_mut(id) {
            Some(names) => names,
            None => self.subscriptions.entry(id.to_owned()).or_default(),
        };
        let fill = |known: &mut Option<String>, told: Option<&str>| {
            if known.is_none() {
                *known = told.map(str::to_owned);
            }
        };
        let places = [&mut names.name, &mut names.customer_tenant_id, &mut names.customer_name];
        for (place, told) in places.into_iter().zip(told) {
            fill(place, told);
        }
        id.clone_into(last);
        *known = [&names.name, &names.customer_tenant_id, &names.customer_name].map(Option::is_some);
    }
}

/// `None` if the id is not one; parsers let only ids through, so that is for safety alone.
fn seen((id, names): (String, Names)) -> Option<SeenSubscription> {
    Some(SeenSubscription {
        subscription_id: id.parse().ok()?,
        name: names.name,
        customer_tenant_id: names.customer_tenant_id.and_then(|id| id.parse().ok()),
        customer_name: names.customer_name,
    })
}
