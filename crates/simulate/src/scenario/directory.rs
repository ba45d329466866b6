//! How a scenario speaks of Entra: sign-ins, changes to the directory, journeys.
//!
//! Nobody acts in Azure without a token, so a scenario that says nothing of sign-ins gets them when it is
//! closed: each caller signs in, at the address of the action and a little before it. A stolen password
//! therefore needs no more than the action:
//!
//! ```text
//! let thief = victim.at(address::hostile(&mut stage.dice));
//! stage.script.actions.push(Action::new(at, thief, …));
//! ```
//!
//! What is part of the story is said, and then nothing is added that it covers: one sign-in that succeeds
//! covers a person's actions from its address for ten hours, an application's for four.
//!
//! ```text
//! // Tries that fail, and one that does not; what differs from an ordinary sign-in is changed.
//! stage.sign_in_as(&thief, at).answered(&WRONG_PASSWORD).by_protocol("ropc");
//! stage.sign_in_as(&thief, later).at_risk(Risk::Medium);
//! // A stolen session: no password, the victim's session, from elsewhere.
//! let session = stage.session_of(&victim, at);
//! stage.sign_in_as(&thief, at).non_interactive().in_session(session);
//! // An application from a new place, with a new secret.
//! let thing = app.service_principal.at(address::hostile(&mut stage.dice));
//! stage.sign_in_as(&thing, at).with_credential(key);
//! // Consent, a secret, a guest, a role: see the functions of `By`.
//! stage.directory_act(at, &thief, |by| by.consents(app, "Mail.Read offline_access", false));
//! stage.directory_act(at, &thief, |by| by.changes_secrets(app, &[old], &[old, new]));
//! stage.directory_act(at, &thief, |by| by.invites(&guest, "someone@mailbox.example"));
//! stage.directory_act(at, &thief, |by| by.assigns_role(&guest, DirectoryRole::Global));
//! ```
//!
//! Where an address is follows from the directory ([`Directory::whereabouts`]): a strange one is anywhere in
//! the world, now and then near the office; the same address is always in the same place. To say otherwise,
//! set the sign-in's `whereabouts`. Risk is drawn, half of it shows, and only customers with the licence
//! read it. Whoever plays in a scenario goes on no journey of their own; [`Stage::travels`] sends somebody
//! away, and then their ordinary life comes from there, too. An application that is to use another secret in
//! its ordinary life gets it with [`Stage::uses_secret`].
//!
//! A customer without Entra's logs has none of this: sign-ins and changes are dropped before the label is
//! read off. A scenario that lives in them has [`super::has_entra_logs`] as its `fits`.
//!
//! [`Directory::whereabouts`]: crate::estate::Directory::whereabouts

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::catalog::Place;
use crate::estate::{App, Caller, Journey, Post, Principal};
use crate::routine::{Deed, sign_ins_for};
use crate::scenario::Stage;
use crate::script::{Actor, By, DirectoryAct, SignIn};

impl<'a> Stage<'a> {
    /// Lets somebody sign in to Azure, and get in; change what differs.
    pub(crate) fn sign_in_as(&mut self, caller: &Caller, at: DateTime<Utc>) -> &mut SignIn {
        let mut sign_in = SignIn::new(&self.customer.directory, at, caller, &mut self.dice);
        self.find_traveller(&mut sign_in);
        self.script.sign_ins.push(sign_in);
        self.script.sign_ins.last_mut().expect("one was just pushed")
    }

    /// Lets somebody change the directory. Gives what was written, to change what differs.
    pub(crate) fn directory_act(
        &mut self,
        at: DateTime<Utc>,
        caller: &Caller,
        change: impl FnOnce(By<'_>) -> Vec<DirectoryAct>,
    ) -> &mut [DirectoryAct] {
        let principal = &caller.principal;
        let actor = if principal.is_person() {
            Actor::Person(caller.clone())
        } else {
            let app = self.customer.directory.app(principal);
            let name = app.map_or_else(|| principal.caller.clone(), |app| app.name.clone());
            Actor::Application(Arc::clone(principal), name)
        };
        let known = self.script.directory_acts.len();
        let acts = change(By { at, actor, dice: &mut self.dice });
        self.script.directory_acts.extend(acts);
        &mut self.script.directory_acts[known..]
    }

    /// Sends somebody on a journey. Gives the caller that the person is there, and when the person arrives.
    pub(crate) fn travels(
        &mut self,
        person: &Arc<Principal>,
        there: &'static Place,
        leaves_at: DateTime<Utc>,
        stay: TimeDelta,
    ) -> (Caller, DateTime<Utc>) {
        let way = (self.customer.directory.city(), there);
        let journey = Journey::new(person.object_id, way, leaves_at, stay, &mut self.dice);
        let there = (person.at(journey.address.clone()), journey.arrives_at);
        self.script.journeys.push(journey);
        there
    }

    /// The customer's own people who are there at the start, operators first.
    pub(crate) fn members(&self) -> Vec<Arc<Principal>> {
        let directory = &self.customer.directory;
        directory.members_at(self.start).map(|user| Arc::clone(&user.principal)).collect()
    }

    /// The session that a person's own computer has on a day.
    pub(crate) fn session_of(&self, person: &Principal, at: DateTime<Utc>) -> Option<Uuid> {
        self.customer.directory.user(person).map(|user| user.session_on(at.date_naive()))
    }

    /// Where a person of the customer usually is at a time: office or home.
    pub(crate) fn at_desk(&self, person: &Arc<Principal>, at: DateTime<Utc>) -> Caller {
        let user = self.customer.directory.user(person).filter(|user| user.post != Post::Delegated);
        let address = user
            .and_then(|user| user.address_at(at))
            .filter(|at| person.addresses.iter().any(|own| own == at));
        let address = address.map(str::to_owned).or_else(|| person.addresses.first().cloned());
        Caller { principal: Arc::clone(person), address }
    }

    /// Lets an application use a secret from a time on.
    pub(crate) fn uses_secret(&mut self, app: &App, at: DateTime<Utc>, key: Uuid) {
        self.script.new_secrets.push((app.service_principal.object_id, at, key));
    }

    /// The application of the subscription's pipeline.
    pub(crate) fn app(&self) -> Option<&'a App> {
        self.customer.directory.app(&self.subscription.pipeline)
    }

    /// Adds the sign-ins that the script's actions and changes take, or drops all of Entra if its customer
    /// does not log it.
    pub(super) fn complete_sign_ins(&mut self) {
        let script = &mut self.script;
        if self.customer.directory.logs.is_none() {
            script.sign_ins.clear();
            script.directory_acts.clear();
            return;
        }
        let actions = script.actions.iter().filter_map(Deed::of_action);
        let deeds = actions.chain(script.directory_acts.iter().filter_map(Deed::of_act)).collect();
        let earliest = self.period.start();
        let directory = &self.customer.directory;
        let mut added = sign_ins_for(directory, deeds, &script.sign_ins, earliest, &mut self.dice);
        for sign_in in &mut added {
            self.find_traveller(sign_in);
        }
        self.script.sign_ins.extend(added);
    }

    /// The directory does not know the scenario's own journeys yet.
    fn find_traveller(&mut self, sign_in: &mut SignIn) {
        let own = |journey: &&Journey| journey.address == sign_in.address;
        let journey = self.script.journeys.iter().find(own);
        let user = self.customer.directory.user(&sign_in.principal);
        if let (Some(journey), Some(user)) = (journey, user) {
            let answer = sign_in.answer;
            sign_in.on_journey(journey, user, &mut self.dice).answered(answer);
        }
    }
}

#[cfg(test)]
mod tests;
