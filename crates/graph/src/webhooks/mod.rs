//! Webhooks of Partner Center's kind: signed notes that something happened, for receivers who then ask.
//!
//! A partner registers one receiver. The log of changes is the outbox: [`Deliveries::round`] turns new
//! alerts into deliveries in the transaction that moves the registration's place in the log, then sends
//! what is due. A delivery is signed when it is sent; what came of each attempt is kept for seven days.
//!
//! Delivery is at least once: a crash between sending and noting sends again, with the same body. After
//! ten attempts a delivery is given up, as Partner Center does.

mod deliver;
mod event;
pub mod signing;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use store::{Store, StoreError};
use tokio::sync::OnceCell;
use url::Url;

pub use deliver::{Deliveries, start};
pub use event::{AZURE_FRAUD_EVENT_DETECTED, EVENTS, TEST_CREATED, test_created};
use signing::{SigningError, SigningIdentity};

/// Under which name the store keeps the key and certificate that were made.
const SECRET: &str = "webhook-signing-identity";

/// What webhooks need to know of this server.
pub struct Webhooks {
    /// Where receivers find this server, such as `https://alerts.partner.example/`.
    public_url: Url,
    /// The operator's key and certificate as PEM; made once for all servers on the store if `None`.
    given_identity: Option<Vec<u8>>,
    identity: OnceCell<Arc<SigningIdentity>>,
}

/// Why the signing identity is not there.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// It cannot be made or read.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

impl Webhooks {
    /// Webhooks of a server at that address. `identity` is a private key (PKCS #8, RSA) and its
    /// certificate as PEM, if the operator has one.
    #[must_use]
    pub fn new(public_url: Url, identity: Option<Vec<u8>>) -> Self {
        Self { public_url, given_identity: identity, identity: OnceCell::new() }
    }

    /// An absolute link to a path of this server, which starts with a slash.
    #[must_use]
    pub fn link(&self, path: &str) -> String {
        format!("{}{path}", self.public_url.as_str().trim_end_matches('/'))
    }

    /// The key and certificate, made now if there are none yet.
    ///
    /// # Errors
    ///
    /// [`IdentityError`].
    pub async fn identity(
        &self,
        store: &dyn Store,
        now: DateTime<Utc>,
    ) -> Result<Arc<SigningIdentity>, IdentityError> {
        let identity = self.identity.get_or_try_init(|| async {
            let text = match &self.given_identity {
                Some(text) => text.clone(),
                None => {
                    let host = self.public_url.host_str().unwrap_or("tenantwatch");
                    store.secret(SECRET, SigningIdentity::make(host, now)?.as_bytes()).await?
                }
            };
            Ok::<_, IdentityError>(Arc::new(SigningIdentity::from_pem(&text)?))
        });
        Ok(identity.await?.clone())
    }
}
