//! A person of a customer's directory: devices, journeys, and where the person is at a time.
//!
//! Whatever somebody does comes from where they are: from the office or from home on most days, from a
//! hotel on a journey, and from nowhere while they are on the way.

use std::sync::Arc;

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use uuid::Uuid;

use crate::catalog::{Network, Place, Whereabouts};
use crate::dice::Dice;
use crate::estate::{Principal, address};

/// On how many days people work from home.
const HOME_OFFICE: f64 = 0.22;

/// A person.
#[derive(Debug)]
pub(crate) struct User {
    /// Who signs in and acts.
    pub(crate) principal: Arc<Principal>,
    /// `Ada Ashford`
    pub(crate) name: String,
    /// What brings the person into the directory.
    pub(crate) post: Post,
    /// The computer.
    pub(crate) laptop: Device,
    /// The telephone.
    pub(crate) phone: Device,
    /// The address of the telephone.
    pub(crate) mobile: String,
    /// Journeys, one after the other.
    pub(crate) journeys: Vec<Journey>,
    /// Where the chance of the person's days starts.
    seed: u64,
}

/// What brings somebody into the directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Post {
    /// Works on subscriptions.
    Operator,
    /// Reads mail and writes documents.
    Staff,
    /// Administers for the partner or a reseller, from their tenant.
    Delegated,
}

/// Something that people sign in with.
#[derive(Debug, Clone)]
pub(crate) struct Device {
    /// Its id, if the directory knows it.
    pub(crate) id: Option<Uuid>,
    /// `LAPTOP-3F2A91`; empty if the directory does not know it.
    pub(crate) name: String,
    /// `Windows10`
    pub(crate) operating_system: &'static str,
    /// `Edge 131.0.0`
    pub(crate) browser: &'static str,
    /// What its programs say they are.
    pub(crate) user_agent: &'static str,
}

/// Some days elsewhere.
#[derive(Debug, Clone)]
pub(crate) struct Journey {
    /// Object id of who goes.
    pub(crate) traveller: Uuid,
    /// The start.
    pub(crate) leaves_at: DateTime<Utc>,
    /// The arrival there.
    pub(crate) arrives_at: DateTime<Utc>,
    /// The start of the way back.
    pub(crate) returns_at: DateTime<Utc>,
    /// The end.
    pub(crate) home_at: DateTime<Utc>,
    /// The address there.
    pub(crate) address: String,
    /// Where that is.
    pub(crate) whereabouts: Whereabouts,
}

impl Journey {
    /// A journey as fast as an airliner, no faster.
    pub(crate) fn new(
        traveller: Uuid,
        (home, there): (&Place, &'static Place),
        leaves_at: DateTime<Utc>,
        stay: TimeDelta,
        dice: &mut Dice,
    ) -> Self {
        let arrives_at = leaves_at + home.journey_to(there);
        let returns_at = arrives_at + stay;
        Self {
            traveller,
            leaves_at,
            arrives_at,
            returns_at,
            home_at: returns_at + there.journey_to(home),
            address: address::anyone(dice),
            whereabouts: Whereabouts { place: there, autonomous_system: Network::Home.number(dice) },
        }
    }
}

impl User {
    /// A person with a computer and a telephone.
    pub(crate) fn new(principal: Arc<Principal>, post: Post, seed: u64) -> Self {
        let mut dice = Dice::new(seed, "user", principal.object_id.as_u64_pair().0);
        Self {
            name: display_name(&principal.caller),
            laptop: Device::laptop(&mut dice),
            phone: Device::phone(&mut dice),
            mobile: address::anyone(&mut dice),
            journeys: Vec::new(),
            principal,
            post,
            seed,
        }
    }

    /// The address that the person uses at a time: one for a whole day, but on journeys. `None` on the way.
    pub(crate) fn address_at(&self, at: DateTime<Utc>) -> Option<&str> {
        let away = self.journeys.iter().find(|journey| (journey.leaves_at..journey.home_at).contains(&at));
        if let Some(journey) = away {
            let is_there = (journey.arrives_at..journey.returns_at).contains(&at);
            return is_there.then_some(&journey.address);
        }
        let addresses = &self.principal.addresses;
        let at_home = addresses.len() > 1 && self.day("home office", at.date_naive()).chance(HOME_OFFICE);
        addresses.get(usize::from(at_home)).map(String::as_str)
    }

    /// The session of the person's computer on a day.
    pub(crate) fn session_on(&self, day: NaiveDate) -> Uuid {
        self.day("session", day).guid()
    }

    /// Whether an address is one of the person's: office, home, telephone, or that of a journey.
    pub(crate) fn is_known_at(&self, address: &str) -> bool {
        self.mobile == address
            || self.principal.addresses.iter().any(|own| own == address)
            || self.journeys.iter().any(|journey| journey.address == address)
    }

