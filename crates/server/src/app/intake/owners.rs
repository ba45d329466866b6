//! Whose subscriptions are, kept in memory: each batch asks, and the answer rarely changes.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use alerts::Scope;
use store::{Store, StoreError, Subscription};
use tokio::sync::RwLock;

/// How long what other processes write into the directory may stay unseen.
const FRESH_FOR: Duration = Duration::from_secs(60);

/// A copy of the directory: subscription to customer.
#[derive(Debug, Default)]
pub struct Owners {
    known: RwLock<Known>,
}

#[derive(Debug, Default)]
struct Known {
    read_at: Option<Instant>,
    customer_of: HashMap<String, String>,
    /// What was told to the directory, so that it is not told again with every batch.
    told: HashSet<Subscription>,
}

impl Owners {
    /// Tells the directory what records say of subscriptions, as far as that is news.
    ///
    /// # Errors
    ///
    /// [`StoreError`] of the directory.
    pub(crate) async fn learn(
        &self,
        store: &dyn Store,
        scope: &Scope,
        seen: Vec<Subscription>,
    ) -> Result<(), StoreError> {
        self.refresh(store, scope).await?;
        let news: Vec<Subscription> = {
            let known = self.known.read().await;
            seen.into_iter().filter(|subscription| !known.told.contains(subscription)).collect()
        };
        if news.is_empty() {
            return Ok(());
        }
        store.learn_subscriptions(scope, &news).await?;
        let mut known = self.known.write().await;
        for subscription in news {
            if let Some(customer) = &subscription.customer_tenant_id {
                let id = subscription.subscription_id.as_str().to_owned();
                known.customer_of.insert(id, customer.as_str().to_owned());
            }
            known.told.insert(subscription);
        }
        Ok(())
    }

    /// Calls `look` with what is known: the customer of a subscription.
    pub(crate) async fn with<T>(&self, look: impl FnOnce(&HashMap<String, String>) -> T) -> T {
        look(&self.known.read().await.customer_of)
    }

    async fn refresh(&self, store: &dyn Store, scope: &Scope) -> Result<(), StoreError> {
        let is_fresh = |known: &Known| known.read_at.is_some_and(|at| at.elapsed() < FRESH_FOR);
        if is_fresh(&*self.known.read().await) {
            return Ok(());
        }
        let owners = store.owners(scope).await?;
        let customer_of =
            owners.into_iter().map(|(id, customer)| (id.as_str().to_owned(), customer.as_str().to_owned()));
        let mut known = self.known.write().await;
        // An entry that was changed elsewhere may be told again.
        *known =
            Known { read_at: Some(Instant::now()), customer_of: customer_of.collect(), told: HashSet::new() };
        Ok(())
    }
}
