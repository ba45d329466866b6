//! Sign-ins: of users, service principals and managed identities.

use serde_json::value::RawValue;

use super::tenant;
use crate::address::without_port;
use crate::event_id::{Canonical, EventId};
use crate::json::envelope::Envelope;
use crate::json::loose::{Text, loose, nested, read_or_empty};
use crate::read::Reading;
use crate::time::Instant;

/// A normalised sign-in; see the columns of the schema.
pub(crate) struct SignInEvent<'a> {
    pub(crate) event_id: EventId,
    pub(crate) event_at: Instant,
    pub(crate) customer_tenant_id: Option<String>,
    pub(crate) sign_in_type: &'static str,
    pub(crate) user_id: Option<String>,
    pub(crate) user_principal_name: Option<String>,
    pub(crate) service_principal_id: Option<String>,
    pub(crate) app_id: Option<String>,
    pub(crate) app_name: Option<String>,
    pub(crate) target_name: Option<String>,
    pub(crate) target_id: Option<String>,
    pub(crate) error_code: Option<i64>,
    pub(crate) failure_reason: Option<String>,
    pub(crate) conditional_access: Option<String>,
    pub(crate) authentication_requirement: Option<String>,
    pub(crate) authentication_protocol: Option<String>,
    pub(crate) client_app: Option<String>,
    pub(crate) user_agent: Option<String>,
    pub(crate) ip: Option<String>,
    pub(crate) autonomous_system: Option<i64>,
    pub(crate) country: Option<String>,
    pub(crate) city: Option<String>,
    pub(crate) latitude: Option<f64>,
    pub(crate) longitude: Option<f64>,
    pub(crate) device_id: Option<String>,
    pub(crate) operating_system: Option<String>,
    pub(crate) risk_level: Option<String>,
    pub(crate) risk_state: Option<String>,
    pub(crate) home_tenant_id: Option<String>,
    pub(crate) cross_tenant_access: Option<String>,
    pub(crate) session_id: Option<String>,
    pub(crate) token_id: Option<String>,
    pub(crate) correlation_id: Option<String>,
    pub(crate) properties: &'a str,
}

loose! {
    /// Graph's `signIn`; the second names are those of the columns in Log Analytics.
    struct SignIn {
        id: Text<'a> = "id",
        created_date_time: Text<'a> = "createddatetime",
        user_id: Text<'a> = "userid",
        user_principal_name: Text<'a> = "userprincipalname",
        service_principal_id: Text<'a> = "serviceprincipalid",
        app_id: Text<'a> = "appid",
        app_display_name: Text<'a> = "appdisplayname",
        service_principal_name: Text<'a> = "serviceprincipalname",
        resource_display_name: Text<'a> = "resourcedisplayname",
        resource_id: Text<'a> = "resourceid",
        resource_identity: Text<'a> = "resourceidentity",
        status: Option<&'a RawValue> = "status",
        conditional_access_status: Text<'a> = "conditionalaccessstatus",
        authentication_requirement: Text<'a> = "authenticationrequirement",
        authentication_protocol: Text<'a> = "authenticationprotocol",
        client_app_used: Text<'a> = "clientappused",
        user_agent: Text<'a> = "useragent",
        ip_address: Text<'a> = "ipaddress",
        autonomous_system_number: Text<'a> = "autonomoussystemnumber",
        location: Option<&'a RawValue> = "location",
        location_details: Option<&'a RawValue> = "locationdetails",
        device_detail: Option<&'a RawValue> = "devicedetail",
        risk_level_during_sign_in: Text<'a> = "risklevelduringsignin",
        risk_state: Text<'a> = "riskstate",
        home_tenant_id: Text<'a> = "hometenantid",
        resource_tenant_id: Text<'a> = "resourcetenantid",
        cross_tenant_access_type: Text<'a> = "crosstenantaccesstype",
        session_id: Text<'a> = "sessionid",
        unique_token_identifier: Text<'a> = "uniquetokenidentifier",
        correlation_id: Text<'a> = "correlationid",
        sign_in_event_types: Text<'a> = "signineventtypes",
        is_interactive: Text<'a> = "isinteractive",
    }
}

loose! {
    /// How the sign-in ended.
    struct Status {
        error_code: Text<'a> = "errorcode",
        failure_reason: Text<'a> = "failurereason",
    }
}

loose! {
    /// Where the address is thought to be.
    struct Location {
        city: Text<'a> = "city",
        country_or_region: Text<'a> = "countryorregion",
        coordinates: Coordinates<'a> = "geocoordinates",
    }
}

loose! {
    /// In degrees.
    struct Coordinates {
        latitude: Text<'a> = "latitude",
        longitude: Text<'a> = "longitude",
    }
}

loose! {
    /// From which device.
    struct Device {
        device_id: Text<'a> = "deviceid",
        operating_system: Text<'a> = "operatingsystem",
    }
}

