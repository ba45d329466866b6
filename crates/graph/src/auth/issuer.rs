//! The development issuer: an RSA key in the data directory that signs access tokens.
//!
//! It stands in for Microsoft Entra on a developer's machine and in the demo. Whoever can read the
//! key can make tokens, so the file is readable by its owner only.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use alerts::{CustomerTenantId, PartnerTenantId, ResellerTenantId};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use uuid::Uuid;

use super::{APPLICATION_ID, AUDIENCE, Claims};

/// How long a token of `tenantwatch token` holds; Entra's default is 60 to 90 minutes.
pub const TOKEN_LIFE: TimeDelta = TimeDelta::hours(1);

/// The application that the issuer's user tokens name.
const DEVELOPMENT_APPLICATION: &str = "de7e1095-0000-4000-8000-000000000001";

/// What can go wrong with the issuer's key.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    /// The key file cannot be read or written.
    #[error("signing key {}: {action} failed", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// The key file holds something else.
    #[error("signing key {} is not an RSA key in PKCS#8 form; delete the file to have a new one made", path.display())]
    NotAKey {
        /// The file.
        path: PathBuf,
    },
    /// The cryptographic library failed.
    #[error("a signing key could not be made")]
    Generate,
    /// A token could not be signed.
    #[error("the token could not be signed")]
    Sign(#[source] jsonwebtoken::errors::Error),
}

/// Signs access tokens.
pub struct Issuer {
    key: EncodingKey,
    key_id: String,
    public_pem: Vec<u8>,
}

/// What a token is to say.
#[derive(Debug, Clone)]
pub struct TokenRequest {
    /// The partner whose alerts it opens.
    pub partner_tenant_id: PartnerTenantId,
    /// The scopes or roles it grants.
    pub permissions: Vec<String>,
    /// The user, or `None` for an application's own token.
    pub user: Option<String>,
    /// The only reseller whose customers may be seen.
    pub reseller_tenant_id: Option<ResellerTenantId>,
    /// The only customer who may be seen.
    pub customer_tenant_id: Option<CustomerTenantId>,
    /// When it is made.
    pub issued_at: DateTime<Utc>,
    /// How long it holds.
    pub life: TimeDelta,
}

impl Issuer {
    /// Reads the key from `folder`, or makes one there.
    ///
    /// # Errors
    ///
    /// [`IssuerError`] if the file cannot be read or written, or holds no RSA key.
    pub fn open(folder: &Path) -> Result<Self, IssuerError> {
        let path = folder.join("signing-key.der");
        let der = match fs::read(&path) {
            Ok(der) => der,
            Err(error) if error.kind() == io::ErrorKind::NotFound => create_key(&path)?,
            Err(source) => return Err(IssuerError::File { path, action: "reading", source }),
        };
        Self::from_pkcs8(&der).ok_or(IssuerError::NotAKey { path })
    }

