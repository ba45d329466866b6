//! Checks access tokens.
//!
//! A token is believed when its algorithm is RS256, its key is known, its signature holds, it is for
//! this API, it is in force, and its issuer is the one of the tenant that it names. The messages are
//! those that Microsoft Graph gives, since clients show them.
//!
//! A client sends the same token with every request for an hour. Checking a signature costs more
//! than a look-up in the database, so what was believed is remembered by the token's hash until it
//! expires. Revocation loses nothing by it: such tokens cannot be revoked before they expire anyway.

use std::sync::Arc;

use alerts::{PartnerTenantId, Scope};
use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use chrono::{DateTime, Utc};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use quick_cache::sync::Cache;

use super::issuer::Issuer;
use super::{AUDIENCE, Caller, Claims, Permissions};

/// How far the clocks of issuer and server may differ, in seconds.
const CLOCK_SKEW_S: i64 = 60;

/// Longest token that is looked at, in bytes; Entra's stay well below.
const TOKEN_BYTES_MAX: usize = 16 * 1024;

/// How many tokens are remembered; some hundred bytes each.
const KNOWN_TOKENS_MAX: usize = 10_000;

/// Why a token was not believed. The text is for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// No token was sent.
    #[error("Access token is empty.")]
    Empty,
    /// The text is no token.
    #[error("CompactToken parsing failed: the text is not a signed JSON web token.")]
    Malformed,
    /// The algorithm is not RS256.
    #[error("Access token validation failure. Tokens must be signed with RS256.")]
    Algorithm,
    /// No key of that id is known, or the signature does not hold.
    #[error("Access token validation failure. Invalid signature.")]
    Signature,
    /// It is for another API.
    #[error("Access token validation failure. Invalid audience.")]
    Audience,
    /// The issuer is not the one of the tenant that the token names.
    #[error("Access token validation failure. Invalid issuer.")]
    Issuer,
    /// It is no longer in force.
    #[error("Lifetime validation failed, the token is expired.")]
    Expired,
    /// It is not yet in force.
    #[error("Lifetime validation failed, the token is not yet valid.")]
    NotYet,
    /// A claim that must be there is missing or unusable.
    #[error("Access token validation failure. A required claim is missing or malformed.")]
    Claims,
}

/// Checks tokens of the development issuer.
pub struct Verifier {
    key: DecodingKey,
    key_id: String,
    validation: Validation,
    known: Cache<[u8; SHA256_OUTPUT_LEN], Known>,
}

/// A token that was believed.
#[derive(Clone)]
struct Known {
    caller: Arc<Caller>,
    lifetime: Lifetime,
}

/// From when and until when a token holds, in seconds since 1970.
#[derive(Clone, Copy)]
struct Lifetime {
    from: i64,
    until: i64,
}

impl Lifetime {
    fn check(self, now: DateTime<Utc>) -> Result<(), TokenError> {
        let now = now.timestamp();
        if now > self.until.saturating_add(CLOCK_SKEW_S) {
            Err(TokenError::Expired)
        } else if now < self.from.saturating_sub(CLOCK_SKEW_S) {
            Err(TokenError::NotYet)
        } else {
            Ok(())
        }
    }
}

impl Verifier {
    /// A verifier that believes the issuer.
    #[must_use]
    pub fn new(issuer: &Issuer) -> Self {
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "aud", "iss"]);
        // The library would read the clock itself.
        validation.validate_exp = false;
        Self {
            key: DecodingKey::from_rsa_pem(issuer.public_pem()).expect("the issuer's own key is an RSA key"),
            key_id: issuer.key_id().to_owned(),
            validation,
            known: Cache::new(KNOWN_TOKENS_MAX),
        }
    }

    /// Checks a token and says who calls.
    ///
    /// # Errors
    ///
    /// [`TokenError`], which says what is wrong in words for the caller.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Arc<Caller>, TokenError> {
        if token.is_empty() {
            return Err(TokenError::Empty);
        }
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::Malformed);
        }
        // Processors have instructions for it: on a text so short it takes half of what BLAKE3 does.
        let mut hash = [0; SHA256_OUTPUT_LEN];
        hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        let known = match self.known.get(&hash) {
            Some(known) => known,
            None => {
                let known = self.believe(token)?;
                self.known.insert(hash, known.clone());
                known
            }
        };
        known.lifetime.check(now)?;
        Ok(known.caller)
    }

    /// Checks all but the time.
    fn believe(&self, token: &str) -> Result<Known, TokenError> {
        let header = jsonwebtoken::decode_header(token).map_err(|error| match error.kind() {
            ErrorKind::InvalidAlgorithmName | ErrorKind::InvalidAlgorithm => TokenError::Algorithm,
            _ => algorithm_named_in(token).map_or(TokenError::Malformed, |_| TokenError::Algorithm),
        })?;
        if header.alg != Algorithm::RS256 {
            return Err(TokenError::Algorithm);
        }
        if header.kid.as_deref() != Some(&self.key_id) {
            return Err(TokenError::Signature);
        }
        let claims = jsonwebtoken::decode::<Claims>(token, &self.key, &self.validation)
            .map_err(|error| reason(error.kind()))?
            .claims;
        let lifetime = Lifetime { from: claims.nbf, until: claims.exp };
        Ok(Known { caller: Arc::new(caller(claims)?), lifetime })
    }
}

