//! A receiver of notifications on loopback.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::Value;
use tokio::task::JoinHandle;

/// What the receiver does with deliveries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Takes them.
    Takes,
    /// Answers with a status.
    Answers(u16),
    /// Never answers.
    Hangs,
    /// Notes them, and then never answers.
    TakesAndHangs,
    /// Refuses each delivery with that alert in it.
    RefusesAlert(&'static str),
}

/// One request that the receiver took.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    pub(crate) path: String,
    pub(crate) query: HashMap<String, String>,
    pub(crate) media_type: String,
    pub(crate) body: Value,
}

#[derive(Clone)]
struct Shared {
    mood: Arc<Mutex<Mood>>,
    taken: Arc<Mutex<Vec<Taken>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

/// The receiver; stops when it is dropped.
pub(crate) struct Receiver {
    address: std::net::SocketAddr,
    shared: Shared,
    task: JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let shared =
            Shared { mood: Arc::new(Mutex::new(Mood::Takes)), taken: Arc::default(), asked: Arc::default() };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/{path}", post(answer)).with_state(shared.clone());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, shared, task }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    pub(crate) fn be(&self, mood: Mood) {
        *self.shared.mood.lock().unwrap() = mood;
    }

    /// The requests taken since the last call.
    pub(crate) fn taken(&self) -> Vec<Taken> {
        std::mem::take(&mut self.shared.taken.lock().unwrap())
    }

    /// The paths that handshakes went to.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// The notifications taken since the last call, in few words: `updated alert-1 W/"2"`.
    pub(crate) fn heard(&self) -> Vec<String> {
        let taken = self.taken();
        taken.iter().flat_map(|taken| taken.body["value"].as_array().unwrap()).map(words).collect()
    }
}

fn words(item: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match item.get("lifecycleEvent") {
        Some(event) => text(event),
        None => {
            let data = &item["resourceData"];
            format!("{} {} {}", text(&item["changeType"]), text(&data["id"]), text(&data["@odata.etag"]))
        }
    }
}

async fn answer(
    State(shared): State<Shared>,
    Path(path): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
    body: String,
) -> Response {
    if let Some(token) = query.get("validationToken") {
        shared.asked.lock().unwrap().push(path.clone());
        assert_eq!(headers[header::CONTENT_TYPE], "text/plain; charset=utf-8");
        return shake_hands(&path, token).await;
    }
    let body: Value = serde_json::from_str(&body).unwrap();
    let media_type = headers[header::CONTENT_TYPE].to_str().unwrap().to_owned();
    let taken = Taken { path, query, media_type, body };
    let mood = shared.mood.lock().unwrap().clone();
    let take = |taken| shared.taken.lock().unwrap().push(taken);
    match mood {
        Mood::Takes => take(taken),
        Mood::Answers(status) => return StatusCode::from_u16(status).unwrap().into_response(),
        Mood::Hangs => std::future::pending().await,
        Mood::TakesAndHangs => {
            take(taken);
            std::future::pending().await
        }
        Mood::RefusesAlert(alert) => {
            let holds_it = taken.body["value"]
                .as_array()
                .unwrap()
                .iter()
                .any(|item| item["resourceData"]["id"] == alert);
            if holds_it {
                return StatusCode::BAD_REQUEST.into_response();
            }
            take(taken);
        }
    }
    StatusCode::ACCEPTED.into_response()
}

/// As the path says: most ways are wrong.
async fn shake_hands(path: &str, token: &str) -> Response {
    match path {
        "wrong-token" => "another token".into_response(),
        "encoded-token" => token.replace(' ', "+").into_response(),
        "status" => (StatusCode::ACCEPTED, token.to_owned()).into_response(),
        "elsewhere" => (StatusCode::FOUND, [(header::LOCATION, "/changes")]).into_response(),
        "html" => ([(header::CONTENT_TYPE, "text/html")], token.to_owned()).into_response(),
        "long" => format!("{token}{}", "x".repeat(1_000_000)).into_response(),
        "late" => {
            tokio::time::sleep(Duration::from_secs(30)).await;
            token.to_owned().into_response()
        }
        _ => token.to_owned().into_response(),
    }
}
