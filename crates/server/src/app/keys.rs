//! Keys with which a customer's systems push its records.

use alerts::{CustomerTenantId, PartnerTenantId};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use ingest::schema::Kind;
use store::IngestKey;
use uuid::Uuid;

/// What keys start with, so that they are told from tokens, and found where they should not be.
pub const KEY_PREFIX: &str = "twk_";

const SECRET_BYTES: usize = 32;

/// Makes a key: what is kept of it, and the key itself, which is shown once and kept nowhere.
///
/// # Panics
///
/// If the system's source of randomness fails, which it never does.
#[must_use]
pub fn new_key(
    partner: &PartnerTenantId,
    customer: CustomerTenantId,
    kinds: &[Kind],
    name: Option<String>,
    now: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
) -> (IngestKey, String) {
    let mut secret = [0; SECRET_BYTES];
    rand::fill(&mut secret).expect("the system's source of randomness never fails");
    let key = IngestKey {
        id: Uuid::new_v4().to_string(),
        partner_tenant_id: partner.clone(),
        customer_tenant_id: customer,
        name,
        kinds: kinds.iter().map(|kind| kind.name().to_owned()).collect(),
        created_at: now,
        expires_at,
        revoked_at: None,
        last_used_at: None,
    };
    (key, format!("{KEY_PREFIX}{}", URL_SAFE_NO_PAD.encode(secret)))
}

/// What a key is known by: SHA-256.
#[must_use]
pub fn hash(key: &str) -> Vec<u8> {
    digest(&SHA256, key.as_bytes()).as_ref().to_vec()
}
