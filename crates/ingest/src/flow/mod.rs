//! Network flow logs: NSG version 1 and 2, VNet version 4.
//!
//! A record covers a minute of one network interface and holds tuples, one text for each flow; a tuple
//! becomes a row. The two formats nest differently and code the parts of a tuple differently; see
//! [`mod@tuple`]. A flow that both formats report is two events.
//!
//! The hash covers the record's time, the interface, the rule, the watched resource and all parts of
//! the tuple. A tuple that stands twice in one record gets a number. In two records of the same time
//! and interface it is the same event: blobs are written again each minute.

mod rows;
mod tuple;

use std::net::IpAddr;

pub(crate) use self::rows::FlowRows;
use self::tuple::{Format, Tuple};
use crate::address::plain_mac;
use crate::event_id::{Canonical, EventId, Occurrences, id_of, short_number};
use crate::json::envelope::Envelope;
use crate::json::loose::{Text, loose, unfold};
use crate::output::{Failure, Output};
use crate::resource::{lower, parts};
use crate::schema::Kind;
use crate::time::Instant;

/// One flow, or one interval of a longer flow.
pub(crate) struct FlowEvent<'a> {
    pub(crate) event_id: EventId,
    pub(crate) tuple: &'a Tuple<'a>,
    pub(crate) source: &'a Source<'a>,
    /// Whether the event taken before it is of another source, or there is none.
    pub(crate) is_first_of_source: bool,
}

/// What the tuples of one group have in common.
pub(crate) struct Source<'a> {
    pub(crate) resource_id: Option<&'a str>,
    pub(crate) subscription_id: Option<&'a str>,
    pub(crate) resource_group: Option<&'a str>,
    pub(crate) mac: Option<String>,
    pub(crate) rule: Option<&'a str>,
}

// A list that is not there is not an empty one: it may go by a name that is not known.
loose! {
    /// `properties` of an NSG record.
    struct NsgProperties {
        flows: Option<Vec<NsgRule<'a>>> = "flows",
    }
}

loose! {
    /// The flows that one rule decided.
    struct NsgRule {
        rule: Text<'a> = "rule",
        flows: Option<Vec<NsgFlows<'a>>> = "flows",
    }
}

loose! {
    /// The flows of one interface.
    struct NsgFlows {
        mac: Text<'a> = "mac",
        tuples: Option<Vec<Text<'a>>> = "flowtuples",
    }
}

loose! {
    /// `flowRecords` of a VNet record.
    struct FlowRecords {
        flows: Option<Vec<VnetFlows<'a>>> = "flows",
    }
}

loose! {
    /// The flows under one access list.
    struct VnetFlows {
        groups: Option<Vec<FlowGroup<'a>>> = "flowgroups",
    }
}

loose! {
    /// The flows that one rule decided.
    struct FlowGroup {
        rule: Text<'a> = "rule",
        tuples: Option<Vec<Text<'a>>> = "flowtuples",
    }
}

/// Reads flow records; keeps its buffers between them.
#[derive(Default)]
pub(crate) struct Parser {
    canonical: Canonical,
    occurrences: Occurrences,
    has_begun: bool,
}

impl Parser {
    /// Whether it has read a record.
    pub(crate) fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// Reads an NSG record, tuple by tuple.
    pub(crate) fn read_nsg(
        &mut self,
        record: &Envelope<'_>,
        line: u64,
        text: &[u8],
        output: &mut Output<'_>,
    ) -> Result<(), Failure> {
        let Some(raw) = record.properties else {
            return reject(output, line, missing("properties"), text);
        };
        let inner = unfold(raw.get());
        let properties: NsgProperties<'_> = match serde_json::from_str(&inner) {
            Ok(properties) => properties,
            Err(error) => return reject(output, line, unreadable("properties", &error), text),
        };
        let mut group = Group::of(record, record.resource_id.get(), Format::Nsg, line, self);
        let mut found = Found::default();
        for rule in found.items("flows", properties.flows.as_ref()) {
            for flows in found.items("flows", rule.flows.as_ref()) {
                let mac = flows.mac.get().or(record.mac_address.get());
                let tuples = found.tuples(flows.tuples.as_ref());
                group.read(mac, rule.rule.get(), tuples, output)?;
            }
        }
        found.finish(line, text, output)
    }

    /// Reads a VNet record, tuple by tuple.
    pub(crate) fn read_vnet(
        &mut self,
        record: &Envelope<'_>,
        line: u64,
        text: &[u8],
        output: &mut Output<'_>,
    ) -> Result<(), Failure> {
        let Some(raw) = record.flow_records else {
            return reject(output, line, missing("flowRecords"), text);
        };
        let inner = unfold(raw.get());
        let records: FlowRecords<'_> = match serde_json::from_str(&inner) {
            Ok(records) => records,
            Err(error) => return reject(output, line, unreadable("flowRecords", &error), text),
        };
        let watched = record.target_resource_id.get().or(record.flow_log_resource_id.get());
        let mut group = Group::of(record, watched, Format::Vnet, line, self);
        let mut found = Found::default();
        for flows in found.items("flows", records.flows.as_ref()) {
            for of_rule in found.items("flowGroups", flows.groups.as_ref()) {
                let tuples = found.tuples(of_rule.tuples.as_ref());
                group.read(record.mac_address.get(), of_rule.rule.get(), tuples, output)?;
            }
        }
        found.finish(line, text, output)
    }
}

