//! What is true of every estate, checked on its files.

#![expect(
    clippy::unwrap_used,
    reason = "functions that tests call are tests; clippy allows it only in the test itself"
)]

mod entra;
mod reading;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

use arrow_array::Array as _;
use chrono::{DateTime, TimeDelta, Utc};
use reading::{Estate, tree};
use simulate::{Label, Settings, Summary, read_labels, simulate};
use tempfile::TempDir;

fn settings(seed: u64, customers: u32, days: u32, end: &str) -> Settings {
    Settings {
        seed,
        customers,
        days,
        end: end.parse().unwrap(),
        partner_tenant_id: "0f0e0d0c-0000-4000-8000-0000000000aa".parse().unwrap(),
    }
}

/// One estate that several tests look at; big enough to hold every attack and both flow formats.
struct Looked {
    settings: Settings,
    summary: Summary,
    estate: Estate,
    folder: TempDir,
}

static LOOKED: LazyLock<Looked> = LazyLock::new(|| {
    let settings = settings(3, 60, 50, "2026-03-20T14:30:00Z");
    let folder = tempfile::tempdir().unwrap();
    let summary = simulate(folder.path(), &settings).unwrap();
    let estate = Estate::read(folder.path());
    Looked { settings, summary, estate, folder }
});

fn period_start(settings: &Settings) -> DateTime<Utc> {
    let last = (settings.end - TimeDelta::nanoseconds(1)).date_naive();
    (last - chrono::Days::new(u64::from(settings.days) - 1)).and_time(chrono::NaiveTime::MIN).and_utc()
}

#[test]
fn the_same_settings_give_the_same_bytes() {
    let run = |seed| {
        let folder = tempfile::tempdir().unwrap();
        let summary = simulate(folder.path(), &settings(seed, 6, 14, "2026-03-05T08:00:00Z")).unwrap();
        (tree(folder.path()), summary.volume, summary.labels)
    };
    let (first, second, other) = (run(1), run(1), run(2));
    assert!(first == second, "two runs differ");
    assert!(first.0 != other.0, "seeds make no difference");
}

#[test]
fn a_run_replaces_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    let small = settings(1, 2, 3, "2026-03-05T08:00:00Z");
    simulate(folder.path(), &settings(1, 4, 5, "2026-03-05T08:00:00Z")).unwrap();
    simulate(folder.path(), &small).unwrap();
    let fresh = tempfile::tempdir().unwrap();
    simulate(fresh.path(), &small).unwrap();
    assert!(tree(folder.path()) == tree(fresh.path()));
}

