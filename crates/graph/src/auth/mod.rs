//! Who is calling, and what they may do.
//!
//! [`issuer`] signs tokens for development and for the demo; [`verifier`] checks tokens. Both speak
//! of [`Claims`] as Microsoft Entra's v2.0 access tokens have them, so that an Entra tenant can take
//! the issuer's place later without a change to the handlers.

pub mod issuer;
pub mod verifier;

use alerts::Scope;
use serde::{Deserialize, Serialize};

/// Reads alerts.
pub const READ: &str = "PartnerSecurity.Read.All";
/// Reads and changes alerts.
pub const READ_WRITE: &str = "PartnerSecurity.ReadWrite.All";

/// Pushes records.
pub const INGEST: &str = "Ingest.Write.All";

/// The audience of every token: the app id URI of this API.
pub const AUDIENCE: &str = "api://tenantwatch";

/// The application id of this API, named in challenges as Graph names its own.
pub const APPLICATION_ID: &str = "7e4a9c1e-0000-4000-8000-7465706e7477";

/// The claims of an access token that this API reads.
///
/// `scp` is only in tokens of users and `roles` is for applications; `idtyp` tells them apart.
/// Source: access token claims reference of the Microsoft identity platform.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Claims {
    /// Who signed.
    pub iss: String,
    /// Whom it is for.
    pub aud: String,
    /// When it was made, in seconds since 1970.
    pub iat: i64,
    /// From when it holds, in seconds since 1970.
    pub nbf: i64,
    /// Until when it holds, in seconds since 1970.
    pub exp: i64,
    /// The partner's tenant.
    pub tid: String,
    /// The caller's object in that tenant.
    pub oid: String,
    /// The caller, for this API.
    pub sub: String,
    /// The application that calls.
    pub azp: String,
    /// Format of the token.
    pub ver: String,
    /// `app` if no user stands behind the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idtyp: Option<String>,
    /// What the user let the application do, separated by spaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scp: Option<String>,
    /// What the application itself may do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// The user's sign-in name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred_username: Option<String>,
    /// Ours: the only reseller whose customers may be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tw_reseller: Option<String>,
    /// Ours: the only customer who may be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tw_customer: Option<String>,
}

/// A caller whose token was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Whose alerts the caller may see.
    pub scope: Scope,
    /// Who it is, for the activity log: a UPN, or the application's id.
    pub name: String,
    /// The id of the application that calls.
    pub application: String,
    /// The user, or the service principal of an application that calls for itself.
    pub object_id: String,
    /// What the caller may do.
    pub permissions: Permissions,
}

/// What a caller may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permissions {
    /// Whether the call is an application's own.
    pub app_only: bool,
    /// The scopes or roles, as the token has them.
    pub granted: Vec<String>,
}

/// The caller's permissions do not suffice.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "Missing {kind}. API required {kind}: {}, {kind} of the token: {}.",
    .required.join(", "),
    if .granted.is_empty() { "none".to_owned() } else { .granted.join(", ") },
    kind = if *.app_only { "application roles" } else { "scopes" }
)]
pub struct Forbidden {
    app_only: bool,
    required: &'static [&'static str],
    granted: Vec<String>,
}

impl Permissions {
    /// Makes sure that the caller may read.
    ///
    /// # Errors
    ///
    /// [`Forbidden`] if not.
    pub fn may_read(&self) -> Result<(), Forbidden> {
        self.demand(&[READ, READ_WRITE])
    }

    /// Makes sure that the caller may change alerts.
    ///
    /// # Errors
    ///
    /// [`Forbidden`] if not.
    pub fn may_write(&self) -> Result<(), Forbidden> {
        self.demand(&[READ_WRITE])
    }

    /// Makes sure that the caller may push records.
    ///
    /// # Errors
    ///
    /// [`Forbidden`] if not.
    pub fn may_ingest(&self) -> Result<(), Forbidden> {
        self.demand(&[INGEST])
    }

    fn demand(&self, one_of: &'static [&'static str]) -> Result<(), Forbidden> {
        if self.granted.iter().any(|granted| one_of.contains(&granted.as_str())) {
            return Ok(());
        }
        Err(Forbidden { app_only: self.app_only, required: one_of, granted: self.granted.clone() })
    }
}
