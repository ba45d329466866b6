//! Whose subscriptions are, kept in memory: each batch asks, and the answer rarely changes.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use alerts::{Finding, Scope};
use hashbrown::{HashMap, HashSet};
use store::{Store, StoreError, Subscription};
use tokio::sync::RwLock;

/// How long what other processes write into the directory may stay unseen.
const FRESH_FOR: Duration = Duration::from_secs(60);

/// A copy of the directory.
#[derive(Debug, Default)]
pub struct Owners {
    known: RwLock<Directory>,
}

/// Whose subscriptions are, and who brought the customers.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    read_at: Option<Instant>,
    /// Subscription to customer.
    customer_of: HashMap<String, String>,
    /// Subscriptions of which the partner itself said whose they are.
    imported: HashSet<String>,
    /// Customer to the reseller that brought it.
    reseller_of: HashMap<String, String>,
    /// All these resellers.
    resellers: HashSet<String>,
    /// What was told to the directory, so that it is not told again with every batch.
    told: HashSet<Subscription>,
}

/// Customers and their subscriptions, in no order.
#[derive(Debug, Default)]
pub(crate) struct Owned {
    pub(crate) customers: Vec<String>,
    pub(crate) subscriptions: Vec<String>,
}

impl Directory {
    /// The customer of a subscription.
    pub(crate) fn customer_of(&self, subscription: &str) -> Option<&str> {
        self.customer_of.get(subscription).map(String::as_str)
    }

    /// The reseller that brought a customer.
    pub(crate) fn reseller_of(&self, customer: &str) -> Option<&str> {
        self.reseller_of.get(customer).map(String::as_str)
    }

    /// What a scope has.
    fn owned(&self, scope: &Scope) -> Owned {
        let customers: Vec<String> = match scope {
            Scope::Partner(_) => self.customer_of.values().cloned().collect(),
            Scope::Customer(_, customer) => vec![customer.as_str().to_owned()],
            Scope::Reseller(_, reseller) => {
                let brought = self.reseller_of.iter().filter(|(_, known)| *known == reseller.as_str());
                brought.map(|(customer, _)| customer.clone()).collect()
            }
        };
        let is_own: BTreeSet<&str> = customers.iter().map(String::as_str).collect();
        let own = self.customer_of.iter().filter(|(_, customer)| is_own.contains(customer.as_str()));
        let subscriptions = own.map(|(subscription, _)| subscription.clone()).collect();
        Owned { customers, subscriptions }
    }

    /// Whether a tenant is that of a reseller, of whatever customers.
    pub(crate) fn is_reseller(&self, tenant: &str) -> bool {
        self.resellers.contains(tenant)
    }

    /// Whether any reseller is known.
    pub(crate) fn has_resellers(&self) -> bool {
        !self.resellers.is_empty()
    }

    fn learn(&mut self, told: Subscription) {
        let id = told.subscription_id.as_str();
        if let Some(customer) = &told.customer_tenant_id
            && !self.imported.contains(id)
        {
            self.customer_of.insert(id.to_owned(), customer.as_str().to_owned());
        }
        self.told.insert(told);
    }
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
        news.into_iter().for_each(|told| known.learn(told));
        Ok(())
    }

    /// Calls `look` with what is known.
    pub(crate) async fn with<T>(&self, look: impl FnOnce(&Directory) -> T) -> T {
        look(&*self.known.read().await)
    }

    /// Writes the customer into findings whose records did not name it.
    ///
    /// # Errors
    ///
    /// [`StoreError`] of the directory.
    pub(crate) async fn fill_customers(
        &self,
        store: &dyn Store,
        scope: &Scope,
        findings: &mut [Finding],
    ) -> Result<(), StoreError> {
        if findings.iter().all(|finding| finding.customer_tenant_id.is_some()) {
            return Ok(());
        }
        self.refresh(store, scope).await?;
        let known = self.known.read().await;
        for finding in findings.iter_mut().filter(|finding| finding.customer_tenant_id.is_none()) {
            let customer = known.customer_of(finding.subscription_id.as_str());
            finding.customer_tenant_id = customer.and_then(|id| id.parse().ok());
        }
        Ok(())
    }

    /// Writes the reseller that brought their customer into findings, which no record names.
    ///
    /// # Errors
    ///
    /// [`StoreError`] of the directory.
    pub(crate) async fn fill_resellers(
        &self,
        store: &dyn Store,
        scope: &Scope,
        findings: &mut [Finding],
    ) -> Result<(), StoreError> {
        if findings.is_empty() {
            return Ok(());
        }
        self.refresh(store, scope).await?;
        let known = self.known.read().await;
        for finding in findings {
            let reseller = finding.customer_tenant_id.as_ref().and_then(|id| known.reseller_of(id.as_str()));
            finding.reseller_tenant_id = reseller.and_then(|id| id.parse().ok());
        }
        Ok(())
    }

    /// The customers of a scope within the whole one, and their subscriptions.
    ///
    /// # Errors
    ///
    /// [`StoreError`] of the directory.
    pub(crate) async fn owned(
        &self,
        store: &dyn Store,
        whole: &Scope,
        scope: &Scope,
    ) -> Result<Owned, StoreError> {
        self.refresh(store, whole).await?;
        Ok(self.known.read().await.owned(scope))
    }

    async fn refresh(&self, store: &dyn Store, scope: &Scope) -> Result<(), StoreError> {
        let is_fresh = |known: &Directory| known.read_at.is_some_and(|at| at.elapsed() < FRESH_FOR);
        if is_fresh(&*self.known.read().await) {
            return Ok(());
        }
        // An entry that was changed elsewhere may be told again, so that nothing counts as told.
        let mut fresh = Directory { read_at: Some(Instant::now()), ..Directory::default() };
        for owner in store.owners(scope).await? {
            let id = owner.subscription_id.as_str();
            if owner.is_imported {
                fresh.imported.insert(id.to_owned());
            }
            fresh.customer_of.insert(id.to_owned(), owner.customer_tenant_id.as_str().to_owned());
        }
        for (customer, reseller) in store.resellers(scope).await? {
            fresh.resellers.insert(reseller.as_str().to_owned());
            fresh.reseller_of.insert(customer.as_str().to_owned(), reseller.as_str().to_owned());
        }
        *self.known.write().await = fresh;
        Ok(())
    }
}

#[cfg(test)]
impl Directory {
    /// One that knows of customers and their resellers.
    pub(crate) fn of_resellers(pairs: &[(&str, &str)]) -> Self {
        let owned = |(customer, reseller): &(&str, &str)| ((*customer).to_owned(), (*reseller).to_owned());
        let reseller_of: HashMap<String, String> = pairs.iter().map(owned).collect();
        Self { resellers: reseller_of.values().cloned().collect(), reseller_of, ..Self::default() }
    }
}
