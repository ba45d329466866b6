//! Azurite as a storage account of Azure, and what writes to it.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::{TimeDelta, Utc};

use super::emulator::Emulator;

/// Azurite's account and its key, which are the same everywhere and documented
/// (learn.microsoft.com/azure/storage/common/storage-connect-azurite).
pub const ACCOUNT: &str = "devstoreaccount1";
pub const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
pub const CONTAINER: &str = "insights-activity-logs";

/// Azurite, with what is asked of it.
pub struct Azure {
    pub server: Emulator,
    http: reqwest::Client,
}

impl Azure {
    pub fn start() -> Self {
        Self { server: Emulator::azurite(), http: reqwest::Client::new() }
    }

    /// A PUT as Azure's REST interface wants it, signed with the account's key.
    async fn put(&self, path: &str, query: &[(&str, &str)], headers: &[(&str, &str)], body: &str) {
        let date = Utc::now().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let mut headers: Vec<(&str, &str)> = headers.to_vec();
        headers.extend([("x-ms-date", date.as_str()), ("x-ms-version", "2021-12-02")]);
        headers.sort_unstable();
        let named: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let asked: String = query.iter().map(|(name, value)| format!("\n{name}:{value}")).collect();
        let length = if body.is_empty() { String::new() } else { body.len().to_string() };
        let text = format!("PUT\n\n\n{length}\n\n\n\n\n\n\n\n\n{named}/{ACCOUNT}/{ACCOUNT}/{path}{asked}");
        let key = hmac::Key::new(hmac::HMAC_SHA256, &BASE64_STANDARD.decode(KEY).unwrap());
        let signature = BASE64_STANDARD.encode(hmac::sign(&key, text.as_bytes()));
        let query: String = query.iter().map(|(name, value)| format!("{name}={value}&")).collect();
        let mut request = self.http.put(format!("{}/{ACCOUNT}/{path}?{query}", self.server.origin));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request = request.header("authorization", format!("SharedKey {ACCOUNT}:{signature}"));
        let reply = request.header("content-length", body.len()).body(body.to_owned()).send().await.unwrap();
        assert!(reply.status().is_success(), "{path}: {} {}", reply.status(), reply.text().await.unwrap());
    }

    pub async fn make_container(&self) {
        self.put(CONTAINER, &[("restype", "container")], &[], "").await;
    }

    pub async fn make_append_blob(&self, name: &str) {
        self.put(&format!("{CONTAINER}/{name}"), &[], &[("x-ms-blob-type", "AppendBlob")], "").await;
    }

    pub async fn append(&self, name: &str, text: &str) {
        self.put(&format!("{CONTAINER}/{name}"), &[("comp", "appendblock")], &[], text).await;
    }

    pub async fn write(&self, name: &str, text: &str) {
        self.put(&format!("{CONTAINER}/{name}"), &[], &[("x-ms-blob-type", "BlockBlob")], text).await;
    }
}

/// Where a diagnostic setting puts the activity log of an hour.
pub fn blob(hours_ago: i64) -> String {
    let hour = Utc::now() - TimeDelta::hours(hours_ago);
    let subscription = "0F0E0D0C-0000-4000-8000-000000000001";
    format!("resourceId=/SUBSCRIPTIONS/{subscription}/{}/PT1H.json", hour.format("y=%Y/m=%m/d=%d/h=%H/m=00"))
}
