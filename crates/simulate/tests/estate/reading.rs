//! Reads an estate back, as strictly as its formats are defined: nothing is skipped, anything odd fails.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde_json::Value;

use crate::entra::Entra;

/// One record of an activity log, with what all shapes have in common.
#[derive(Debug)]
pub(crate) struct ActivityRecord {
    pub(crate) at: DateTime<Utc>,
    pub(crate) subscription: String,
    pub(crate) operation: String,
    pub(crate) resource: String,
    pub(crate) status: String,
    pub(crate) correlation: String,
    /// The whole record as text.
    pub(crate) text: String,
}

/// One line of a cost file.
#[derive(Debug)]
pub(crate) struct CostLine {
    pub(crate) day: NaiveDate,
    pub(crate) subscription: String,
    pub(crate) resource: String,
    pub(crate) meter: String,
    pub(crate) charge_type: String,
    pub(crate) cost: f64,
    pub(crate) quantity: f64,
}

/// One flow tuple.
#[derive(Debug)]
pub(crate) struct Tuple {
    pub(crate) at: DateTime<Utc>,
    pub(crate) subscription: String,
    pub(crate) source: String,
    pub(crate) destination: String,
    pub(crate) is_outbound: bool,
    pub(crate) bytes_sent: u64,
}

/// A whole estate.
#[derive(Debug, Default)]
pub(crate) struct Estate {
    pub(crate) activity: Vec<ActivityRecord>,
    pub(crate) cost: Vec<CostLine>,
    pub(crate) flow: Vec<Tuple>,
    pub(crate) entra: Entra,
}

/// Every file below a folder with its content, in the order of paths.
pub(crate) fn tree(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let content = fs::read(&path).unwrap();
                files.insert(path.strip_prefix(root).unwrap().to_owned(), content);
            }
        }
    }
    files
}

impl Estate {
    pub(crate) fn read(root: &Path) -> Self {
        let mut estate = Self::default();
        for (path, content) in tree(root) {
            let name = path.to_str().unwrap();
            let mut text = String::new();
            if name.ends_with(".gz") {
                flate2::read::GzDecoder::new(&*content).read_to_string(&mut text).unwrap();
            } else {
                text = String::from_utf8(content).unwrap();
            }
            if estate.entra.takes(name, &text) {
                continue;
            }
            match name.split('/').next().unwrap() {
                "insights-activity-logs" => {
                    let records = text.lines().map(|line| serde_json::from_str(line).unwrap());
                    estate.activity.extend(records.map(|record| exported(&record)));
                }
                "event-hub" => estate.activity.extend(list(&text, "records").iter().map(exported)),
                "rest-api" => estate.activity.extend(list(&text, "value").iter().map(from_rest)),
                "cost-exports" => estate.cost_file(&text),
                "insights-logs-flowlogflowevent" => estate.vnet_file(&text),
                "insights-logs-networksecuritygroupflowevent" => estate.nsg_file(&text),
                "labels.json" | "simulation.json" => {}
                other => panic!("{other} is not a folder of raw records"),
            }
        }
        estate
    }

    fn cost_file(&mut self, text: &str) {
        let mut csv = csv::Reader::from_reader(text.as_bytes());
        let headers: Vec<String> = csv.headers().unwrap().iter().map(str::to_lowercase).collect();
        let column = |names: &[&str]| {
            headers
                .iter()
                .position(|header| names.contains(&header.as_str()))
                .unwrap_or_else(|| panic!("{names:?}"))
        };
        let cost = column(&["cost", "costinbillingcurrency"]);
        let [day, subscription, resource, meter, charge, quantity, tags, info] = [
            "date",
            "subscriptionid",
            "resourceid",
            "metername",
            "chargetype",
            "quantity",
            "tags",
            "additionalinfo",
        ]
        .map(|name| column(&[name]));
        for line in csv.records() {
            let line = line.unwrap();
            for json in [&line[tags], &line[info]].into_iter().filter(|json| !json.is_empty()) {
                serde_json::from_str::<serde_json::Map<String, Value>>(json).unwrap();
            }
            self.cost.push(CostLine {
                day: NaiveDate::parse_from_str(&line[day], "%Y-%m-%d")
                    .or_else(|_| NaiveDate::parse_from_str(&line[day], "%m/%d/%Y"))
                    .unwrap(),
                subscription: line[subscription].to_lowercase(),
                resource: line[resource].to_lowercase(),
                meter: line[meter].to_owned(),
                charge_type: line[charge].to_owned(),
                cost: line[cost].parse().unwrap(),
                quantity: line[quantity].parse().unwrap(),
            });
        }
    }

