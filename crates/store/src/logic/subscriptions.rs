//! Notification subscriptions, as their subscribers see them.

use ::alerts::Scope;
use chrono::{DateTime, Utc};
use sea_query::Value;
use uuid::Uuid;

use crate::session::{Row, Session};
use crate::sql::scalar::microseconds;
use crate::{
    ChangePosition, ChangeTypes, EncryptionCertificate, NotificationEvent, NotificationSubscription,
    StoreError, Subscriber, SubscriptionChange, SubscriptionKey,
};

/// What [`read`] reads.
const COLUMNS: &str = "partner_tenant_id, reseller_tenant_id, customer_tenant_id, id, application_id,
    creator_id, resource, alert_id, change_types, notification_url, lifecycle_notification_url,
    client_state, expires_at, reauthorize_at, encryption_certificate, encryption_certificate_id,
    latest_supported_tls_version, created_at, seen_epoch, seen_sequence, removed_at";

const INSERT: &str = "
insert into notification_subscription
    (partner_tenant_id, reseller_tenant_id, customer_tenant_id, id, application_id,
    creator_id, resource, alert_id, change_types, notification_url, lifecycle_notification_url,
    client_state, expires_at, reauthorize_at, encryption_certificate, encryption_certificate_id,
    latest_supported_tls_version, created_at, seen_epoch, seen_sequence)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)";

const COUNT: &str = "
select count(*)
from notification_subscription
where partner_tenant_id = $1
    and application_id = $2
    and removed_at is null
    and expires_at > $3";

/// Those of a subscriber that are in force. An application sees those of its users too.
const OWN: &str = "
where partner_tenant_id = $1
    and application_id = $2
    and reseller_tenant_id is not distinct from $3
    and customer_tenant_id is not distinct from $4
    and (cast($5 as text) is null or creator_id = $5)
    and removed_at is null
    and expires_at > $6";

const BY_KEY: &str = "
where partner_tenant_id = $1
    and id = $2";

const CHANGE: &str = "
update notification_subscription
set expires_at = coalesce($3, expires_at),
    reauthorize_at = case when $3 is null then reauthorize_at else $4 end,
    encryption_certificate = coalesce($5, encryption_certificate),
    encryption_certificate_id = coalesce($6, encryption_certificate_id)
where partner_tenant_id = $1
    and id = $2";

/// A reminder that waits while its subscriber confirms the subscription has done its work.
const DROP_REMINDER: &str = "
delete from notification
where partner_tenant_id = $1
    and subscription_id = $2
    and event = 'reauthorizationRequired'";

const REMOVE_NOTIFICATIONS: &str = "
delete from notification
where partner_tenant_id = $1
    and subscription_id = $2";

const REMOVE: &str = "
delete from notification_subscription
where partner_tenant_id = $1
    and id = $2";

/// A subscription as it is stored.
pub(super) struct Stored {
    pub(super) subscription: NotificationSubscription,
    /// Up to where it has seen the changes.
    pub(super) seen: ChangePosition,
    /// Whether it has ended, and stays only until its subscriber was told.
    pub(super) removed: bool,
}

pub(crate) async fn add(
    session: &mut impl Session,
    new: &NotificationSubscription,
    limit: u32,
) -> Result<bool, StoreError> {
    let partner = new.scope.partner();
    let count = vec![
        partner.as_str().into(),
        new.application_id.as_str().into(),
        microseconds(new.created_at).into(),
    ];
    let count = session.optional(session.dialect().text(COUNT, count)).await?;
    let present = count.map_or(Ok(0), |mut row| row.int(0))?;
    // Two at once may both be the last; a limit that holds back floods need not be exact.
    if present >= i64::from(limit) {
        return Ok(false);
    }
    let seen = session.change_horizon(new.scope.partner()).await?;
    session.execute(session.dialect().text(INSERT, values(new, seen))).await?;
    Ok(true)
}

fn values(new: &NotificationSubscription, seen: ChangePosition) -> Vec<Value> {
    let [partner, reseller, customer] = tenants(&new.scope);
    let certificate = new.encryption.as_ref();
    vec![
        partner,
        reseller,
        customer,
        new.id.to_string().into(),
        new.application_id.clone().into(),
        new.creator_id.clone().into(),
        new.resource.clone().into(),
        new.alert_id.as_ref().map(|id| id.as_str().to_owned()).into(),
        new.change_types.to_string().into(),
        new.notification_url.clone().into(),
        new.lifecycle_notification_url.clone().into(),
        new.client_state.clone().into(),
        microseconds(new.expires_at).into(),
        new.reauthorize_at.map(microseconds).into(),
        certificate.map(|encryption| encryption.certificate.clone()).into(),
        certificate.map(|encryption| encryption.id.clone()).into(),
        new.latest_supported_tls_version.clone().into(),
        microseconds(new.created_at).into(),
        seen.epoch.into(),
        seen.sequence.into(),
    ]
}

/// The columns of a scope; null where it is not narrowed.
fn tenants(scope: &Scope) -> [Value; 3] {
    let (reseller, customer) = match scope {
        Scope::Partner(_) => (None, None),
        Scope::Reseller(_, reseller) => (Some(reseller.as_str().to_owned()), None),
        Scope::Customer(_, customer) => (None, Some(customer.as_str().to_owned())),
    };
    [scope.partner().as_str().into(), reseller.into(), customer.into()]
}