/// The `alg` of a header that names one this library does not have, such as `none`.
fn algorithm_named_in(token: &str) -> Option<String> {
    use base64::Engine as _;
    let header = token.split('.').next()?;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(header).ok()?;
    let header: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
    header.get("alg")?.as_str().map(str::to_owned)
}

fn reason(kind: &ErrorKind) -> TokenError {
    match kind {
        ErrorKind::InvalidSignature => TokenError::Signature,
        ErrorKind::InvalidAudience => TokenError::Audience,
        ErrorKind::InvalidIssuer => TokenError::Issuer,
        ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName => TokenError::Algorithm,
        ErrorKind::MissingRequiredClaim(_) | ErrorKind::InvalidClaimFormat(_) => TokenError::Claims,
        // The payload is JSON but lacks a claim that this API needs.
        ErrorKind::Json(_) => TokenError::Claims,
        _ => TokenError::Malformed,
    }
}

fn caller(claims: Claims) -> Result<Caller, TokenError> {
    let partner: PartnerTenantId = claims.tid.parse().map_err(|_| TokenError::Claims)?;
    if claims.iss != Issuer::issuer_of(&partner) {
        return Err(TokenError::Issuer);
    }
    let scope = match (claims.tw_customer, claims.tw_reseller) {
        (None, None) => Scope::Partner(partner),
        (Some(customer), None) => Scope::Customer(partner, customer.parse().map_err(|_| TokenError::Claims)?),
        (None, Some(reseller)) => Scope::Reseller(partner, reseller.parse().map_err(|_| TokenError::Claims)?),
        // One token, one narrowing: which of the two holds would be a guess.
        (Some(_), Some(_)) => return Err(TokenError::Claims),
    };
    // Roles may stand in a user's token too, for the user's own app roles; they count only when the
    // token says that no user stands behind it.
    let app_only = claims.idtyp.as_deref() == Some("app");
    let granted = if app_only {
        claims.roles
    } else {
        claims.scp.unwrap_or_default().split_whitespace().map(str::to_owned).collect()
    };
    let (application, object_id) = (claims.azp, claims.oid);
    let name = match app_only {
        true => application.clone(),
        false => claims.preferred_username.unwrap_or_else(|| object_id.clone()),
    };
    Ok(Caller { scope, name, application, object_id, permissions: Permissions { app_only, granted } })
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use chrono::{TimeDelta, Utc};

    use super::*;
    use crate::auth::issuer::{TOKEN_LIFE, TokenRequest};
    use crate::auth::{READ, READ_WRITE};

    fn issuer() -> (tempfile::TempDir, Issuer) {
        let folder = tempfile::tempdir().unwrap();
        let issuer = Issuer::open(folder.path()).unwrap();
        (folder, issuer)
    }

    fn request() -> TokenRequest {
        TokenRequest {
            partner_tenant_id: "partner-1".parse().unwrap(),
            permissions: vec![READ.to_owned()],
            user: Some("ann@partner.example".to_owned()),
            reseller_tenant_id: None,
            customer_tenant_id: None,
            issued_at: Utc::now(),
            life: TOKEN_LIFE,
        }
    }

    #[test]
    fn a_users_token_carries_scopes() {
        let (_folder, issuer) = issuer();
        let caller = Verifier::new(&issuer).verify(&issuer.sign(&request()).unwrap(), Utc::now()).unwrap();
        assert_eq!(caller.name, "ann@partner.example");
        assert_eq!(caller.scope, Scope::Partner("partner-1".parse().unwrap()));
        assert_eq!(caller.permissions.may_read(), Ok(()));
        let refused = caller.permissions.may_write().unwrap_err().to_string();
        assert_eq!(
            refused,
            "Missing scopes. API required scopes: PartnerSecurity.ReadWrite.All, scopes of the token: PartnerSecurity.Read.All."
        );
    }

    #[test]
    fn an_applications_token_carries_roles() {
        let (_folder, issuer) = issuer();
        let request = TokenRequest { user: None, permissions: vec![READ_WRITE.into()], ..request() };
        let caller = Verifier::new(&issuer).verify(&issuer.sign(&request).unwrap(), Utc::now()).unwrap();
        assert!(caller.permissions.app_only);
        assert_eq!(caller.permissions.may_read(), Ok(()));
        assert_eq!(caller.permissions.may_write(), Ok(()));
    }

    #[test]
    fn a_token_can_be_narrowed_to_a_reseller_or_a_customer() {
        let (_folder, issuer) = issuer();
        let verifier = Verifier::new(&issuer);
        let scope = |request: &TokenRequest| {
            verifier.verify(&issuer.sign(request).unwrap(), Utc::now()).map(|caller| caller.scope.clone())
        };

        let mut narrow = request();
        narrow.reseller_tenant_id = Some("reseller-1".parse().unwrap());
        assert_eq!(
            scope(&narrow),
            Ok(Scope::Reseller("partner-1".parse().unwrap(), "reseller-1".parse().unwrap()))
        );
        narrow.customer_tenant_id = Some("customer-1".parse().unwrap());
        assert_eq!(scope(&narrow), Err(TokenError::Claims));
        narrow.reseller_tenant_id = None;
        assert_eq!(
            scope(&narrow),
            Ok(Scope::Customer("partner-1".parse().unwrap(), "customer-1".parse().unwrap()))
        );
    }

    #[test]
    fn what_is_not_a_good_token_is_refused_with_its_reason() {
        let (_folder, issuer) = issuer();
        let (_other_folder, other) = self::issuer();
        let verifier = Verifier::new(&issuer);
        let check = |token: &str, expected: TokenError| {
            assert_eq!(verifier.verify(token, Utc::now()), Err(expected), "{token}")
        };

        let good = issuer.sign(&request()).unwrap();
        check("", TokenError::Empty);
        check("hello", TokenError::Malformed);
        check("a.b.c", TokenError::Malformed);
        check(&"x".repeat(20_000), TokenError::Malformed);
        check(&other.sign(&request()).unwrap(), TokenError::Signature);
        check(&good[..good.len() - 6], TokenError::Signature);

        let expired = TokenRequest { issued_at: Utc::now() - TimeDelta::hours(3), ..request() };
        check(&issuer.sign(&expired).unwrap(), TokenError::Expired);
        let early = TokenRequest { issued_at: Utc::now() + TimeDelta::hours(3), ..request() };
        check(&issuer.sign(&early).unwrap(), TokenError::NotYet);

        let payload = good.split('.').nth(1).unwrap();
        let unsigned = format!("{}.{payload}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#));
        check(&unsigned, TokenError::Algorithm);
        let symmetric =
            format!("{}.{payload}.AAAA", URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#));
        check(&symmetric, TokenError::Algorithm);

        let claims = URL_SAFE_NO_PAD.decode(payload).unwrap();
        let changed = String::from_utf8(claims).unwrap().replace("Read.All", "ReadWrite.All");
        let forged = good.replace(payload, &URL_SAFE_NO_PAD.encode(changed));
        check(&forged, TokenError::Signature);
    }
    #[test]
    fn a_token_that_is_remembered_still_expires() {
        let (_folder, issuer) = issuer();
        let verifier = Verifier::new(&issuer);
        let token = issuer.sign(&request()).unwrap();
        let at =
            |after: TimeDelta| verifier.verify(&token, Utc::now() + after).map(|caller| caller.name.clone());
        assert_eq!(at(TimeDelta::zero()), Ok("ann@partner.example".to_owned()));
        assert_eq!(at(TOKEN_LIFE), Ok("ann@partner.example".to_owned()));
        assert_eq!(at(TOKEN_LIFE + TimeDelta::minutes(2)), Err(TokenError::Expired));
        assert_eq!(at(TimeDelta::minutes(-2)), Err(TokenError::NotYet));
    }
}
