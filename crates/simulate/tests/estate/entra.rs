//! What is true of Entra's logs in every estate, checked on its files.

use std::collections::{BTreeMap, BTreeSet};

use arrow_array::Array as _;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use crate::reading::list;
use crate::{LOOKED, Looked, period_start, take_in};

/// One sign-in, with what all shapes have in common.
#[derive(Debug)]
pub(crate) struct SignIn {
    pub(crate) at: DateTime<Utc>,
    pub(crate) tenant: String,
    /// `interactiveUser`, `nonInteractiveUser`, `servicePrincipal`
    pub(crate) way: String,
    /// Object id of who signed in.
    pub(crate) principal: String,
    pub(crate) address: String,
    pub(crate) code: i64,
    pub(crate) degrees: (f64, f64),
    /// Graph's object.
    pub(crate) object: Value,
}

/// One change to a directory.
#[derive(Debug)]
pub(crate) struct Audit {
    pub(crate) at: DateTime<Utc>,
    pub(crate) tenant: String,
    /// Graph's object.
    pub(crate) object: Value,
}

/// Entra's logs of an estate.
#[derive(Debug, Default)]
pub(crate) struct Entra {
    pub(crate) sign_ins: Vec<SignIn>,
    pub(crate) audits: Vec<Audit>,
}

const WAYS: [(&str, &str, &str); 3] = [
    ("insights-logs-signinlogs", "SignInLogs", "interactiveUser"),
    ("insights-logs-noninteractiveusersigninlogs", "NonInteractiveUserSignInLogs", "nonInteractiveUser"),
    ("insights-logs-serviceprincipalsigninlogs", "ServicePrincipalSignInLogs", "servicePrincipal"),
];

impl Entra {
    /// Reads a file if it is one of Entra's.
    pub(crate) fn takes(&mut self, name: &str, text: &str) -> bool {
        let folder = name.split('/').next().unwrap();
        if let Some((_, category, way)) = WAYS.iter().find(|(container, ..)| *container == folder) {
            for record in lines(text) {
                assert_eq!(record["category"], *category);
                assert_eq!(record["operationName"], "Sign-in activity");
                let sign_in = sign_in(&record["properties"]);
                assert_eq!(sign_in.way, *way);
                wrapper_agrees(&record, &sign_in.tenant, sign_in.at);
                assert_eq!(record["resultType"], sign_in.code.to_string());
                assert_eq!(record["callerIpAddress"], sign_in.address);
                self.sign_ins.push(sign_in);
            }
        } else if folder == "insights-logs-auditlogs" {
            for record in lines(text) {
                assert_eq!(record["category"], "AuditLogs");
                let audit = audit(&record["properties"], record["tenantId"].as_str().unwrap());
                assert_eq!(record["operationName"], audit.object["activityDisplayName"]);
                wrapper_agrees(&record, &audit.tenant, audit.at);
                self.audits.push(audit);
            }
        } else if name.starts_with("rest-api/sign-ins/") {
            self.sign_ins.extend(list(text, "value").iter().map(sign_in));
        } else if name.starts_with("rest-api/directory-audits/") {
            let objects = list(text, "value");
            let tenant = |object: &Value| object["resourceTenantId"].as_str().unwrap().to_owned();
            self.audits.extend(objects.iter().map(|object| audit(object, &tenant(object))));
        } else {
            return false;
        }
        true
    }
}

fn lines(text: &str) -> impl Iterator<Item = Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap())
}

fn time(value: &Value) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(value.as_str().unwrap()).unwrap().to_utc()
}

fn wrapper_agrees(record: &Value, tenant: &str, at: DateTime<Utc>) {
    assert_eq!(record["tenantId"], tenant);
    assert_eq!(record["resourceId"], format!("/tenants/{tenant}/providers/Microsoft.aadiam"));
    let written_at = time(&record["time"]);
    assert!((at..at + TimeDelta::minutes(6)).contains(&written_at), "{record}");
}

