//! `/subscriptions`, over HTTP.

use axum::http::{Method, StatusCode};
use chrono::{SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::auth::READ;
use crate::http::testing::{Fixture, OTHER_PARTNER, PARTNER, Reply};
use crate::notify::tests::receiver::Receiver;

const SUBSCRIPTIONS: &str = "/beta/subscriptions";

fn within(time: TimeDelta) -> String {
    (Utc::now() + time).to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn body(receiver: &Receiver) -> Value {
    json!({
        "changeType": "created,updated",
        "notificationUrl": receiver.url("changes"),
        "resource": "/security/partner/securityAlerts",
        "expirationDateTime": within(TimeDelta::days(3)),
        "clientState": "secret-state",
    })
}

async fn call(server: &Fixture, method: Method, path: &str, body: Option<&Value>) -> Reply {
    let text = body.map(Value::to_string);
    server.call(method, path, Some(&server.token(PARTNER, READ)), text.as_deref()).await
}

async fn create(server: &Fixture, body: &Value) -> Reply {
    call(server, Method::POST, SUBSCRIPTIONS, Some(body)).await
}

fn masked(mut shape: Value) -> Value {
    for name in ["id", "notificationUrl", "expirationDateTime"] {
        shape[name] = format!("[{name}]").into();
    }
    shape
}

#[tokio::test]
async fn a_subscription_is_made_read_renewed_confirmed_and_deleted() {
    let (server, receiver) = (Fixture::new().await, Receiver::start().await);
    let made = create(&server, &body(&receiver)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let path = format!("{SUBSCRIPTIONS}/{id}");
    assert_eq!(made.headers["location"], format!("http://tenantwatch.test:8080{path}"));
    insta::assert_json_snapshot!("subscription", masked(made.json()));
    assert_eq!(receiver.asked(), ["changes"]);

    let list = server.get(SUBSCRIPTIONS).await.json();
    assert_eq!(list["@odata.context"], "http://tenantwatch.test:8080/beta/$metadata#subscriptions");
    assert_eq!((&list["value"][0]["id"], &list["value"][0]["clientState"]), (&json!(id), &Value::Null));
    let shown = server.get(&path).await.json();
    assert_eq!((&shown["id"], &shown["clientState"]), (&json!(id), &Value::Null));

    // Clients send whole objects back.
    let mut whole = shown.clone();
    whole["expirationDateTime"] = within(TimeDelta::days(5)).into();
    let renewed = call(&server, Method::PATCH, &path, Some(&whole)).await;
    assert_eq!(renewed.status, StatusCode::OK, "{}", renewed.text);
    assert_eq!(renewed.json()["expirationDateTime"], whole["expirationDateTime"]);
    let confirmed = call(&server, Method::POST, &format!("{path}/reauthorize"), None).await;
    assert_eq!((confirmed.status, confirmed.text.as_str()), (StatusCode::NO_CONTENT, ""));
    let deleted = call(&server, Method::DELETE, &path, None).await;
    assert_eq!((deleted.status, deleted.text.as_str()), (StatusCode::NO_CONTENT, ""));
    assert_eq!(server.get(SUBSCRIPTIONS).await.json()["value"], json!([]));
    for (method, path, body) in [
        (Method::GET, path.clone(), None),
        (Method::PATCH, path.clone(), Some(json!({"expirationDateTime": within(TimeDelta::days(1))}))),
        (Method::DELETE, path.clone(), None),
        (Method::POST, format!("{path}/reauthorize"), None),
        (Method::GET, format!("{SUBSCRIPTIONS}/nonsense"), None),
        (Method::GET, format!("{SUBSCRIPTIONS}/%ff"), None),
    ] {
        let gone = call(&server, method, &path, body.as_ref()).await;
        assert_eq!(gone.status, StatusCode::NOT_FOUND, "{path}: {}", gone.text);
        assert!(gone.message().ends_with("does not exist."), "{}", gone.message());
    }
}

#[tokio::test]
async fn nobody_else_sees_a_subscription() {
    let (server, receiver) = (Fixture::new().await, Receiver::start().await);
    let made = create(&server, &body(&receiver)).await.json();
    let path = format!("{SUBSCRIPTIONS}/{}", made["id"].as_str().unwrap());
    let stranger = server.token(OTHER_PARTNER, READ);
    let list = server.call(Method::GET, SUBSCRIPTIONS, Some(&stranger), None).await;
    assert_eq!(list.json()["value"], json!([]));
    for method in [Method::GET, Method::DELETE] {
        let reply = server.call(method, &path, Some(&stranger), None).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(server.get(&path).await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_said_by_property() {
    let (server, receiver) = (Fixture::new().await, Receiver::start().await);
    let check = |change: Value, expected: &'static str| {
        let (server, mut body) = (&server, body(&receiver));
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        async move {
            let reply = create(server, &body).await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{change}: {}", reply.text);
            assert!(reply.message().contains(expected), "{change}: {}", reply.message());
        }
    };
    check(json!({"changeType": null}), "Property 'changeType' is required.").await;
    check(
        json!({"changeType": "created,moved"}),
        "Property 'changeType' must be created, updated or deleted",
    )
    .await;
    check(json!({"changeType": "missed"}), "not 'missed'").await;
    check(json!({"changeType": 7}), "Property 'changeType' must be a string, not 7.").await;
    check(json!({"notificationUrl": ""}), "Property 'notificationUrl' is required.").await;
    check(
        json!({"notificationUrl": "http://receiver.example/"}),
        "'notificationUrl' must start with https://",
    )
    .await;
    check(
        json!({"lifecycleNotificationUrl": "https://10.0.0.1/"}),
        "'lifecycleNotificationUrl' leads to 10.0.0.1",
    )
    .await;
    check(json!({"resource": "users"}), "Property 'resource' is 'users', which cannot be watched").await;
    check(
        json!({"resource": "security/partner/securityAlerts?$filter=id eq 'a'"}),
        "may hold no query options",
    )
    .await;
    check(json!({"expirationDateTime": null}), "Property 'expirationDateTime' is required.").await;
    check(json!({"expirationDateTime": "soon"}), "must be a time such as").await;
    check(json!({"expirationDateTime": "2001-02-03T04:05:06Z"}), "must lie in the future").await;
    check(json!({"expirationDateTime": within(TimeDelta::days(31))}), "at most 43200 minutes ahead").await;
    check(json!({"clientState": "x".repeat(129)}), "Property 'clientState' may have at most 128 characters.")
        .await;
    check(json!({"includeResourceData": "yes"}), "must be a Boolean, not \"yes\"").await;
    check(json!({"includeResourceData": true}), "Property 'encryptionCertificate' is required.").await;
    check(json!({"encryptionCertificateId": "a"}), "goes only with 'includeResourceData': true").await;
    check(json!({"encryptionCertificate": "aGVsbG8="}), "is not an X.509 certificate").await;
    check(json!({"latestSupportedTlsVersion": "v1_0"}), "must be v1_2 or v1_3").await;
    check(json!({"notificationContentType": "text/xml"}), "must be application/json").await;
    check(json!({"notificationQueryOptions": "$select=id"}), "is not supported; leave it out").await;
    check(json!({"colour": "red"}), "Property 'colour' does not exist on microsoft.graph.subscription.")
        .await;
    assert_eq!(receiver.asked(), [] as [String; 0], "nobody is asked before all is in order");

    let mut missing = body(&receiver);
    missing["resource"] = "security/partner/securityAlerts/none".into();
    let reply = create(&server, &missing).await;
    assert_eq!(
        (reply.status, reply.message().as_str()),
        (StatusCode::NOT_FOUND, "Alert 'none' does not exist.")
    );
    missing["resource"] = "security/partner/securityAlerts('alert-1')".into();
    missing["@odata.type"] = "#microsoft.graph.subscription".into();
    missing["id"] = "mine".into();
    let made = create(&server, &missing).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);

    let path = format!("{SUBSCRIPTIONS}/{}", made.json()["id"].as_str().unwrap());
    for (body, expected) in [
        (json!({}), "Nothing is to be changed"),
        (json!({"expirationDateTime": "2001-02-03T04:05:06Z"}), "must lie in the future"),
        (json!({"clientState": "another"}), "Property 'clientState' cannot be changed"),
        (json!({"resource": "users"}), "Property 'resource' cannot be changed"),
        (json!({"colour": "red"}), "Property 'colour' does not exist"),
    ] {
        let reply = call(&server, Method::PATCH, &path, Some(&body)).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{body}");
        assert!(reply.message().contains(expected), "{body}: {}", reply.message());
    }
    for query in ["?$top=1", "?$select=id", "?$filter=id%20eq%20'a'"] {
        let reply = server.get(&format!("{SUBSCRIPTIONS}{query}")).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{query}");
        assert!(reply.message().contains("cannot be used with this resource"), "{}", reply.message());
    }
    let put = call(&server, Method::PUT, SUBSCRIPTIONS, Some(&json!({}))).await;
    assert_eq!(
        (put.status, &put.headers["allow"]),
        (StatusCode::METHOD_NOT_ALLOWED, &"GET, HEAD, POST".parse().unwrap())
    );
}

#[tokio::test]
async fn a_receiver_must_show_that_it_wants_notifications() {
    let (server, receiver) = (Fixture::new().await, Receiver::start().await);
    let check = |change: Value, expected: &'static str| {
        let (server, mut body) = (&server, body(&receiver));
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        async move {
            let reply = create(server, &body).await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{change}: {}", reply.text);
            assert_eq!(reply.json()["error"]["code"], "ValidationError");
            assert!(
                reply.message().starts_with("Subscription validation request failed for '"),
                "{}",
                reply.message()
            );
            assert!(reply.message().contains(expected), "{change}: {}", reply.message());
        }
    };
    let url = |path: &str| json!({"notificationUrl": receiver.url(path)});
    check(url("wrong-token"), "'notificationUrl': its answer is not the decoded validation token alone")
        .await;
    check(url("encoded-token"), "not the decoded validation token").await;
    check(url("long"), "not the decoded validation token").await;
    check(url("status"), "answered with status 202, where 200 was expected").await;
    check(url("elsewhere"), "answered with status 302").await;
    check(url("html"), "not of Content-Type text/plain").await;
    check(url("late"), "there was no answer within 500 ms").await;
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    check(json!({"notificationUrl": format!("http://{silent}/")}), "no connection was made").await;
    let life = json!({"lifecycleNotificationUrl": receiver.url("wrong-token")});
    check(life, "'lifecycleNotificationUrl': its answer is not").await;
    assert_eq!(server.get(SUBSCRIPTIONS).await.json()["value"], json!([]));
}

#[tokio::test]
async fn an_application_may_have_so_many() {
    let (server, receiver) = (Fixture::new().await, Receiver::start().await);
    for _ in 0..3 {
        assert_eq!(create(&server, &body(&receiver)).await.status, StatusCode::CREATED);
    }
    let refused = create(&server, &body(&receiver)).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.text);
    assert!(refused.message().contains("limit of 3 subscriptions"), "{}", refused.message());
}
