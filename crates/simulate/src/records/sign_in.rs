//! Entra's sign-in logs: the diagnostic export, a container for each way of signing in, and Graph's `signIn`
//! in its beta form, which alone shows all ways, protocols and sessions.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::catalog::answers::{
    BLOCKED_BY_POLICY, SECOND_FACTOR_ASKED, SECOND_FACTOR_FAILED, SECOND_FACTOR_NEEDED,
};
use crate::estate::{Customer, Device, Post};
use crate::records::activity::export_time;
use crate::records::entra::{ExportRecord, directory_id, exported_at, lines, page};
use crate::script::{Risk, SignIn, Way};

impl Way {
    /// The containers of the three logs.
    pub(crate) const ALL: [Self; 3] = [Self::Interactive, Self::NonInteractive, Self::Application];

    /// The category of the log.
    fn category(self) -> &'static str {
        match self {
            Self::Interactive => "SignInLogs",
            Self::NonInteractive => "NonInteractiveUserSignInLogs",
            Self::Application => "ServicePrincipalSignInLogs",
        }
    }

    /// The container of the log.
    pub(crate) fn container(self) -> &'static str {
        match self {
            Self::Interactive => "insights-logs-signinlogs",
            Self::NonInteractive => "insights-logs-noninteractiveusersigninlogs",
            Self::Application => "insights-logs-serviceprincipalsigninlogs",
        }
    }

    /// Graph's word.
    fn event_type(self) -> &'static str {
        match self {
            Self::Interactive => "interactiveUser",
            Self::NonInteractive => "nonInteractiveUser",
            Self::Application => "servicePrincipal",
        }
    }
}

/// Writes those of one way as lines. What is after `end` has not happened yet and is left out. Returns the
/// number of records; none leaves `out` empty.
pub(crate) fn export(
    customer: &Customer,
    way: Way,
    sign_ins: &[SignIn],
    end: DateTime<Utc>,
    out: &mut Vec<u8>,
) -> serde_json::Result<u64> {
    let own = sign_ins.iter().filter(|sign_in| sign_in.way == way && sign_in.at < end);
    lines(own.map(|sign_in| exported(customer, sign_in, end)), out)
}

/// Writes all as a page of Graph's, otherwise as [`export`].
pub(crate) fn graph(
    customer: &Customer,
    sign_ins: &[SignIn],
    end: DateTime<Utc>,
    out: &mut Vec<u8>,
) -> serde_json::Result<u64> {
    let happened = sign_ins.iter().filter(|sign_in| sign_in.at < end);
    page("signIns", happened.map(|sign_in| object(customer, sign_in)), out)
}

fn exported<'a>(customer: &'a Customer, sign_in: &'a SignIn, end: DateTime<Utc>) -> ExportRecord<'a> {
    let succeeded = sign_in.succeeded();
    ExportRecord {
        time: exported_at(sign_in.at, sign_in.id, end),
        resource_id: directory_id(customer),
        operation_name: "Sign-in activity",
        operation_version: "1.0",
        category: sign_in.way.category(),
        tenant_id: &customer.tenant_id,
        result_type: Some(sign_in.answer.code.to_string()),
        result_signature: if succeeded { "SUCCESS" } else { "FAILURE" },
        result_description: (!succeeded).then_some(sign_in.answer.reason),
        duration_ms: 0,
        caller_ip_address: Some(&sign_in.address),
        correlation_id: sign_in.correlation,
        identity: Some(display_name(customer, sign_in)),
        level: 4,
        location: Some(sign_in.whereabouts.place.country),
        properties: object(customer, sign_in),
    }
}

/// A person's display name, or an application's.
fn display_name<'a>(customer: &'a Customer, sign_in: &'a SignIn) -> &'a str {
    match customer.directory.user(&sign_in.principal) {
        Some(user) => &user.name,
        None if sign_in.way == Way::Application => &sign_in.app.1,
        None => &sign_in.principal.caller,
    }
}

/// Graph's `signIn`.
fn object(customer: &Customer, sign_in: &SignIn) -> Value {
    let place = sign_in.whereabouts.place;
    let judges = customer.directory.judges_risk;
    let risk = if judges { sign_in.risk.name() } else { "hidden" };
    let mut object = json!({
        "id": sign_in.id,
        "createdDateTime": export_time(sign_in.at),
        "appId": sign_in.app.0,
        "appDisplayName": sign_in.app.1,
        "ipAddress": sign_in.address,
        "autonomousSystemNumber": sign_in.whereabouts.autonomous_system,
        "location": {
            "city": place.city,
            "state": place.state,
            "countryOrRegion": place.country,
            "geoCoordinates": {"latitude": place.latitude, "longitude": place.longitude},
        },
        "status": {
            "errorCode": sign_in.answer.code,
            "failureReason": sign_in.answer.reason,
            "additionalDetails": additional_details(sign_in),
        },
        "correlationId": sign_in.correlation,
        "conditionalAccessStatus": conditional_access(sign_in),
        "isInteractive": sign_in.way == Way::Interactive,
        "signInEventTypes": [sign_in.way.event_type()],
        "authenticationProtocol": sign_in.protocol,
        "resourceDisplayName": sign_in.target.name,
        "resourceId": sign_in.target.id,
        "resourceTenantId": customer.tenant_id,
        "homeTenantId": sign_in.principal.tenant_id,
        "crossTenantAccessType": cross_tenant_access(customer, sign_in),
        "riskLevelDuringSignIn": risk,
        "riskLevelAggregated": risk,
        "riskState": if judges && sign_in.risk != Risk::None { "atRisk" } else { "none" },
        "uniqueTokenIdentifier": token_id(sign_in.id),
        "tokenIssuerType": "AzureAD",
    });
    let members = match sign_in.way {
        Way::Application => application_members(sign_in),
        Way::Interactive | Way::NonInteractive => person_members(customer, sign_in),
    };
    if let Value::Object(object) = &mut object {
        object.extend(members);
    }
    object
}

fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn person_members(customer: &Customer, sign_in: &SignIn) -> Map<String, Value> {
    let is_multi = sign_in.asks_second_factor;
    let requirement = if is_multi { "multiFactorAuthentication" } else { "singleFactorAuthentication" };
    let is_guest = sign_in.principal.tenant_id != customer.tenant_id;
    members(json!({
        "userId": sign_in.principal.object_id,
        "userPrincipalName": sign_in.principal.caller,
        "userDisplayName": display_name(customer, sign_in),
        "userType": if is_guest { "guest" } else { "member" },
        "clientAppUsed": sign_in.client_app,
        "userAgent": sign_in.device.as_ref().map_or("", |device| device.user_agent),
        "deviceDetail": device_detail(sign_in.device.as_ref()),
        "authenticationRequirement": requirement,
        "incomingTokenType": if sign_in.way == Way::NonInteractive { "refreshToken" } else { "none" },
        "sessionId": sign_in.session,
    }))
}

fn application_members(sign_in: &SignIn) -> Map<String, Value> {
    members(json!({
        "servicePrincipalId": sign_in.principal.object_id,
        "servicePrincipalName": sign_in.app.1,
        "servicePrincipalCredentialKeyId": sign_in.credential,
        "clientCredentialType": "clientSecret",
        "incomingTokenType": "none",
    }))
}

fn device_detail(device: Option<&Device>) -> Value {
    let is_known = device.is_some_and(|device| device.id.is_some());
    json!({
        "deviceId": device.and_then(|device| device.id).map(|id| id.to_string()).unwrap_or_default(),
        "displayName": device.map_or("", |device| device.name.as_str()),
        "operatingSystem": device.map_or("", |device| device.operating_system),
        "browser": device.map_or("", |device| device.browser),
        "isCompliant": is_known,
        "isManaged": is_known,
        "trustType": if is_known { "Azure AD joined" } else { "" },
    })
}

fn additional_details(sign_in: &SignIn) -> Option<&'static str> {
    let is_satisfied = sign_in.succeeded() && sign_in.asks_second_factor && sign_in.way != Way::Application;
    is_satisfied.then_some("MFA requirement satisfied by claim in the token")
}

/// Policies ask for a second factor from those who have one, and ask nothing before the password is right.
fn conditional_access(sign_in: &SignIn) -> &'static str {
    let refused = [&BLOCKED_BY_POLICY, &SECOND_FACTOR_ASKED, &SECOND_FACTOR_FAILED, &SECOND_FACTOR_NEEDED];
    if refused.into_iter().any(|answer| answer == sign_in.answer) {
        "failure"
    } else if sign_in.succeeded() && sign_in.asks_second_factor && sign_in.way != Way::Application {
        "success"
    } else {
        "notApplied"
    }
}

/// Delegated administrators come as service providers, other guests to work together.
fn cross_tenant_access(customer: &Customer, sign_in: &SignIn) -> &'static str {
    if sign_in.principal.tenant_id == customer.tenant_id {
        return "none";
    }
    match customer.directory.user(&sign_in.principal).map(|user| user.post) {
        Some(Post::Delegated) => "serviceProvider",
        Some(Post::Operator | Post::Staff) | None => "b2bCollaboration",
    }
}

/// `wqJvs6F9REyX0dKJ4sZ8AA`: the bytes of an id in the alphabet of RFC 4648 for URLs.
fn token_id(id: Uuid) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    // Six bits a letter; the last letter holds what two bits are left, with zeros behind.
    let padded = |letter: u32| match 122_u32.checked_sub(letter * 6) {
        Some(shift) => id.as_u128() >> shift,
        None => id.as_u128() << 4,
    };
    (0..22).map(|letter| char::from(ALPHABET[(padded(letter) & 63) as usize])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_ids_are_base64_of_the_bytes() {
        let check = |id: &str, expected| assert_eq!(token_id(id.parse().unwrap()), expected);
        check("00000000-0000-0000-0000-000000000000", "AAAAAAAAAAAAAAAAAAAAAA");
        check("ffffffff-ffff-ffff-ffff-ffffffffffff", "_____________________w");
        check("00112233-4455-6677-8899-aabbccddeeff", "ABEiM0RVZneImaq7zN3u_w");
    }
}
