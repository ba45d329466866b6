//! Product state: alerts, the directory of customers and subscriptions, sources of records and what came of
//! them, detector runs, facts for the security score, and what incidents cost.
//!
//! [`Store`] is the one interface, the sum of a trait for each subject; [`SqliteStore`] implements it on
//! an embedded file, [`PostgresStore`] on a server that replicas share. The tests of `testing` hold for
//! both. Events do not live here but in the lake.
//!
//! What a call does is written once, in `logic`, over a transaction of any database (`session`).
//!
//! How a query travels: [`alert_model`] says what a caller may ask for; `odata` checks the caller's
//! text against it; `sql` turns the checked tree into statements with bound parameters, the same for
//! every database but for what `sql::dialect` writes; a database's session runs them. An alert's JSON
//! is stored as it is served. The columns beside it exist to be filtered and sorted by, and are
//! always written in the same statement.

mod alert;
mod change;
mod contract;
mod coverage;
mod customer;
mod error;
mod facts;
mod logic;
mod model;
mod money;
mod notification;
mod postgres;
mod run;
mod session;
mod source;
mod sql;
mod sqlite;
mod subscription;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod tuning;
mod webhook;

pub use alert::{
    AlertBody, AlertPage, AlertQuery, ExpectedVersion, Imported, Recorded, StatusChanged, StatusOutcome,
};
pub use change::{Change, ChangeKind, ChangePage, ChangePosition};
pub use contract::{
    AlertStore, ChangeFeed, CoverageStore, CustomerStore, DirectoryStore, FactStore, IngestKeyStore,
    MoneyStore, NoticeStore, NotificationOutbox, PriceStore, RunStore, SecretStore, SourceStore, Store,
    SubscriptionStore, TuningStore, WebhookOutbox, WebhookStore,
};
pub use coverage::{Arrival, Coverage, CoverageKey, CoverageQuery, KindTotals};
pub use customer::{Customer, CustomerQuery, CustomerSubscription, CustomersImported, KnownCustomer, Owner};
pub use error::StoreError;
pub use facts::SecurityFacts;
pub use model::{alert_model, default_order};
pub use money::{
    CurrencyTotal, DueAlert, MoneyDue, MoneyEntry, MoneyNote, MoneyOrder, MoneyPosition, MoneyQuery,
    MoneyTotals, ObservedPrices, PriceQuery,
};
pub use notification::{
    ChangeTypes, EncryptionCertificate, Lease, Notification, NotificationEvent, NotificationSubscription,
    NotificationWork, Outcome, Parcel, Renewal, Subscriber, SubscriptionChange, SubscriptionKey,
    UnknownEvent,
};
pub use odata::Position;
pub use postgres::PostgresStore;
pub use run::{Backlog, DetectorHealth, DetectorRun};
pub use source::{IngestKey, Notice, SourceNote, SourceStatus};
pub use sql::search::searchable_properties;
pub use sqlite::SqliteStore;
pub use subscription::Subscription;
pub use tuning::SilencedQuery;
pub use webhook::{
    DeliveryState, DueDelivery, WebhookAttempt, WebhookDelivery, WebhookRegistration, WebhookTarget,
};