fn owner(subscriber: &Subscriber, now: DateTime<Utc>) -> Vec<Value> {
    let [partner, reseller, customer] = tenants(&subscriber.scope);
    vec![
        partner,
        subscriber.application_id.clone().into(),
        reseller,
        customer,
        subscriber.user_id.clone().into(),
        microseconds(now).into(),
    ]
}

pub(crate) async fn list(
    session: &mut impl Session,
    subscriber: &Subscriber,
    now: DateTime<Utc>,
) -> Result<Vec<NotificationSubscription>, StoreError> {
    let sql = format!("select {COLUMNS} from notification_subscription {OWN} order by created_at, id");
    let rows = session.rows(session.dialect().text(&sql, owner(subscriber, now))).await?;
    rows.into_iter().map(|row| read(row).map(|stored| stored.subscription)).collect()
}

pub(crate) async fn one(
    session: &mut impl Session,
    subscriber: &Subscriber,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<NotificationSubscription>, StoreError> {
    let sql = format!("select {COLUMNS} from notification_subscription {OWN} and id = $7");
    let mut values = owner(subscriber, now);
    values.push(id.to_string().into());
    let row = session.optional(session.dialect().text(&sql, values)).await?;
    row.map(|row| read(row).map(|stored| stored.subscription)).transpose()
}

pub(crate) async fn change(
    session: &mut impl Session,
    subscriber: &Subscriber,
    id: Uuid,
    change: &SubscriptionChange,
    now: DateTime<Utc>,
) -> Result<Option<NotificationSubscription>, StoreError> {
    let Some(found) = one(session, subscriber, id, now).await? else {
        return Ok(None);
    };
    let key = key_values(&found.key());
    let mut values = key.clone();
    values.extend([
        change.renewal.map(|renewal| microseconds(renewal.expires_at)).into(),
        change.renewal.and_then(|renewal| renewal.reauthorize_at).map(microseconds).into(),
        change.encryption.as_ref().map(|encryption| encryption.certificate.clone()).into(),
        change.encryption.as_ref().map(|encryption| encryption.id.clone()).into(),
    ]);
    session.execute(session.dialect().text(CHANGE, values)).await?;
    session.execute(session.dialect().text(DROP_REMINDER, key)).await?;
    one(session, subscriber, id, now).await
}

pub(crate) async fn remove(
    session: &mut impl Session,
    subscriber: &Subscriber,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    match one(session, subscriber, id, now).await? {
        Some(found) => {
            delete(session, &found.key()).await?;
            Ok(true)
        }
        None => Ok(false),
    }
}

/// Removes a subscription and what is on its way.
pub(super) async fn delete(session: &mut impl Session, key: &SubscriptionKey) -> Result<(), StoreError> {
    clear(session, key).await?;
    session.execute(session.dialect().text(REMOVE, key_values(key))).await?;
    Ok(())
}

/// Removes what is on its way to a subscription.
pub(super) async fn clear(session: &mut impl Session, key: &SubscriptionKey) -> Result<(), StoreError> {
    session.execute(session.dialect().text(REMOVE_NOTIFICATIONS, key_values(key))).await?;
    Ok(())
}

pub(super) async fn by_key(
    session: &mut impl Session,
    key: &SubscriptionKey,
) -> Result<Option<Stored>, StoreError> {
    let sql = format!("select {COLUMNS} from notification_subscription {BY_KEY}");
    session.optional(session.dialect().text(&sql, key_values(key))).await?.map(read).transpose()
}

/// The parameters `$1` and `$2` of a statement about one subscription.
pub(super) fn key_values(key: &SubscriptionKey) -> Vec<Value> {
    vec![key.partner_tenant_id.as_str().into(), key.id.to_string().into()]
}

fn read(mut row: Row) -> Result<Stored, StoreError> {
    let damaged = |what: &str| StoreError::Damaged { what: format!("notification subscription: {what}") };
    let partner = row.opt_id(0)?.ok_or_else(|| damaged("no partner"))?;
    let scope = match (row.opt_id(1)?, row.opt_id(2)?) {
        (None, None) => Scope::Partner(partner),
        (Some(reseller), None) => Scope::Reseller(partner, reseller),
        (None, Some(customer)) => Scope::Customer(partner, customer),
        (Some(_), Some(_)) => return Err(damaged("both a reseller and a customer")),
    };
    let subscription = NotificationSubscription {
        scope,
        id: row.opt_id(3)?.ok_or_else(|| damaged("no id"))?,
        application_id: row.text(4)?,
        creator_id: row.text(5)?,
        resource: row.text(6)?,
        alert_id: row.opt_id(7)?,
        change_types: change_types(&row.text(8)?).ok_or_else(|| damaged("unknown change types"))?,
        notification_url: row.text(9)?,
        lifecycle_notification_url: row.opt_text(10)?,
        client_state: row.opt_text(11)?,
        expires_at: row.time(12)?,
        reauthorize_at: row.opt_time(13)?,
        encryption: match (row.opt_text(14)?, row.opt_text(15)?) {
            (Some(certificate), Some(id)) => Some(EncryptionCertificate { certificate, id }),
            (None, None) => None,
            _ => return Err(damaged("half a certificate")),
        },
        latest_supported_tls_version: row.opt_text(16)?,
        created_at: row.time(17)?,
    };
    let seen = ChangePosition { epoch: row.int(18)?, sequence: row.int(19)? };
    Ok(Stored { subscription, seen, removed: row.opt_time(20)?.is_some() })
}

fn change_types(text: &str) -> Option<ChangeTypes> {
    let kinds: Option<Vec<NotificationEvent>> = text.split(',').map(|kind| kind.parse().ok()).collect();
    ChangeTypes::new(kinds?)
}
