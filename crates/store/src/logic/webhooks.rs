//! Webhook registrations, and deliveries on their way.

use ::alerts::Scope;
use chrono::{DateTime, Utc};
use sea_query::Value;
use uuid::Uuid;

use super::{out_of_scope, whole_partner};
use crate::session::{Row, Session};
use crate::sql::scalar::microseconds;
use crate::{
    ChangePosition, DeliveryState, DueDelivery, StoreError, WebhookAttempt, WebhookDelivery,
    WebhookRegistration, WebhookTarget,
};

const REGISTRATION: &str = "
select subscriber_id, webhook_url, webhook_events
from webhook_registration
where partner_tenant_id = $1";

const REGISTER: &str = "
insert into webhook_registration
    (partner_tenant_id, subscriber_id, webhook_url, webhook_events, seen_epoch, seen_sequence)
values ($1, $2, $3, $4, $5, $6)
on conflict (partner_tenant_id) do nothing";

const CHANGE: &str = "
update webhook_registration
set webhook_url = $2, webhook_events = $3
where partner_tenant_id = $1";

const REDIRECT: &str = "
update webhook_delivery
set webhook_url = $2
where partner_tenant_id = $1
    and state = 'waiting'";

const ALL: &str = "
select partner_tenant_id, subscriber_id, webhook_url, webhook_events, seen_epoch, seen_sequence
from webhook_registration
order by partner_tenant_id";

const SEE: &str = "
update webhook_registration
set seen_epoch = $4, seen_sequence = $5
where partner_tenant_id = $1
    and seen_epoch = $2
    and seen_sequence = $3";

const ADD: &str = "
insert into webhook_delivery
    (partner_tenant_id, delivery_id, event, body, webhook_url, created_at, state, due_at, attempts)
values ($1, $2, $3, $4, $5, $6, $7, $8, 0)";

const COUNT: &str = "
select count(*)
from webhook_delivery
where partner_tenant_id = $1
    and event = $2
    and created_at > $3";

const ONE: &str = "
select delivery_id, event, body, webhook_url, created_at, state, due_at
from webhook_delivery
where partner_tenant_id = $1
    and delivery_id = $2";

const ATTEMPTS: &str = "
select response_code, response_message, system_error, attempted_at
from webhook_attempt
where partner_tenant_id = $1
    and delivery_id = $2
order by attempt";

const DUE: &str = "
select partner_tenant_id, delivery_id, body, webhook_url, attempts
from webhook_delivery
where state = 'waiting'
    and due_at <= $1
order by due_at
limit $2";

/// Only one of those who found a delivery due takes it.
const LEASE: &str = "
update webhook_delivery
set due_at = $4
where partner_tenant_id = $1
    and delivery_id = $2
    and state = 'waiting'
    and due_at <= $3";

const SETTLE: &str = "
update webhook_delivery
set state = $3, due_at = $4, attempts = $5
where partner_tenant_id = $1
    and delivery_id = $2";

const ADD_ATTEMPT: &str = "
insert into webhook_attempt
    (partner_tenant_id, delivery_id, attempt, response_code, response_message, system_error, attempted_at)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (partner_tenant_id, delivery_id, attempt) do nothing";

const FORGET_ATTEMPTS: &str = "
delete from webhook_attempt
where exists (
    select 1
    from webhook_delivery
    where webhook_delivery.partner_tenant_id = webhook_attempt.partner_tenant_id
        and webhook_delivery.delivery_id = webhook_attempt.delivery_id
        and webhook_delivery.created_at < $1
)";

const FORGET: &str = "
delete from webhook_delivery
where created_at < $1";

pub(crate) async fn registration(
    session: &mut impl Session,
    scope: &Scope,
) -> Result<Option<WebhookRegistration>, StoreError> {
    let Some(partner) = whole_partner(scope) else { return Ok(None) };
    let row = session.optional(session.dialect().text(REGISTRATION, vec![partner.as_str().into()])).await?;
    row.map(|mut row| read_registration(&mut row, 0)).transpose()
}

