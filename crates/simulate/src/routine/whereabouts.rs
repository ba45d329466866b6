//! Where people are when they do something: the estate's scripts say only who and when.

use std::sync::Arc;

use crate::estate::{Caller, Customer, Post, User};
use crate::script::Action;

/// Lets everything that people do come from where they are at the time. Who is on the way is stood in for.
pub(crate) fn settle(customer: &Customer, actions: &mut [Action]) {
    for action in actions {
        let at = action.at;
        let Some(caller) = &mut action.caller else { continue };
        let Some(user) = customer.directory.user(&caller.principal) else { continue };
        match user.address_at(at) {
            Some(address) => {
                let is_away = !owns(user, address);
                let is_usual = caller.address.as_deref().is_none_or(|known| owns(user, known));
                if is_away || is_usual {
                    caller.address = Some(address.to_owned());
                }
            }
            None => {
                let deputy = customer.directory.members_at(at).find_map(|user| {
                    let address = user.address_at(at).filter(|_| user.post == Post::Operator)?;
                    Some(Caller { principal: Arc::clone(&user.principal), address: Some(address.to_owned()) })
                });
                *caller = deputy.unwrap_or_else(|| caller.clone());
            }
        }
    }
}

fn owns(user: &User, address: &str) -> bool {
    user.principal.addresses.iter().any(|own| own == address)
}
