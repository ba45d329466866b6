//! The normalised events: one Arrow schema a kind, the columns of the lake's tables.
//!
//! Every table starts with the same columns (see `common`): who the event belongs to, when it
//! happened, when it came in, and a hash that makes it recognisable when it comes again. Texts that
//! Azure compares without regard to case (tenants, subscriptions, resources, operations) are in lower
//! case. Times are microseconds since 1970 in UTC. A column that a record does not fill is null.

mod activity;
mod advisory;
mod audit;
mod cost;
mod dns;
mod flow;
mod inventory;
mod security_alert;
mod sign_in;

use std::sync::{Arc, LazyLock};

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};

/// The kinds of record that can be taken in; one table in the lake for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Azure activity log: who did what to which resource.
    Activity,
    /// Cost Management: what each resource cost on a day.
    Cost,
    /// NSG and VNet flow logs: which address talked to which.
    Flow,
    /// Entra sign-in logs: who signed in to what, from where, and whether it succeeded.
    SignIn,
    /// Entra audit logs: who changed what in the directory.
    Audit,
    /// DNS and firewall logs: which machine asked for which name.
    Dns,
    /// Azure Resource Graph: which resources there are, and how they hang together.
    Inventory,
    /// Service Health: what Microsoft tells the owners of a subscription.
    Advisory,
    /// Microsoft Defender for Cloud: the alerts that it raised.
    SecurityAlert,
}

impl Kind {
    /// All kinds, in the order in which they are shown.
    pub const ALL: [Self; 9] = [
        Self::Activity,
        Self::Cost,
        Self::Flow,
        Self::SignIn,
        Self::Audit,
        Self::Dns,
        Self::Inventory,
        Self::Advisory,
        Self::SecurityAlert,
    ];

    /// The name of the kind and of its table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Activity => "activity",
            Self::Cost => "cost",
            Self::Flow => "flow",
            Self::SignIn => "sign_in",
            Self::Audit => "audit",
            Self::Dns => "dns",
            Self::Inventory => "inventory",
            Self::Advisory => "advisory",
            Self::SecurityAlert => "security_alert",
        }
    }

    /// Whether two records of different times are always two events, with two ids. Not so where a record is
    /// told by what it is about: it keeps its id when it comes again with another time.
    #[must_use]
    pub fn id_holds_time(self) -> bool {
        match self {
            Self::Activity | Self::Flow | Self::SignIn | Self::Audit | Self::Dns | Self::Advisory => true,
            Self::Cost | Self::Inventory | Self::SecurityAlert => false,
        }
    }

    /// The columns of the kind's table.
    #[must_use]
    pub fn schema(self) -> SchemaRef {
        TABLES[self as usize].clone()
    }
}

/// The name of the partition column of every table: the UTC day of the event.
pub const DAY: &str = "day";

fn text(name: &str) -> Field {
    Field::new(name, DataType::Utf8, true)
}

fn number(name: &str) -> Field {
    Field::new(name, DataType::Int64, true)
}

fn decimal(name: &str) -> Field {
    Field::new(name, DataType::Float64, true)
}

/// 16 bytes, never null.
fn hash(name: &str) -> Field {
    Field::new(name, DataType::Binary, false)
}

fn time(name: &str) -> Field {
    Field::new(name, time_type(), true)
}

/// A point in time: microseconds since 1970 in UTC.
#[must_use]
pub fn time_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from("UTC")))
}

/// The columns that every table starts with.
fn common() -> Vec<Field> {
    vec![
        // UTC day of the event; the partition.
        Field::new(DAY, DataType::Date32, false),
        // 16 bytes: hash of everything that tells this event from another. The same record again, in
        // whatever wrapper and whatever letter case, has the same hash.
        hash("event_id"),
        // When it happened.
        Field::new("event_at", time_type(), false),
        // When this system took it in.
        Field::new("arrived_at", time_type(), false),
        // Whose customer it is.
        Field::new("partner_tenant_id", DataType::Utf8, false),
        // The customer's tenant, if the record names it.
        text("customer_tenant_id"),
        // The Azure subscription, if the record names it.
        text("subscription_id"),
        // Path of the resource acted upon, billed, or watched.
        text("resource_id"),
        // The resource group, from the record or the path.
        text("resource_group"),
    ]
}

/// The tables, in the order of [`Kind::ALL`].
static TABLES: LazyLock<[SchemaRef; Kind::ALL.len()]> = LazyLock::new(|| {
    Kind::ALL.map(|kind| {
        let columns = match kind {
            Kind::Activity => activity::columns(),
            Kind::Cost => cost::columns(),
            Kind::Flow => flow::columns(),
            Kind::SignIn => sign_in::columns(),
            Kind::Audit => audit::columns(),
            Kind::Dns => dns::columns(),
            Kind::Inventory => inventory::columns(),
            Kind::Advisory => advisory::columns(),
            Kind::SecurityAlert => security_alert::columns(),
        };
        Arc::new(Schema::new([common(), columns].concat()))
    })
});