fn sign_in(object: &Value) -> SignIn {
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{object}")).to_owned();
    let place = &object["location"]["geoCoordinates"];
    let way = text(&object["signInEventTypes"][0]);
    let who = if way == "servicePrincipal" { "servicePrincipalId" } else { "userId" };
    SignIn {
        at: time(&object["createdDateTime"]),
        tenant: text(&object["resourceTenantId"]),
        principal: text(&object[who]),
        way,
        address: text(&object["ipAddress"]),
        code: object["status"]["errorCode"].as_i64().unwrap(),
        degrees: (place["latitude"].as_f64().unwrap(), place["longitude"].as_f64().unwrap()),
        object: object.clone(),
    }
}

fn audit(object: &Value, tenant: &str) -> Audit {
    for target in object["targetResources"].as_array().unwrap() {
        for change in target["modifiedProperties"].as_array().unwrap() {
            for value in [&change["oldValue"], &change["newValue"]] {
                if let Some(text) = value.as_str() {
                    serde_json::from_str::<Value>(text).unwrap_or_else(|_| panic!("{change}"));
                }
            }
        }
    }
    Audit { at: time(&object["activityDateTime"]), tenant: tenant.to_owned(), object: object.clone() }
}

fn tenants_with_logs() -> BTreeSet<&'static str> {
    LOOKED.estate.entra.sign_ins.iter().map(|sign_in| sign_in.tenant.as_str()).collect()
}

#[test]
fn counts_agree_and_nothing_lies_outside_the_period() {
    let Looked { estate, summary, settings, .. } = &*LOOKED;
    let entra = &estate.entra;
    assert_eq!(entra.sign_ins.len() as u64, summary.volume.sign_in_records);
    assert_eq!(entra.audits.len() as u64, summary.volume.audit_records);
    let span = period_start(settings)..settings.end;
    assert!(entra.sign_ins.iter().all(|sign_in| span.contains(&sign_in.at)));
    assert!(entra.audits.iter().all(|audit| span.contains(&audit.at)));
}

#[test]
fn about_two_thirds_of_customers_have_some_tens_of_records_a_day() {
    let Looked { estate, settings, .. } = &*LOOKED;
    let tenants = tenants_with_logs();
    let audited: BTreeSet<&str> = estate.entra.audits.iter().map(|audit| audit.tenant.as_str()).collect();
    assert!((0.5..0.85).contains(&(tenants.len() as f64 / f64::from(settings.customers))), "{tenants:?}");
    assert!(audited.is_subset(&tenants), "an audit log without a sign-in log");
    let customer_days = tenants.len() as f64 * f64::from(settings.days);
    let sign_ins_a_day = estate.entra.sign_ins.len() as f64 / customer_days;
    let audits_a_day = estate.entra.audits.len() as f64 / customer_days;
    assert!((8.0..35.0).contains(&sign_ins_a_day), "{sign_ins_a_day}");
    assert!((0.2..3.0).contains(&audits_a_day), "{audits_a_day}");
}

/// Whoever acts has signed in before, from the same address: people on the same day, applications in the
/// hours before.
#[test]
fn nobody_acts_without_having_signed_in() {
    let Looked { estate, summary, .. } = &*LOOKED;
    let mut tokens: BTreeMap<(&str, &str, &str), Vec<DateTime<Utc>>> = BTreeMap::new();
    for sign_in in estate.entra.sign_ins.iter().filter(|sign_in| sign_in.code == 0) {
        let key = (&*sign_in.tenant, &*sign_in.principal, &*sign_in.address);
        tokens.entry(key).or_default().push(sign_in.at);
    }
    let tenants: BTreeMap<&str, &str> = summary
        .subscriptions
        .iter()
        .map(|known| (known.subscription.as_str(), known.customer_tenant.as_str()))
        .collect();
    let logged = tenants_with_logs();
    let mut checked = 0;
    for record in &estate.activity {
        let Some(tenant) = tenants.get(record.subscription.as_str()).filter(|own| logged.contains(*own))
        else {
            continue;
        };
        let Some((principal, address)) = caller_of(&record.text) else { continue };
        let signed_in = tokens.get(&(*tenant, &principal, &address));
        let is_covered = signed_in.is_some_and(|times| {
            times.iter().any(|at| (record.at - TimeDelta::hours(12)..=record.at).contains(at))
        });
        assert!(is_covered, "{principal} at {address} acts in {tenant} without a token: {record:?}");
        checked += 1;
    }
    assert!(checked > 5_000, "{checked}");
}