/// What is found of the lists in a record.
#[derive(Default)]
struct Found {
    tuples: usize,
    /// The first list that is not there.
    missing: Option<&'static str>,
}

impl Found {
    /// The items of a list.
    fn items<'l, T>(&mut self, name: &'static str, list: Option<&'l Vec<T>>) -> &'l [T] {
        if list.is_none() {
            self.missing.get_or_insert(name);
        }
        list.map(Vec::as_slice).unwrap_or_default()
    }

    fn tuples<'l, T>(&mut self, list: Option<&'l Vec<T>>) -> &'l [T] {
        let tuples = self.items("flowTuples", list);
        self.tuples += tuples.len();
        tuples
    }

    /// Rejects a record that lacks a list. Tuples in its other lists were read, and are known when it is read
    /// again.
    fn finish(self, line: u64, text: &[u8], output: &mut Output<'_>) -> Result<(), Failure> {
        if let Some(name) = self.missing {
            return reject(output, line, missing(name), text);
        }
        if self.tuples == 0 {
            output.empty();
        }
        Ok(())
    }
}

/// Rejects a record as a whole.
fn reject(output: &mut Output<'_>, line: u64, reason: String, text: &[u8]) -> Result<(), Failure> {
    output.met(1);
    output.reject(line, Some(Kind::Flow), reason, text)
}

fn missing(member: &str) -> String {
    format!("the flow record has no `{member}`, where its flows would be; export it again")
}

fn unreadable(member: &str, error: &serde_json::Error) -> String {
    format!("the flows in `{member}` cannot be read: {error}")
}

/// One record under way.
struct Group<'p> {
    parser: &'p mut Parser,
    format: Format,
    line: u64,
    /// Time of the record as far as it can be read; it only tells equal tuples of two records apart.
    recorded_at: Option<Instant>,
    resource_id: Option<String>,
}

impl<'p> Group<'p> {
    fn of(
        record: &Envelope<'_>,
        watched: Option<&str>,
        format: Format,
        line: u64,
        parser: &'p mut Parser,
    ) -> Self {
        parser.has_begun = true;
        parser.occurrences.clear();
        let recorded_at = record.time.get().and_then(Instant::parse);
        Self { parser, format, line, recorded_at, resource_id: watched.map(|path| lower(path).into_owned()) }
    }

    fn read(
        &mut self,
        mac: Option<&str>,
        rule: Option<&str>,
        tuples: &[Text<'_>],
        output: &mut Output<'_>,
    ) -> Result<(), Failure> {
        let resource_id = self.resource_id.as_deref();
        let in_path = parts(resource_id.unwrap_or_default());
        let source = Source {
            resource_id,
            subscription_id: in_path.subscription_id,
            resource_group: in_path.resource_group,
            mac: mac.and_then(plain_mac),
            rule,
        };
        let form = self.parser.canonical.start("flow").text(Some(output.reading.partner_tenant_id.as_str()));
        form.number(self.recorded_at.map_or(0, |time| time.micros)).text(resource_id);
        let prefix = form.text(source.mac.as_deref()).folded(rule).bytes(&[self.format as u8]).id();
        output.met(tuples.len() as u64);
        let mut is_first_of_source = true;
        for text in tuples {
            let text = text.as_written();
            match Tuple::parse(text, self.format) {
                Ok(tuple) => {
                    let event_id = self.parser.occurrences.distinct(hash(&prefix, &tuple));
                    output.take(&FlowEvent {
                        event_id,
                        tuple: &tuple,
                        source: &source,
                        is_first_of_source,
                    })?;
                    is_first_of_source = false;
                }
                Err(reason) => output.reject_part(self.line, Some(Kind::Flow), reason, text.as_bytes())?,
            }
        }
        Ok(())
    }
}

/// The hash of a tuple under the hash of what its group shares: one message of a single block as a rule,
/// since tuples come by the million.
fn hash(prefix: &EventId, tuple: &Tuple<'_>) -> EventId {
    let mut form = Form { bytes: [0; FORM_BYTES], length: 0 };
    form.put(*prefix);
    form.put(tuple.at.micros.to_le_bytes());
    for address in [tuple.src_ip, tuple.dst_ip] {
        match address {
            IpAddr::V4(address) => {
                form.put([4]);
                form.put(address.octets());
            }
            IpAddr::V6(address) => {
                form.put([6]);
                form.put(address.octets());
            }
        }
    }
    form.put(tuple.src_port.to_le_bytes());
    form.put(tuple.dst_port.to_le_bytes());
    form.put([
        tuple.protocol,
        tuple.is_inbound.into(),
        tuple.is_denied.into(),
        tuple.state.map_or(0, |state| state as u8),
    ]);
    for count in tuple.counts {
        // Counts are never negative.
        let (size, bytes) = short_number(count.map(i64::cast_unsigned));
        form.put(bytes);
        form.length -= bytes.len() - size;
    }
    id_of(&form.bytes[..form.length])
}

/// Room for the canonical form of a tuple: 102 bytes at most, and what is written of a number beyond its end.
const FORM_BYTES: usize = 128;

/// The canonical form of a tuple under way.
struct Form {
    bytes: [u8; FORM_BYTES],
    length: usize,
}

impl Form {
    /// Adds bytes, as many as the compiler knows of: these are few and many times, and are not worth a call each.
    #[inline]
    fn put<const N: usize>(&mut self, bytes: [u8; N]) {
        self.bytes[self.length..self.length + N].copy_from_slice(&bytes);
        self.length += N;
    }
}