pub(crate) async fn add_registration(
    session: &mut impl Session,
    scope: &Scope,
    registration: &WebhookRegistration,
    after: ChangePosition,
) -> Result<bool, StoreError> {
    let partner = whole_partner(scope).ok_or_else(|| out_of_scope(scope.partner()))?;
    let values = vec![
        partner.as_str().into(),
        registration.subscriber_id.to_string().into(),
        registration.target.url.as_str().into(),
        registration.target.events.join(" ").into(),
        after.epoch.into(),
        after.sequence.into(),
    ];
    Ok(session.execute(session.dialect().text(REGISTER, values)).await? == 1)
}

pub(crate) async fn change_registration(
    session: &mut impl Session,
    scope: &Scope,
    target: &WebhookTarget,
) -> Result<Option<WebhookRegistration>, StoreError> {
    let partner = whole_partner(scope).ok_or_else(|| out_of_scope(scope.partner()))?;
    let (partner, url) = (partner.as_str(), target.url.as_str());
    let values = vec![partner.into(), url.into(), target.events.join(" ").into()];
    session.execute(session.dialect().text(CHANGE, values)).await?;
    session.execute(session.dialect().text(REDIRECT, vec![partner.into(), url.into()])).await?;
    registration(session, scope).await
}

pub(crate) async fn registrations(
    session: &mut impl Session,
) -> Result<Vec<(Scope, WebhookRegistration, ChangePosition)>, StoreError> {
    let rows = session.rows(session.dialect().text(ALL, Vec::new())).await?;
    rows.into_iter()
        .map(|mut row| {
            let partner = row.opt_id(0)?.ok_or_else(|| damaged("no partner"))?;
            let registration = read_registration(&mut row, 1)?;
            let seen = ChangePosition { epoch: row.int(4)?, sequence: row.int(5)? };
            Ok((Scope::Partner(partner), registration, seen))
        })
        .collect()
}

fn read_registration(row: &mut Row, first: usize) -> Result<WebhookRegistration, StoreError> {
    let events = row.text(first + 2)?;
    Ok(WebhookRegistration {
        subscriber_id: read_id(&row.text(first)?)?,
        target: WebhookTarget {
            url: row.text(first + 1)?,
            events: events.split_whitespace().map(str::to_owned).collect(),
        },
    })
}

pub(crate) async fn fan_out(
    session: &mut impl Session,
    scope: &Scope,
    seen: ChangePosition,
    until: ChangePosition,
    deliveries: &[WebhookDelivery],
) -> Result<bool, StoreError> {
    let values = vec![
        scope.partner().as_str().into(),
        seen.epoch.into(),
        seen.sequence.into(),
        until.epoch.into(),
        until.sequence.into(),
    ];
    if session.execute(session.dialect().text(SEE, values)).await? == 0 {
        return Ok(false);
    }
    for delivery in deliveries {
        add(session, scope, delivery).await?;
    }
    Ok(true)
}

pub(crate) async fn add_delivery(
    session: &mut impl Session,
    scope: &Scope,
    delivery: &WebhookDelivery,
    limit: u32,
    since: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let partner = whole_partner(scope).ok_or_else(|| out_of_scope(scope.partner()))?;
    let values = vec![partner.as_str().into(), delivery.event.as_str().into(), microseconds(since).into()];
    let recent: u32 = match session.optional(session.dialect().text(COUNT, values)).await? {
        Some(mut row) => row.amount(0)?,
        None => 0,
    };
    if recent >= limit {
        return Ok(false);
    }
    add(session, scope, delivery).await?;
    Ok(true)
}

async fn add(
    session: &mut impl Session,
    scope: &Scope,
    delivery: &WebhookDelivery,
) -> Result<(), StoreError> {
    let (state, due_at) = state_columns(delivery.state);
    let values = vec![
        scope.partner().as_str().into(),
        delivery.id.to_string().into(),
        delivery.event.as_str().into(),
        delivery.body.as_str().into(),
        delivery.url.as_str().into(),
        microseconds(delivery.created_at).into(),
        state,
        due_at,
    ];
    session.execute(session.dialect().text(ADD, values)).await?;
    Ok(())
}

