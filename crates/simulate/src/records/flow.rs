//! Flow logs: NSG version 2 and VNet version 4.
//!
//! Azure writes one record a minute for each interface. To keep estates small, a record here holds up
//! to [`TUPLES_A_RECORD`] tuples of an interface, and a file a day of a subscription.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use crate::estate::{FlowShape, Nic, Subscription};
use crate::routine::{Talk, TalkState};

/// The most tuples of one record.
const TUPLES_A_RECORD: usize = 40;

/// The name space of flow-log ids, which follow from subscription and region.
const FLOW_LOG_SPACE: Uuid = Uuid::from_u128(0x3f2b_9a60_77c4_4e1d_8b05_6a4c_92d8_bb02);

/// A file of flow records.
#[derive(Serialize)]
struct File<R> {
    records: Vec<R>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NsgRecord<'a> {
    time: String,
    system_id: Uuid,
    mac_address: &'a str,
    category: &'static str,
    resource_id: String,
    operation_name: &'static str,
    properties: NsgProperties<'a>,
}

#[derive(Serialize)]
struct NsgProperties<'a> {
    #[serde(rename = "Version")]
    version: u8,
    flows: Vec<NsgRule<'a>>,
}

#[derive(Serialize)]
struct NsgRule<'a> {
    rule: &'static str,
    flows: Vec<NsgFlow<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NsgFlow<'a> {
    mac: &'a str,
    flow_tuples: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VnetRecord<'a> {
    time: String,
    flow_log_version: u8,
    #[serde(rename = "flowLogGUID")]
    flow_log_guid: Uuid,
    mac_address: &'a str,
    category: &'static str,
    #[serde(rename = "flowLogResourceID")]
    flow_log_resource_id: String,
    #[serde(rename = "targetResourceID")]
    target_resource_id: String,
    operation_name: &'static str,
    flow_records: VnetFlows,
}

#[derive(Serialize)]
struct VnetFlows {
    flows: Vec<VnetFlow>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VnetFlow {
    #[serde(rename = "aclID")]
    acl_id: Uuid,
    flow_groups: Vec<VnetGroup>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VnetGroup {
    rule: &'static str,
    flow_tuples: Vec<String>,
}

/// Writes a day's traffic of a subscription. Tuples after `end` have not happened yet and are left out.
/// Returns the number of tuples; none leaves `out` empty.
pub(crate) fn write(
    subscription: &Subscription,
    shape: FlowShape,
    mut talks: Vec<Talk<'_>>,
    end: DateTime<Utc>,
    out: &mut Vec<u8>,
) -> serde_json::Result<u64> {
    talks.retain(|talk| talk.at_ms < end.timestamp_millis());
    talks.sort_by(|a, b| (&a.nic.mac, a.at_ms, a.local_port).cmp(&(&b.nic.mac, b.at_ms, b.local_port)));
    if talks.is_empty() {
        return Ok(0);
    }
    let chunks =
        talks.chunk_by(|a, b| a.nic.mac == b.nic.mac).flat_map(|talks| talks.chunks(TUPLES_A_RECORD));
    match shape {
        FlowShape::Nsg => {
            let records = chunks.map(|chunk| nsg_record(subscription, chunk)).collect();
            serde_json::to_writer(&mut *out, &File { records })?;
        }
        FlowShape::Vnet => {
            let records = chunks.map(|chunk| vnet_record(subscription, chunk)).collect();
            serde_json::to_writer(&mut *out, &File { records })?;
        }
    }
    Ok(talks.len() as u64)
}

/// The record is written in the minute after its last tuple.
fn record_time(chunk: &[Talk<'_>]) -> String {
    let last_ms = chunk.last().map_or(0, |talk| talk.at_ms);
    let written_ms = (last_ms / 60_000 + 1) * 60_000;
    let at = DateTime::from_timestamp_millis(written_ms).unwrap_or_default();
    format!("{}0Z", at.format("%Y-%m-%dT%H:%M:%S%.6f"))
}

fn nsg_record<'a>(subscription: &Subscription, chunk: &[Talk<'a>]) -> NsgRecord<'a> {
    let nic: &'a Nic = chunk[0].nic;
    let flows = by_rule(chunk, nsg_rule, nsg_tuple)
        .into_iter()
        .map(|(rule, flow_tuples)| NsgRule { rule, flows: vec![NsgFlow { mac: &nic.mac, flow_tuples }] })
        .collect();
    NsgRecord {
        time: record_time(chunk),
        system_id: flow_log_guid(subscription, nic),
        mac_address: &nic.mac,
        category: "NetworkSecurityGroupFlowEvent",
        resource_id: security_group(subscription, nic).to_uppercase(),
        operation_name: "NetworkSecurityGroupFlowEvents",
        properties: NsgProperties { version: 2, flows },
    }
}