/// Object id and address of the caller; none if Azure acts by itself.
fn caller_of(record: &str) -> Option<(String, String)> {
    let record: Value = serde_json::from_str(record).unwrap();
    let identity = match &record["identity"] {
        Value::String(text) => serde_json::from_str(text).unwrap(),
        other => other.clone(),
    };
    let claims = if identity.is_null() { &record["claims"] } else { &identity["claims"] };
    let id = claims["http://schemas.microsoft.com/identity/claims/objectidentifier"].as_str()?;
    let address = record["callerIpAddress"].as_str().or(record["httpRequest"]["clientIpAddress"].as_str())?;
    Some((id.to_owned(), address.to_owned()))
}

/// Outside of attacks, people are not faster than airliners.
#[test]
fn honest_people_travel_at_a_plausible_speed() {
    let Looked { estate, summary, .. } = &*LOOKED;
    let attacked: BTreeSet<&str> = summary
        .labels
        .iter()
        .filter(|label| label.malicious)
        .map(|label| label.customer_tenant.as_str())
        .collect();
    let mut last: BTreeMap<(&str, &str), &SignIn> = BTreeMap::new();
    let mut journeys = 0;
    let honest = estate.entra.sign_ins.iter().filter(|sign_in| {
        sign_in.code == 0 && sign_in.way != "servicePrincipal" && !attacked.contains(&*sign_in.tenant)
    });
    let mut honest: Vec<&SignIn> = honest.collect();
    honest.sort_by_key(|sign_in| sign_in.at);
    for sign_in in honest {
        let key = (&*sign_in.tenant, &*sign_in.principal);
        if let Some(before) = last.insert(key, sign_in) {
            let distance = kilometres(before.degrees, sign_in.degrees);
            let hours = (sign_in.at - before.at).num_seconds() as f64 / 3_600.0;
            assert!(distance < 100.0 || distance / hours < 950.0, "{distance} km in {hours} h: {sign_in:?}");
            journeys += usize::from(distance > 300.0);
        }
    }
    assert!(journeys > 10, "{journeys}");
}

/// The great-circle distance.
fn kilometres(from: (f64, f64), to: (f64, f64)) -> f64 {
    let (north, east) = ((to.0 - from.0).to_radians(), (to.1 - from.1).to_radians());
    let chord = (north / 2.0).sin().powi(2)
        + from.0.to_radians().cos() * to.0.to_radians().cos() * (east / 2.0).sin().powi(2);
    2.0 * 6_371.0 * chord.sqrt().asin()
}

