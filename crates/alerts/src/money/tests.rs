//! What an incident costs, case by case. It is noon of 10 March unless a case says otherwise.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};

use super::*;

const GROUP: &str = "/subscriptions/s/resourcegroups/g/providers";
const SIZE: &str = "standard_nc24ads_a100_v4";

fn at(text: &str) -> DateTime<Utc> {
    let (day, time) = text.split_once(' ').unwrap();
    format!("2031-03-{day}T{time}:00Z").parse().unwrap()
}

fn day(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2031, 3, day).unwrap()
}

fn units(units: f64) -> Amount {
    Amount::of_price(units).unwrap()
}

fn code(text: &str) -> Currency {
    text.parse().unwrap()
}

fn machine(name: &str) -> String {
    format!("{GROUP}/microsoft.compute/virtualmachines/{name}")
}

fn spot(count: u32) -> Machines {
    Machines { size: SIZE.to_owned(), priority: Priority::Spot, count }
}

fn regular(count: u32) -> Machines {
    Machines { size: SIZE.to_owned(), priority: Priority::Regular, count }
}

fn event(time: &str, path: &str, act: Act) -> ComputeEvent {
    ComputeEvent { at: at(time), path: path.to_owned(), callers: vec!["mallory".to_owned()], act }
}

fn made(time: &str, path: &str, machines: &[Machines]) -> ComputeEvent {
    let (machines, region) = (machines.to_vec(), Some("westeurope".to_owned()));
    event(time, path, Act::Write { machines, region, created: Some(true) })
}

fn changed(time: &str, path: &str, machines: &[Machines]) -> ComputeEvent {
    let act = Act::Write {
        machines: machines.to_vec(),
        region: Some("westeurope".to_owned()),
        created: Some(false),
    };
    event(time, path, act)
}

/// Ten a hour for a regular machine, one for a spot one, in euros; in Sweden a hundred kronor.
fn prices() -> PriceBook {
    let price = |region: &str, currency: &str, priority, per_hour: f64| MachinePrice {
        source: PriceSource::Observed,
        currency: code(currency),
        size: SIZE.to_owned(),
        region: region.to_owned(),
        priority,
        per_hour: units(per_hour),
        lines: 5,
    };
    PriceBook::new([
        price("westeurope", "EUR", Priority::Regular, 10.0),
        price("westeurope", "EUR", Priority::Spot, 1.0),
        price("swedencentral", "SEK", Priority::Regular, 100.0),
    ])
}

struct Case {
    ledger: Ledger,
    concern: Concern,
}

impl Case {
    /// An alert about all that Mallory did since seven in the morning of 10 March.
    fn new(events: &[ComputeEvent]) -> Self {
        let ends = events.iter().filter(|event| event.act == Act::End);
        let ledger = Ledger {
            runs: runs(events),
            ends: ends.map(|event| (event.path.clone(), event.at)).collect(),
            currency: Some(code("EUR")),
            ..Ledger::default()
        };
        let concern = Concern {
            since: at("10 07:00"),
            until: at("10 12:00"),
            paths: BTreeSet::new(),
            callers: BTreeSet::from(["mallory".to_owned()]),
            is_whole_subscription: false,
            is_open: true,
        };
        Self { ledger, concern }
    }

    fn since(mut self, since: &str) -> Self {
        self.concern.since = at(since);
        self
    }

    fn names(mut self, path: &str) -> Self {
        self.concern.callers.clear();
        self.concern.paths.insert(path.to_owned());
        self
    }

    fn whole(mut self) -> Self {
        self.concern.callers.clear();
        self.concern.is_whole_subscription = true;
        self
    }

    /// What a resource used to cost a day, and what it was billed on days.
    fn billed(mut self, path: &str, currency: &str, usual: f64, days: &[(u32, f64)]) -> Self {
        let days = days.iter().map(|(number, cost)| (day(*number), units(*cost))).collect();
        let bill = Bill { usual_a_day: units(usual), days };
        self.ledger.bills.entry(path.to_owned()).or_default().insert(code(currency), bill);
        self
    }

    fn settled_until(mut self, number: u32) -> Self {
        self.ledger.settled_until = Some(day(number));
        self
    }

