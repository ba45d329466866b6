//! What callers do with Partner Center's webhook registration: make it, read it, change it, try it.
//!
//! A partner has one registration. It tells of all of the partner's alerts, so callers whose scope is one
//! reseller or customer cannot have it.

use alerts::Scope;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Map, Value, json};
use store::{DeliveryState, Store, StoreError, WebhookAttempt, WebhookRegistration, WebhookTarget};
use uuid::Uuid;

use crate::notify::reach::UrlError;
use crate::notify::receivers::Receivers;
use crate::webhooks::{EVENTS, TEST_CREATED, Webhooks, test_created};

/// How many test events a partner may ask for in [`TEST_PERIOD`]; Partner Center's own limit.
const TESTS_MAX: u32 = 2;

const TEST_PERIOD: TimeDelta = TimeDelta::minutes(1);

/// What can go wrong with a registration. Knows nothing of HTTP.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// The server does not know its own address.
    #[error(
        "Webhooks are off: deliveries name this server's address, and the setting 'public_url' does not tell it."
    )]
    Off,
    /// The caller may see only a part of the partner's alerts.
    #[error(
        "A webhook registration tells of all of a partner's alerts; it is not for callers who may see only a part."
    )]
    NarrowScope,
    /// The partner has no registration.
    #[error("There is no registration yet; make one with POST /webhooks/v1/registration.")]
    NoRegistration,
    /// The partner has one already.
    #[error("There is a registration already; change it with PUT /webhooks/v1/registration.")]
    Registered,
    /// The body is wrong.
    #[error("{0}")]
    Request(String),
    /// The receiver's address is none that is called.
    #[error("Property 'WebhookUrl' {0}.")]
    Url(#[from] UrlError),
    /// The registration does not name the test event.
    #[error(
        "The registration does not name 'test-created'; add it to WebhookEvents with PUT /webhooks/v1/registration."
    )]
    NoTests,
    /// There were too many test events.
    #[error("A partner may ask for {TESTS_MAX} test events a minute; try again later.")]
    TooManyTests,
    /// There is no such test event, or not any more.
    #[error("There is no test event '{0}'; they are kept for seven days.")]
    NoSuchTest(String),
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

/// After how many seconds a test event may be asked for again, to be on the safe side.
#[must_use]
pub fn test_period_s() -> u64 {
    u64::try_from(TEST_PERIOD.num_seconds()).unwrap_or(60)
}

/// The partner's registration, without its id, as Partner Center shows it.
///
/// # Errors
///
/// [`WebhookError::NoRegistration`], [`WebhookError::NarrowScope`], [`WebhookError::Store`].
pub async fn show(store: &dyn Store, scope: &Scope) -> Result<Value, WebhookError> {
    let registration = registered(store, scope).await?;
    Ok(json!({"WebhookUrl": registration.target.url, "WebhookEvents": registration.target.events}))
}

/// Makes the partner's registration, which tells of alerts from now on.
///
/// # Errors
///
/// [`WebhookError`] that names the property, and [`WebhookError::Registered`] if there is one.
pub async fn register(
    store: &dyn Store,
    scope: &Scope,
    receivers: &Receivers,
    body: &Map<String, Value>,
    subscriber_id: Uuid,
) -> Result<Value, WebhookError> {
    whole_partner(scope)?;
    let registration = WebhookRegistration { subscriber_id, target: target(body, receivers)? };
    let after = store.latest_change(scope).await?;
    match store.add_webhook_registration(scope, &registration, after).await? {
        true => Ok(shown(&registration)),
        false => Err(WebhookError::Registered),
    }
}

/// Changes the partner's registration. What is on its way goes to the new receiver.
///
/// # Errors
///
/// [`WebhookError`] that names the property, and [`WebhookError::NoRegistration`] if there is none.
pub async fn change(
    store: &dyn Store,
    scope: &Scope,
    receivers: &Receivers,
    body: &Map<String, Value>,
) -> Result<Value, WebhookError> {
    whole_partner(scope)?;
    let target = target(body, receivers)?;
    let changed = store.change_webhook_registration(scope, &target).await?;
    changed.as_ref().map(shown).ok_or(WebhookError::NoRegistration)
}