/// Reads the object of a sign-in, and from its wrapper what that lacks.
pub(super) fn read<'p>(
    record: &Envelope<'_>,
    object: &str,
    properties: &'p str,
    canonical: &mut Canonical,
    reading: &Reading<'_>,
) -> Result<SignInEvent<'p>, String> {
    let sign_in: SignIn<'_> = read_or_empty(object);
    let time = sign_in.created_date_time.get().or(record.time.get()).or(record.time_generated.get());
    let event_at = Instant::of_record(time, "neither `createdDateTime` nor `time` is there")?;
    let who =
        [&sign_in.user_id, &sign_in.user_principal_name, &sign_in.service_principal_id, &sign_in.app_id];
    if who.iter().all(|text| text.get().is_none()) {
        return Err("neither a user nor an application is named; export the record again with its \
                    `properties`"
            .to_owned());
    }

    let status_text = nested(sign_in.status);
    let status: Status<'_> = read_or_empty(&status_text);
    let location_text = nested(sign_in.location_details.or(sign_in.location));
    let location: Location<'_> = read_or_empty(&location_text);
    let device_text = nested(sign_in.device_detail);
    let device: Device<'_> = read_or_empty(&device_text);
    // The wrapper's location, and a column's, is the bare country.
    let bare_country = record.location.get().filter(|text| is_country(text));
    let country = location.country_or_region.get().or(bare_country).map(str::to_uppercase);
    let result = status.error_code.get().or(record.result_type.get());

    let mut event = SignInEvent {
        event_id: [0; 16],
        event_at,
        customer_tenant_id: tenant(record, &sign_in.resource_tenant_id),
        sign_in_type: sign_in_type(record, &sign_in),
        user_id: sign_in.user_id.lower(),
        user_principal_name: sign_in.user_principal_name.lower(),
        service_principal_id: sign_in.service_principal_id.lower(),
        app_id: sign_in.app_id.lower(),
        app_name: sign_in.app_display_name.shown().or_else(|| sign_in.service_principal_name.shown()),
        target_name: sign_in.resource_display_name.shown(),
        target_id: target_id(&sign_in),
        error_code: result.and_then(|code| code.parse().ok()),
        failure_reason: status.failure_reason.shown(),
        conditional_access: sign_in.conditional_access_status.lower(),
        authentication_requirement: sign_in.authentication_requirement.lower(),
        authentication_protocol: sign_in.authentication_protocol.lower(),
        client_app: sign_in.client_app_used.lower(),
        user_agent: sign_in.user_agent.shown(),
        ip: sign_in.ip_address.get().or(record.caller_ip_address.get()).and_then(without_port),
        autonomous_system: sign_in.autonomous_system_number.get().and_then(|number| number.parse().ok()),
        country,
        city: location.city.shown(),
        latitude: degrees(&location.coordinates.latitude, 90.0),
        longitude: degrees(&location.coordinates.longitude, 180.0),
        device_id: device.device_id.lower(),
        operating_system: device.operating_system.shown(),
        risk_level: sign_in.risk_level_during_sign_in.lower(),
        risk_state: sign_in.risk_state.lower(),
        home_tenant_id: sign_in.home_tenant_id.lower(),
        cross_tenant_access: sign_in.cross_tenant_access_type.lower(),
        session_id: sign_in.session_id.lower(),
        token_id: sign_in.unique_token_identifier.shown(),
        correlation_id: sign_in.correlation_id.lower().or_else(|| record.correlation_id.lower()),
        properties,
    };
    event.event_id = hash(canonical, &event, sign_in.id.get(), reading);
    Ok(event)
}

fn hash(form: &mut Canonical, event: &SignInEvent<'_>, id: Option<&str>, reading: &Reading<'_>) -> EventId {
    form.start("sign_in")
        .text(Some(reading.partner_tenant_id.as_str()))
        .number(event.event_at.micros)
        .number(i64::from(event.event_at.nanos_beyond))
        .folded(id)
        .text(event.customer_tenant_id.as_deref().filter(|_| id.is_none()))
        .text(event.user_id.as_deref())
        .text(event.user_principal_name.as_deref())
        .text(event.service_principal_id.as_deref())
        .text(event.app_id.as_deref())
        .text(event.target_id.as_deref())
        .text(event.ip.as_deref())
        .text(event.authentication_protocol.as_deref())
        .text(event.risk_level.as_deref())
        .text(event.correlation_id.as_deref())
        .number(event.error_code.unwrap_or(-1))
        .folded(Some(event.properties).filter(|_| id.is_none()));
    form.id()
}

/// By the log it stands in, by what it says of itself, or by who signed in.
fn sign_in_type(record: &Envelope<'_>, sign_in: &SignIn<'_>) -> &'static str {
    let of_log = match record.category.get().map(str::to_lowercase).as_deref() {
        Some("noninteractiveusersigninlogs") => Some("non_interactive"),
        Some("serviceprincipalsigninlogs") => Some("service_principal"),
        Some("managedidentitysigninlogs") => Some("managed_identity"),
        _ => None,
    };
    let of_itself = || {
        let types = sign_in.sign_in_event_types.get()?.to_lowercase();
        let names = [
            ("noninteractiveuser", "non_interactive"),
            ("serviceprincipal", "service_principal"),
            ("managedidentity", "managed_identity"),
        ];
        names.into_iter().find(|(name, _)| types.contains(name)).map(|(_, meaning)| meaning)
    };
    let is_user = sign_in.user_id.get().or(sign_in.user_principal_name.get()).is_some();
    of_log.or_else(of_itself).unwrap_or(match sign_in.is_interactive.get() {
        _ if !is_user && sign_in.service_principal_id.get().is_some() => "service_principal",
        Some("false") => "non_interactive",
        _ => "interactive",
    })
}

/// In Log Analytics `ResourceId` is the path of the tenant, and what was signed in to has another name.
fn target_id(sign_in: &SignIn<'_>) -> Option<String> {
    let own = sign_in.resource_id.get().filter(|id| !id.contains('/'));
    sign_in.resource_identity.get().or(own).map(str::to_lowercase)
}

fn is_country(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

fn degrees(text: &Text<'_>, most: f64) -> Option<f64> {
    text.get()?.parse().ok().filter(|degrees: &f64| degrees.abs() <= most)
}
