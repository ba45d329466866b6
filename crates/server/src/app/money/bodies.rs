//! Which machines the body of a request or response asks for.
//!
//! Bodies are JSON text within the JSON of an event's properties, and may be cut off; then the event's columns have to
//! do.

use alerts::money::{Machines, Priority};
use serde_json::Value;

/// What stands for container groups, which are billed by the second of their processors.
const CONTAINER_GROUP: &str = "container group";

/// What an event's columns say of its machines.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Columns<'a> {
    pub(super) size: Option<&'a str>,
    pub(super) capacity: Option<i64>,
}

/// The machines that a resource has after a write; none if the record does not say.
pub(super) fn machines(operation: &str, columns: Columns<'_>, properties: Option<&str>) -> Vec<Machines> {
    let bodies = properties.map(bodies).unwrap_or_default();
    let read = |read: fn(&Value) -> Vec<Machines>| {
        bodies.iter().map(read).find(|machines| !machines.is_empty()).unwrap_or_default()
    };
    match operation {
        "microsoft.compute/virtualmachines/write" => {
            let priority = bodies.iter().find_map(|body| text(body, &["properties", "priority"]));
            of_columns(columns, Some(1), priority)
        }
        "microsoft.compute/virtualmachinescalesets/write" => {
            let path = ["properties", "virtualmachineprofile", "priority"];
            let priority = bodies.iter().find_map(|body| text(body, &path));
            of_columns(columns, columns.capacity.or(Some(1)), priority)
        }
        "microsoft.batch/batchaccounts/pools/write" => read(pool),
        "microsoft.containerservice/managedclusters/write" => read(cluster),
        "microsoft.containerservice/managedclusters/agentpools/write" => read(agent_pool),
        "microsoft.machinelearningservices/workspaces/computes/write" => read(learning),
        "microsoft.containerinstance/containergroups/write" if !bodies.is_empty() => {
            kind(CONTAINER_GROUP, Some(1), None).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// The response first: it says what was made and not what was asked for. Names are in lower case.
fn bodies(properties: &str) -> Vec<Value> {
    let Ok(Value::Object(members)) = serde_json::from_str(properties) else { return Vec::new() };
    let named = |wanted: &str| {
        let member = members.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        member.and_then(|(_, value)| match value {
            Value::String(text) => serde_json::from_str(text).ok(),
            other => Some(other.clone()),
        })
    };
    ["responsebody", "requestbody"]
        .into_iter()
        .filter_map(named)
        .filter(Value::is_object)
        .map(folded)
        .collect()
}

/// The value with the names of all members in lower case: Azure writes them in one case and another.
fn folded(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            members.into_iter().map(|(name, value)| (name.to_lowercase(), folded(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(folded).collect(),
        other => other,
    }
}

fn at<'v>(value: &'v Value, path: &[&str]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, name| value.get(name))
}

fn text<'v>(value: &'v Value, path: &[&str]) -> Option<&'v str> {
    at(value, path)?.as_str()
}

fn number(value: &Value, path: &[&str]) -> Option<i64> {
    at(value, path)?.as_i64()
}

fn kind(size: &str, count: Option<i64>, priority: Option<&str>) -> Option<Machines> {
    let count = u32::try_from(count?).ok().filter(|count| *count > 0)?;
    let is_spot = priority.is_some_and(|word| {
        word.eq_ignore_ascii_case("spot")
            || word.eq_ignore_ascii_case("low")
            || word.eq_ignore_ascii_case("lowpriority")
    });
    let priority = if is_spot { Priority::Spot } else { Priority::Regular };
    Some(Machines { size: size.to_lowercase(), priority, count })
}

fn of_columns(columns: Columns<'_>, count: Option<i64>, priority: Option<&str>) -> Vec<Machines> {
    columns.size.and_then(|size| kind(size, count, priority)).into_iter().collect()
}

/// A pool of Batch with a fixed number of nodes. One with a formula has as many as that says, which nobody tells.
fn pool(body: &Value) -> Vec<Machines> {
    let Some(size) = text(body, &["properties", "vmsize"]) else { return Vec::new() };
    let nodes = |name: &str| number(body, &["properties", "scalesettings", "fixedscale", name]);
    let regular = kind(size, nodes("targetdedicatednodes"), None);
    let spare = kind(size, nodes("targetlowprioritynodes"), Some("low"));
    regular.into_iter().chain(spare).collect()
}

fn cluster(body: &Value) -> Vec<Machines> {
    let pools = at(body, &["properties", "agentpoolprofiles"]).and_then(Value::as_array);
    let one = |pool: &Value| {
        let priority = text(pool, &["scalesetpriority"]);
        kind(text(pool, &["vmsize"])?, number(pool, &["count"]), priority)
    };
    pools.into_iter().flatten().filter_map(one).collect()
}

fn agent_pool(body: &Value) -> Vec<Machines> {
    let Some(pool) = body.get("properties") else { return Vec::new() };
    let of = |size: &str| kind(size, number(pool, &["count"]), text(pool, &["scalesetpriority"]));
    text(pool, &["vmsize"]).and_then(of).into_iter().collect()
}

/// A machine of a data scientist, or a cluster. A cluster has at least its smallest number of nodes, and more as its
/// jobs want, which nobody tells before the bill.
fn learning(body: &Value) -> Vec<Machines> {
    let inner = |name: &str| text(body, &["properties", "properties", name]);
    let Some(size) = inner("vmsize") else { return Vec::new() };
    let is_cluster = text(body, &["properties", "computetype"])
        .is_some_and(|kind| kind.eq_ignore_ascii_case("amlcompute"));
    let count = if is_cluster {
        number(body, &["properties", "properties", "scalesettings", "minnodecount"])
    } else {
        Some(1)
    };
    kind(size, count, inner("vmpriority")).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bodies_say_which_machines_there_are() {
        let check = |operation: &str, size: &str, capacity: Option<i64>, body: Value, expected: &str| {
            let properties = json!({"requestbody": body.to_string(), "statusCode": "Created"}).to_string();
            let columns = Columns { size: Some(size).filter(|size| !size.is_empty()), capacity };
            let found = machines(operation, columns, Some(&properties)).into_iter();
            let words = found.map(|of| format!("{} {} {}", of.count, of.size, of.priority.as_str()));
            assert_eq!(words.collect::<Vec<_>>().join(", "), expected, "{operation} {body}");
        };
        let vm = "microsoft.compute/virtualmachines/write";
        check(vm, "standard_d2", None, json!({}), "1 standard_d2 regular");
        check(vm, "standard_d2", None, json!({"Properties": {"Priority": "Spot"}}), "1 standard_d2 spot");
        check(vm, "", None, json!({"properties": {"priority": "Spot"}}), "");
        let set = "microsoft.compute/virtualmachinescalesets/write";
        let spare = json!({"properties": {"virtualMachineProfile": {"priority": "Low"}}});
        check(set, "standard_d2", Some(40), spare, "40 standard_d2 spot");
        check(set, "standard_d2", Some(0), json!({}), "");
        let pool = "microsoft.batch/batchaccounts/pools/write";
        let nodes = |dedicated: i64, low: i64| {
            let fixed = json!({"targetDedicatedNodes": dedicated, "targetLowPriorityNodes": low});
            json!({"properties": {"vmSize": "STANDARD_F72S_V2", "scaleSettings": {"fixedScale": fixed}}})
        };
        check(pool, "", None, nodes(0, 8), "8 standard_f72s_v2 spot");
        check(pool, "", None, nodes(2, 8), "2 standard_f72s_v2 regular, 8 standard_f72s_v2 spot");
        check(pool, "", None, json!({"properties": {"vmSize": "a", "scaleSettings": {"autoScale": {}}}}), "");
        let profiles = json!([{"vmSize": "Standard_D4s_v5", "count": 3}, {"vmSize": "b", "count": 2, "scaleSetPriority": "Spot"}]);
        check(
            "microsoft.containerservice/managedclusters/write",
            "",
            None,
            json!({"properties": {"agentPoolProfiles": profiles}}),
            "3 standard_d4s_v5 regular, 2 b spot",
        );
        check(
            "microsoft.containerservice/managedclusters/agentpools/write",
            "",
            None,
            json!({"properties": {"vmSize": "b", "count": 5, "scaleSetPriority": "Spot"}}),
            "5 b spot",
        );
        let learning = "microsoft.machinelearningservices/workspaces/computes/write";
        let compute = |kind: &str, least: i64| {
            let scale = json!({"minNodeCount": least, "maxNodeCount": 9});
            let inner = json!({"vmSize": "n", "vmPriority": "LowPriority", "scaleSettings": scale});
            json!({"properties": {"computeType": kind, "properties": inner}})
        };
        check(learning, "", None, compute("AmlCompute", 4), "4 n spot");
        check(learning, "", None, compute("AmlCompute", 0), "");
        check(learning, "", None, compute("ComputeInstance", 0), "1 n spot");
        let group = "microsoft.containerinstance/containergroups/write";
        check(group, "", None, json!({"location": "x"}), "1 container group regular");
        check("microsoft.storage/storageaccounts/write", "standard_d2", None, json!({}), "");
    }

    #[test]
    fn a_body_that_is_cut_off_leaves_the_columns() {
        let columns = Columns { size: Some("standard_d2"), capacity: Some(3) };
        let set = "microsoft.compute/virtualmachinescalesets/write";
        for properties in [None, Some("{\"requestbody\":\"{\\\"loc"), Some("{\"requestbody\":\"{\\\"loc\"}")]
        {
            assert_eq!(machines(set, columns, properties)[0].count, 3, "{properties:?}");
            assert!(machines("microsoft.batch/batchaccounts/pools/write", columns, properties).is_empty());
        }
    }
}
