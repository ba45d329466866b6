//! Who acts: people and applications, and from where.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::json;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::catalog::applications::{COMMAND_LINE, PORTAL};
use crate::dice::Dice;

const OBJECT_ID: &str = "http://schemas.microsoft.com/identity/claims/objectidentifier";
const TENANT_ID: &str = "http://schemas.microsoft.com/identity/claims/tenantid";
const AUTH_METHODS: &str = "http://schemas.microsoft.com/claims/authnmethodsreferences";
const UPN: &str = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn";
const NAME: &str = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name";

/// A person or an application.
#[derive(Debug)]
pub(crate) struct Principal {
    /// The UPN of a person, the object id of an application: what records call the caller.
    pub(crate) caller: String,
    /// The object id in its home tenant.
    pub(crate) object_id: Uuid,
    /// Its home tenant.
    pub(crate) tenant_id: String,
    /// The application that a person uses, or that an application is.
    pub(crate) app_id: String,
    /// Whether a person signs in with more than a password.
    pub(crate) has_second_factor: bool,
    /// `User` or `ServicePrincipal`.
    pub(crate) principal_type: &'static str,
    /// The role that lets it act.
    pub(crate) role: &'static str,
    /// Where it signs in from, most often from the first. Empty for Azure's own services.
    pub(crate) addresses: Vec<String>,
    /// When it came. New colleagues are part of a believable estate.
    pub(crate) since: DateTime<Utc>,
    /// The claims of its tokens: JSON, made once because every record repeats them.
    pub(crate) claims: Box<RawValue>,
}

/// A principal at an address: what one action needs.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// Who.
    pub(crate) principal: Arc<Principal>,
    /// From where; `None` for Azure's own services.
    pub(crate) address: Option<String>,
}

impl Principal {
    /// A person of a tenant.
    pub(crate) fn person(
        upn: String,
        tenant_id: &str,
        role: &'static str,
        addresses: Vec<String>,
        since: DateTime<Utc>,
        dice: &mut Dice,
    ) -> Self {
        let has_second_factor = dice.chance(0.75);
        let methods = if has_second_factor { "pwd,mfa" } else { "pwd" };
        let app = if dice.chance(0.7) { PORTAL.id } else { COMMAND_LINE.id };
        let object_id = dice.guid();
        let claims = json!({
            "aud": "https://management.azure.com/",
            "iss": format!("https://sts.windows.net/{tenant_id}/"),
            AUTH_METHODS: methods,
            "appid": app,
            OBJECT_ID: object_id,
            TENANT_ID: tenant_id,
            UPN: upn,
            NAME: upn,
        });
        let claims = raw(&claims);
        Self {
            caller: upn,
            object_id,
            tenant_id: tenant_id.to_owned(),
            app_id: app.to_owned(),
            has_second_factor,
            principal_type: "User",
            role,
            addresses,
            since,
            claims,
        }
    }

    /// An application of a tenant.
    pub(crate) fn application(
        tenant_id: &str,
        role: &'static str,
        addresses: Vec<String>,
        since: DateTime<Utc>,
        dice: &mut Dice,
    ) -> Self {
        let object_id = dice.guid();
        let app_id = dice.guid();
        let claims = json!({
            "aud": "https://management.azure.com/",
            "iss": format!("https://sts.windows.net/{tenant_id}/"),
            "appid": app_id,
            "idtyp": "app",
            OBJECT_ID: object_id,
            TENANT_ID: tenant_id,
        });
        let claims = raw(&claims);
        Self {
            caller: object_id.to_string(),
            object_id,
            tenant_id: tenant_id.to_owned(),
            app_id: app_id.to_string(),
            has_second_factor: false,
            principal_type: "ServicePrincipal",
            role,
            addresses,
            since,
            claims,
        }
    }

    /// Whether it is a person.
    pub(crate) fn is_person(&self) -> bool {
        self.principal_type == "User"
    }

    /// The principal at one of its own addresses.
    pub(crate) fn at_usual_address(self: &Arc<Self>, dice: &mut Dice) -> Caller {
        let address = match self.addresses.len() {
            0 => None,
            n if n == 1 || dice.chance(0.8) => Some(self.addresses[0].clone()),
            n => Some(self.addresses[1 + dice.below(n - 1)].clone()),
        };
        Caller { principal: Arc::clone(self), address }
    }

    /// The principal at any address.
    pub(crate) fn at(self: &Arc<Self>, address: String) -> Caller {
        Caller { principal: Arc::clone(self), address: Some(address) }
    }
}

fn raw(claims: &serde_json::Value) -> Box<RawValue> {
    RawValue::from_string(claims.to_string()).expect("a JSON value prints as JSON")
}

/// Addresses: documentation ranges (RFC 5737) and the benchmark range (RFC 2544), so that no made-up
/// record accuses a real host. Good and bad live in the same ranges, so a range tells nothing.
pub(crate) mod address {
    use crate::dice::Dice;

    /// Hosts below this are offices and services, those above are hostile: two parties never share one.
    const FIRST_HOSTILE_HOST: i64 = 130;

    fn documentation(dice: &mut Dice, hosts: (i64, i64)) -> String {
        let net = dice.pick(&["192.0.2", "198.51.100", "203.0.113"]);
        format!("{net}.{}", dice.between(hosts.0, hosts.1))
    }

    /// An office, a build service, an update mirror.
    pub(crate) fn service(dice: &mut Dice) -> String {
        documentation(dice, (2, FIRST_HOSTILE_HOST - 1))
    }

    /// Where an attacker works from, or a pool listens.
    pub(crate) fn hostile(dice: &mut Dice) -> String {
        documentation(dice, (FIRST_HOSTILE_HOST, 254))
    }

    /// Somebody on the internet: a visitor, a home office, a hotel.
    pub(crate) fn anyone(dice: &mut Dice) -> String {
        format!("198.{}.{}.{}", dice.between(18, 19), dice.between(0, 255), dice.between(1, 254))
    }

    /// Whether it is one of [`anyone`]'s.
    pub(crate) fn is_anyone(address: &str) -> bool {
        address.starts_with("198.18.") || address.starts_with("198.19.")
    }

    /// Whether it is one of [`hostile`]'s.
    pub(crate) fn is_hostile(address: &str) -> bool {
        let host = address.rsplit('.').next().and_then(|host| host.parse::<i64>().ok());
        !is_anyone(address) && host.is_some_and(|host| host >= FIRST_HOSTILE_HOST)
    }
}
