//! Builders of the columns that every table starts with.

use std::sync::Arc;

use arrow_array::types::Date32Type;
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::Schema;

use crate::builders::{HashBuilder, NumberBuilder, SteadyTimeBuilder, TextBuilder, UtcBuilder};
use crate::event_id::EventId;
use crate::read::Reading;
use crate::schema::Kind;
use crate::time::Instant;

/// What goes into the common columns of one row; texts are normalised.
pub(crate) struct Common<'a> {
    pub(crate) event_id: EventId,
    pub(crate) event_at: Instant,
    pub(crate) customer_tenant_id: Option<&'a str>,
    pub(crate) subscription_id: Option<&'a str>,
    pub(crate) resource_id: Option<&'a str>,
    pub(crate) resource_group: Option<&'a str>,
    /// Names for the directory; no columns.
    pub(crate) names: Names<'a>,
}

/// What a record calls its subscription and its customer.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Names<'a> {
    pub(crate) subscription: Option<&'a str>,
    pub(crate) customer: Option<&'a str>,
}

impl Common<'_> {
    /// What a record has that tells neither whose nor what it is about.
    pub(crate) fn of(event_id: EventId, event_at: Instant) -> Self {
        Self {
            event_id,
            event_at,
            customer_tenant_id: None,
            subscription_id: None,
            resource_id: None,
            resource_group: None,
            names: Names::default(),
        }
    }
}

/// The common columns of a batch.
#[derive(Default)]
pub(crate) struct CommonColumns {
    day: NumberBuilder<Date32Type>,
    event_id: HashBuilder,
    event_at: UtcBuilder,
    arrived_at: SteadyTimeBuilder,
    partner_tenant_id: TextBuilder,
    customer_tenant_id: TextBuilder,
    subscription_id: TextBuilder,
    resource_id: TextBuilder,
    resource_group: TextBuilder,
}

impl CommonColumns {
    pub(crate) fn append(&mut self, row: &Common<'_>, reading: &Reading<'_>) {
        self.append_own(row, reading);
        self.partner_tenant_id.append_option(Some(reading.partner_tenant_id.as_str()));
        self.customer_tenant_id.append_option(row.customer_tenant_id);
        self.subscription_id.append_option(row.subscription_id);
        self.resource_id.append_option(row.resource_id);
        self.resource_group.append_option(row.resource_group);
    }

    /// As [`CommonColumns::append`], for a row that is about the same as the one before, which there must be.
    pub(crate) fn append_about_the_same(&mut self, row: &Common<'_>, reading: &Reading<'_>) {
        self.append_own(row, reading);
        self.partner_tenant_id.repeat();
        self.customer_tenant_id.repeat();
        self.subscription_id.repeat();
        self.resource_id.repeat();
        self.resource_group.repeat();
    }

    fn append_own(&mut self, row: &Common<'_>, reading: &Reading<'_>) {
        self.day.append_value(row.event_at.day());
        self.event_id.append_value(row.event_id);
        self.event_at.append_option(Some(row.event_at.micros));
        self.arrived_at.append_option(Some(reading.arrived_at.timestamp_micros()));
    }

    /// The common columns, in the order of the schema.
    pub(crate) fn finish(&mut self) -> Vec<ArrayRef> {
        vec![
            Arc::new(self.day.finish()),
            Arc::new(self.event_id.finish()),
            Arc::new(self.event_at.finish()),
            Arc::new(self.arrived_at.finish()),
            Arc::new(self.partner_tenant_id.finish()),
            Arc::new(self.customer_tenant_id.finish()),
            Arc::new(self.subscription_id.finish()),
            Arc::new(self.resource_id.finish()),
            Arc::new(self.resource_group.finish()),
        ]
    }
}

/// Puts the columns of a kind together. They are those of its table, but for how texts are held.
pub(crate) fn batch(kind: Kind, common: Vec<ArrayRef>, own: Vec<ArrayRef>) -> RecordBatch {
    let columns = [common, own].concat();
    let schema = kind.schema();
    let fields = schema.fields().iter().zip(&columns);
    let fields =
        fields.map(|(field, column)| field.as_ref().clone().with_data_type(column.data_type().clone()));
    RecordBatch::try_new(Arc::new(Schema::new(fields.collect::<Vec<_>>())), columns)
        .expect("the builders stand in the order of the schema, one value a row each")
}

/// Declares the columns under way of a kind: builders in the order of the schema, and what each takes of
/// an event. `$batch` is the member of [`crate::output::UnderWay`] that holds them.
macro_rules! rows {
    (
        $(#[$doc:meta])* struct $rows:ident of $kind:ident in $batch:ident, $event:ident: &$ty:ty,
        $common:expr,
        { $($column:ident: $builder:ident = $value:expr,)* }
    ) => {
        $(#[$doc])*
        #[derive(Default)]
        pub(crate) struct $rows {
            common: $crate::columns::CommonColumns,
            $($column: $crate::builders::$builder,)*
        }

        impl $crate::output::Rows for $rows {
            const KIND: $crate::schema::Kind = $crate::schema::Kind::$kind;

            fn finish(&mut self) -> arrow_array::RecordBatch {
                let own = vec![$(std::sync::Arc::new(self.$column.finish()) as _,)*];
                $crate::columns::batch(Self::KIND, self.common.finish(), own)
            }
        }

        impl $crate::output::Event for $ty {
            type Rows = $rows;

            fn batch(under_way: &mut $crate::output::UnderWay) -> &mut $crate::output::Pending<$rows> {
                &mut under_way.$batch
            }

            fn append(
                &self,
                rows: &mut $rows,
                reading: &$crate::read::Reading<'_>,
            ) -> $crate::columns::Common<'_> {
                let $event = self;
                let common = $common;
                rows.common.append(&common, reading);
                $(rows.$column.append_option($value);)*
                common
            }
        }
    };
}
pub(crate) use rows;
