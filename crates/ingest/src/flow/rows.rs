//! Columns of the flow table under way.

use std::net::IpAddr;
use std::sync::Arc;

use arrow_array::RecordBatch;

use super::FlowEvent;
use super::tuple::State;
use crate::builders::{IntBuilder, TextBuilder};
use crate::columns::{Common, CommonColumns, batch};
use crate::output::{Event, Pending, Rows, UnderWay};
use crate::read::Reading;
use crate::schema::Kind;

/// Builders, in the order of the schema.
#[derive(Default)]
pub(crate) struct FlowRows {
    common: CommonColumns,
    mac: TextBuilder,
    src_ip: TextBuilder,
    dst_ip: TextBuilder,
    src_port: IntBuilder,
    dst_port: IntBuilder,
    protocol: IntBuilder,
    direction: TextBuilder,
    decision: TextBuilder,
    state: TextBuilder,
    rule: TextBuilder,
    counts: [IntBuilder; 4],
}

impl Event for FlowEvent<'_> {
    type Rows = FlowRows;

    fn batch(under_way: &mut UnderWay) -> &mut Pending<FlowRows> {
        &mut under_way.flow
    }

    fn append(&self, rows: &mut FlowRows, reading: &Reading<'_>) -> Common<'_> {
        let (tuple, source) = (self.tuple, self.source);
        let common = Common {
            subscription_id: source.subscription_id,
            resource_id: source.resource_id,
            resource_group: source.resource_group,
            ..Common::of(self.event_id, tuple.at)
        };
        if self.is_first_of_source {
            rows.common.append(&common, reading);
            rows.mac.append_option(source.mac.as_deref());
            rows.rule.append_option(source.rule);
        } else {
            rows.common.append_about_the_same(&common, reading);
            rows.mac.repeat();
            rows.rule.repeat();
        }
        append_address(&mut rows.src_ip, tuple.src_ip, tuple.written[0]);
        append_address(&mut rows.dst_ip, tuple.dst_ip, tuple.written[1]);
        rows.src_port.append_value(tuple.src_port.into());
        rows.dst_port.append_value(tuple.dst_port.into());
        rows.protocol.append_value(tuple.protocol.into());
        rows.direction.append_option(Some(if tuple.is_inbound { "inbound" } else { "outbound" }));
        rows.decision.append_option(Some(if tuple.is_denied { "denied" } else { "allowed" }));
        rows.state.append_option(tuple.state.map(State::name));
        for (column, count) in rows.counts.iter_mut().zip(tuple.counts) {
            column.append_option(count);
        }
        common
    }
}

/// An IPv4 address has one spelling, so what was written will do; IPv6 has many.
fn append_address(column: &mut TextBuilder, address: IpAddr, written: &str) {
    match address {
        IpAddr::V4(_) => column.append_option(Some(written)),
        IpAddr::V6(address) => column.append_option(Some(&address.to_string())),
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
