//! When to ask again: a server that is busy says so with 429 or 503, and may say how long to wait.

use std::time::Duration;

use chrono::DateTime;
use futures::future::BoxFuture;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

use crate::GraphError;

/// How waiting is done.
pub(crate) type Sleep = std::sync::Arc<dyn Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync>;

/// How often to ask again, and how long to wait for it.
#[derive(Debug, Clone)]
pub(crate) struct Patience {
    /// Requests after the first.
    pub retries: usize,
    /// The longest single wait; a server that asks for more gets no further request.
    pub longest_wait: Duration,
}

impl Default for Patience {
    /// Four more tries and up to two minutes each: enough for Graph's throttling, whose waits are
    /// seconds, and soon enough over for a person who waits.
    fn default() -> Self {
        Self { retries: 4, longest_wait: Duration::from_secs(120) }
    }
}

impl Patience {
    /// How long to wait before the request is sent again, after `sent` requests of which the last was
    /// refused. `None` if it should not be.
    ///
    /// The server's word counts; without one it is 1 s, 2 s, 4 s and so on.
    pub(crate) fn wait(&self, refusal: &GraphError, sent: usize) -> Option<Duration> {
        if !refusal.is_busy() || sent > self.retries {
            return None;
        }
        let doubled = u32::try_from(sent).ok().and_then(|sent| 2_u32.checked_pow(sent.saturating_sub(1)));
        let own = Duration::from_secs(doubled.unwrap_or(u32::MAX).into()).min(self.longest_wait);
        let wait = refusal.retry_after.unwrap_or(own);
        (wait <= self.longest_wait).then_some(wait)
    }
}

/// What `Retry-After` asks for (RFC 9110, 10.2.3): seconds, or a date, which is compared with the reply's
/// own `Date`, so that no clock but the server's matters. `None` if it is absent or neither.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = DateTime::parse_from_rfc2822(text).ok()?;
    let now = DateTime::parse_from_rfc2822(headers.get(DATE)?.to_str().ok()?).ok()?;
    Some((until - now).to_std().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph_error::Attempt;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let check = |text: &'static str, expected_s: Option<u64>| {
            let headers = HeaderMap::from_iter([
                (RETRY_AFTER, text.parse().unwrap()),
                (DATE, "Mon, 03 Feb 2031 04:05:06 GMT".parse().unwrap()),
            ]);
            assert_eq!(retry_after(&headers), expected_s.map(Duration::from_secs), "{text}");
        };
        check("0", Some(0));
        check("17", Some(17));
        check("Mon, 03 Feb 2031 04:05:36 GMT", Some(30));
        check("Mon, 03 Feb 2031 04:05:00 GMT", Some(0));
        check("-1", None);
        check("soon", None);
        check("99999999999999999999999", None);
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }

    #[test]
    fn the_servers_wait_counts_and_patience_ends() {
        let refused = |status: u16, retry_after_s: Option<u64>| GraphError {
            status,
            code: String::new(),
            message: String::new(),
            request_id: None,
            client_request_id: String::new(),
            retry_after: retry_after_s.map(Duration::from_secs),
            attempt: Attempt { writes: false, microsoft: false },
        };
        let patience = Patience { retries: 3, longest_wait: Duration::from_secs(60) };
        let check = |status: u16, retry_after_s: Option<u64>, sent: usize, expected_s: Option<u64>| {
            let wait = patience.wait(&refused(status, retry_after_s), sent);
            assert_eq!(wait, expected_s.map(Duration::from_secs), "{status} {retry_after_s:?} {sent}");
        };
        check(429, None, 1, Some(1));
        check(503, None, 2, Some(2));
        check(429, None, 3, Some(4));
        check(429, None, 4, None);
        check(429, Some(0), 1, Some(0));
        check(503, Some(60), 3, Some(60));
        check(429, Some(61), 1, None);
        check(429, Some(5), 4, None);
        check(500, Some(5), 1, None);
        check(404, None, 1, None);

        let endless = Patience { retries: usize::MAX, longest_wait: Duration::from_secs(60) };
        assert_eq!(endless.wait(&refused(429, None), 1_000), Some(Duration::from_secs(60)));
    }
}
