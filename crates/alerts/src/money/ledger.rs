//! What of a subscription's spending is the excess of an alert.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};

use super::run::lies_in;
use super::{
    Amount, Basis, Currency, MoneyAtRisk, PARTS_MAX, Part, PriceBook, Priced, Run, State, Total, home,
};

/// How long before an alert's first evidence things may have been made that belong to it: mining starts after the
/// machines do.
pub const LEAD: TimeDelta = TimeDelta::hours(24);

/// A bill of a day that is older says nothing of what something costs now.
const BILL_FRESH_FOR: TimeDelta = TimeDelta::days(4);

/// What was there before counts once a day costs half as much again as usual: three halves.
const RISE: (u32, u32) = (3, 2);

/// What a resource was billed in one currency.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bill {
    /// What it used to cost a day, before any of the subscription's alerts.
    pub usual_a_day: Amount,
    /// What it cost on the days since.
    pub days: BTreeMap<NaiveDate, Amount>,
}

impl Bill {
    fn add(&mut self, other: &Self) {
        self.usual_a_day = self.usual_a_day.plus(other.usual_a_day);
        for (day, amount) in &other.days {
            let sum = self.days.entry(*day).or_default();
            *sum = sum.plus(*amount);
        }
    }
}

/// What an alert is about, as far as that can cost money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concern {
    /// When its evidence starts.
    pub since: DateTime<Utc>,
    /// When it was resolved, or now.
    pub until: DateTime<Utc>,
    /// Paths that it names, in lower case; what lies below them is meant too.
    pub paths: BTreeSet<String>,
    /// Callers that it names, in lower case; what they made is meant too.
    pub callers: BTreeSet<String>,
    /// Whether it is about all that the subscription spends.
    pub is_whole_subscription: bool,
    /// Whether it is open, so that it counts in the sums over alerts.
    pub is_open: bool,
}

/// What ran on a subscription, and what it was billed.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    /// What ran.
    pub runs: Vec<Run>,
    /// When something ended, by its path.
    pub ends: Vec<(String, DateTime<Utc>)>,
    /// Bills by the path of what is billed, in lower case, and currency.
    pub bills: BTreeMap<String, BTreeMap<Currency, Bill>>,
    /// Days before this are billed in full; `None` if there are no bills.
    pub settled_until: Option<NaiveDate>,
    /// The currency of the subscription's bills.
    pub currency: Option<Currency>,
}

impl Ledger {
    /// Takes what the nodes of a Kubernetes cluster are billed as that of the cluster: they are scale sets in a group
    /// that Azure names after it, made by the cluster itself. Its pools say what runs, so the sets say nothing more.
    pub fn gather_clusters(&mut self) {
        let clusters: BTreeSet<String> = self
            .runs
            .iter()
            .map(|run| home(&run.path).to_owned())
            .filter(|home| home.contains("/microsoft.containerservice/managedclusters/"))
            .collect();
        for cluster in clusters {
            let parts: Vec<&str> = cluster.split('/').collect();
            let ["", "subscriptions", subscription, "resourcegroups", group, .., name] = parts.as_slice()
            else {
                continue;
            };
            let nodes = format!("/subscriptions/{subscription}/resourcegroups/mc_{group}_{name}_");
            self.runs.retain(|run| !run.path.starts_with(&nodes));
            let billed: Vec<String> =
                self.bills.keys().filter(|path| path.starts_with(&nodes)).cloned().collect();
            for path in billed {
                for (currency, bill) in self.bills.remove(&path).unwrap_or_default() {
                    self.bills.entry(cluster.clone()).or_default().entry(currency).or_default().add(&bill);
                }
            }
        }
    }

