//! The partner and its resellers.

use std::sync::Arc;

use uuid::Uuid;

use crate::calendar::Period;
use crate::dice::Dice;
use crate::estate::names;
use crate::estate::principal::{Principal, address};
use crate::settings::Settings;

/// The partner: it sells Azure and administers customers' subscriptions with delegated rights.
#[derive(Debug)]
pub(crate) struct Partner {
    /// Its Entra tenant.
    pub(crate) tenant_id: String,
    /// Its name.
    pub(crate) name: String,
    /// Its billing account.
    pub(crate) billing_account_id: String,
    /// Its delegated administrators: callers from a tenant that is not the customer's.
    pub(crate) admins: Vec<Arc<Principal>>,
    /// Those who sell under it.
    pub(crate) resellers: Vec<Reseller>,
}

/// An indirect reseller.
#[derive(Debug)]
pub(crate) struct Reseller {
    /// Its name.
    pub(crate) name: String,
    /// Its id in the partner network.
    pub(crate) mpn_id: String,
    /// Its own delegated administrator, from its own tenant.
    pub(crate) admin: Arc<Principal>,
}

impl Partner {
    pub(crate) fn new(settings: &Settings, period: &Period) -> Self {
        let mut dice = Dice::new(settings.seed, "partner", 0);
        let tenant_id = settings.partner_tenant_id.to_string();
        let office = address::service(&mut dice);
        let admins = (0..6)
            .map(|number| {
                let upn = names::upn(number, "skyline-partner.example", &mut dice);
                let addresses = vec![office.clone(), address::anyone(&mut dice)];
                Arc::new(Principal::person(upn, &tenant_id, "Owner", addresses, period.start(), &mut dice))
            })
            .collect();
        let reseller_count = 2 + settings.customers as usize / 40;
        let resellers = (0..reseller_count).map(|number| reseller(number, period, &mut dice)).collect();
        Self {
            tenant_id,
            name: "Skyline Partner".to_owned(),
            billing_account_id: format!("{}:{}_2019-05-31", dice.guid(), dice.guid()),
            admins,
            resellers,
        }
    }
}

fn reseller(number: usize, period: &Period, dice: &mut Dice) -> Reseller {
    let name = format!("{} Cloud {}", names::company(0, dice), number + 1);
    let tenant_id: Uuid = dice.guid();
    let upn = names::upn(0, &names::domain(&name), dice);
    let addresses = vec![address::service(dice)];
    let admin =
        Principal::person(upn, &tenant_id.to_string(), "Contributor", addresses, period.start(), dice);
    Reseller { name, mpn_id: dice.between(1_000_000, 6_999_999).to_string(), admin: Arc::new(admin) }
}
