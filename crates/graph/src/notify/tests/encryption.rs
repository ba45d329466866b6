//! Resource data, decrypted by a program that shares no code with ours.

use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};

use super::super::Courier;
use super::super::encryption::Certificate;
use super::Post;

/// Runs `openssl` in a folder; what it wrote.
fn openssl(folder: &Path, arguments: &[&str]) -> Vec<u8> {
    let ran = Command::new("openssl").args(arguments).current_dir(folder).output();
    let output = ran.expect("these tests need the openssl command");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// A certificate with a new key of that kind, as the text of PEM; the key is in `key.pem`.
fn certificate(folder: &Path, key: &[&str]) -> String {
    let mut arguments = vec!["req", "-x509", "-nodes", "-keyout", "key.pem", "-out", "cert.pem"];
    arguments.extend(["-days", "2", "-subj", "/CN=receiver", "-newkey"]);
    arguments.extend(key);
    openssl(folder, &arguments);
    std::fs::read_to_string(folder.join("cert.pem")).unwrap()
}

fn base64_of(pem: &str) -> String {
    pem.lines().filter(|line| !line.starts_with("-----")).collect()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn resource_data_is_encrypted_for_the_subscriber() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let pem = certificate(folder, &["rsa:2048"]);
    let post = Post::new().await;
    let rich = json!({
        "includeResourceData": true,
        "encryptionCertificate": base64_of(&pem),
        "encryptionCertificateId": "receiver-1",
    });
    let subscription = post.subscribe(&post.token(), rich).await;
    assert_eq!(subscription["includeResourceData"], true);
    assert_eq!(subscription["encryptionCertificate"], Value::Null);
    post.change("alert-1", "investigating").await;
    post.send(&mut Courier::new(post.office())).await;
    let taken = post.receiver.taken();
    let content = &taken[0].body["value"][0]["encryptedContent"];
    assert_eq!(content["encryptionCertificateId"], "receiver-1");
    let fingerprint = openssl(folder, &["x509", "-in", "cert.pem", "-noout", "-fingerprint", "-sha1"]);
    let fingerprint = String::from_utf8(fingerprint).unwrap().replace(':', "");
    let thumbprint = content["encryptionCertificateThumbprint"].as_str().unwrap();
    assert_eq!(fingerprint.trim().split('=').nth(1), Some(thumbprint));

    let bytes = |name: &str| STANDARD.decode(content[name].as_str().unwrap()).unwrap();
    std::fs::write(folder.join("data-key"), bytes("dataKey")).unwrap();
    std::fs::write(folder.join("data"), bytes("data")).unwrap();
    let unwrap = ["pkeyutl", "-decrypt", "-inkey", "key.pem", "-in", "data-key"];
    let oaep = ["-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha1"];
    let key = openssl(folder, &[&unwrap[..], &oaep[..]].concat());
    assert_eq!(key.len(), 32);
    let hmac = format!("hexkey:{}", hexadecimal(&key));
    let signature =
        openssl(folder, &["dgst", "-sha256", "-mac", "HMAC", "-macopt", &hmac, "-binary", "data"]);
    assert_eq!(signature, bytes("dataSignature"));
    let (key, vector) = (hexadecimal(&key), hexadecimal(&key[..16]));
    let plain = openssl(folder, &["enc", "-d", "-aes-256-cbc", "-K", &key, "-iv", &vector, "-in", "data"]);
    let alert: Value = serde_json::from_slice(&plain).unwrap();
    assert_eq!((&alert["id"], &alert["status"]), (&json!("alert-1"), &json!("investigating")));

    // The token shows who sent it, and for whom.
    let tokens = taken[0].body["validationTokens"].as_array().unwrap();
    assert_eq!(tokens.len(), 1);
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_audience(&[subscription["applicationId"].as_str().unwrap()]);
    let public = DecodingKey::from_rsa_pem(post.server.issuer.public_pem()).unwrap();
    let token = jsonwebtoken::decode::<Value>(tokens[0].as_str().unwrap(), &public, &validation).unwrap();
    assert_eq!(token.claims["appid"], crate::auth::APPLICATION_ID);
    assert_eq!(token.claims["tid"], taken[0].body["value"][0]["tenantId"]);
}

#[test]
fn what_cannot_be_encrypted_for_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let check = |text: &str, expected: &str| {
        let error = Certificate::read(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    let good = certificate(folder.path(), &["rsa:2048"]);
    assert!(Certificate::read(&good).is_ok());
    assert!(Certificate::read(&base64_of(&good)).is_ok());
    let key = std::fs::read_to_string(folder.path().join("key.pem")).unwrap();
    check(&format!("{key}{good}"), "private key");
    check("!", "not base64");
    check("aGVsbG8=", "not an X.509 certificate");
    let mut longer = STANDARD.decode(base64_of(&good)).unwrap();
    longer.push(0);
    check(&STANDARD.encode(longer), "not an X.509 certificate");
    check(&"A".repeat(20_000), "at most 16384 characters");
    check(&certificate(folder.path(), &["rsa:1024"]), "1024 bits");
    check(&certificate(folder.path(), &["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]), "no RSA key");
}