    fn vnet_file(&mut self, text: &str) {
        for record in list(text, "records") {
            assert_eq!(record["flowLogVersion"], 4);
            for group in record["flowRecords"]["flows"][0]["flowGroups"].as_array().unwrap() {
                for tuple in group["flowTuples"].as_array().unwrap() {
                    let parts = parts(tuple);
                    assert!(["B", "C", "E", "D"].contains(&&*parts[7]), "{parts:?}");
                    let at = DateTime::from_timestamp_millis(parts[0].parse().unwrap()).unwrap();
                    self.tuple(&record["targetResourceID"], at, &parts, parts[6] == "O", [9, 10, 11, 12]);
                }
            }
        }
    }

    fn nsg_file(&mut self, text: &str) {
        for record in list(text, "records") {
            assert_eq!(record["properties"]["Version"], 2);
            for rule in record["properties"]["flows"].as_array().unwrap() {
                for tuple in rule["flows"][0]["flowTuples"].as_array().unwrap() {
                    let parts = parts(tuple);
                    assert!(["B", "C", "E"].contains(&&*parts[8]), "{parts:?}");
                    let at = DateTime::from_timestamp(parts[0].parse().unwrap(), 0).unwrap();
                    self.tuple(&record["resourceId"], at, &parts, parts[6] == "O", [9, 10, 11, 12]);
                }
            }
        }
    }

    fn tuple(
        &mut self,
        resource: &Value,
        at: DateTime<Utc>,
        parts: &[String],
        is_outbound: bool,
        counts: [usize; 4],
    ) {
        let count = |index: usize| if parts[index].is_empty() { 0 } else { parts[index].parse().unwrap() };
        let [_, bytes_sent, _, _] = counts.map(count);
        self.flow.push(Tuple {
            at,
            subscription: subscription_of(resource.as_str().unwrap()),
            source: parts[1].clone(),
            destination: parts[2].clone(),
            is_outbound,
            bytes_sent,
        });
    }
}

pub(crate) fn list(text: &str, name: &str) -> Vec<Value> {
    let mut document: Value = serde_json::from_str(text).unwrap();
    match document[name].take() {
        Value::Array(list) => list,
        other => panic!("{name} is {other}"),
    }
}

fn parts(tuple: &Value) -> Vec<String> {
    let parts: Vec<String> = tuple.as_str().unwrap().split(',').map(str::to_owned).collect();
    assert_eq!(parts.len(), 13, "{tuple}");
    for address in [&parts[1], &parts[2]] {
        address.parse::<std::net::Ipv4Addr>().unwrap();
    }
    for port in [&parts[3], &parts[4]] {
        port.parse::<u16>().unwrap();
    }
    parts
}

/// The subscription of a path; none for what belongs to the tenant.
fn subscription_of(resource: &str) -> String {
    let lower = resource.to_lowercase();
    if lower.starts_with("/providers/") { String::new() } else { lower.split('/').nth(2).unwrap().to_owned() }
}

fn texts_hold_json(properties: &Value) {
    for name in ["requestbody", "responseBody", "statusMessage"] {
        if let Some(text) = properties.get(name) {
            serde_json::from_str::<Value>(text.as_str().unwrap()).unwrap();
        }
    }
}

fn exported(record: &Value) -> ActivityRecord {
    let text = |name: &str| record[name].as_str().unwrap_or_else(|| panic!("{name} in {record}")).to_owned();
    let time = text("time");
    let at = match DateTime::parse_from_rfc3339(&time) {
        Ok(at) => at.to_utc(),
        Err(_) => NaiveDateTime::parse_from_str(&time, "%Y-%m-%d %H:%M:%S%.f").unwrap().and_utc(),
    };
    if let Some(identity) = record["identity"].as_str() {
        assert!(serde_json::from_str::<Value>(identity).unwrap()["claims"].is_object());
    }
    texts_hold_json(&record["properties"]);
    ActivityRecord {
        at,
        subscription: subscription_of(&text("resourceId")),
        operation: text("operationName").to_lowercase(),
        resource: text("resourceId").to_lowercase(),
        status: text("resultType"),
        correlation: text("correlationId"),
        text: record.to_string(),
    }
}

fn from_rest(record: &Value) -> ActivityRecord {
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{record}")).to_owned();
    texts_hold_json(&record["properties"]);
    ActivityRecord {
        at: DateTime::parse_from_rfc3339(&text(&record["eventTimestamp"])).unwrap().to_utc(),
        subscription: record["subscriptionId"].as_str().unwrap_or_default().to_lowercase(),
        operation: text(&record["operationName"]["value"]).to_lowercase(),
        resource: text(&record["resourceId"]).to_lowercase(),
        status: match text(&record["status"]["value"]).as_str() {
            "Started" => "Start".to_owned(),
            "Accepted" => "Accept".to_owned(),
            "Succeeded" => "Success".to_owned(),
            "Failed" => "Failure".to_owned(),
            other => panic!("status {other}"),
        },
        correlation: text(&record["correlationId"]),
        text: record.to_string(),
    }
}
