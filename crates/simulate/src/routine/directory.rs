//! The day's changes to a customer's directory: people and groups come and go, applications are registered,
//! secrets are changed, guests are invited, roles are taken up for some hours.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};

use crate::calendar::{midnight, next_midnight, office_moment};
use crate::dice::Dice;
use crate::estate::{App, Caller, Customer, Post, Principal, User, address};
use crate::script::{Actor, By, DirectoryAct, DirectoryRole, Secret};

/// Changes on a workday.
const CHANGES_A_WORKDAY: f64 = 0.7;

/// The day's changes, in no order.
pub(crate) fn ordinary_directory_acts(
    customer: &Customer,
    day: NaiveDate,
    dice: &mut Dice,
) -> Vec<DirectoryAct> {
    let routine = Day { customer, day };
    let mut acts = Vec::new();
    routine.rotations(dice, &mut acts);
    if customer.holidays.is_workday(day) {
        for _ in 0..dice.count(CHANGES_A_WORKDAY) {
            routine.change(dice, &mut acts);
        }
    }
    let end = next_midnight(day);
    acts.retain(|act| act.at < end);
    acts
}

struct Day<'a> {
    customer: &'a Customer,
    day: NaiveDate,
}

impl Day<'_> {
    /// An administrator who is somewhere at a time: mostly the first.
    fn administrator(&self, at: DateTime<Utc>, dice: &mut Dice) -> Option<Caller> {
        let operators: Vec<&User> =
            self.customer.directory.members_at(at).filter(|user| user.post == Post::Operator).collect();
        let user = if dice.chance(0.75) { operators.first() } else { operators.last() }?;
        let address = user.address_at(at)?;
        Some(user.principal.at(address.to_owned()))
    }

    fn change(&self, dice: &mut Dice, acts: &mut Vec<DirectoryAct>) {
        let directory = &self.customer.directory;
        let at = office_moment(self.day, self.customer.utc_offset_hours, dice);
        let Some(admin) = self.administrator(at, dice) else { return };
        let members: Vec<&User> = directory.members_at(at).collect();
        let user = &dice.pick(&members).principal;
        let group = &directory.groups[dice.below(directory.groups.len())];
        let kind = dice.below(100);
        let by = By { at, actor: Actor::Person(admin.clone()), dice };
        acts.extend(match kind {
            0..=29 => {
                let (property, old, new) = by.dice.pick(&[
                    ("Department", "Sales", "Operations"),
                    ("JobTitle", "Consultant", "Senior Consultant"),
                    ("Mobile", "+00 555 0100", "+00 555 0134"),
                ]);
                by.updates_user(user, property, old, new)
            }
            30..=48 => by.changes_group(user, group, true),
            49..=58 => by.changes_group(user, group, false),
            59..=66 => by.resets_password(user),
            67..=76 => self.second_factor(user, by),
            77..=81 => self.newcomer(by),
            82..=84 => self.registration(&admin, by),
            85..=89 => self.guest(by),
            90..=91 => {
                let app = &directory.apps[by.dice.below(directory.apps.len())];
                let for_everybody = by.dice.chance(0.5);
                by.consents(app, "User.Read openid profile", for_everybody)
            }
            92 => by.adds_owner(&directory.apps[0], user),
            93 => {
                let role = by.dice.pick(&[DirectoryRole::User, DirectoryRole::Application]);
                by.assigns_role(user, role)
            }
            _ if directory.judges_risk => {
                let role = by.dice.pick(&[
                    DirectoryRole::Global,
                    DirectoryRole::PrivilegedRole,
                    DirectoryRole::User,
                    DirectoryRole::Application,
                ]);
                by.activates_role(&admin.principal, role, "Scheduled work")
            }
            _ => Vec::new(),
        });
    }

    /// A person registers a telephone. The person does it, so it is left out while they are on the way.
    fn second_factor(&self, user: &Arc<Principal>, mut by: By<'_>) -> Vec<DirectoryAct> {
        let person = self.customer.directory.user(user);
        let Some(address) = person.and_then(|person| person.address_at(by.at)) else { return Vec::new() };
        by.actor = Actor::Person(user.at(address.to_owned()));
        by.registers_second_factor(user)
    }

    /// Somebody joins, and is put into a group.
    fn newcomer(&self, by: By<'_>) -> Vec<DirectoryAct> {
        let domain = self.customer.directory.users[0].principal.caller.split('@').nth(1).unwrap_or_default();
        let upn = format!("new.colleague{}@{domain}", by.dice.between(100, 999));
        let tenant = &self.customer.tenant_id;
        let person = Principal::person(upn, tenant, "", Vec::new(), by.at, by.dice);
        let group = &self.customer.directory.groups[0];
        let (at, actor) = (by.at + by.dice.seconds(20.0, 300.0), by.actor.clone());
        let mut acts = By { at: by.at, actor: by.actor, dice: by.dice }.adds_user(&person);
        acts.extend(By { at, actor, dice: by.dice }.changes_group(&person, group, true));
        acts
    }

    /// An administrator registers an application and gives it a secret.
    fn registration(&self, admin: &Caller, by: By<'_>) -> Vec<DirectoryAct> {
        let name = format!("{}-{}", by.dice.pick(&["reporting", "sync", "alerts"]), by.dice.between(10, 99));
        let app = App::registered(&name, &self.customer.tenant_id, Vec::new(), by.at, by.dice);
        let secret_at = by.at + by.dice.seconds(40.0, 900.0);
        let actor = Actor::Person(admin.clone());
        let mut acts = By { at: by.at, actor: by.actor, dice: by.dice }.registers_app(&app);
        let secret = Secret { key: app.key(0), name: "first" };
        acts.extend(By { at: secret_at, actor, dice: by.dice }.changes_secrets(&app, &[], &[secret]));
        acts
    }

    /// An auditor, a supplier: invited, and there some hours later.
    fn guest(&self, by: By<'_>) -> Vec<DirectoryAct> {
        let mail = format!("guest{}@supplier.example", by.dice.between(100, 999));
        let home = by.dice.guid().to_string();
        let guest_address = address::anyone(by.dice);
        let redeemed_at = by.at + by.dice.seconds(600.0, 20_000.0);
        let addresses = vec![guest_address.clone()];
        let guest = Arc::new(Principal::person(mail.clone(), &home, "", addresses, by.at, by.dice));
        let mut acts = By { at: by.at, actor: by.actor, dice: by.dice }.invites(&guest, &mail);
        let actor = Actor::Person(guest.at(guest_address));
        acts.extend(By { at: redeemed_at, actor, dice: by.dice }.redeems_invitation(&guest));
        acts
    }

    /// Secrets that are changed today: the new one is added, and the old one is removed some hours later.
    fn rotations(&self, dice: &mut Dice, acts: &mut Vec<DirectoryAct>) {
        let today = midnight(self.day)..next_midnight(self.day);
        for app in &self.customer.directory.apps {
            for (number, rotation) in app.rotations.iter().enumerate() {
                if !today.contains(rotation) {
                    continue;
                }
                let old = Secret { key: app.key(number), name: "rotated" };
                let new = Secret { key: app.key(number + 1), name: "rotated" };
                let own = || Actor::Application(Arc::clone(&app.service_principal), app.name.clone());
                let administrator =
                    (!app.rotates_itself).then(|| self.administrator(*rotation, dice)).flatten();
                let actor = administrator.map_or_else(own, Actor::Person);
                let removed_at = *rotation + dice.seconds(3_600.0, 14_000.0);
                let added = By { at: *rotation, actor: actor.clone(), dice };
                acts.extend(added.changes_secrets(app, &[old], &[old, new]));
                let removed = By { at: removed_at, actor, dice };
                acts.extend(removed.changes_secrets(app, &[old, new], &[new]));
            }
        }
    }
}
