//! Sign-ins: who asked Entra for a token, with what, from where, and what Entra answered.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::catalog::Whereabouts;
use crate::catalog::answers::{Answer, SUCCESS};
use crate::catalog::applications::{COMMAND_LINE, Client, GRAPH, PORTAL, RESOURCE_MANAGER, Resource};
use crate::dice::Dice;
use crate::estate::{Caller, Device, Directory, Journey, Principal, User};

/// One sign-in; one record in one of Entra's logs.
#[derive(Debug, Clone)]
pub(crate) struct SignIn {
    /// When Entra answered.
    pub(crate) at: DateTime<Utc>,
    /// Who asked.
    pub(crate) principal: Arc<Principal>,
    /// How, and so in which log it stands.
    pub(crate) way: Way,
    /// The application that a person signs in with, or that signs in: its id and name.
    pub(crate) app: (String, String),
    /// `Browser`, …; empty for an application.
    pub(crate) client_app: &'static str,
    /// What the token is for.
    pub(crate) target: &'static Resource,
    /// From which address.
    pub(crate) address: String,
    /// Where that is.
    pub(crate) whereabouts: Whereabouts,
    /// `none`, `deviceCode`, `ropc`, …
    pub(crate) protocol: &'static str,
    /// From which device, if it is a person's.
    pub(crate) device: Option<Device>,
    /// What Entra answered.
    pub(crate) answer: &'static Answer,
    /// Whether more than a password was asked for.
    pub(crate) asks_second_factor: bool,
    /// How risky Entra finds it; who has no licence to see that reads `hidden`.
    pub(crate) risk: Risk,
    /// The session of the device, if there is one.
    pub(crate) session: Option<Uuid>,
    /// The id of the secret that an application shows.
    pub(crate) credential: Option<Uuid>,
    /// Groups the tries of one sign-in.
    pub(crate) correlation: Uuid,
    /// Its own id; that of its token follows from it.
    pub(crate) id: Uuid,
}

/// How somebody signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// A person answers for themselves.
    Interactive,
    /// A program does, with what the person got before.
    NonInteractive,
    /// An application does, with a secret of its own.
    Application,
}

/// What an address is to somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Familiarity {
    Own,
    Journey,
    Strange,
}

/// How risky a sign-in looks to Entra while it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Risk {
    None,
    Low,
    Medium,
    High,
}

impl Risk {
    /// Entra's word.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    /// What Entra makes of an address. It knows little: half of what is strange shows no risk, and some of
    /// what is usual does.
    fn of_address(familiarity: Familiarity, dice: &mut Dice) -> Self {
        let (low, medium, high) = match familiarity {
            Familiarity::Own => (0.006, 0.002, 0.0),
            Familiarity::Journey => (0.12, 0.05, 0.0),
            Familiarity::Strange => (0.2, 0.2, 0.1),
        };
        match dice.share() {
            share if share < high => Self::High,
            share if share < high + medium => Self::Medium,
            share if share < high + medium + low => Self::Low,
            _ => Self::None,
        }
    }
}