#[test]
fn sign_ins_fail_and_cross_tenants_as_they_do() {
    let Looked { estate, settings, .. } = &*LOOKED;
    let mut codes: BTreeMap<i64, usize> = BTreeMap::new();
    let mut crossings: BTreeMap<&str, usize> = BTreeMap::new();
    for sign_in in &estate.entra.sign_ins {
        *codes.entry(sign_in.code).or_default() += 1;
        let crossing = sign_in.object["crossTenantAccessType"].as_str().unwrap();
        *crossings.entry(crossing).or_default() += 1;
        let home = sign_in.object["homeTenantId"].as_str().unwrap();
        assert_eq!(crossing == "none", home == sign_in.tenant, "{sign_in:?}");
        if home == settings.partner_tenant_id.to_string() {
            assert_eq!(crossing, "serviceProvider", "{sign_in:?}");
        }
    }
    for code in [0, 50_053, 50_055, 50_074, 50_076, 50_126, 50_140, 500_121, 7_000_215] {
        assert!(codes.contains_key(&code), "no {code} in {codes:?}");
    }
    let all: usize = codes.values().sum();
    let failed = all - codes[&0];
    assert!((0.005..0.12).contains(&(failed as f64 / all as f64)), "{codes:?}");
    assert!(crossings.contains_key("serviceProvider") && crossings.contains_key("b2bCollaboration"));
    let risky = estate.entra.sign_ins.iter().map(|sign_in| sign_in.object["riskLevelDuringSignIn"].as_str());
    let levels: BTreeSet<&str> = risky.flatten().collect();
    // What is high belongs to attacks, and few of those are on customers who see risk.
    assert!(levels.is_superset(&BTreeSet::from(["hidden", "none", "low", "medium"])), "{levels:?}");
}

#[test]
fn the_directory_changes_in_all_ordinary_ways() {
    let names: BTreeSet<&str> = LOOKED
        .estate
        .entra
        .audits
        .iter()
        .map(|audit| audit.object["activityDisplayName"].as_str().unwrap())
        .collect();
    for name in [
        "Add user",
        "Update user",
        "Reset user password",
        "User registered security info",
        "Add member to group",
        "Remove member from group",
        "Add application",
        "Add service principal",
        "Update application – Certificates and secrets management ",
        "Invite external user",
        "Redeem external user invite",
        "Consent to application",
        "Add member to role",
        "Add member to role requested (PIM activation)",
        "Add member to role completed (PIM activation)",
    ] {
        assert!(names.contains(name), "no {name:?} in {names:?}");
    }
}

/// What docs/records.md says is read from real records is there.
#[test]
fn columns_are_filled() {
    let Looked { summary, settings, .. } = &*LOOKED;
    let reading = ingest::Reading::new(&settings.partner_tenant_id, settings.end, 8192);
    let mut filled: BTreeMap<(&'static str, String), usize> = BTreeMap::new();
    let mut rows: BTreeMap<&'static str, usize> = BTreeMap::new();
    let entra = |name: &str| name.contains("signin") || name.contains("audit") || name == "rest-api";
    for folder in summary.raw_folders.iter().filter(|path| entra(path.file_name().unwrap().to_str().unwrap()))
    {
        take_in(folder, &reading, &mut |item| {
            let ingest::Item::Batch(batch) = item else { panic!("rejected") };
            *rows.entry(batch.kind.name()).or_default() += batch.rows.num_rows();
            for (field, column) in batch.rows.schema().fields().iter().zip(batch.rows.columns()) {
                let key = (batch.kind.name(), field.name().clone());
                *filled.entry(key).or_default() += column.len() - column.null_count();
            }
        });
    }
    // What only some records have, and what none of Entra's has.
    let some = |column: &str| {
        matches!(
            column,
            "user_id"
                | "user_principal_name"
                | "service_principal_id"
                | "device_id"
                | "session_id"
                | "authentication_requirement"
                | "client_app"
                | "user_agent"
                | "operating_system"
                | "actor"
                | "actor_id"
                | "actor_ip"
                | "actor_type"
                | "role"
                | "result_reason"
                | "target"
                | "target_id"
                | "target_type"
        )
    };
    let none = |column: &str| {
        matches!(column, "subscription_id" | "resource_id" | "resource_group" | "actor_app_id")
    };
    for kind in ["sign_in", "audit"] {
        for ((_, column), count) in filled.iter().filter(|((of, _), _)| *of == kind) {
            match column.as_str() {
                name if none(name) => assert_eq!(*count, 0, "{kind}.{name}"),
                "result_reason" => {}
                name if some(name) => assert!(*count > 0 && *count < rows[kind] + 1, "{kind}.{name}"),
                name => assert_eq!(*count, rows[kind], "{kind}.{name}"),
            }
        }
    }
}
