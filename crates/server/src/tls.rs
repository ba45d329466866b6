//! HTTPS: the operator's own certificate, or one of a certificate authority made on this machine.
//!
//! Microsoft's JavaScript client sends no token over plain HTTP, so that a developer needs HTTPS too.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum_server::tls_rustls::RustlsConfig;
use chrono::{DateTime, Datelike as _, TimeDelta, Utc};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use tokio::task::JoinHandle;

use crate::config::DataDir;

/// How often the operator's certificate is read again: whoever renews it need not restart the server.
const RELOAD_EVERY: Duration = Duration::from_secs(60 * 60);

/// Where the server's certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tls {
    /// PEM files: the certificate with its chain, and its key.
    Files {
        /// The certificate, followed by those that lead to its root.
        certificate: PathBuf,
        /// The private key.
        key: PathBuf,
    },
    /// A certificate for this machine's names, signed by a local authority.
    SelfSigned {
        /// Host names and addresses beside `localhost` and the loopback addresses.
        names: Vec<String>,
    },
}

/// Why HTTPS cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The operator's files cannot be used.
    #[error("certificate {} with key {}: {source}", certificate.display(), key.display())]
    Files {
        /// The certificate.
        certificate: PathBuf,
        /// The key.
        key: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file of the local authority cannot be read or written.
    #[error("{action} {} failed", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The local authority's key is damaged, or a name cannot stand in a certificate.
    #[error("the local certificate authority in {} cannot sign; delete the folder to have a new one made", folder.display())]
    Authority {
        /// Its folder.
        folder: PathBuf,
        /// Why.
        #[source]
        source: rcgen::Error,
    },
    /// The certificate that was made cannot be used.
    #[error("the certificate that was made cannot be used")]
    Made(#[source] io::Error),
}

/// What serves HTTPS.
pub(crate) struct Served {
    pub(crate) config: RustlsConfig,
    /// Reads the operator's files again from time to time; stops when dropped.
    _reload: Option<Reload>,
}

impl Tls {
    /// Gets the certificate ready.
    pub(crate) async fn open(
        &self,
        data_dir: &DataDir,
        listen: IpAddr,
        now: DateTime<Utc>,
    ) -> Result<Served, TlsError> {
        // Fails if it was done before, and then there is nothing left to do.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        match self {
            Self::Files { certificate, key } => {
                let config = RustlsConfig::from_pem_file(certificate, key).await.map_err(|source| {
                    TlsError::Files { certificate: certificate.clone(), key: key.clone(), source }
                })?;
                let reload = Reload::start(config.clone(), certificate.clone(), key.clone());
                Ok(Served { config, _reload: Some(reload) })
            }
            Self::SelfSigned { names } => {
                let folder = data_dir.tls();
                let (certificate, key) = Authority::open(&folder, now)?.sign(names, listen, now)?;
                let config = RustlsConfig::from_pem(certificate.into_bytes(), key.into_bytes())
                    .await
                    .map_err(TlsError::Made)?;
                Ok(Served { config, _reload: None })
            }
        }
    }
}

struct Reload(JoinHandle<()>);

impl Reload {
    fn start(config: RustlsConfig, certificate: PathBuf, key: PathBuf) -> Self {
        Self(tokio::spawn(async move {
            loop {
                tokio::time::sleep(RELOAD_EVERY).await;
                if let Err(error) = config.reload_from_pem_file(&certificate, &key).await {
                    let path = certificate.display();
                    tracing::error!(%error, "Certificate {path} cannot be read again; the one before stays in use");
                }
            }
        }))
    }
}