pub(crate) async fn delivery(
    session: &mut impl Session,
    scope: &Scope,
    id: Uuid,
) -> Result<Option<(WebhookDelivery, Vec<WebhookAttempt>)>, StoreError> {
    let Some(partner) = whole_partner(scope) else { return Ok(None) };
    let key = || vec![partner.as_str().into(), id.to_string().into()];
    let Some(mut row) = session.optional(session.dialect().text(ONE, key())).await? else { return Ok(None) };
    let delivery = WebhookDelivery {
        id: read_id(&row.text(0)?)?,
        event: row.text(1)?,
        body: row.text(2)?,
        url: row.text(3)?,
        created_at: row.time(4)?,
        state: read_state(&row.text(5)?, row.opt_time(6)?)?,
    };
    let rows = session.rows(session.dialect().text(ATTEMPTS, key())).await?;
    let attempts = rows.into_iter().map(|mut row| {
        Ok(WebhookAttempt {
            response_code: row.text(0)?,
            response_message: row.text(1)?,
            system_error: row.int(2)? != 0,
            at: row.time(3)?,
            state: delivery.state,
        })
    });
    let attempts = attempts.collect::<Result<_, StoreError>>()?;
    Ok(Some((delivery, attempts)))
}

pub(crate) async fn lease(
    session: &mut impl Session,
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
    limit: u32,
) -> Result<Vec<DueDelivery>, StoreError> {
    let values = vec![microseconds(now).into(), i64::from(limit).into()];
    let rows = session.rows(session.dialect().text(DUE, values)).await?;
    let mut leased = Vec::new();
    for mut row in rows {
        let due = DueDelivery {
            partner_tenant_id: row.opt_id(0)?.ok_or_else(|| damaged("no partner"))?,
            id: read_id(&row.text(1)?)?,
            body: row.text(2)?,
            url: row.text(3)?,
            attempts: row.amount(4)?,
        };
        let values = vec![
            due.partner_tenant_id.as_str().into(),
            due.id.to_string().into(),
            microseconds(now).into(),
            microseconds(lease_until).into(),
        ];
        if session.execute(session.dialect().text(LEASE, values)).await? == 1 {
            leased.push(due);
        }
    }
    Ok(leased)
}

pub(crate) async fn note_attempt(
    session: &mut impl Session,
    delivery: &DueDelivery,
    attempt: &WebhookAttempt,
) -> Result<(), StoreError> {
    let (partner, id) = (delivery.partner_tenant_id.as_str(), delivery.id.to_string());
    let number = i64::from(delivery.attempts) + 1;
    let (state, due_at) = state_columns(attempt.state);
    let values = vec![partner.into(), id.as_str().into(), state, due_at, number.into()];
    session.execute(session.dialect().text(SETTLE, values)).await?;
    let values = vec![
        partner.into(),
        id.into(),
        number.into(),
        attempt.response_code.as_str().into(),
        attempt.response_message.as_str().into(),
        i64::from(attempt.system_error).into(),
        microseconds(attempt.at).into(),
    ];
    session.execute(session.dialect().text(ADD_ATTEMPT, values)).await?;
    Ok(())
}

pub(crate) async fn forget(session: &mut impl Session, before: DateTime<Utc>) -> Result<u64, StoreError> {
    let before = || vec![microseconds(before).into()];
    session.execute(session.dialect().text(FORGET_ATTEMPTS, before())).await?;
    session.execute(session.dialect().text(FORGET, before())).await
}

fn state_columns(state: DeliveryState) -> (Value, Value) {
    let due_at = match state {
        DeliveryState::Waiting(due_at) => Some(microseconds(due_at)),
        DeliveryState::Completed | DeliveryState::Failed => None,
    };
    let name = match state {
        DeliveryState::Waiting(_) => "waiting",
        DeliveryState::Completed => "completed",
        DeliveryState::Failed => "failed",
    };
    (name.into(), due_at.into())
}

fn read_state(name: &str, due_at: Option<DateTime<Utc>>) -> Result<DeliveryState, StoreError> {
    match (name, due_at) {
        ("waiting", Some(due_at)) => Ok(DeliveryState::Waiting(due_at)),
        ("completed", _) => Ok(DeliveryState::Completed),
        ("failed", _) => Ok(DeliveryState::Failed),
        _ => Err(damaged("no state")),
    }
}

fn read_id(text: &str) -> Result<Uuid, StoreError> {
    text.parse().map_err(|_| damaged("no id"))
}

fn damaged(how: &str) -> StoreError {
    StoreError::Damaged { what: format!("a webhook has {how}") }
}