    fn reckon(&self) -> MoneyAtRisk {
        self.ledger.reckon(std::slice::from_ref(&self.concern), &prices()).remove(0)
    }
}

/// `EUR 50.00 of it 0.00 billed, 10.00/h; unpriced 1`
fn check(what: &str, case: &Case, expected: &str) {
    let money = case.reckon();
    let mut found: Vec<String> = money
        .totals
        .iter()
        .map(|total| {
            format!("{} {} of it {} billed, {}/h", total.currency, total.so_far, total.billed, total.per_hour)
        })
        .collect();
    if money.unpriced() > 0 {
        found.push(format!("unpriced {}", money.unpriced()));
    }
    assert_eq!(found.join("; "), expected, "{what}: {money:#?}");
}

#[test]
fn machines_cost_while_they_run() {
    let (vm, set) = (machine("vm1"), format!("{GROUP}/microsoft.compute/virtualmachinescalesets/set"));
    let one = || made("10 07:00", &vm, &[regular(1)]);
    check("still running", &Case::new(&[one()]), "EUR 50.00 of it 0.00 billed, 10.00/h");
    check(
        "deleted in between",
        &Case::new(&[one(), event("10 09:30", &vm, Act::End)]),
        "EUR 25.00 of it 0.00 billed, 0.00/h",
    );
    check(
        "gone with its group",
        &Case::new(&[one(), event("10 08:00", "/subscriptions/s/resourcegroups/g", Act::End)]),
        "EUR 10.00 of it 0.00 billed, 0.00/h",
    );
    check(
        "stopped, and started again",
        &Case::new(&[one(), event("10 08:00", &vm, Act::Stop), event("10 11:00", &vm, Act::Start)]),
        "EUR 20.00 of it 0.00 billed, 10.00/h",
    );
    check(
        "a scale set that grows",
        &Case::new(&[made("10 07:00", &set, &[regular(2)]), changed("10 11:00", &set, &[regular(10)])]),
        "EUR 180.00 of it 0.00 billed, 100.00/h",
    );
    check(
        "spare capacity has its own price",
        &Case::new(&[made("10 07:00", &set, &[spot(40)])]),
        "EUR 200.00 of it 0.00 billed, 40.00/h",
    );
    check(
        "regular and spare nodes of a pool",
        &Case::new(&[made("10 07:00", &set, &[regular(1), spot(10)])]),
        "EUR 100.00 of it 0.00 billed, 20.00/h",
    );
    check(
        "several records of one request count once",
        &Case::new(&[one(), made("10 07:01", &vm, &[regular(1)]), changed("10 08:00", &vm, &[])]),
        "EUR 50.00 of it 0.00 billed, 10.00/h",
    );
    check(
        "made a day before the evidence",
        &Case::new(&[one()]).since("10 11:00"),
        "EUR 50.00 of it 0.00 billed, 10.00/h",
    );
    check("made long before it", &Case::new(&[made("07 07:00", &vm, &[regular(1)])]), "");
    check("by somebody else", &Case::new(&[one()]).names(&machine("vm2")), "");
    check("named by its path", &Case::new(&[one()]).names(&vm), "EUR 50.00 of it 0.00 billed, 10.00/h");
    check(
        "of a named group",
        &Case::new(&[one()]).names("/subscriptions/s/resourcegroups/g"),
        "EUR 50.00 of it 0.00 billed, 10.00/h",
    );
    check("a named subscription names nothing in it", &Case::new(&[one()]).names("/subscriptions/s"), "");
    check("of the whole subscription", &Case::new(&[one()]).whole(), "EUR 50.00 of it 0.00 billed, 10.00/h");
    check(
        "a change of what was there tells no cost",
        &Case::new(&[changed("10 07:00", &vm, &[regular(1)])]),
        "",
    );
}

