//! Columns of the flow table under way.

use std::net::IpAddr;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_array::builder::{Int64Builder, StringBuilder};

use super::FlowEvent;
use super::tuple::State;
use crate::columns::{Common, CommonColumns, batch};
use crate::output::Rows;
use crate::read::Reading;
use crate::schema::Kind;

/// Builders, in the order of the schema.
#[derive(Default)]
pub(crate) struct FlowRows {
    common: CommonColumns,
    mac: StringBuilder,
    src_ip: StringBuilder,
    dst_ip: StringBuilder,
    src_port: Int64Builder,
    dst_port: Int64Builder,
    protocol: Int64Builder,
    direction: StringBuilder,
    decision: StringBuilder,
    state: StringBuilder,
    rule: StringBuilder,
    counts: [Int64Builder; 4],
}

impl FlowRows {
    pub(crate) fn append(&mut self, event: &FlowEvent<'_>, reading: &Reading<'_>) {
        let (tuple, source) = (event.tuple, event.source);
        let common = Common {
            event_id: event.event_id,
            event_at: tuple.at,
            customer_tenant_id: None,
            subscription_id: source.subscription_id,
            resource_id: source.resource_id,
            resource_group: source.resource_group,
        };
        self.common.append(&common, reading);
        self.mac.append_option(source.mac.as_deref());
        append_address(&mut self.src_ip, tuple.src_ip, tuple.written[0]);
        append_address(&mut self.dst_ip, tuple.dst_ip, tuple.written[1]);
        self.src_port.append_value(tuple.src_port.into());
        self.dst_port.append_value(tuple.dst_port.into());
        self.protocol.append_value(tuple.protocol.into());
        self.direction.append_value(if tuple.is_inbound { "inbound" } else { "outbound" });
        self.decision.append_value(if tuple.is_denied { "denied" } else { "allowed" });
        self.state.append_option(tuple.state.map(State::name));
        self.rule.append_option(source.rule);
        for (column, count) in self.counts.iter_mut().zip(tuple.counts) {
            column.append_option(count);
        }
    }
}

/// An IPv4 address has one spelling, so what was written will do; IPv6 has many.
fn append_address(column: &mut StringBuilder, address: IpAddr, written: &str) {
    match address {
        IpAddr::V4(_) => column.append_value(written),
        IpAddr::V6(address) => column.append_value(address.to_string()),
    }
}

impl Rows for FlowRows {
    const KIND: Kind = Kind::Flow;

    fn finish(&mut self) -> RecordBatch {
        let mut own = vec![
            Arc::new(self.mac.finish()) as _,
            Arc::new(self.src_ip.finish()) as _,
            Arc::new(self.dst_ip.finish()) as _,
            Arc::new(self.src_port.finish()) as _,
            Arc::new(self.dst_port.finish()) as _,
            Arc::new(self.protocol.finish()) as _,
            Arc::new(self.direction.finish()) as _,
            Arc::new(self.decision.finish()) as _,
            Arc::new(self.state.finish()) as _,
            Arc::new(self.rule.finish()) as _,
        ];
        own.extend(self.counts.iter_mut().map(|column| Arc::new(column.finish()) as _));
        batch(Self::KIND, self.common.finish(), own)
    }
}