    fn from_pkcs8(der: &[u8]) -> Option<Self> {
        let pair = KeyPair::from_pkcs8(der).ok()?;
        let public: PublicKeyX509Der<'_> = pair.public_key().as_der().ok()?;
        // The key id is the hash of the public key, so that another key never has the same one.
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, public.as_ref());
        Some(Self {
            key: EncodingKey::from_rsa_pem(&pem("PRIVATE KEY", der)).ok()?,
            key_id: URL_SAFE_NO_PAD.encode(&digest.as_ref()[..16]),
            public_pem: pem("PUBLIC KEY", public.as_ref()),
        })
    }

    /// The id of the key, as in the header of its tokens.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The public key in PEM form.
    #[must_use]
    pub fn public_pem(&self) -> &[u8] {
        &self.public_pem
    }

    /// The `iss` claim of tokens for one partner.
    #[must_use]
    pub fn issuer_of(partner: &PartnerTenantId) -> String {
        format!("https://tenantwatch.invalid/{partner}/v2.0")
    }

    /// Signs a token.
    ///
    /// # Errors
    ///
    /// [`IssuerError::Sign`] if the cryptographic library fails.
    pub fn sign(&self, request: &TokenRequest) -> Result<String, IssuerError> {
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(self.key_id.clone());
        jsonwebtoken::encode(&header, &claims(request), &self.key).map_err(IssuerError::Sign)
    }

    /// Signs the token that goes with encrypted resource data, and shows a receiver who sent it.
    ///
    /// As in Graph, its audience is the application that subscribed, and `appid` is the sender. No API
    /// of ours takes it, since none has that audience.
    ///
    /// # Errors
    ///
    /// [`IssuerError::Sign`] if the cryptographic library fails.
    pub fn sign_validation(
        &self,
        partner: &PartnerTenantId,
        application_id: &str,
        issued_at: DateTime<Utc>,
    ) -> Result<String, IssuerError> {
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(self.key_id.clone());
        let claims = serde_json::json!({
            "aud": application_id,
            "iss": Self::issuer_of(partner),
            "iat": issued_at.timestamp(),
            "nbf": issued_at.timestamp(),
            "exp": (issued_at + TOKEN_LIFE).timestamp(),
            "appid": APPLICATION_ID,
            "azp": APPLICATION_ID,
            "tid": partner,
            "ver": "2.0",
        });
        jsonwebtoken::encode(&header, &claims, &self.key).map_err(IssuerError::Sign)
    }
}

fn claims(request: &TokenRequest) -> Claims {
    let subject = request.user.as_deref().unwrap_or(DEVELOPMENT_APPLICATION);
    let object_id =
        Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("{}/{subject}", request.partner_tenant_id).as_bytes());
    let issued_at = request.issued_at.timestamp();
    let app_only = request.user.is_none();
    Claims {
        iss: Issuer::issuer_of(&request.partner_tenant_id),
        aud: AUDIENCE.to_owned(),
        iat: issued_at,
        nbf: issued_at,
        exp: issued_at + request.life.num_seconds(),
        tid: request.partner_tenant_id.to_string(),
        oid: object_id.to_string(),
        sub: object_id.to_string(),
        azp: DEVELOPMENT_APPLICATION.to_owned(),
        ver: "2.0".to_owned(),
        idtyp: app_only.then(|| "app".to_owned()),
        scp: (!app_only).then(|| request.permissions.join(" ")),
        roles: if app_only { request.permissions.clone() } else { Vec::new() },
        preferred_username: request.user.clone(),
        tw_reseller: request.reseller_tenant_id.as_ref().map(ToString::to_string),
        tw_customer: request.customer_tenant_id.as_ref().map(ToString::to_string),
    }
}

fn create_key(path: &Path) -> Result<Vec<u8>, IssuerError> {
    let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| IssuerError::Generate)?;
    let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| IssuerError::Generate)?;
    match write_private(path, der.as_ref()) {
        Ok(()) => Ok(der.as_ref().to_vec()),
        // Another process was faster; its key is the one.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => fs::read(path)
            .map_err(|source| IssuerError::File { path: path.to_owned(), action: "reading", source }),
        Err(source) => Err(IssuerError::File { path: path.to_owned(), action: "writing", source }),
    }
}

/// Writes a file that only its owner may read, under its final name only once it is whole.
fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().expect("the key lies in a folder");
    fs::create_dir_all(folder)?;
    let draft = folder.join(format!(".signing-key-{}", std::process::id()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    let placed = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    placed
}

fn pem(label: &str, der: &[u8]) -> Vec<u8> {
    let body = STANDARD.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in body.as_bytes().chunks(64) {
        text.push_str(std::str::from_utf8(line).expect("base64 is ASCII"));
        text.push('\n');
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_made_once_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let first = Issuer::open(folder.path()).unwrap();
        let second = Issuer::open(folder.path()).unwrap();
        assert_eq!(first.key_id(), second.key_id());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(folder.path().join("signing-key.der")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left behind");
    }

    #[test]
    fn a_file_that_is_no_key_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("signing-key.der"), "hello").unwrap();
        let error = Issuer::open(folder.path()).err().unwrap().to_string();
        assert!(error.contains("signing-key.der is not an RSA key"), "{error}");
    }
}