#[test]
fn what_has_no_price_is_unknown() {
    let vm = machine("vm1");
    let odd = Machines { size: "standard_odd".to_owned(), ..regular(3) };
    let group = Machines { size: "container group".to_owned(), ..regular(1) };
    check("unknown size", &Case::new(&[made("10 07:00", &vm, std::slice::from_ref(&odd))]), "unpriced 1");
    check(
        "beside one that has one",
        &Case::new(&[
            made("10 07:00", &vm, std::slice::from_ref(&odd)),
            made("10 07:00", &machine("vm2"), &[regular(1)]),
        ]),
        "EUR 50.00 of it 0.00 billed, 10.00/h; unpriced 1",
    );
    let billed = Case::new(&[made("08 12:00", &vm, &[group])]).since("08 12:00");
    let billed = billed.billed(&vm, "EUR", 0.0, &[(8, 24.0), (9, 48.0), (10, 5.0)]).settled_until(10);
    check("until it is billed", &billed, "EUR 77.00 of it 77.00 billed, 2.00/h");
    assert_eq!(billed.reckon().in_words(), "EUR 77.00 so far (all of it billed), 2.00 an hour now.",);
}

#[test]
fn bills_take_the_place_of_prices() {
    let vm = machine("vm1");
    let since = |time: &str| Case::new(&[made(time, &vm, &[regular(1)])]).since(time);
    // 8 March at noon: 12 hours, a whole day, 12 hours.
    check("no bill yet", &since("08 12:00"), "EUR 480.00 of it 0.00 billed, 10.00/h");
    let days = [(8, 100.0), (9, 200.0), (10, 30.0)];
    let case = since("08 12:00").billed(&vm, "EUR", 0.0, &days).settled_until(10);
    check(
        "full days count as billed, the others by what is more",
        &case,
        "EUR 420.00 of it 330.00 billed, 10.00/h",
    );
    let case = since("08 12:00").billed(&vm, "EUR", 0.0, &days).settled_until(8);
    check("no day is billed in full", &case, "EUR 480.00 of it 330.00 billed, 10.00/h");
    let case = since("08 12:00").billed(&vm, "EUR", 0.0, &[]).settled_until(10);
    check("a full day without a line cost nothing", &case, "EUR 120.00 of it 0.00 billed, 10.00/h");
}

#[test]
fn of_what_was_there_before_the_excess_counts() {
    let vm = machine("old");
    let case = |days: &[(u32, f64)]| {
        Case::new(&[]).names(&vm).since("08 00:00").billed(&vm, "EUR", 24.0, days).settled_until(10)
    };
    check("as usual", &case(&[(8, 24.0), (9, 30.0)]), "");
    check("less than half more", &case(&[(8, 35.9), (9, 35.9)]), "");
    check("more", &case(&[(8, 24.0), (9, 72.0)]), "EUR 48.00 of it 48.00 billed, 2.00/h");
    let mut old = case(&[(8, 24.0), (9, 72.0)]);
    old.concern.until = at("15 12:00");
    check("a bill of last week tells no rate", &old, "EUR 48.00 of it 48.00 billed, 0.00/h");
    let mut gone = case(&[(8, 24.0), (9, 72.0)]);
    gone.ledger.ends.push((vm.clone(), at("10 03:00")));
    check("deleted since", &gone, "EUR 48.00 of it 48.00 billed, 0.00/h");

    // A scale set of one machine, 240 a day, that is made one of five.
    let grown = Case::new(&[changed("10 07:00", &vm, &[regular(5)])]);
    let grown = grown.billed(&vm, "EUR", 240.0, &[(9, 240.0)]).settled_until(10);
    check("grown", &grown, "EUR 130.00 of it 0.00 billed, 40.00/h");
}

#[test]
fn currencies_stay_apart() {
    let (vm, other) = (machine("vm1"), machine("vm2"));
    let case = Case::new(&[made("10 07:00", &vm, &[regular(1)]), made("10 07:00", &other, &[regular(1)])]);
    let case = case.billed(&other, "NOK", 0.0, &[(10, 700.0)]);
    check(
        "one is billed in another currency, and what is billed is not priced again",
        &case,
        "EUR 50.00 of it 0.00 billed, 20.00/h; NOK 700.00 of it 700.00 billed, 0.00/h",
    );
    let mut sweden = Case::new(&[event(
        "10 07:00",
        &vm,
        Act::Write { machines: vec![regular(1)], region: Some("swedencentral".to_owned()), created: None },
    )]);
    check("the currency of the bills first", &sweden, "EUR 50.00 of it 0.00 billed, 10.00/h");
    sweden.ledger.currency = Some(code("USD"));
    check("else that of a price that is known", &sweden, "SEK 500.00 of it 0.00 billed, 100.00/h");
}