    /// The money at risk of each of the subscription's alerts, in their order, the oldest first.
    ///
    /// Where several open alerts are about one resource, the one for which it cost most counts it in the sums over alerts;
    /// of equal ones the first.
    #[must_use]
    pub fn reckon(&self, concerns: &[Concern], prices: &PriceBook) -> Vec<MoneyAtRisk> {
        let parts: Vec<Vec<Part>> = concerns.iter().map(|concern| self.parts(concern, prices)).collect();
        let mut counts: BTreeMap<(&str, &Currency), (usize, Amount, Amount)> = BTreeMap::new();
        for (number, (concern, parts)) in concerns.iter().zip(&parts).enumerate() {
            for part in parts.iter().filter(|_| concern.is_open) {
                let Some(currency) = &part.currency else { continue };
                let key = (part.resource.as_str(), currency);
                let dearest = counts.entry(key).or_insert((number, part.so_far, part.per_hour));
                if (part.so_far, part.per_hour) > (dearest.1, dearest.2) {
                    *dearest = (number, part.so_far, part.per_hour);
                }
            }
        }
        let counts = |number: usize, part: &Part| {
            let key = part.currency.as_ref().map(|currency| (part.resource.as_str(), currency));
            key.and_then(|key| counts.get(&key)).is_some_and(|(counting, ..)| *counting == number)
        };
        let totals: Vec<Vec<Total>> =
            parts.iter().enumerate().map(|(number, of)| totals(of, |part| counts(number, part))).collect();
        let each = concerns.iter().zip(totals).zip(parts);
        each.map(|((concern, totals), mut parts)| {
            parts.sort_by(|a, b| {
                let dearest = (b.per_hour, b.so_far).cmp(&(a.per_hour, a.so_far));
                a.currency.cmp(&b.currency).then(dearest).then_with(|| a.resource.cmp(&b.resource))
            });
            let more_parts = parts.len().saturating_sub(PARTS_MAX);
            parts.truncate(PARTS_MAX);
            MoneyAtRisk { as_of: concern.until, totals, parts, more_parts }
        })
        .collect()
    }

    fn parts(&self, concern: &Concern, prices: &PriceBook) -> Vec<Part> {
        let mut runs_of: BTreeMap<&str, Vec<&Run>> = BTreeMap::new();
        for run in &self.runs {
            runs_of.entry(home(&run.path)).or_default().push(run);
        }
        let homes: BTreeSet<&str> =
            runs_of.keys().copied().chain(self.bills.keys().map(String::as_str)).collect();
        let none = Vec::new();
        homes
            .into_iter()
            .flat_map(|home| {
                let runs = runs_of.get(home).unwrap_or(&none);
                let runs: Vec<&Run> =
                    runs.iter().filter(|run| self.counts(concern, home, run)).copied().collect();
                let is_named = concern.is_whole_subscription || concern.names(home);
                if is_named || !runs.is_empty() {
                    self.of_home(concern, home, &runs, prices)
                } else {
                    Vec::new()
                }
            })
            .collect()
    }

    /// Whether a run belongs to an alert.
    fn counts(&self, concern: &Concern, home: &str, run: &Run) -> bool {
        let is_new = run.until.is_none_or(|until| until > concern.since) && run.from >= concern.since - LEAD;
        // Of what was there before, only a bill tells what is more than usual.
        let can_tell = !run.was_there || self.bills.contains_key(home);
        let is_meant = concern.is_whole_subscription
            || concern.names(&run.path)
            || !concern.callers.is_disjoint(&run.callers);
        run.from < concern.until && is_new && can_tell && is_meant
    }

    /// What one resource costs: in each currency in which it is billed or priced.
    fn of_home(&self, concern: &Concern, home: &str, runs: &[&Run], prices: &PriceBook) -> Vec<Part> {
        let none = BTreeMap::new();
        let bills = self.bills.get(home).unwrap_or(&none);
        let wanted = bills.keys().next().or(self.currency.as_ref());
        let mut timed = Vec::new();
        let mut has_unpriced = false;
        for (run, machines) in runs.iter().flat_map(|run| run.machines.iter().map(move |of| (run, of))) {
            let find =
                |currency| prices.find(&machines.size, run.region.as_deref(), machines.priority, currency);
            // A price in another currency than the bills' is better than none, and says which it is in.
            match find(wanted).or_else(|| find(None)) {
                Some(priced) => {
                    timed.push(Timed { run, per_hour: priced.per_hour.times(machines.count), priced })
                }
                None => has_unpriced = true,
            }
        }
        let look = Look { concern, home, runs, bills, timed: &timed, ledger: self };
        let currencies: BTreeSet<&Currency> =
            bills.keys().chain(timed.iter().map(|timed| &timed.priced.currency)).collect();
        let mut parts: Vec<Part> =
            currencies.into_iter().filter_map(|currency| look.part(currency)).collect();
        let is_billed = parts.iter().any(|part| !part.billed.is_zero());
        if has_unpriced && !is_billed {
            parts.push(look.shape(None, Vec::new()));
        }
        parts
    }
}

fn totals(parts: &[Part], counts: impl Fn(&Part) -> bool) -> Vec<Total> {
    let mut totals: BTreeMap<&Currency, Total> = BTreeMap::new();
    for part in parts {
        let Some(currency) = &part.currency else { continue };
        let zero = Amount::ZERO;
        let total = totals.entry(currency).or_insert_with(|| Total {
            currency: currency.clone(),
            so_far: zero,
            billed: zero,
            per_hour: zero,
            counted_so_far: zero,
            counted_per_hour: zero,
        });
        total.so_far = total.so_far.plus(part.so_far);
        total.billed = total.billed.plus(part.billed);
        total.per_hour = total.per_hour.plus(part.per_hour);
        if counts(part) {
            total.counted_so_far = total.counted_so_far.plus(part.so_far);
            total.counted_per_hour = total.counted_per_hour.plus(part.per_hour);
        }
    }
    totals.into_values().collect()
}