#[test]
fn the_smallest_and_oddest_periods_work() {
    for (customers, days, end) in [
        (1, 1, "2026-03-01T00:00:00Z"),
        (1, 1, "2026-03-01T00:00:01Z"),
        (2, 2, "2026-01-01T12:00:00Z"),
        (3, 4, "2024-03-01T23:59:59.5Z"),
        (7, 8, "2026-02-28T06:00:00Z"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(5, customers, days, end);
        let summary = simulate(folder.path(), &settings).unwrap();
        let estate = Estate::read(folder.path());
        assert_eq!(estate.activity.len() as u64, summary.volume.activity_records, "{customers} {days} {end}");
        check_labels(&settings, &summary.labels);
    }
}

#[test]
fn every_file_reads_and_counts_agree() {
    let Looked { estate, summary, settings, folder } = &*LOOKED;
    assert_eq!(estate.activity.len() as u64, summary.volume.activity_records);
    assert_eq!(estate.cost.len() as u64, summary.volume.cost_rows);
    assert_eq!(estate.flow.len() as u64, summary.volume.flow_tuples);
    let files = tree(folder.path());
    assert_eq!(files.len() as u64, summary.volume.files + 2);
    let raw_bytes: usize = files
        .iter()
        .filter(|(path, _)| path.components().count() > 1)
        .map(|(_, content)| content.len())
        .sum();
    assert_eq!(raw_bytes as u64, summary.volume.bytes);
    for shape in simulate::RAW_FOLDERS {
        assert!(summary.raw_folders.contains(&folder.path().join(shape)), "{shape}");
    }
    let known: BTreeSet<&str> =
        summary.subscriptions.iter().map(|known| known.subscription.as_str()).collect();
    let listed = summary.directory.iter().flat_map(|customer| &customer.subscriptions);
    let listed: BTreeSet<&str> = listed.map(|(subscription, _)| subscription.as_str()).collect();
    assert_eq!((listed, summary.directory.len()), (known.clone(), settings.customers as usize));
    let (start, end) = (period_start(settings), settings.end);
    for record in &estate.activity {
        // Who may touch every subscription is settled above them.
        let is_of_tenant = record.subscription.is_empty();
        assert!(is_of_tenant || known.contains(record.subscription.as_str()), "{record:?}");
        assert!((start..end).contains(&record.at), "{record:?}");
    }
    for line in &estate.cost {
        assert!(known.contains(line.subscription.as_str()), "{line:?}");
        assert!((start.date_naive()..=end.date_naive()).contains(&line.day), "{line:?}");
    }
    for tuple in &estate.flow {
        assert!(known.contains(tuple.subscription.as_str()), "{tuple:?}");
        assert!((start..end).contains(&tuple.at), "{tuple:?}");
    }
}

#[test]
fn volumes_are_modest() {
    let Looked { summary, settings, .. } = &*LOOKED;
    let customer_days = f64::from(settings.customers * settings.days);
    let a_day = |count: u64| count as f64 / customer_days;
    let volume = &summary.volume;
    assert!((20.0..45.0).contains(&a_day(volume.activity_records)), "{volume:?}");
    assert!((12.0..35.0).contains(&a_day(volume.cost_rows)), "{volume:?}");
    assert!((60.0..300.0).contains(&a_day(volume.flow_tuples)), "{volume:?}");
    assert!((5.0..25.0).contains(&a_day(volume.sign_in_records)), "{volume:?}");
    assert!((0.2..2.5).contains(&a_day(volume.audit_records)), "{volume:?}");
    assert!(a_day(volume.bytes) < 50_000.0, "{volume:?}");
}

#[test]
fn a_resource_has_one_line_for_a_meter_and_day() {
    let mut lines = BTreeSet::new();
    for line in LOOKED.estate.cost.iter().filter(|line| line.charge_type == "Usage") {
        assert!(line.quantity > 0.0 && line.cost >= 0.0, "{line:?}");
        assert!(lines.insert((line.day, &line.resource, &line.meter)), "{line:?}");
    }
}

#[test]
fn creates_come_as_start_accept_and_success() {
    let mut by_action: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    let machines = LOOKED.estate.activity.iter().filter(|record| {
        record.operation == "microsoft.compute/virtualmachines/write"
            && record.at < LOOKED.settings.end - TimeDelta::minutes(5)
    });
    for record in machines {
        by_action.entry((&record.correlation, &record.resource)).or_default().push(&record.status);
        if record.status == "Accept" {
            assert!(record.text.contains("vmSize"), "{record:?}");
        }
    }
    let started_early = |statuses: &Vec<&str>| {
        statuses == &["Start", "Accept", "Success"] || statuses == &["Start", "Failure"]
    };
    let odd = by_action.values().filter(|statuses| !started_early(statuses)).count();
    // An action at the edge of what is looked at may miss its end.
    assert!(by_action.len() > 300 && odd <= 3, "{odd} of {}", by_action.len());
}

fn check_labels(settings: &Settings, labels: &[Label]) {
    let mut names = BTreeSet::new();
    for label in labels {
        assert!(names.insert(&label.scenario), "{label:?}");
        assert!(label.scenario.starts_with(&label.kind), "{label:?}");
        assert!(label.from <= label.first_event && label.first_event <= label.until, "{label:?}");
        assert!(period_start(settings) <= label.from && label.until <= settings.end, "{label:?}");
    }
}

#[test]
fn labels_are_well_formed() {
    let Looked { summary, settings, folder, .. } = &*LOOKED;
    check_labels(settings, &summary.labels);
    let read = read_labels(&folder.path().join(simulate::LABELS_FILE)).unwrap();
    assert_eq!(read, summary.labels);
    for label in &summary.labels {
        let home = summary.subscriptions.iter().find(|home| home.subscription == label.subscription).unwrap();
        assert_eq!(home.customer_tenant, label.customer_tenant);
        assert!(!label.resources.is_empty(), "{label:?}");
    }
    let attacked: Vec<_> = summary.labels.iter().filter(|label| label.malicious).collect();
    let places: BTreeSet<_> = attacked.iter().map(|label| &label.subscription).collect();
    assert_eq!(places.len(), attacked.len(), "one attack a subscription");
}

#[test]
fn six_customers_see_five_attacks_and_two_fresh_ones() {
    let mut seen = BTreeSet::new();
    for seed in 1..=8 {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(seed, 6, 20, "2026-03-20T14:30:00Z");
        let labels = simulate(folder.path(), &settings).unwrap().labels;
        let kinds: BTreeSet<&str> =
            labels.iter().filter(|label| label.malicious).map(|label| label.kind.as_str()).collect();
        assert_eq!(kinds.len(), 5, "seed {seed}: {kinds:?}");
        assert!(kinds.contains("gpu-fleet") && kinds.contains("hijacked-mining"), "seed {seed}: {kinds:?}");
        assert!(labels.iter().any(|label| !label.malicious), "seed {seed}");
        // Somebody signs in up to half an hour before the rest.
        let is_fresh = |label: &&Label| {
            label.malicious && label.first_event >= settings.end - TimeDelta::minutes(20 * 60 + 30)
        };
        assert!(labels.iter().filter(is_fresh).count() >= 2, "seed {seed}");
        seen.extend(kinds.into_iter().map(str::to_owned));
    }
    assert!(seen.len() >= 12, "seeds show the same attacks: {seen:?}");
}

/// Addresses of attackers and pools, by the convention of the generator.
fn is_hostile(address: &str) -> bool {
    let octets: Vec<u8> = address.split('.').filter_map(|octet| octet.parse().ok()).collect();
    matches!(octets[..], [192, 0, 2, host] | [198, 51, 100, host] | [203, 0, 113, host] if host >= 130)
}

#[test]
fn every_scenario_is_in_the_files() {
    let Looked { estate, summary, .. } = &*LOOKED;
    for label in &summary.labels {
        let resources: BTreeSet<String> = label.resources.iter().map(|path| path.to_lowercase()).collect();
        let seen = |subscription: &str, at: DateTime<Utc>| {
            subscription == label.subscription && (label.from..=label.until).contains(&at)
        };
        let acted: Vec<_> = estate
            .activity
            .iter()
            .filter(|record| seen(&record.subscription, record.at))
            .filter(|record| label.principals.iter().any(|principal| record.text.contains(principal)))
            .collect();
        let made: BTreeSet<&str> = acted
            .iter()
            .filter(|record| record.status == "Accept" && resources.contains(&record.resource))
            .map(|record| record.resource.as_str())
            .collect();
        let billed: Vec<_> = estate
            .cost
            .iter()
            .filter(|line| line.subscription == label.subscription && resources.contains(&line.resource))
            .filter(|line| (label.from.date_naive()..=label.until.date_naive()).contains(&line.day))
            .collect();
        let mined = estate
            .flow
            .iter()
            .filter(|tuple| seen(&tuple.subscription, tuple.at) && is_hostile(&tuple.destination))
            .count();
        let failed = acted.iter().filter(|record| record.status == "Failure").count();
        let (acted, made, billed_lines) = (acted.len(), made.len(), billed.len());
        let found = format!(
            "{}: acted {acted} made {made} failed {failed} billed {billed_lines} mined {mined}",
            label.scenario
        );
        match label.kind.as_str() {
            "gpu-fleet" => assert!(made >= 8 && failed >= 1, "{found}"),
            "scale-set-burst" => assert!(made >= 2, "{found}"),
            "slow-burn" => assert!(made >= 5 && billed_lines >= 5, "{found}"),
            "hidden-compute" => assert!(acted == 0 && billed_lines >= 3 && mined == 0, "{found}"),
            "hijacked-mining" => assert!(acted == 0 && billed_lines > 0 && mined >= 5, "{found}"),
            "batch-pools" | "ml-compute" | "kubernetes-mining" | "hijacked-pipeline" => {
                assert!(made >= 1 && billed_lines >= 1, "{found}");
            }
            "container-mining" => assert!(made >= 5 && billed_lines >= 5 && mined == 0, "{found}"),
            "quota-grab" | "subscription-hijack" => assert!(made >= 3 && billed_lines >= 1, "{found}"),
            "logging-off" => assert!(made >= 3 && billed_lines >= 1 && mined == 0, "{found}"),
            "automation-backdoor" | "hidden-region" => assert!(made >= 2 && billed_lines >= 1, "{found}"),
            "storage-exfiltration" => assert!(acted >= 4 && billed_lines >= 1 && mined == 0, "{found}"),
            "run-command-miner" | "rdp-open" => assert!(acted >= 4, "{found}"),
            "key-theft" => assert!(acted >= 8 && mined == 0, "{found}"),
            "ransom-deletion" => assert!(acted >= 20 && mined == 0, "{found}"),
            "elevate-and-grant" => assert!(acted >= 2, "{found}"),
            "partner-account" => assert!(acted >= 6, "{found}"),
            "password-spray" | "stolen-token" => assert!(acted >= 3, "{found}"),
            "app-backdoor" => assert!(made >= 3 && billed_lines >= 1, "{found}"),
            "business-trip" => assert!(mined == 0, "{found}"),
            "secret-rotation" => assert!(acted >= 3 && mined == 0, "{found}"),
            "planned-migration" => assert!(made >= 6 && billed_lines >= 6 && mined == 0, "{found}"),
            "new-region" => assert!(made >= 4 && billed_lines >= 4 && mined == 0, "{found}"),
            "autoscale-burst" => assert!(acted >= 12 && billed_lines >= 1 && mined == 0, "{found}"),
            "month-end-batch" => assert!(made >= 4 && billed_lines >= 12 && mined == 0, "{found}"),
            "backup-upload" => assert!(billed_lines >= 1 && mined == 0, "{found}"),
            "monitoring-heartbeat" => assert!(acted >= 1 && mined == 0, "{found}"),
            "gpu-trial" => assert!(made == 1 && billed_lines >= 1 && mined == 0, "{found}"),
            "batch-render-job" | "ml-training" => {
                assert!(made >= 1 && billed_lines >= 1 && mined == 0, "{found}");
            }
            "container-release" => assert!(made >= 8 && billed_lines >= 8 && mined == 0, "{found}"),
            "quota-raise-planned" | "subscription-onboarding" => {
                assert!(made >= 2 && billed_lines >= 2 && mined == 0, "{found}");
            }
            "environment-teardown" => assert!(acted >= 20 && made >= 2 && mined == 0, "{found}"),
            "disaster-recovery-test" => assert!(made >= 1 && billed_lines >= 1 && mined == 0, "{found}"),
            "new-administrator" | "vendor-support" | "firewall-opened-for-office" => {
                assert!(acted >= 3 && mined == 0, "{found}");
            }
            "backup-policy-change"
            | "logging-migration"
            | "key-rotation"
            | "patching"
            | "automation-rollout"
            | "cost-cleanup"
            | "policy-rollout" => {
                assert!(acted >= 10 && mined == 0, "{found}");
            }
            other => panic!("no expectation for {other}"),
        }
    }
}

#[test]
fn hostile_addresses_appear_in_attacks_only() {
    let Looked { estate, summary, .. } = &*LOOKED;
    let attacks: BTreeMap<&str, &Label> = summary
        .labels
        .iter()
        .filter(|label| label.malicious)
        .map(|label| (label.subscription.as_str(), label))
        .collect();
    let inside = |subscription: &str, at: DateTime<Utc>| {
        attacks
            .get(subscription)
            .is_some_and(|label| (label.from - TimeDelta::seconds(1)..=label.until).contains(&at))
    };
    let mut hostile = 0;
    for tuple in &estate.flow {
        if is_hostile(&tuple.source) || is_hostile(&tuple.destination) {
            assert!(tuple.is_outbound && inside(&tuple.subscription, tuple.at), "{tuple:?}");
            hostile += 1;
        }
    }
    assert!(hostile > 500, "{hostile}");
    let big = estate.flow.iter().filter(|tuple| tuple.bytes_sent > 100_000_000).count();
    assert!(big > 0, "no backup in {} tuples", estate.flow.len());
}

#[test]
fn everything_is_taken_in_and_nothing_twice() {
    let Looked { summary, settings, .. } = &*LOOKED;
    let reading = ingest::Reading::new(&settings.partner_tenant_id, settings.end, 8192);
    let mut events: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut ids = BTreeSet::new();
    for folder in &summary.raw_folders {
        take_in(folder, &reading, &mut |item| match item {
            ingest::Item::Batch(batch) => {
                facts_of_machines_are_found(&batch);
                *events.entry(batch.kind.name()).or_default() += batch.rows.num_rows() as u64;
                let column = batch.rows.column_by_name("event_id").unwrap();
                let column = column.as_any().downcast_ref::<arrow_array::BinaryArray>().unwrap();
                for id in column.iter().flatten() {
                    assert!(
                        ids.insert((batch.kind, id.to_vec())),
                        "an event of {} comes twice",
                        batch.kind.name()
                    );
                }
            }
            ingest::Item::Rejected(rejected) => panic!("{rejected:?}"),
        });
    }
    let volume = &summary.volume;
    // Service Health comes through the activity log.
    let advisories = events.remove("advisory").unwrap_or_default();
    *events.entry("activity").or_default() += advisories;
    let expected = [
        ("activity", volume.activity_records),
        ("audit", volume.audit_records),
        ("cost", volume.cost_rows),
        ("flow", volume.flow_tuples),
        ("sign_in", volume.sign_in_records),
    ];
    assert_eq!(events, BTreeMap::from(expected));
}

/// The reply of a machine's making tells who, from which tenant, what size, and where.
fn facts_of_machines_are_found(batch: &ingest::EventBatch) {
    if batch.kind != ingest::schema::Kind::Activity {
        return;
    }
    let column = |name: &str| ingest::Texts::of(batch.rows.column_by_name(name).unwrap()).unwrap();
    let (operations, statuses) = (column("operation"), column("status"));
    for row in 0..batch.rows.num_rows() {
        let operation = operations.get(row).unwrap();
        let makes = operation.ends_with("microsoft.compute/virtualmachines/write")
            || operation.ends_with("microsoft.compute/virtualmachinescalesets/write");
        if makes && statuses.get(row) == Some("accepted") {
            for name in [
                "vm_size",
                "resource_region",
                "caller",
                "caller_id",
                "caller_tenant_id",
                "customer_tenant_id",
            ] {
                assert!(column(name).get(row).is_some(), "{name} of {:?}", column("resource_id").get(row));
            }
        }
    }
}

fn take_in(folder: &Path, reading: &ingest::Reading<'_>, sink: &mut dyn FnMut(ingest::Item)) {
    for (path, content) in tree(folder) {
        let name = path.display().to_string();
        let mut keep = |item| {
            sink(item);
            Ok(())
        };
        ingest::read_bytes(&name, &content, reading, &mut keep).unwrap();
    }
}
