//! The normalised events: one Arrow schema a kind, the columns of the lake's tables.
//!
//! Every table starts with the same columns (see `common`): who the event belongs to, when it
//! happened, when it came in, and a hash that makes it recognisable when it comes again. Texts that
//! Azure compares without regard to case (tenants, subscriptions, resources, operations) are in lower
//! case. Times are microseconds since 1970 in UTC. A column that a record does not fill is null.

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
}

impl Kind {
    /// All kinds, in the order in which they are shown.
    pub const ALL: [Self; 5] = [Self::Activity, Self::Cost, Self::Flow, Self::SignIn, Self::Audit];

    /// The name of the kind and of its table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Activity => "activity",
            Self::Cost => "cost",
            Self::Flow => "flow",
            Self::SignIn => "sign_in",
            Self::Audit => "audit",
        }
    }

    /// The columns of the kind's table.
    #[must_use]
    pub fn schema(self) -> SchemaRef {
        match self {
            Self::Activity => ACTIVITY.clone(),
            Self::Cost => COST.clone(),
            Self::Flow => FLOW.clone(),
            Self::SignIn => SIGN_IN.clone(),
            Self::Audit => AUDIT.clone(),
        }
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
        Field::new("event_id", DataType::Binary, false),
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

fn table(columns: Vec<Field>) -> SchemaRef {
    Arc::new(Schema::new([common(), columns].concat()))
}

static ACTIVITY: LazyLock<SchemaRef> = LazyLock::new(|| {
    table(vec![
        // `microsoft.compute/virtualmachines/write`
        text("operation"),
        // `microsoft.compute/virtualmachines`: the provider and type in the resource path.
        text("resource_type"),
        // `administrative`, `policy`, `security`, … as the record says.
        text("category"),
        // `started`, `accepted`, `succeeded`, `failed`, or the record's own word in lower case.
        text("status"),
        // The finer status, such as `quotaexceeded`, `created` or an HTTP code.
        text("sub_status"),
        // `information`, `warning`, `error`, `critical`.
        text("level"),
        // UPN of a person, or object id of a service principal, as the record says.
        text("caller"),
        // Object id of the caller: the stable key; falls back to `caller`.
        text("caller_id"),
        // Application id of the caller.
        text("caller_app_id"),
        // The caller's home tenant; differs from the customer's for a partner's own administrators.
        text("caller_tenant_id"),
        // Address of the caller, without a port.
        text("caller_ip"),
        // How the caller signed in: `pwd`, `pwd,mfa`, `rsa`.
        text("caller_auth_methods"),
        // Groups all events of one action of a user.
        text("correlation_id"),
        // Where the resource is (not where the event was processed): a region id such as `brazilsouth`.
        text("resource_region"),
        // `standard_nc24ads_a100_v4`; also the SKU of a scale set.
        text("vm_size"),
        // Number of instances of a scale set; null for a single machine.
        number("vm_capacity"),
        // The record's `properties` as JSON text.
        text("properties"),
    ])
});

static COST: LazyLock<SchemaRef> = LazyLock::new(|| {
    table(vec![
        // 16 bytes: hash of what identifies the line without its amounts. A restated line has the same.
        Field::new("line_id", DataType::Binary, false),
        text("subscription_name"),
        text("customer_name"),
        text("reseller_mpn_id"),
        // Region id such as `brazilsouth`.
        text("resource_region"),
        text("meter_id"),
        text("meter_category"),
        text("meter_sub_category"),
        text("meter_name"),
        text("service_family"),
        // `microsoft.compute`
        text("consumed_service"),
        text("product"),
        // `10 Hours`: the block that `quantity` counts.
        text("unit_of_measure"),
        decimal("quantity"),
        // Price of one block, in `currency`.
        decimal("unit_price"),
        // Cost of the line, in `currency`.
        decimal("cost"),
        // ISO 4217.
        text("currency"),
        // `usage`, `purchase`, `refund`, `adjustment`, …
        text("charge_type"),
        text("publisher_type"),
        // `standard_nc24ads_a100_v4`, from the additional information.
        text("vm_size"),
        // JSON text, as the record has it.
        text("tags"),
    ])
});

static FLOW: LazyLock<SchemaRef> = LazyLock::new(|| {
    table(vec![
        // `000D3AF87856`: the network interface, without separators, in upper case.
        text("mac"),
        text("src_ip"),
        text("dst_ip"),
        number("src_port"),
        number("dst_port"),
        // IANA number: 6 TCP, 17 UDP, 1 ICMP.
        number("protocol"),
        // `inbound` or `outbound`.
        text("direction"),
        // `allowed` or `denied`.
        text("decision"),
        // `begin`, `continuing`, `end`; null in version 1. Counts are increments: sum them.
        text("state"),
        text("rule"),
        number("packets_sent"),
        number("bytes_sent"),
        number("packets_received"),
        number("bytes_received"),
    ])
});

static SIGN_IN: LazyLock<SchemaRef> = LazyLock::new(|| {
    table(vec![
        // `interactive`, `non_interactive`, `service_principal` or `managed_identity`.
        text("sign_in_type"),
        // Object id of the user.
        text("user_id"),
        // The user's principal name.
        text("user_principal_name"),
        // Object id of the service principal, if it is no user who signed in.
        text("service_principal_id"),
        // The application that signed in, or through which the user did.
        text("app_id"),
        text("app_name"),
        // What the token is for, such as `Microsoft Graph`, and its application id.
        text("target_name"),
        text("target_id"),
        // 0 for success; see Microsoft's list of AADSTS codes.
        number("error_code"),
        text("failure_reason"),
        // `success`, `failure`, `notapplied`.
        text("conditional_access"),
        // `singlefactorauthentication` or `multifactorauthentication`.
        text("authentication_requirement"),
        // `devicecode`, `ropc`, `oauth2`, `none`, …
        text("authentication_protocol"),
        // `browser`, `mobile apps and desktop clients`, `imap4`, …
        text("client_app"),
        text("user_agent"),
        // Address of the client, without a port.
        text("ip"),
        number("autonomous_system"),
        // Two letters, ISO 3166.
        text("country"),
        text("city"),
        decimal("latitude"),
        decimal("longitude"),
        text("device_id"),
        text("operating_system"),
        // `none`, `low`, `medium`, `high`, or `hidden` without a P2 licence: nothing may depend on it.
        text("risk_level"),
        text("risk_state"),
        // The user's home tenant; differs from the customer's for guests and delegated administrators.
        text("home_tenant_id"),
        // `none`, `b2bcollaboration`, `serviceprovider`, …
        text("cross_tenant_access"),
        text("session_id"),
        // Found again in what was done with the token.
        text("token_id"),
        text("correlation_id"),
        // The sign-in as JSON text.
        text("properties"),
    ])
});

static AUDIT: LazyLock<SchemaRef> = LazyLock::new(|| {
    table(vec![
        // `add member to role`
        text("operation"),
        // `rolemanagement`, `applicationmanagement`, …
        text("category"),
        // `add`, `update`, `delete`, `assign`, …
        text("operation_type"),
        // `success`, `failure`, `timeout`, …
        text("result"),
        text("result_reason"),
        // `core directory`, `pim`, …
        text("logged_by"),
        // `user` or `app`.
        text("actor_type"),
        // Principal name of the user, or display name of the application.
        text("actor"),
        // Object id of the user or service principal.
        text("actor_id"),
        // Application id of the application.
        text("actor_app_id"),
        // Address of the actor, without a port.
        text("actor_ip"),
        // `user`, `serviceprincipal`, `role`, `policy`, …: of the first thing that was changed.
        text("target_type"),
        // Its principal name or display name.
        text("target"),
        text("target_id"),
        // The directory role that was granted or taken away.
        text("role"),
        text("correlation_id"),
        // The audit record as JSON text, with all that was changed.
        text("properties"),
    ])
});