#[test]
fn sums_over_alerts_count_nothing_twice() {
    let (vm, other) = (machine("vm1"), machine("vm2"));
    let events = [made("10 07:00", &vm, &[regular(1)]), made("10 10:00", &other, &[regular(1)])];
    let all = Case::new(&events);
    let one = Case::new(&events).names(&other);
    let money = all.ledger.reckon(&[one.concern, all.concern], &prices());
    let figures = |money: &MoneyAtRisk| {
        let total = &money.totals[0];
        [total.so_far, total.per_hour, total.counted_so_far, total.counted_per_hour].map(|of| of.to_string())
    };
    assert_eq!(figures(&money[0]), ["20.00", "10.00", "20.00", "10.00"], "of equal ones the first counts it");
    assert_eq!(figures(&money[1]), ["70.00", "20.00", "50.00", "10.00"]);

    let mut resolved = Case::new(&events).names(&other);
    (resolved.concern.is_open, resolved.concern.until) = (false, at("10 11:00"));
    let money = resolved.ledger.reckon(&[resolved.concern, Case::new(&events).concern], &prices());
    assert_eq!(figures(&money[0]), ["10.00", "10.00", "0.00", "0.00"], "as it was when it was resolved");
    assert_eq!(figures(&money[1]), ["70.00", "20.00", "70.00", "20.00"]);
}

#[test]
fn nodes_of_a_cluster_are_billed_with_it() {
    let cluster = format!("{GROUP}/microsoft.containerservice/managedclusters/aks");
    let nodes = "/subscriptions/s/resourcegroups/mc_g_aks_westeurope/providers/microsoft.compute/virtualmachinescalesets/n";
    let mut by_cluster = made("10 07:05", nodes, &[regular(4)]);
    by_cluster.callers = vec!["the cluster".to_owned()];
    let mut case =
        Case::new(&[made("10 07:00", &format!("{cluster}/agentpools/np"), &[regular(4)]), by_cluster]);
    case = case.billed(nodes, "EUR", 0.0, &[(10, 80.0)]);
    case.ledger.gather_clusters();
    check("pools say what runs", &case, "EUR 200.00 of it 80.00 billed, 40.00/h");
    assert_eq!(case.reckon().parts[0].resource, cluster);
}

#[test]
fn a_part_says_what_runs_and_what_it_rests_on() {
    let vm = machine("vm1");
    let case = Case::new(&[made("09 12:00", &vm, &[regular(2)])]).since("09 12:00");
    let money = case.billed(&vm, "EUR", 0.0, &[(9, 200.0)]).settled_until(9).reckon();
    let part = &money.parts[0];
    assert_eq!((part.machines.as_str(), part.state), ("2 × standard_nc24ads_a100_v4", State::Running));
    assert_eq!((part.from, part.until), (at("09 12:00"), None));
    assert_eq!(part.basis, [Basis::Billed, Basis::Observed]);
    assert_eq!(
        money.in_words(),
        "EUR 480.00 so far (200.00 of it billed), 20.00 an hour now. What is not billed yet is priced as you were \
         billed for the same size in the same region."
    );
    assert_eq!(Case::new(&[]).reckon().in_words(), "Nothing is known that costs more than before.");
    let kept = serde_json::to_string(&money).unwrap();
    assert_eq!(serde_json::from_str::<MoneyAtRisk>(&kept).unwrap(), money);
}

#[test]
fn the_list_of_resources_is_bounded_and_sums_are_not() {
    let events: Vec<ComputeEvent> =
        (0..60).map(|number| made("10 11:00", &machine(&format!("vm{number:02}")), &[regular(1)])).collect();
    let money = Case::new(&events).reckon();
    assert_eq!((money.parts.len(), money.more_parts), (PARTS_MAX, 10));
    assert_eq!(money.totals[0].per_hour, units(600.0));
}

#[test]
fn a_home_is_what_is_billed_on_its_own() {
    let check = |path: &str, expected: &str| assert_eq!(home(path), expected);
    let vm = machine("vm");
    check(&vm, &vm);
    check(&format!("{vm}/extensions/e"), &vm);
    check("/subscriptions/s/resourcegroups/g", "/subscriptions/s/resourcegroups/g");
    check("", "");
}
