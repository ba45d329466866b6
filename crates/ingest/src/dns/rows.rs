//! Columns of the table of DNS and firewall logs under way.

use super::DnsEvent;
use crate::columns::rows;

rows! {
    /// Builders, in the order of the schema.
    struct DnsRows of Dns in dns, event: &DnsEvent<'_>,
    event.place.common(event.event_id, event.event_at),
    {
        source: StringBuilder = Some(event.source.name()),
        name: StringBuilder = event.name.as_deref(),
        url: StringBuilder = event.url.as_deref(),
        query_type: StringBuilder = event.query_type.as_deref(),
        query_id: Int64Builder = event.query_id,
        response_code: StringBuilder = event.response_code.as_deref(),
        answers: StringBuilder = event.answers.as_deref(),
        answer_ips: StringBuilder = event.answer_ips.as_deref(),
        src_ip: StringBuilder = event.src_ip.as_deref(),
        src_port: Int64Builder = event.src_port,
        dst_ip: StringBuilder = event.dst_ip.as_deref(),
        dst_port: Int64Builder = event.dst_port,
        protocol: StringBuilder = event.protocol.as_deref(),
        decision: StringBuilder = event.decision,
        decision_reason: StringBuilder = event.decision_reason.as_deref(),
        policy: StringBuilder = event.policy.as_deref(),
        rule_collection: StringBuilder = event.rule_collection.as_deref(),
        rule: StringBuilder = event.rule.as_deref(),
        category: StringBuilder = event.category.as_deref(),
        threat: StringBuilder = event.threat.as_deref(),
        virtual_network_id: StringBuilder = event.virtual_network_id.as_deref(),
        properties: StringBuilder = Some(event.properties),
    }
}
