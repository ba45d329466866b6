//! Throttling as Graph does it: each application has a share of each tenant's service.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::auth::Caller;
use crate::error::{ApiError, Kind};

/// The period that limits are told for; Graph's are mostly told so.
pub(super) const PERIOD: Duration = Duration::from_secs(10);

/// After how many requests the limiter forgets callers that have been quiet.
const SWEEP_EVERY: usize = 10_000;

/// How many requests an application may send on behalf of one tenant.
pub struct Throttle {
    limiter: DefaultKeyedRateLimiter<Sender>,
    clock: DefaultClock,
}

/// Who shares one limit.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Sender {
    application: String,
    tenant: String,
}

impl Throttle {
    /// A limit of so many requests in ten seconds, which may come all at once.
    #[must_use]
    pub fn new(requests: NonZeroU32) -> Self {
        let quota = Quota::with_period(PERIOD / requests.get())
            .expect("a period of ten seconds in at most 2^32 parts is not empty")
            .allow_burst(requests);
        Self { limiter: RateLimiter::keyed(quota), clock: DefaultClock::default() }
    }

    /// Lets one more request of the caller pass, or says how long to wait.
    fn admit(&self, caller: &Caller) -> Result<(), ApiError> {
        let tenant = caller.scope.partner().as_str().to_owned();
        let sender = Sender { application: caller.application.clone(), tenant };
        if self.limiter.len() > SWEEP_EVERY {
            self.limiter.retain_recent();
        }
        self.limiter.check_key(&sender).map_err(|refused| {
            let wait = refused.wait_time_from(self.clock.now());
            // A client that waits a fraction less than it must is refused again.
            let retry_after_s = wait.as_secs() + 1;
            let message = format!("Too many requests of this application; try again in {retry_after_s} s.");
            ApiError::new(Kind::Throttled { retry_after_s }, message)
        })
    }
}

/// Refuses a request over the limit. Requests of a batch pass here one by one.
pub(super) async fn throttle(
    State(throttle): State<Arc<Throttle>>,
    Extension(caller): Extension<Arc<Caller>>,
    request: Request,
    next: Next,
) -> Response {
    match throttle.admit(&caller) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}
