//! Detectors, how their runs fare, and the numbers that are chosen for them, as callers see them.

use chrono::DateTime;
use graph::auth::{READ, READ_WRITE};
use serde_json::{Value, json};
use store::DetectorRun;

use super::*;
use crate::app::health::health;

const DETECTOR: &str = "vm_anomalous_deployment";
const ONE: &str = "/tenantwatch/v1/detectors/vm_anomalous_deployment";
const HEALTH: &str = "/tenantwatch/v1/detectorHealth";
const SETTINGS: &str = "/tenantwatch/v1/detectorSettings";
const POINTS: &str = "/tenantwatch/v1/detectors/vm_anomalous_deployment/settings/points_min";
const CUSTOMER: &str = "0f0e0d0c-3333-4000-8000-00000000000c";

fn run(detector: &str, started_at: &str, error: Option<&str>) -> DetectorRun {
    let started_at: DateTime<Utc> = started_at.parse().unwrap();
    DetectorRun {
        detector_id: detector.to_owned(),
        since: started_at - TimeDelta::hours(1),
        until: started_at,
        started_at,
        duration_ms: 1234,
        findings: 3,
        error: error.map(str::to_owned),
    }
}

#[tokio::test]
async fn one_detector_shows_all_of_it() {
    let server = Fixture::new(false).await;
    let reader = server.token(READ);
    let list = server.get(HOST, DETECTORS, Some(&reader)).await.json();
    let listed = list["value"].as_array().unwrap().iter().find(|one| one["id"] == DETECTOR).unwrap().clone();
    assert_eq!(
        listed["settings"][1],
        json!({
            "name": "points_min", "default": 4.0, "min": 1.0, "max": 11.0,
            "meaning": "How many points the signs must earn together, of ten: who, where, what, how much and quota, two each.",
        })
    );
    let figures = &listed["simulated"];
    assert!(figures["estates"].as_u64() >= Some(20), "{figures}");
    assert!(
        figures["attacksTold"].as_u64() > Some(0) && figures["precision"].as_f64() <= Some(1.0),
        "{figures}"
    );
    let one = server.get(HOST, ONE, Some(&reader)).await.json();
    for (name, value) in listed.as_object().unwrap() {
        assert_eq!(one[name], *value, "{name}");
    }
    assert!(one["query"].as_str().unwrap().contains("setting('points_min'"));
    assert!(one["cases"].as_array().unwrap().iter().any(|case| case["fires"] == json!(true)));
    assert!(one["cases"].as_array().unwrap().iter().any(|case| case["fires"] == json!(false)));
    assert_eq!((&one["chosen"], &one["health"]["state"]), (&json!([]), &json!("waiting")));

    let none = server.get(HOST, "/tenantwatch/v1/detectors/none", Some(&reader)).await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
    assert!(none.text.contains("GET /tenantwatch/v1/detectors lists all"), "{}", none.text);
    assert_eq!(server.get(HOST, ONE, None).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(server.get(HOST, ONE, Some(&server.token("User.Read"))).await.status, StatusCode::FORBIDDEN);
    let narrow = server.get(HOST, ONE, Some(&server.token_of(READ, Some(CUSTOMER)))).await.json();
    assert_eq!(narrow["health"], Value::Null, "runs are over all of the partner's events");
}

#[tokio::test]
async fn the_health_of_detectors_tells_who_failed_and_who_is_late() {
    let server = Fixture::new(false).await;
    let (store, scope) = (&server.instance.store, server.instance.scope());
    for run in [
        run("backup_destruction", "2031-02-03T11:58:00Z", None),
        run("crypto_mining", "2031-02-03T11:50:00Z", None),
        run("crypto_mining", "2031-02-03T11:55:00Z", Some("the query failed: out of memory")),
        run("mass_deletion", "2031-02-03T10:00:00Z", None),
        run("no_longer_there", "2031-02-03T10:00:00Z", None),
    ] {
        store.record_run(&scope, &run, 0).await.unwrap();
    }
    let noon = "2031-02-03T12:00:00Z".parse().unwrap();
    let healths = health(&server.instance, &scope).await.unwrap();
    let ran: Vec<Value> =
        healths.iter().filter(|health| health.runs.is_some()).map(|health| health.to_json(noon)).collect();
    insta::assert_json_snapshot!(ran);
    let listed = server.get(HOST, HEALTH, Some(&server.token(READ))).await.json();
    assert_eq!(listed["value"].as_array().unwrap().len(), server.instance.detectors.len());
    let waiting = listed["value"].as_array().unwrap().iter().filter(|one| one["state"] == "waiting");
    assert_eq!(waiting.count(), server.instance.detectors.len() - 3);

    for token in [server.token_of(READ, Some(CUSTOMER)), server.token_of_reseller(READ, "r1")] {
        assert_eq!(server.get(HOST, HEALTH, Some(&token)).await.json(), json!({"value": []}));
    }
    assert_eq!(server.get(HOST, HEALTH, None).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        server.get(HOST, HEALTH, Some(&server.token("User.Read"))).await.status,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn numbers_are_chosen_listed_and_taken_back() {
    let server = Fixture::new(false).await;
    let (reader, writer) = (server.token(READ), server.token(READ_WRITE));
    let listed =
        async |token: &str, path: &str| server.get(HOST, path, Some(token)).await.json()["value"].clone();
    assert_eq!(listed(&reader, SETTINGS).await, json!([]));

    let made = server.send("PUT", POINTS, &writer, &json!({"value": 5, "reason": " it grows "})).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text);
    let for_all = made.json();
    let mut shown = for_all.clone();
    shown["changedDateTime"] = json!("[time]");
    assert_eq!(
        shown,
        json!({
            "detectorId": DETECTOR, "name": "points_min", "customerTenantId": null, "subscriptionId": null,
            "value": 5.0, "reason": "it grows", "author": "ann@partner.example", "changedDateTime": "[time]",
        })
    );
    let of_customer = format!("{POINTS}?customer={}", CUSTOMER.to_uppercase());
    let narrower = server.send("PUT", &of_customer, &writer, &json!({"value": 6, "reason": "farm"})).await;
    assert_eq!(narrower.json()["customerTenantId"], CUSTOMER);
    assert_eq!(listed(&reader, SETTINGS).await, json!([for_all, narrower.json()]));
    assert_eq!(listed(&reader, &format!("{SETTINGS}?detector=crypto_mining")).await, json!([]));
    assert_eq!(
        server.get(HOST, ONE, Some(&reader)).await.json()["chosen"],
        json!([for_all, narrower.json()])
    );
    for token in [server.token_of(READ, Some(CUSTOMER)), server.token_of_reseller(READ, "r1")] {
        assert_eq!(listed(&token, SETTINGS).await, json!([]));
    }

    let choice = json!({"value": 5, "reason": "x"});
    let customers = server.token_of(READ_WRITE, Some(CUSTOMER));
    let both = format!("{POINTS}?customer={CUSTOMER}&subscription=s");
    let none = "/tenantwatch/v1/detectors/none/settings/points_min";
    let other = "/tenantwatch/v1/detectors/vm_anomalous_deployment/settings/points";
    let coloured = format!("{POINTS}?colour=red");
    for (method, path, token, body, status, expected) in [
        ("PUT", POINTS, &reader, choice.clone(), StatusCode::FORBIDDEN, "PartnerSecurity.ReadWrite.All"),
        ("PUT", POINTS, &customers, choice.clone(), StatusCode::FORBIDDEN, "the partner's to do"),
        ("PUT", none, &writer, choice.clone(), StatusCode::NOT_FOUND, "there is no detector 'none'"),
        ("PUT", other, &writer, choice.clone(), StatusCode::NOT_FOUND, "it has machines_min, points_min"),
        (
            "PUT",
            POINTS,
            &writer,
            json!({"value": 0, "reason": "x"}),
            StatusCode::BAD_REQUEST,
            "points_min cannot be 0; give a number from 1 to 11",
        ),
        ("PUT", POINTS, &writer, json!({"value": 5, "reason": " "}), StatusCode::BAD_REQUEST, "no reason"),
        ("PUT", POINTS, &writer, json!({"reason": "x"}), StatusCode::BAD_REQUEST, "missing field `value`"),
        (
            "PUT",
            POINTS,
            &writer,
            json!({"value": 5, "reason": "x", "colour": 1}),
            StatusCode::BAD_REQUEST,
            "unknown field `colour`",
        ),
        ("PUT", &both, &writer, choice.clone(), StatusCode::BAD_REQUEST, "name one of them"),
        (
            "PUT",
            &coloured,
            &writer,
            choice.clone(),
            StatusCode::BAD_REQUEST,
            "The options are customer and subscription",
        ),
        ("POST", POINTS, &writer, choice.clone(), StatusCode::METHOD_NOT_ALLOWED, ""),
        ("DELETE", POINTS, &reader, json!({}), StatusCode::FORBIDDEN, ""),
        ("DELETE", POINTS, &customers, json!({}), StatusCode::FORBIDDEN, "the partner's to do"),
        ("DELETE", other, &writer, json!({}), StatusCode::NOT_FOUND, "was not chosen for that"),
        ("DELETE", POINTS, &writer, json!({}), StatusCode::NO_CONTENT, ""),
        ("DELETE", POINTS, &writer, json!({}), StatusCode::NOT_FOUND, "was not chosen for that"),
    ] {
        let reply = server.send(method, path, token, &body).await;
        assert_eq!(reply.status, status, "{method} {path} {body}: {}", reply.text);
        assert!(reply.text.contains(expected), "{method} {path} {body}: {}", reply.text);
    }
    assert_eq!(listed(&reader, SETTINGS).await, json!([narrower.json()]), "what is narrower stays");
    let wrong = server.get(HOST, &format!("{SETTINGS}?colour=1"), Some(&reader)).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert_eq!(server.get(HOST, SETTINGS, None).await.status, StatusCode::UNAUTHORIZED);
}