    /// The person's chance of a day.
    fn day(&self, purpose: &str, day: NaiveDate) -> Dice {
        let person = self.principal.object_id.as_u64_pair().0;
        Dice::new(self.seed, purpose, person.wrapping_add(u64::from(day.num_days_from_ce().unsigned_abs())))
    }
}

impl Device {
    fn laptop(dice: &mut Dice) -> Self {
        let (operating_system, browser, user_agent) = dice.pick(&LAPTOPS);
        let is_known = dice.chance(0.85);
        Self {
            id: is_known.then(|| dice.guid()),
            name: if is_known { format!("LAPTOP-{:06X}", dice.below(1 << 24)) } else { String::new() },
            operating_system,
            browser,
            user_agent,
        }
    }

    fn phone(dice: &mut Dice) -> Self {
        let (operating_system, browser, user_agent) = dice.pick(&PHONES);
        Self { id: None, name: String::new(), operating_system, browser, user_agent }
    }

    /// A device of nobody that the directory knows.
    pub(crate) fn foreign(dice: &mut Dice) -> Self {
        let (operating_system, browser, user_agent) = dice.pick(&FOREIGN);
        Self { id: None, name: String::new(), operating_system, browser, user_agent }
    }
}

type Model = (&'static str, &'static str, &'static str);

const EDGE: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0";
const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36";
const SAFARI: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0";
const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15";
const ANDROID: &str =
    "Mozilla/5.0 (Linux; Android 14; K) AppleWebKit/537.36 Chrome/131.0.0.0 Mobile Safari/537.36";

const LAPTOPS: [Model; 5] = [
    ("Windows10", "Edge 131.0.0", EDGE),
    ("Windows10", "Edge 131.0.0", EDGE),
    ("Windows10", "Chrome 131.0.0", CHROME),
    ("MacOs", "Safari 18.1", SAFARI),
    ("Linux", "Firefox 132.0", FIREFOX),
];
const PHONES: [Model; 2] =
    [("Ios 18.1", "Mobile Safari", IPHONE), ("Android 14", "Chrome Mobile 131.0.0", ANDROID)];
/// Attackers use what everybody uses, and scripts.
const FOREIGN: [Model; 6] = [
    ("Windows10", "Chrome 131.0.0", CHROME),
    ("Windows10", "Chrome 131.0.0", CHROME),
    ("Windows10", "Edge 131.0.0", EDGE),
    ("MacOs", "Safari 18.1", SAFARI),
    ("Linux", "Firefox 132.0", FIREFOX),
    ("", "Python Requests 2.32", "python-requests/2.32.3"),
];

/// `Ada Ashford` of `ada.ashford3@alderbeckfoods.example`.
fn display_name(upn: &str) -> String {
    let local = upn.split('@').next().unwrap_or_default();
    let word = |part: &str| {
        let part = part.trim_end_matches(|letter: char| letter.is_ascii_digit());
        let mut letters = part.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>())
    };
    local.split('.').filter_map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{WORLD, places_around};

    #[test]
    fn a_traveller_is_nowhere_on_the_way() {
        let mut dice = Dice::new(1, "journey", 0);
        let addresses = vec!["192.0.2.7".to_owned(), "198.18.0.7".to_owned()];
        let since = "2026-01-01T00:00:00Z".parse().unwrap();
        let upn = "ada.ashford3@a.example".to_owned();
        let principal = Principal::person(upn, "t", "Owner", addresses.clone(), since, &mut dice);
        let mut user = User::new(Arc::new(principal), Post::Operator, 1);
        assert_eq!(user.name, "Ada Ashford");
        let leaves_at = since + TimeDelta::days(4);
        let way = (&places_around("norwayeast")[0], &WORLD[0]);
        let journey = Journey::new(user.principal.object_id, way, leaves_at, TimeDelta::days(2), &mut dice);
        user.journeys.push(journey.clone());
        let at_office = |at| addresses.iter().any(|own| Some(own.as_str()) == user.address_at(at));
        assert!(at_office(leaves_at - TimeDelta::seconds(1)));
        assert_eq!(user.address_at(leaves_at), None);
        assert_eq!(user.address_at(journey.arrives_at), Some(journey.address.as_str()));
        assert_eq!(user.address_at(journey.returns_at), None);
        assert!(at_office(journey.home_at));
        assert!(user.is_known_at(&journey.address) && !user.is_known_at("192.0.2.200"));
    }

    #[test]
    fn people_work_from_one_address_a_day() {
        let mut dice = Dice::new(1, "days", 0);
        let addresses = vec!["192.0.2.7".to_owned(), "198.18.0.7".to_owned()];
        let since: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
        let principal =
            Principal::person("a@a.example".to_owned(), "t", "Owner", addresses.clone(), since, &mut dice);
        let user = User::new(Arc::new(principal), Post::Staff, 1);
        let mut at_home = 0;
        for day in 0..200 {
            let morning = since + TimeDelta::days(day);
            assert_eq!(user.address_at(morning), user.address_at(morning + TimeDelta::hours(23)));
            at_home += usize::from(user.address_at(morning) == Some(&addresses[1]));
        }
        assert!((20..70).contains(&at_home), "{at_home}");
    }
}
