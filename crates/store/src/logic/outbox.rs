//! Notifications on their way: from the log of changes into the outbox, out under leases, and gone.
//!
//! Each function is one transaction. Nothing here is believed for longer: what one server found to do
//! another may have done, so each statement names the state that it changes.

use ::alerts::AlertId;
use chrono::{DateTime, Utc};
use sea_query::Value;

use super::changes;
use super::subscriptions::{by_key, clear, delete, key_values};
use crate::session::{Row, Session};
use crate::sql::scalar::microseconds;
use crate::{
    ChangeKind, Lease, Notification, NotificationEvent, NotificationSubscription, NotificationWork, Outcome,
    Parcel, StoreError, SubscriptionKey,
};

const TO_TEND: &str = "
select partner_tenant_id, id
from notification_subscription
where removed_at is null
    and (expires_at <= $1 or reauthorize_at <= $1)
order by expires_at, id
limit $2";

/// Those with a change after their position. It need not be theirs to see: passing over it is work too.
const BEHIND: &str = "
select partner_tenant_id, id
from notification_subscription as subscriber
where removed_at is null
    and expires_at > $1
    and exists (
        select 1
        from alert_change as change
        where change.partner_tenant_id = subscriber.partner_tenant_id
            and (change.epoch, change.sequence) > (subscriber.seen_epoch, subscriber.seen_sequence)
    )
order by seen_epoch, seen_sequence, id
limit $2";

/// That `waiting` may be sent: it is due, nobody is sending it, and it is the first of its alert.
const ELIGIBLE: &str = "
waiting.next_attempt_at <= $1
    and (waiting.leased_until is null or waiting.leased_until <= $1)
    and not exists (
        select 1
        from notification as earlier
        where earlier.partner_tenant_id = waiting.partner_tenant_id
            and earlier.subscription_id = waiting.subscription_id
            and earlier.alert_id = waiting.alert_id
            and earlier.notification_number < waiting.notification_number
    )";

const SEEN: &str = "
update notification_subscription
set seen_epoch = $3,
    seen_sequence = $4
where partner_tenant_id = $1
    and id = $2
    and seen_epoch = $5
    and seen_sequence = $6";

const PUT: &str = "
insert into notification
    (partner_tenant_id, subscription_id, alert_id, event, version, created_at, attempts, next_attempt_at)
values ($1, $2, $3, $4, $5, $6, 0, $6)";

const LEASED: &str = "
select notification_number, alert_id, event, version, created_at, attempts, first_failed_at
from notification
where partner_tenant_id = $1
    and subscription_id = $2
    and lease = $3
order by notification_number";

const DELIVERED: &str = "
delete from notification
where partner_tenant_id = $1
    and subscription_id = $2
    and notification_number = $3
    and lease = $4";

const FAILED: &str = "
update notification
set attempts = attempts + 1,
    first_failed_at = coalesce(first_failed_at, $5),
    next_attempt_at = $6,
    lease = null,
    leased_until = null
where partner_tenant_id = $1
    and subscription_id = $2
    and notification_number = $3
    and lease = $4";

/// What waits behind a notification that failed shares its fate from then on.
const DELAY_FOLLOWERS: &str = "
update notification
set first_failed_at = coalesce(first_failed_at, $5),
    next_attempt_at = $6
where partner_tenant_id = $1
    and subscription_id = $2
    and alert_id = $3
    and notification_number > $4
    and next_attempt_at < $6";

const GIVE_UP_FOLLOWERS: &str = "
delete from notification
where partner_tenant_id = $1
    and subscription_id = $2
    and alert_id = $3
    and notification_number > $4
    and first_failed_at <= $5";

/// The alert and the event of a notification that is leased.
const HELD: &str = "
select alert_id, event
from notification
where partner_tenant_id = $1
    and subscription_id = $2
    and notification_number = $3
    and lease = $4";

/// One word that something was missed says it of everything until it is delivered.
const MISSED_WAITS: &str = "
select 1
from notification
where partner_tenant_id = $1
    and subscription_id = $2
    and event = 'missed'
limit 1";

const REMINDED: &str = "
update notification_subscription
set reauthorize_at = null
where partner_tenant_id = $1
    and id = $2";

const ENDED: &str = "
update notification_subscription
set removed_at = $3
where partner_tenant_id = $1
    and id = $2";

const FORGET_ENDED: &str = "
delete from notification_subscription
where partner_tenant_id = $1
    and id = $2
    and removed_at is not null
    and not exists (
        select 1
        from notification
        where partner_tenant_id = $1
            and subscription_id = $2
    )";

