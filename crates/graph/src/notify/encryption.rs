//! Resource data in notifications, encrypted for the one who subscribed.
//!
//! Graph's recipe: a fresh 256-bit key for each notification; AES-CBC with PKCS#7 padding under it,
//! whose initialization vector is the first 16 bytes of the key; HMAC-SHA256 of the ciphertext under the
//! same key; and the key itself under the subscriber's RSA key with OAEP, SHA-1 and MGF1. Since each key
//! serves one message, the vector that depends on it never repeats.
//! Source: the page "Set up change notifications that include resource data" of Graph's documentation.

use aws_lc_rs::cipher::{AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::digest::{self, SHA1_FOR_LEGACY_USE_ONLY};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PublicEncryptingKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

/// Longest certificate, in characters of base64; one with a key of 4,096 bits has about 2,000.
pub const CERTIFICATE_CHARS_MAX: usize = 16 * 1024;

/// Sizes of the RSA key that Graph allows, in bits.
const KEY_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// The key of one notification.
pub type ContentKey = [u8; 32];

/// Why a text is no certificate to encrypt for. The text completes "Property 'encryptionCertificate' …".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// It is longer than [`CERTIFICATE_CHARS_MAX`].
    #[error("may have at most {CERTIFICATE_CHARS_MAX} characters")]
    TooLong,
    /// It holds a private key, which nobody else should ever have had.
    #[error(
        "holds a private key; send the certificate alone, and replace this key, since it has left your hands"
    )]
    PrivateKey,
    /// It is not base64.
    #[error("is not base64")]
    NotBase64,
    /// It is not a certificate.
    #[error("is not an X.509 certificate in DER form, base64-encoded")]
    NotACertificate,
    /// Its key is of another sort.
    #[error("holds no RSA key; Graph's recipe needs one of 2,048 to 4,096 bits")]
    NotRsa,
    /// Its key is too short or too long.
    #[error("holds an RSA key of {0} bits; it must have 2,048 to 4,096")]
    KeySize(usize),
}

/// A subscriber's certificate, ready to encrypt.
#[derive(Debug)]
pub struct Certificate {
    key: OaepPublicEncryptingKey,
    thumbprint: String,
}

/// What a notification carries, with Graph's names; all base64 but the last two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EncryptedContent {
    /// The alert's JSON, encrypted.
    pub data: String,
    /// The message authentication code of `data`.
    pub data_signature: String,
    /// The key of both, for the certificate's owner.
    pub data_key: String,
    /// What the subscriber calls the certificate.
    pub encryption_certificate_id: String,
    /// SHA-1 of the certificate, in upper-case hexadecimal digits.
    pub encryption_certificate_thumbprint: String,
}

impl Certificate {
    /// Reads what a subscriber sent: DER in base64, with or without line breaks and PEM's first and last
    /// line. Neither issuer nor dates matter, as in Graph; only the public key is used.
    ///
    /// # Errors
    ///
    /// [`CertificateError`], for the caller.
    pub fn read(text: &str) -> Result<Self, CertificateError> {
        if text.len() > CERTIFICATE_CHARS_MAX {
            return Err(CertificateError::TooLong);
        }
        if text.contains("PRIVATE KEY") {
            return Err(CertificateError::PrivateKey);
        }
        let base64: String = text
            .lines()
            .filter(|line| !line.starts_with("-----"))
            .flat_map(|line| line.chars().filter(|c| !c.is_whitespace()))
            .collect();
        let der = STANDARD.decode(base64).map_err(|_| CertificateError::NotBase64)?;
        let (rest, certificate) =
            X509Certificate::from_der(&der).map_err(|_| CertificateError::NotACertificate)?;
        if !rest.is_empty() {
            return Err(CertificateError::NotACertificate);
        }
        let key = rsa_key(certificate.public_key())?;
        let digest = digest::digest(&SHA1_FOR_LEGACY_USE_ONLY, &der);
        let thumbprint = digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
        Ok(Self { key, thumbprint })
    }

    /// Encrypts for the certificate's owner, under a key that is used for nothing else.
    ///
    /// # Errors
    ///
    /// [`Unspecified`] if the cryptographic library fails.
    pub fn encrypt(
        &self,
        plain: &str,
        key: &ContentKey,
        certificate_id: &str,
    ) -> Result<EncryptedContent, Unspecified> {
        let vector: [u8; 16] = *key.first_chunk().expect("a key has 32 bytes");
        let mut data = plain.as_bytes().to_vec();
        PaddedBlockEncryptingKey::cbc_pkcs7(UnboundCipherKey::new(&AES_256, key)?)?
            .less_safe_encrypt(&mut data, EncryptionContext::Iv128(FixedLength::from(vector)))?;
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), &data);
        let mut data_key = vec![0; self.key.ciphertext_size()];
        let data_key = self.key.encrypt(&OAEP_SHA1_MGF1SHA1, key, &mut data_key, None)?;
        Ok(EncryptedContent {
            data: STANDARD.encode(&data),
            data_signature: STANDARD.encode(signature),
            data_key: STANDARD.encode(data_key),
            encryption_certificate_id: certificate_id.to_owned(),
            encryption_certificate_thumbprint: self.thumbprint.clone(),
        })
    }
}

fn rsa_key(
    info: &x509_parser::x509::SubjectPublicKeyInfo<'_>,
) -> Result<OaepPublicEncryptingKey, CertificateError> {
    let bits = match info.parsed() {
        Ok(x509_parser::public_key::PublicKey::RSA(key)) => key.key_size(),
        _ => return Err(CertificateError::NotRsa),
    };
    if !KEY_BITS.contains(&bits) {
        return Err(CertificateError::KeySize(bits));
    }
    PublicEncryptingKey::from_der(info.raw)
        .ok()
        .and_then(|key| OaepPublicEncryptingKey::new(key).ok())
        .ok_or(CertificateError::NotRsa)
}