/// Puts a test event on its way to the partner's receiver.
///
/// # Errors
///
/// [`WebhookError::NoTests`], [`WebhookError::TooManyTests`], and as [`show`].
pub async fn test(
    store: &dyn Store,
    scope: &Scope,
    webhooks: &Webhooks,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<Value, WebhookError> {
    let registration = registered(store, scope).await?;
    if !registration.target.events.iter().any(|event| event == TEST_CREATED) {
        return Err(WebhookError::NoTests);
    }
    let delivery = test_created(webhooks, id, &registration.target.url, now);
    match store.add_webhook_delivery(scope, &delivery, TESTS_MAX, now - TEST_PERIOD).await? {
        true => Ok(json!({"correlationId": id})),
        false => Err(WebhookError::TooManyTests),
    }
}

/// What came of a test event.
///
/// # Errors
///
/// [`WebhookError::NoSuchTest`], [`WebhookError::NarrowScope`], [`WebhookError::Store`].
pub async fn test_result(store: &dyn Store, scope: &Scope, id: &str) -> Result<Value, WebhookError> {
    whole_partner(scope)?;
    let unknown = || WebhookError::NoSuchTest(id.chars().filter(|c| !c.is_control()).take(60).collect());
    let key: Uuid = id.parse().map_err(|_| unknown())?;
    let found = store.webhook_delivery(scope, key).await?;
    let (delivery, attempts) =
        found.filter(|(delivery, _)| delivery.event == TEST_CREATED).ok_or_else(unknown)?;
    let status = match delivery.state {
        DeliveryState::Waiting(_) => "started",
        DeliveryState::Completed => "completed",
        DeliveryState::Failed => "failed",
    };
    Ok(json!({
        "correlationId": delivery.id,
        "partnerId": scope.partner(),
        "status": status,
        "callbackUrl": delivery.url,
        "results": attempts.iter().map(result).collect::<Vec<_>>(),
    }))
}

fn result(attempt: &WebhookAttempt) -> Value {
    json!({
        "responseCode": attempt.response_code,
        "responseMessage": attempt.response_message,
        "systemError": attempt.system_error,
        "dateTimeUtc": attempt.at.to_rfc3339_opts(SecondsFormat::Micros, true),
    })
}

fn shown(registration: &WebhookRegistration) -> Value {
    json!({
        "SubscriberId": registration.subscriber_id,
        "WebhookUrl": registration.target.url,
        "WebhookEvents": registration.target.events,
    })
}

async fn registered(store: &dyn Store, scope: &Scope) -> Result<WebhookRegistration, WebhookError> {
    whole_partner(scope)?;
    store.webhook_registration(scope).await?.ok_or(WebhookError::NoRegistration)
}

fn whole_partner(scope: &Scope) -> Result<(), WebhookError> {
    match scope {
        Scope::Partner(_) => Ok(()),
        Scope::Reseller(..) | Scope::Customer(..) => Err(WebhookError::NarrowScope),
    }
}

/// Reads the body of a registration, with names in any case.
fn target(body: &Map<String, Value>, receivers: &Receivers) -> Result<WebhookTarget, WebhookError> {
    let (mut url, mut events) = (None, None);
    for (name, value) in body {
        match name.to_ascii_lowercase().as_str() {
            "webhookurl" => url = value.as_str(),
            "webhookevents" => events = Some(event_names(value)?),
            // What Partner Center puts into a registration; clients send it back.
            "subscriberid" => {}
            _ => {
                let shown: String = name.chars().filter(|c| !c.is_control()).take(60).collect();
                return Err(WebhookError::Request(format!(
                    "Property '{shown}' is unknown; use WebhookUrl and WebhookEvents."
                )));
            }
        }
    }
    let missing = |what: &str| WebhookError::Request(format!("Property {what} is required."));
    let url = url.ok_or_else(|| missing("'WebhookUrl' (a string)"))?;
    let events = events.ok_or_else(|| missing("'WebhookEvents' (an array of event names)"))?;
    receivers.check(url)?;
    Ok(WebhookTarget { url: url.to_owned(), events })
}

fn event_names(value: &Value) -> Result<Vec<String>, WebhookError> {
    let mut events: Vec<String> = Vec::new();
    let wanted = || {
        let events = EVENTS.join(" and ");
        WebhookError::Request(format!(
            "Property 'WebhookEvents' must be an array of at least one event name; here happen {events}."
        ))
    };
    for name in value.as_array().filter(|names| !names.is_empty()).ok_or_else(wanted)? {
        let name = name.as_str().ok_or_else(wanted)?;
        let Some(known) = EVENTS.iter().find(|known| known.eq_ignore_ascii_case(name)) else {
            let shown: String = name.chars().filter(|c| !c.is_control()).take(60).collect();
            return Err(WebhookError::Request(format!(
                "Event '{shown}' in 'WebhookEvents' does not happen here; use {}.",
                EVENTS.join(" or ")
            )));
        };
        if !events.iter().any(|event| event == known) {
            events.push((*known).to_owned());
        }
    }
    Ok(events)
}
