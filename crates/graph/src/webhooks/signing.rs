//! The key that signs deliveries, and the certificate by which receivers check them.
//!
//! Partner Center signs with a certificate under Microsoft's root; we cannot. Receivers pin ours, or the
//! operator gives one of an authority that they believe already.

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Datelike as _, Utc};
use rcgen::{CertificateParams, DnType, KeyUsagePurpose, date_time_ymd};

/// How long a certificate that was made here is good for, in years. Receivers pin it, so it outlasts
/// them.
const YEARS: i32 = 10;

const ORGANIZATION: &str = "Tenantwatch";

/// Why there is no key to sign with.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    /// No key could be made, or it cannot sign.
    #[error("the cryptographic library failed")]
    Library,
    /// No certificate could be made.
    #[error("no certificate could be made")]
    Certificate(#[source] rcgen::Error),
    /// The text is no PEM.
    #[error("the signing identity is no PEM")]
    Pem(#[source] pem::PemError),
    /// Something is missing from the PEM.
    #[error("the signing identity has no '{0}'; it needs one PRIVATE KEY (PKCS #8) and one CERTIFICATE")]
    Missing(&'static str),
    /// The key is none for RSA.
    #[error("the key of the signing identity is no RSA key of at least 2048 bits")]
    NotRsa,
    /// The certificate is of another key.
    #[error("the certificate of the signing identity is not of its key")]
    OtherKey,
}

/// A key and its certificate.
pub struct SigningIdentity {
    key: RsaKeyPair,
    certificate: Vec<u8>,
}

impl SigningIdentity {
    /// Makes a key and signs a certificate for it with itself; gives both as PEM, for
    /// [`SigningIdentity::from_pem`]. The host stands in the certificate as its name.
    ///
    /// # Errors
    ///
    /// [`SigningError`] if the library fails.
    pub fn make(host: &str, now: DateTime<Utc>) -> Result<String, SigningError> {
        let pair = aws_lc_rs::rsa::KeyPair::generate(KeySize::Rsa2048).map_err(|_| SigningError::Library)?;
        let key: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| SigningError::Library)?;
        let key = rcgen::KeyPair::try_from(key.as_ref()).map_err(SigningError::Certificate)?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, host);
        params.distinguished_name.push(DnType::OrganizationName, ORGANIZATION);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        // From the day before on, as clocks differ. Every year has the first of a month.
        let month = u8::try_from(now.month()).unwrap_or(1);
        params.not_before = date_time_ymd(now.year(), month, 1);
        params.not_after = date_time_ymd(now.year() + YEARS, month, 1);
        let certificate = params.self_signed(&key).map_err(SigningError::Certificate)?;
        Ok(key.serialize_pem() + &certificate.pem())
    }

    /// Reads one private key (PKCS #8, RSA) and its certificate.
    ///
    /// # Errors
    ///
    /// [`SigningError`] that says what is missing or does not fit.
    pub fn from_pem(text: &[u8]) -> Result<Self, SigningError> {
        let blocks = pem::parse_many(text).map_err(SigningError::Pem)?;
        let find = |label: &'static str| {
            let block = blocks.iter().find(|block| block.tag() == label);
            block.map(pem::Pem::contents).ok_or(SigningError::Missing(label))
        };
        let key = RsaKeyPair::from_pkcs8(find("PRIVATE KEY")?).map_err(|_| SigningError::NotRsa)?;
        let certificate = find("CERTIFICATE")?.to_vec();
        // The public key stands in the certificate as it is.
        let public = key.public_key().as_ref();
        if !certificate.windows(public.len()).any(|part| part == public) {
            return Err(SigningError::OtherKey);
        }
        Ok(Self { key, certificate })
    }

    /// The certificate in DER form.
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// The signature of these bytes (RSASSA-PKCS1-v1_5 with SHA-256) in base64.
    ///
    /// # Errors
    ///
    /// [`SigningError::Library`] if the library fails.
    pub fn sign(&self, bytes: &[u8]) -> Result<String, SigningError> {
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), bytes, &mut signature)
            .map_err(|_| SigningError::Library)?;
        Ok(STANDARD.encode(signature))
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn made() -> String {
        SigningIdentity::make("alerts.partner.example", "2031-02-03T04:05:06Z".parse().unwrap()).unwrap()
    }

    #[test]
    fn openssl_believes_the_signature() {
        let identity = SigningIdentity::from_pem(made().as_bytes()).unwrap();
        let body = "{\"EventName\":\"test-created\",\"Größe\":1}";
        let signature = STANDARD.decode(identity.sign(body.as_bytes()).unwrap()).unwrap();

        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        };
        let (certificate, body) = (file("cert.der", identity.certificate()), file("body", body.as_bytes()));
        let signature = file("signature", &signature);
        let openssl = |arguments: &[&std::ffi::OsStr]| {
            Command::new("openssl").args(arguments).output().expect("openssl is installed")
        };
        let public = openssl(
            &["x509", "-inform", "DER", "-noout", "-pubkey", "-in"]
                .map(AsRef::as_ref)
                .iter()
                .copied()
                .chain([certificate.as_ref()])
                .collect::<Vec<_>>(),
        );
        let public = file("public.pem", &public.stdout);
        let verified = |body: &std::path::Path| {
            openssl(&[
                "dgst".as_ref(),
                "-sha256".as_ref(),
                "-verify".as_ref(),
                public.as_ref(),
                "-signature".as_ref(),
                signature.as_ref(),
                body.as_ref(),
            ])
            .status
            .success()
        };
        assert!(verified(&body));
        assert!(!verified(&file("other", b"{}")));
        let subject = openssl(
            &["x509", "-inform", "DER", "-noout", "-subject", "-in"]
                .map(AsRef::as_ref)
                .iter()
                .copied()
                .chain([certificate.as_ref()])
                .collect::<Vec<_>>(),
        );
        let subject = String::from_utf8(subject.stdout).unwrap();
        assert!(subject.contains("Tenantwatch") && subject.contains("alerts.partner.example"), "{subject}");
    }

    #[test]
    fn what_is_no_identity_is_refused() {
        let (one, other) = (made(), made());
        let certificate = one.find("-----BEGIN CERTIFICATE").unwrap();
        let foreign = other.find("-----BEGIN CERTIFICATE").unwrap();
        let check = |text: String, expected: &str| {
            let found = SigningIdentity::from_pem(text.as_bytes()).err().map(|error| error.to_string());
            assert!(found.as_deref().is_some_and(|found| found.contains(expected)), "{found:?}");
        };
        check(String::new(), "no 'PRIVATE KEY'");
        check(one[..certificate].to_owned(), "no 'CERTIFICATE'");
        check(format!("{}{}", &one[..certificate], &other[foreign..]), "not of its key");
        check(one.replace("-----END CERTIFICATE-----", ""), "no 'CERTIFICATE'");
        let mangled = one[certificate..].replacen("MII", "!!!", 1);
        check(format!("{}{mangled}", &one[..certificate]), "no PEM");
    }
}