impl SignIn {
    /// A sign-in to Azure Resource Manager that succeeds: of a person with the application that the
    /// person's tokens name, of an application with its secret of the time. Change what differs.
    ///
    /// Device, place and session follow from the directory: at an address of their own people use their
    /// own computer, at any other a foreign one.
    pub(crate) fn new(directory: &Directory, at: DateTime<Utc>, caller: &Caller, dice: &mut Dice) -> Self {
        let principal = Arc::clone(&caller.principal);
        let address = caller.address.clone().unwrap_or_default();
        let user = directory.user(&principal);
        let app = directory.app(&principal);
        let is_person = principal.is_person();
        let is_own = principal.addresses.contains(&address) || !is_person;
        let familiarity = match user {
            _ if is_own => Familiarity::Own,
            Some(user) if user.mobile == address => Familiarity::Own,
            Some(user) if user.is_known_at(&address) => Familiarity::Journey,
            Some(_) | None => Familiarity::Strange,
        };
        let is_known = familiarity != Familiarity::Strange;
        let client = if principal.app_id == COMMAND_LINE.id { &COMMAND_LINE } else { &PORTAL };
        let own_laptop = user.filter(|_| is_known).map(|user| user.laptop.clone());
        Self {
            at,
            way: if is_person { Way::Interactive } else { Way::Application },
            app: match is_person {
                true => (client.id.to_owned(), client.name.to_owned()),
                false => {
                    let name = app.map_or_else(|| principal.caller.clone(), |app| app.name.clone());
                    (principal.app_id.clone(), name)
                }
            },
            client_app: if is_person { client.client_app } else { "" },
            target: &RESOURCE_MANAGER,
            whereabouts: directory.whereabouts(&principal, &address),
            protocol: "none",
            device: is_person.then(|| own_laptop.unwrap_or_else(|| directory.foreign_device(&address))),
            answer: &SUCCESS,
            asks_second_factor: principal.has_second_factor,
            risk: Risk::of_address(familiarity, dice),
            session: is_person.then(|| match user.filter(|_| is_known) {
                Some(user) => user.session_on(at.date_naive()),
                None => dice.guid(),
            }),
            credential: app.map(|app| app.key_at(at)),
            correlation: dice.guid(),
            id: dice.guid(),
            principal,
            address,
        }
    }

    /// Lets it be on a journey of the person's, with the person's own computer.
    pub(crate) fn on_journey(&mut self, journey: &Journey, user: &User, dice: &mut Dice) -> &mut Self {
        self.whereabouts = journey.whereabouts;
        self.device = Some(user.laptop.clone());
        self.session = Some(user.session_on(self.at.date_naive()));
        self.risk = Risk::of_address(Familiarity::Journey, dice);
        self
    }

    /// Lets it be with another application of Microsoft's, to another.
    pub(crate) fn with(&mut self, client: &'static Client, target: &'static Resource) -> &mut Self {
        self.app = (client.id.to_owned(), client.name.to_owned());
        self.client_app = client.client_app;
        self.target = target;
        self
    }

    /// Lets it be to Microsoft Graph: what changes the directory.
    pub(crate) fn for_graph(&mut self) -> &mut Self {
        self.target = &GRAPH;
        self
    }

    /// Lets a program do it with what the person got before.
    pub(crate) fn non_interactive(&mut self) -> &mut Self {
        self.way = Way::NonInteractive;
        self
    }

    /// Lets it come from another device.
    pub(crate) fn on(&mut self, device: Device) -> &mut Self {
        self.device = Some(device);
        self
    }

    /// Lets it belong to a session that is there.
    pub(crate) fn in_session(&mut self, session: Uuid) -> &mut Self {
        self.session = Some(session);
        self
    }

    /// Lets an application show another secret.
    pub(crate) fn with_credential(&mut self, key: Uuid) -> &mut Self {
        self.credential = Some(key);
        self
    }

    /// Lets it go by another protocol: `ropc`, `deviceCode`.
    pub(crate) fn by_protocol(&mut self, protocol: &'static str) -> &mut Self {
        self.protocol = protocol;
        self
    }

    /// Lets Entra find it so risky.
    pub(crate) fn at_risk(&mut self, risk: Risk) -> &mut Self {
        self.risk = risk;
        self
    }

    /// Lets Entra answer something else. Without a token there is no session.
    pub(crate) fn answered(&mut self, answer: &'static Answer) -> &mut Self {
        self.answer = answer;
        if *answer != SUCCESS {
            self.session = None;
        }
        self
    }

    /// A try before it that Entra answered in another way; same person, same application.
    pub(crate) fn try_before(&self, at: DateTime<Utc>, answer: &'static Answer, dice: &mut Dice) -> Self {
        let mut earlier = Self { at, id: dice.guid(), ..self.clone() };
        earlier.answered(answer);
        earlier
    }

    /// Whether a token was given.
    pub(crate) fn succeeded(&self) -> bool {
        *self.answer == SUCCESS
    }
}