impl Concern {
    /// Whether the alert names a resource, something in it, or the group that it is in. One that names a whole
    /// subscription, as rights over it do, names nothing in it.
    fn names(&self, path: &str) -> bool {
        const SLASHES_OF_GROUP: usize = 4;
        let is_narrow = |path: &str| path.matches('/').count() >= SLASHES_OF_GROUP;
        is_narrow(path)
            && self
                .paths
                .iter()
                .any(|named| is_narrow(named) && (lies_in(named, path) || lies_in(path, named)))
    }
}

/// A run with what it costs by the hour.
struct Timed<'r> {
    run: &'r Run,
    per_hour: Amount,
    priced: Priced,
}

/// A look at one resource for one alert.
struct Look<'l> {
    concern: &'l Concern,
    home: &'l str,
    runs: &'l [&'l Run],
    bills: &'l BTreeMap<Currency, Bill>,
    timed: &'l [Timed<'l>],
    ledger: &'l Ledger,
}

impl Look<'_> {
    /// The resource in one currency; `None` if it costs no more than it used to.
    fn part(&self, currency: &Currency) -> Option<Part> {
        let bill = self.bills.get(currency);
        let usual = bill.map_or(Amount::ZERO, |bill| bill.usual_a_day);
        let mut basis = BTreeSet::new();
        let (mut so_far, mut billed_so_far) = (Amount::ZERO, Amount::ZERO);
        let first = self.first_at().date_naive();
        let last = self.concern.until.date_naive();
        for day in first.iter_days().take_while(|day| *day <= last) {
            let (start, end) = (midnight(day), (midnight(day) + TimeDelta::days(1)).min(self.concern.until));
            let billed = bill.and_then(|bill| bill.days.get(&day)).copied().unwrap_or_default();
            let ran = if self.is_settled(day) || self.is_billed_otherwise(currency, day) {
                Amount::ZERO
            } else {
                self.ran(currency, start, end)
            };
            let usual_part = usual.part(u32::try_from((end - start).num_minutes()).unwrap_or(0), 24 * 60);
            let excess = excess(billed.max(ran), usual_part);
            let of_bill = excess.min(billed.less(usual_part));
            so_far = so_far.plus(excess);
            billed_so_far = billed_so_far.plus(of_bill);
            if !of_bill.is_zero() {
                basis.insert(Basis::Billed);
            }
            if excess > of_bill {
                basis.extend(
                    self.timed
                        .iter()
                        .filter(|timed| timed.priced.currency == *currency)
                        .map(|timed| timed.priced.basis),
                );
            }
        }
        let per_hour = self.per_hour(currency, usual, &mut basis);
        if so_far.is_zero() && per_hour.is_zero() {
            return None;
        }
        let part = self.shape(Some(currency.clone()), basis.into_iter().collect());
        Some(Part { so_far, billed: billed_so_far, per_hour, ..part })
    }

    /// The part without its figures.
    fn shape(&self, currency: Option<Currency>, basis: Vec<Basis>) -> Part {
        let until = self.concern.until;
        let running = |run: &&&Run| run.until.is_none_or(|end| end > until);
        let going_on: Vec<&&Run> = self.runs.iter().filter(running).collect();
        let state = match (self.runs.is_empty(), going_on.is_empty()) {
            (false, false) => State::Running,
            (false, true) => State::Ended,
            (true, _) if self.ended_since(self.first_at()) => State::Ended,
            (true, _) => State::Billed,
        };
        let ended_at = self.runs.iter().filter_map(|run| run.until).max();
        let shown = if going_on.is_empty() { self.runs.iter().collect() } else { going_on };
        Part {
            resource: self.home.to_owned(),
            machines: in_words(&shown),
            state,
            from: self.runs.iter().map(|run| run.from).min().unwrap_or(self.concern.since),
            until: ended_at.filter(|_| state == State::Ended),
            currency,
            so_far: Amount::ZERO,
            billed: Amount::ZERO,
            per_hour: Amount::ZERO,
            basis,
        }
    }

    /// From when on the resource is counted.
    fn first_at(&self) -> DateTime<Utc> {
        let made = self.runs.iter().map(|run| run.from).min();
        made.map_or(self.concern.since, |made| made.min(self.concern.since).max(self.concern.since - LEAD))
    }

    fn is_settled(&self, day: NaiveDate) -> bool {
        self.ledger.settled_until.is_some_and(|until| day < until)
    }

    /// Whether the day's bill is in another currency: what ran is on it, and is not to count twice.
    fn is_billed_otherwise(&self, currency: &Currency, day: NaiveDate) -> bool {
        let mut others = self.bills.iter().filter(|(other, _)| *other != currency);
        others.any(|(_, bill)| bill.days.get(&day).is_some_and(|amount| !amount.is_zero()))
    }

    /// What ran between two times, by its price.
    fn ran(&self, currency: &Currency, start: DateTime<Utc>, end: DateTime<Utc>) -> Amount {
        let of_currency = self.timed.iter().filter(|timed| timed.priced.currency == *currency);
        of_currency.fold(Amount::ZERO, |sum, timed| {
            sum.plus(timed.per_hour.for_time(overlap(timed.run, start, end)))
        })
    }

    /// What it costs by the hour at the end of the look.
    fn per_hour(&self, currency: &Currency, usual: Amount, basis: &mut BTreeSet<Basis>) -> Amount {
        let runs_on = |run: &Run| run.until.is_none_or(|end| end > self.concern.until);
        let running =
            self.timed.iter().filter(|timed| timed.priced.currency == *currency && runs_on(timed.run));
        let mut sum = Amount::ZERO;
        for timed in running {
            sum = sum.plus(timed.per_hour);
            basis.insert(timed.priced.basis);
        }
        if !sum.is_zero() {
            return excess(sum, usual.part(1, 24));
        }
        // Where no price is known, or nothing tells of what ran, the last full bill says it, unless that has ended.
        let has_ended = !self.runs.is_empty() && !self.runs.iter().any(|run| runs_on(run));
        let Some(day) = self.ledger.settled_until.and_then(|until| until.pred_opt()) else {
            return Amount::ZERO;
        };
        let (start, end) = (midnight(day), midnight(day) + TimeDelta::days(1));
        let is_old = self.concern.until - end > BILL_FRESH_FOR;
        if has_ended || is_old || !self.timed.is_empty() || self.ended_since(start) {
            return Amount::ZERO;
        }
        let billed =
            self.bills.get(currency).and_then(|bill| bill.days.get(&day)).copied().unwrap_or_default();
        let from = self.runs.iter().map(|run| run.from).min().map_or(start, |from| from.clamp(start, end));
        let rate = excess(billed, usual).per_hour_of(end - from);
        if !rate.is_zero() {
            basis.insert(Basis::Billed);
        }
        rate
    }

    /// Whether the resource, or something that holds it, ended after a time.
    fn ended_since(&self, since: DateTime<Utc>) -> bool {
        let mut ends = self.ledger.ends.iter();
        ends.any(|(path, at)| *at >= since && *at <= self.concern.until && lies_in(self.home, path))
    }
}

