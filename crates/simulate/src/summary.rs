//! What a run has written.

use std::path::PathBuf;

use chrono::NaiveDate;
use serde::Serialize;

use crate::labels::Label;

/// What a run has written.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Number of customers.
    pub customers: u32,
    /// The subscriptions, in the order of their customers, and the days on which they were there.
    pub subscriptions: Vec<SubscriptionDays>,
    /// The customers by name, as the partner's own list would have them; no label is in it.
    pub directory: Vec<ListedCustomer>,
    /// Counts over all files.
    pub volume: Volume,
    /// The labels, as in the label file.
    pub labels: Vec<Label>,
    /// The folders of raw Azure records that the estate has: what to ingest.
    pub raw_folders: Vec<PathBuf>,
}

/// A customer in the partner's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListedCustomer {
    /// Its Entra tenant.
    pub tenant: String,
    /// Its name.
    pub name: String,
    /// Its domain.
    pub domain: String,
    /// The number in the partner network of the reseller that brought it, if one did.
    pub reseller_mpn_id: Option<String>,
    /// Its subscriptions: ids and names.
    pub subscriptions: Vec<(String, String)>,
}

/// A subscription and the days on which it was there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SubscriptionDays {
    /// The customer's Entra tenant.
    pub customer_tenant: String,
    /// The Azure subscription.
    pub subscription: String,
    /// Its first day.
    pub first_day: NaiveDate,
    /// Its last day, included.
    pub last_day: NaiveDate,
}

/// Counts over files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Volume {
    /// Files of raw records.
    pub files: u64,
    /// Their size on disk.
    pub bytes: u64,
    /// Records of the activity log.
    pub activity_records: u64,
    /// Lines of cost files, without headers.
    pub cost_rows: u64,
    /// Flow tuples.
    pub flow_tuples: u64,
    /// Records of Entra's sign-in logs.
    pub sign_in_records: u64,
    /// Records of Entra's audit logs.
    pub audit_records: u64,
}

impl std::ops::AddAssign for Volume {
    fn add_assign(&mut self, other: Self) {
        self.files += other.files;
        self.bytes += other.bytes;
        self.activity_records += other.activity_records;
        self.cost_rows += other.cost_rows;
        self.flow_tuples += other.flow_tuples;
        self.sign_in_records += other.sign_in_records;
        self.audit_records += other.audit_records;
    }
}