pub(crate) async fn work(
    session: &mut impl Session,
    now: DateTime<Utc>,
    limit: u32,
) -> Result<NotificationWork, StoreError> {
    let values = vec![microseconds(now).into(), i64::from(limit).into()];
    let to_tend = keys(session, TO_TEND, values.clone()).await?;
    let behind = keys(session, BEHIND, values.clone()).await?;
    let due = format!(
        "select partner_tenant_id, subscription_id from notification as waiting where {ELIGIBLE}
        group by partner_tenant_id, subscription_id order by min(next_attempt_at), subscription_id limit $2"
    );
    let due = keys(session, &due, values).await?;
    Ok(NotificationWork { to_tend, behind, due })
}

async fn keys(
    session: &mut impl Session,
    sql: &str,
    values: Vec<Value>,
) -> Result<Vec<SubscriptionKey>, StoreError> {
    let rows = session.rows(session.dialect().text(sql, values)).await?;
    let key = |mut row: Row| {
        Ok(SubscriptionKey {
            partner_tenant_id: row.opt_id(0)?.ok_or_else(|| damaged("no partner"))?,
            id: row.opt_id(1)?.ok_or_else(|| damaged("no id"))?,
        })
    };
    rows.into_iter().map(key).collect()
}

fn damaged(what: &str) -> StoreError {
    StoreError::Damaged { what: format!("notification: {what}") }
}

pub(crate) async fn tend(
    session: &mut impl Session,
    key: &SubscriptionKey,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let Some(stored) = by_key(session, key).await? else { return Ok(()) };
    let subscription = stored.subscription;
    if stored.removed {
        return Ok(());
    }
    if subscription.expires_at <= now {
        return end(session, &subscription, now).await;
    }
    if subscription.reauthorize_at.is_some_and(|at| at <= now) {
        session.execute(session.dialect().text(REMINDED, key_values(key))).await?;
        put_lifecycle(session, &subscription, NotificationEvent::ReauthorizationRequired, now).await?;
    }
    Ok(())
}

/// Ends a subscription. Its row stays while there is somebody to tell.
async fn end(
    session: &mut impl Session,
    subscription: &NotificationSubscription,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let key = subscription.key();
    if subscription.lifecycle_notification_url.is_none() {
        return delete(session, &key).await;
    }
    clear(session, &key).await?;
    let mut values = key_values(&key);
    values.push(microseconds(now).into());
    session.execute(session.dialect().text(ENDED, values)).await?;
    put_lifecycle(session, subscription, NotificationEvent::SubscriptionRemoved, now).await
}

async fn put_lifecycle(
    session: &mut impl Session,
    subscription: &NotificationSubscription,
    event: NotificationEvent,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    if subscription.lifecycle_notification_url.is_none() {
        return Ok(());
    }
    put(session, &subscription.key(), "", event, 0, now).await
}

async fn put(
    session: &mut impl Session,
    key: &SubscriptionKey,
    alert: &str,
    event: NotificationEvent,
    version: u64,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let mut values = key_values(key);
    values.extend([alert.into(), event.name().into(), number(version).into(), microseconds(now).into()]);
    session.execute(session.dialect().text(PUT, values)).await?;
    Ok(())
}

fn number(version: u64) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}

pub(crate) async fn fan_out(
    session: &mut impl Session,
    key: &SubscriptionKey,
    now: DateTime<Utc>,
    limit: u32,
) -> Result<bool, StoreError> {
    let Some(stored) = by_key(session, key).await? else { return Ok(false) };
    let subscription = stored.subscription;
    if stored.removed || subscription.expires_at <= now {
        return Ok(false);
    }
    let kept = changes::oldest_kept(session).await?;
    let page = changes::read(session, &subscription.scope, stored.seen, limit as usize).await?;
    if page.position == stored.seen {
        return Ok(false);
    }

    // The position moves first: another server at the same subscription waits here, and then finds it
    // moved.
    let mut values = key_values(key);
    values.extend([
        page.position.epoch.into(),
        page.position.sequence.into(),
        stored.seen.epoch.into(),
        stored.seen.sequence.into(),
    ]);
    if session.execute(session.dialect().text(SEEN, values)).await? == 0 {
        return Ok(true);
    }
    if stored.seen < kept {
        put_missed(session, &subscription, now).await?;
    }
    for change in page.changes {
        let event = event_of(change.kind);
        let watched = subscription.alert_id.as_ref().is_none_or(|only| *only == change.alert_id);
        if watched && subscription.change_types.contains(event) {
            put(session, key, change.alert_id.as_str(), event, change.version, now).await?;
        }
    }
    Ok(page.more)
}

fn event_of(kind: ChangeKind) -> NotificationEvent {
    match kind {
        ChangeKind::Created => NotificationEvent::Created,
        ChangeKind::Updated => NotificationEvent::Updated,
        ChangeKind::Deleted => NotificationEvent::Deleted,
    }
}

