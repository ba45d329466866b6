//! Encrypted connections to PostgreSQL.

use std::fs;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use crate::testing::postgres::{Durability, PostgresServer};
use crate::{PostgresStore, StoreError};

#[tokio::test]
async fn the_server_must_show_a_certificate_of_an_authority_that_is_trusted() {
    let authority = authority();
    let (certificate, key) = signed(&authority);
    let server = PostgresServer::start(
        Durability::Unsynced,
        &["ssl=on", "ssl_cert_file=../tls.pem", "ssl_key_file=../tls.key"],
        &[("tls.pem", &certificate), ("tls.key", &key)],
    );
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let trusted = file("authority.pem", &authority.as_ref().pem());
    let stranger = file("stranger.pem", &self::authority().as_ref().pem());
    let empty = file("empty.pem", "");
    let url = server.tcp_url("tenantwatch", "postgres");
    let elsewhere = url.replace("127.0.0.1", "localhost");
    for (url, expected) in [
        (format!("{url}?sslmode=require"), "name the authority's with sslrootcert=FILE"),
        (format!("{url}?sslrootcert={stranger}"), "name the authority's with sslrootcert=FILE"),
        (format!("{elsewhere}?sslrootcert={trusted}"), "not valid for name"),
        (format!("{url}?sslrootcert=nowhere.pem"), "sslrootcert=nowhere.pem cannot be used"),
        (format!("{url}?sslrootcert={empty}"), "it holds no certificate in PEM"),
    ] {
        let error = PostgresStore::connect(&url).await.err().unwrap();
        assert!(matches!(error, StoreError::CannotOpen { .. }), "{url}: {error:?}");
        assert!(error.to_string().contains(expected), "{url}: {error}");
    }
    PostgresStore::connect(&format!("{url}?sslmode=require&sslrootcert={trusted}")).await.unwrap();
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate for 127.0.0.1 and its key, in PEM.
fn signed(authority: &CertifiedIssuer<'static, KeyPair>) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    (params.signed_by(&key, authority).unwrap().pem(), key.serialize_pem())
}