impl Drop for Reload {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A certificate authority of this data directory alone.
struct Authority {
    folder: PathBuf,
    key: KeyPair,
}

impl Authority {
    /// Its key in the folder, made if it is not there, and its certificate beside it for clients.
    fn open(folder: &Path, now: DateTime<Utc>) -> Result<Self, TlsError> {
        let authority = |source| TlsError::Authority { folder: folder.to_owned(), source };
        let key_file = folder.join("ca.key");
        let key = match fs::read_to_string(&key_file) {
            Ok(pem) => KeyPair::from_pem(&pem).map_err(authority)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = KeyPair::generate().map_err(authority)?;
                fs::create_dir_all(folder).map_err(|source| failed("making", folder, source))?;
                write_private(&key_file, &key.serialize_pem())?;
                let certificate = authority_params(now).self_signed(&key).map_err(authority)?;
                let file = folder.join("ca.pem");
                fs::write(&file, certificate.pem()).map_err(|source| failed("writing", &file, source))?;
                key
            }
            Err(source) => return Err(failed("reading", &key_file, source)),
        };
        Ok(Self { folder: folder.to_owned(), key })
    }

    /// A certificate for one year and its key, both as PEM.
    fn sign(
        &self,
        names: &[String],
        listen: IpAddr,
        now: DateTime<Utc>,
    ) -> Result<(String, String), TlsError> {
        let authority = |source| TlsError::Authority { folder: self.folder.clone(), source };
        let mut all: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
        if !listen.is_unspecified() {
            all.push(listen.to_string());
        }
        all.extend(names.iter().cloned());
        let mut params = CertificateParams::new(all).map_err(authority)?;
        params.distinguished_name.push(DnType::CommonName, "tenantwatch");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        valid(&mut params, now, TimeDelta::days(365));
        let key = KeyPair::generate().map_err(authority)?;
        let issuer = Issuer::new(authority_params(now), &self.key);
        let certificate = params.signed_by(&key, &issuer).map_err(authority)?;
        Ok((certificate.pem(), key.serialize_pem()))
    }
}

/// The authority says the same of itself each time, so that what it signs later fits the certificate
/// that clients were given.
fn authority_params(now: DateTime<Utc>) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Tenantwatch local certificate authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    valid(&mut params, now, TimeDelta::days(3650));
    params
}

/// From yesterday on, since the clocks of clients may be behind.
fn valid(params: &mut CertificateParams, now: DateTime<Utc>, life: TimeDelta) {
    let day = |at: DateTime<Utc>| {
        let part = |number: u32| u8::try_from(number).unwrap_or(1);
        date_time_ymd(at.year(), part(at.month()), part(at.day()))
    };
    params.not_before = day(now - TimeDelta::days(1));
    params.not_after = day(now + life);
}

fn write_private(path: &Path, text: &str) -> Result<(), TlsError> {
    use std::io::Write as _;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|source| failed("writing", path, source))
}

fn failed(action: &'static str, path: &Path, source: io::Error) -> TlsError {
    TlsError::File { path: path.to_owned(), action, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authority_is_made_once_and_signs_for_the_names_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let now = Utc::now();
        let first = Authority::open(folder.path(), now).unwrap();
        let root = fs::read_to_string(folder.path().join("ca.pem")).unwrap();
        let again = Authority::open(folder.path(), now + TimeDelta::days(40)).unwrap();
        assert_eq!(first.key.serialize_pem(), again.key.serialize_pem());
        assert_eq!(root, fs::read_to_string(folder.path().join("ca.pem")).unwrap());
        let listen = "192.0.2.7".parse().unwrap();
        let (certificate, key) = again.sign(&["alerts.example".to_owned()], listen, now).unwrap();
        assert!(certificate.starts_with("-----BEGIN CERTIFICATE") && key.contains("PRIVATE KEY"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(folder.path().join("ca.key")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[tokio::test]
    async fn files_that_are_no_certificate_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("a.pem"), "nothing").unwrap();
        let tls = Tls::Files { certificate: path("a.pem"), key: path("none.pem") };
        let opened = tls.open(&DataDir::new(folder.path()), "127.0.0.1".parse().unwrap(), Utc::now()).await;
        let error = opened.err().unwrap().to_string();
        assert!(error.contains("a.pem") && error.contains("none.pem"), "{error}");
    }
}