pub(crate) async fn lease(
    session: &mut impl Session,
    key: &SubscriptionKey,
    lease: &Lease,
    now: DateTime<Utc>,
    limit: u32,
) -> Result<Option<Parcel>, StoreError> {
    let take = format!(
        "update notification set lease = $4, leased_until = $5
        where notification_number in (
            select waiting.notification_number
            from notification as waiting
            where waiting.partner_tenant_id = $2 and waiting.subscription_id = $3 and {ELIGIBLE}
            order by waiting.notification_number
            limit $6
        )
        and (leased_until is null or leased_until <= $1)"
    );
    let mut values = vec![microseconds(now).into()];
    values.extend(key_values(key));
    values.extend([lease.id.to_string().into(), microseconds(lease.until).into(), i64::from(limit).into()]);
    if session.execute(session.dialect().text(&take, values)).await? == 0 {
        return Ok(None);
    }
    let mut values = key_values(key);
    values.push(lease.id.to_string().into());
    let rows = session.rows(session.dialect().text(LEASED, values)).await?;
    let notifications = rows.into_iter().map(read).collect::<Result<_, _>>()?;
    let stored = by_key(session, key).await?;
    Ok(stored.map(|stored| Parcel { subscription: stored.subscription, notifications }))
}

fn read(mut row: Row) -> Result<Notification, StoreError> {
    let alert = Some(row.text(1)?).filter(|id| !id.is_empty());
    Ok(Notification {
        number: row.int(0)?,
        alert_id: alert.map(|id| id.parse::<AlertId>().map_err(|_| damaged("no alert"))).transpose()?,
        event: row.text(2)?.parse().map_err(|_| damaged("unknown event"))?,
        version: row.amount(3)?,
        created_at: row.time(4)?,
        attempts: row.amount(5)?,
        first_failed_at: row.opt_time(6)?,
    })
}

pub(crate) async fn settle(
    session: &mut impl Session,
    key: &SubscriptionKey,
    lease: &Lease,
    outcomes: &[(i64, Outcome)],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    for (notification, outcome) in outcomes {
        let mut held = key_values(key);
        held.extend([(*notification).into(), lease.id.to_string().into()]);
        match outcome {
            Outcome::Delivered => {
                session.execute(session.dialect().text(DELIVERED, held)).await?;
            }
            Outcome::Failed { again_at } => {
                postpone(session, key, *notification, held, *again_at, now).await?;
            }
            Outcome::GivenUp { with_failed_by } => {
                give_up(session, key, *notification, held, *with_failed_by, now).await?;
            }
        }
    }
    session.execute(session.dialect().text(FORGET_ENDED, key_values(key))).await?;
    Ok(())
}

async fn postpone(
    session: &mut impl Session,
    key: &SubscriptionKey,
    notification: i64,
    held: Vec<Value>,
    again_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let Some(mut row) = session.optional(session.dialect().text(HELD, held.clone())).await? else {
        return Ok(());
    };
    let times = [microseconds(now).into(), microseconds(again_at).into()];
    let mut values = held;
    values.extend(times.clone());
    session.execute(session.dialect().text(FAILED, values)).await?;
    let mut values = key_values(key);
    values.extend([row.text(0)?.into(), notification.into()]);
    values.extend(times);
    session.execute(session.dialect().text(DELAY_FOLLOWERS, values)).await?;
    Ok(())
}

async fn give_up(
    session: &mut impl Session,
    key: &SubscriptionKey,
    notification: i64,
    held: Vec<Value>,
    with_failed_by: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let Some(mut row) = session.optional(session.dialect().text(HELD, held.clone())).await? else {
        return Ok(());
    };
    let (alert, event) = (row.text(0)?, row.text(1)?);
    session.execute(session.dialect().text(DELIVERED, held)).await?;
    let told_of_itself = event.parse().is_ok_and(NotificationEvent::is_lifecycle);
    if told_of_itself {
        return Ok(());
    }
    let mut values = key_values(key);
    values.extend([alert.into(), notification.into(), microseconds(with_failed_by).into()]);
    session.execute(session.dialect().text(GIVE_UP_FOLLOWERS, values)).await?;
    match by_key(session, key).await? {
        Some(stored) => put_missed(session, &stored.subscription, now).await,
        None => Ok(()),
    }
}

/// Puts out that something was missed, unless that waits already.
async fn put_missed(
    session: &mut impl Session,
    subscription: &NotificationSubscription,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let waits = session.dialect().text(MISSED_WAITS, key_values(&subscription.key()));
    if session.optional(waits).await?.is_some() {
        return Ok(());
    }
    put_lifecycle(session, subscription, NotificationEvent::Missed, now).await
}