/// What is more than usual, if it is so by enough.
fn excess(amount: Amount, usual: Amount) -> Amount {
    let is_rise = usual.is_zero() || amount >= usual.part(RISE.0, RISE.1);
    if is_rise { amount.less(usual) } else { Amount::ZERO }
}

/// How long a run ran between two times.
fn overlap(run: &Run, start: DateTime<Utc>, end: DateTime<Utc>) -> TimeDelta {
    let until = run.until.map_or(end, |until| until.min(end));
    (until - run.from.max(start)).max(TimeDelta::zero())
}

fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

/// Machines as people read them: `4 × standard_d4s_v5, 40 × standard_f72s_v2 (spot)`.
fn in_words(runs: &[&&Run]) -> String {
    let mut counts: BTreeMap<(&str, super::Priority), u32> = BTreeMap::new();
    // Of several runs of one resource, one after the other, the last says what it is.
    let mut last_of: BTreeMap<&str, &Run> = BTreeMap::new();
    for run in runs {
        let last = last_of.entry(run.path.as_str()).or_insert(run);
        if run.from >= last.from {
            *last = run;
        }
    }
    for machines in last_of.values().flat_map(|run| &run.machines) {
        let count = counts.entry((machines.size.as_str(), machines.priority)).or_default();
        *count = count.saturating_add(machines.count);
    }
    let words = counts.into_iter().map(|((size, priority), count)| match priority {
        super::Priority::Regular => format!("{count} × {size}"),
        super::Priority::Spot => format!("{count} × {size} (spot)"),
    });
    words.collect::<Vec<_>>().join(", ")
}
