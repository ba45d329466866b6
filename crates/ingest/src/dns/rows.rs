//! Columns of the table of DNS and firewall logs under way.

use super::DnsEvent;
use crate::columns::rows;

rows! {
    /// Builders, in the order of the schema.
    struct DnsRows of Dns in dns, event: &DnsEvent<'_>,
    event.place.common(event.event_id, event.event_at),
    {
        source: TextBuilder = Some(event.source.name()),
        name: TextBuilder = event.name.as_deref(),
        url: TextBuilder = event.url.as_deref(),
        query_type: TextBuilder = event.query_type.as_deref(),
        query_id: IntBuilder = event.query_id,
        response_code: TextBuilder = event.response_code.as_deref(),
        answers: TextBuilder = event.answers.as_deref(),
        answer_ips: TextBuilder = event.answer_ips.as_deref(),
        src_ip: TextBuilder = event.src_ip.as_deref(),
        src_port: IntBuilder = event.src_port,
        dst_ip: TextBuilder = event.dst_ip.as_deref(),
        dst_port: IntBuilder = event.dst_port,
        protocol: TextBuilder = event.protocol.as_deref(),
        decision: TextBuilder = event.decision,
        decision_reason: TextBuilder = event.decision_reason.as_deref(),
        policy: TextBuilder = event.policy.as_deref(),
        rule_collection: TextBuilder = event.rule_collection.as_deref(),
        rule: TextBuilder = event.rule.as_deref(),
        category: TextBuilder = event.category.as_deref(),
        threat: TextBuilder = event.threat.as_deref(),
        virtual_network_id: TextBuilder = event.virtual_network_id.as_deref(),
        properties: OwnTextBuilder = Some(event.properties),
    }
}