fn vnet_record<'a>(subscription: &Subscription, chunk: &[Talk<'a>]) -> VnetRecord<'a> {
    let nic: &'a Nic = chunk[0].nic;
    let flow_groups = by_rule(chunk, vnet_rule, vnet_tuple)
        .into_iter()
        .map(|(rule, flow_tuples)| VnetGroup { rule, flow_tuples })
        .collect();
    let guid = flow_log_guid(subscription, nic);
    VnetRecord {
        time: record_time(chunk),
        flow_log_version: 4,
        flow_log_guid: guid,
        mac_address: &nic.mac,
        category: "FlowLogFlowEvent",
        flow_log_resource_id: flow_log_id(subscription, nic),
        target_resource_id: subscription.resource(
            "rg-network",
            "Microsoft.Network/virtualNetworks",
            &format!("vnet-{}", nic.region.id),
        ),
        operation_name: "FlowLogFlowEvent",
        flow_records: VnetFlows {
            flows: vec![VnetFlow { acl_id: Uuid::new_v5(&FLOW_LOG_SPACE, guid.as_bytes()), flow_groups }],
        },
    }
}

fn flow_log_guid(subscription: &Subscription, nic: &Nic) -> Uuid {
    Uuid::new_v5(&FLOW_LOG_SPACE, format!("{}/{}", subscription.id, nic.region.id).as_bytes())
}

/// Path of the flow log of the region in which an interface is.
fn flow_log_id(subscription: &Subscription, nic: &Nic) -> String {
    let region = nic.region.id;
    format!(
        "/SUBSCRIPTIONS/{}/RESOURCEGROUPS/NETWORKWATCHERRG/PROVIDERS/MICROSOFT.NETWORK/NETWORKWATCHERS/\
         NETWORKWATCHER_{}/FLOWLOGS/VNET-{}-FLOWLOG",
        subscription.id.to_uppercase(),
        region.to_uppercase(),
        region.to_uppercase()
    )
}

/// Path of the security group of the region in which an interface is.
fn security_group(subscription: &Subscription, nic: &Nic) -> String {
    let name = format!("nsg-{}", nic.region.id);
    subscription.resource("rg-network", "Microsoft.Network/networkSecurityGroups", &name)
}

fn by_rule(
    chunk: &[Talk<'_>],
    rule_of: fn(&Talk<'_>) -> &'static str,
    tuple_of: fn(&Talk<'_>) -> String,
) -> Vec<(&'static str, Vec<String>)> {
    let mut groups: Vec<(&'static str, Vec<String>)> = Vec::new();
    for talk in chunk {
        let rule = rule_of(talk);
        match groups.iter_mut().find(|(known, _)| *known == rule) {
            Some((_, tuples)) => tuples.push(tuple_of(talk)),
            None => groups.push((rule, vec![tuple_of(talk)])),
        }
    }
    groups
}

fn nsg_rule(talk: &Talk<'_>) -> &'static str {
    match (talk.state, talk.outbound) {
        (TalkState::Denied, _) => "DefaultRule_DenyAllInBound",
        (_, true) if talk.remote.starts_with("10.") => "DefaultRule_AllowVnetOutBound",
        (_, true) => "DefaultRule_AllowInternetOutBound",
        (_, false) => "UserRule_allow-https",
    }
}

fn vnet_rule(talk: &Talk<'_>) -> &'static str {
    nsg_rule(talk).trim_start_matches("DefaultRule_").trim_start_matches("UserRule_")
}

/// Sender first: source, destination, and their ports.
fn ends<'a>(talk: &'a Talk<'_>) -> (&'a str, &'a str, u16, u16) {
    if talk.outbound {
        (&talk.nic.address, &talk.remote, talk.local_port, talk.remote_port)
    } else {
        (&talk.remote, &talk.nic.address, talk.remote_port, talk.local_port)
    }
}

fn packets(bytes: u64) -> u64 {
    if bytes == 0 { 0 } else { bytes / 420 + 1 }
}

fn nsg_tuple(talk: &Talk<'_>) -> String {
    let (source, destination, source_port, destination_port) = ends(talk);
    let protocol = if talk.protocol == 17 { 'U' } else { 'T' };
    let direction = if talk.outbound { 'O' } else { 'I' };
    let (decision, state) = match talk.state {
        TalkState::Begin => ('A', 'B'),
        TalkState::Continuing => ('A', 'C'),
        TalkState::End => ('A', 'E'),
        TalkState::Denied => ('D', 'B'),
    };
    let mut tuple = format!(
        "{},{source},{destination},{source_port},{destination_port},{protocol},{direction},{decision},{state}",
        talk.at_ms / 1000
    );
    match talk.state {
        TalkState::Begin | TalkState::Denied => tuple.push_str(",,,,"),
        TalkState::Continuing | TalkState::End => push_counts(&mut tuple, talk),
    }
    tuple
}

fn vnet_tuple(talk: &Talk<'_>) -> String {
    let (source, destination, source_port, destination_port) = ends(talk);
    let direction = if talk.outbound { 'O' } else { 'I' };
    let state = match talk.state {
        TalkState::Begin => 'B',
        TalkState::Continuing => 'C',
        TalkState::End => 'E',
        TalkState::Denied => 'D',
    };
    let mut tuple = format!(
        "{},{source},{destination},{source_port},{destination_port},{},{direction},{state},NX",
        talk.at_ms, talk.protocol
    );
    push_counts(&mut tuple, talk);
    tuple
}

fn push_counts(tuple: &mut String, talk: &Talk<'_>) {
    let (sent, received) = (talk.sent, talk.received);
    write!(tuple, ",{},{sent},{},{received}", packets(sent), packets(received))
        .expect("writing to a string cannot fail");
}
