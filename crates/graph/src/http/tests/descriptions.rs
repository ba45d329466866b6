//! `$metadata`, the service document and the OpenAPI document over HTTP, and that they tell the truth.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::json;

use crate::auth::READ_WRITE;
use crate::http::testing::{Fixture, LIST, PARTNER, Reply};

async fn ask(server: &Fixture, path: &str, headers: &[(&str, &str)]) -> Reply {
    let mut request = Request::builder().uri(path).header("host", "tenantwatch.test:8080");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    server.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn anybody_may_read_what_describes_the_api() {
    let server = Fixture::new().await;
    for path in ["/beta", "/beta/", "/beta/$metadata", "/beta/%24metadata", "/beta/openapi.json"] {
        for (method, expected) in [(Method::GET, 200), (Method::HEAD, 200), (Method::POST, 405)] {
            let reply = server.call(method.clone(), path, None, None).await;
            assert_eq!(reply.status.as_u16(), expected, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn metadata_comes_in_the_form_asked_for() {
    let server = Fixture::new().await;
    let check = |query: &'static str,
                 headers: &'static [(&'static str, &'static str)],
                 expected: Result<(&'static str, &'static str), u16>| {
        let server = &server;
        async move {
            let reply = ask(server, &format!("/beta/$metadata{query}"), headers).await;
            match expected {
                Ok((media_type, start)) => {
                    assert_eq!(reply.status, StatusCode::OK, "{query} {headers:?}: {}", reply.text);
                    assert_eq!(reply.headers["content-type"], media_type, "{query} {headers:?}");
                    assert!(reply.text.contains(start), "{query} {headers:?}");
                }
                Err(status) => assert_eq!(reply.status.as_u16(), status, "{query} {headers:?}"),
            }
        }
    };
    let xml = Ok(("application/xml", "Version=\"4.01\">"));
    let json = Ok(("application/json", "{\"$Version\":\"4.01\","));
    check("", &[], xml).await;
    check("", &[("accept", "*/*")], xml).await;
    check("", &[("accept", "application/json")], json).await;
    check("?$format=json", &[], json).await;
    check("?$format=application/json;odata.metadata=full", &[], json).await;
    check("?format=XML", &[("accept", "application/json")], xml).await;
    check("?$format=application/xml", &[], xml).await;
    check("", &[("odata-maxversion", "4.0")], Ok(("application/xml", "Version=\"4.0\">"))).await;
    check("", &[("odata-maxversion", "4.01")], xml).await;
    check("?$format=json", &[("odata-maxversion", "4.0")], Err(406)).await;
    check("?$format=atom", &[], Err(406)).await;
    check("", &[("accept", "text/html")], Err(406)).await;
    check("?$top=1", &[], Err(400)).await;
    check("?$select=id", &[], Err(400)).await;
}

#[tokio::test]
async fn the_service_document_names_what_there_is() {
    let server = Fixture::new().await;
    let reply = ask(&server, "/beta/", &[]).await;
    assert_eq!(
        reply.json(),
        json!({
            "@odata.context": "http://tenantwatch.test:8080/beta/$metadata",
            "value": [
                {"name": "subscriptions", "kind": "EntitySet", "url": "subscriptions"},
                {"name": "security", "kind": "Singleton", "url": "security"},
            ]
        })
    );
    assert_eq!(ask(&server, "/beta?$format=xml", &[]).await.status, StatusCode::NOT_ACCEPTABLE);
    assert_eq!(ask(&server, "/beta", &[("accept", "text/html")]).await.status, StatusCode::NOT_ACCEPTABLE);
}

/// What the metadata says of filters and orders is what queries are let to do.
#[tokio::test]
async fn the_capabilities_are_true() {
    let server = Fixture::new().await;
    let metadata = ask(&server, "/beta/$metadata?$format=json", &[]).await.json();
    let target = "microsoft.graph.GraphService/security/partner/securityAlerts";
    let alerts = &metadata["microsoft.graph"]["$Annotations"][target];
    let listed = |term: &str, member: &str, name: &str| {
        alerts[format!("@Capabilities.{term}")][member].as_array().unwrap().iter().any(|path| path == name)
    };
    for property in store::alert_model().properties {
        let name = property.name;
        let filterable = !listed("FilterRestrictions", "NonFilterableProperties", name);
        let is_single =
            !matches!(property.ty, odata::model::Type::Complex(_) | odata::model::Type::Collection(_));
        if is_single {
            let reply = server.get(&format!("{LIST}?$filter={name}%20ne%20null")).await;
            assert_eq!(reply.status == StatusCode::OK, filterable, "{name}: {}", reply.text);
        }
        let sortable = !listed("SortRestrictions", "NonSortableProperties", name);
        let reply = server.get(&format!("{LIST}?$orderby={name}")).await;
        assert_eq!(reply.status == StatusCode::OK, sortable, "{name}: {}", reply.text);
    }
    let searchable = alerts["@Capabilities.SearchRestrictions"]["Searchable"].as_bool().unwrap();
    let reply = server.get(&format!("{LIST}?$search=word")).await;
    assert_eq!(reply.status == StatusCode::OK, searchable, "{}", reply.text);
}

/// Where the routes of the server crate lie, which the document describes too; a test there holds them against its router.
const ELSEWHERE: [&str; 5] = ["/health", "/metrics", "/demo/", "/ingest/", "/tenantwatch/"];

/// Other ways to write a path that the document has: each with the way that the document writes it.
const ALIASES: &[(&str, &str)] = &[
    ("/beta/", "/beta"),
    ("/beta/%24batch", "/beta/$batch"),
    ("/beta/%24metadata", "/beta/$metadata"),
    ("/beta/security/partner/securityAlerts/delta", "/beta/security/partner/securityAlerts/delta()"),
    (
        "/beta/security/partner/securityAlerts/microsoft.graph.delta",
        "/beta/security/partner/securityAlerts/delta()",
    ),
    (
        "/beta/security/partner/securityAlerts/microsoft.graph.delta()",
        "/beta/security/partner/securityAlerts/delta()",
    ),
    // The key in parentheses: `securityAlerts('id')`.
    ("/beta/security/partner/{keyed}", "/beta/security/partner/securityAlerts/{id}"),
];

/// The paths of the router. It names them nowhere but in its debug text.
fn served(server: &Fixture) -> BTreeSet<String> {
    let text = format!("{:?}", server.router);
    let named = text.split("RouteId(").filter_map(|piece| {
        let (_, rest) = piece.split_once("): \"")?;
        Some(rest.split_once('"')?.0.to_owned())
    });
    // What is left out is the fallback, and the routes that say that there is nothing.
    named.filter(|path| path != "/" && !path.contains("{*")).collect()
}

/// The methods that a path has, by what it answers to one that no path has.
async fn methods(server: &Fixture, path: &str) -> BTreeSet<String> {
    let concrete: Vec<&str> =
        path.split('/').map(|segment| if segment.starts_with('{') { "x" } else { segment }).collect();
    let token = server.token(PARTNER, READ_WRITE);
    let reply = server.call(Method::TRACE, &concrete.join("/"), Some(&token), None).await;
    assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED, "{path}: {}", reply.text);
    let allow = reply.headers["allow"].to_str().unwrap();
    allow.split(", ").filter(|method| *method != "HEAD").map(str::to_lowercase).collect()
}

#[tokio::test]
async fn the_openapi_document_has_every_route_and_no_other() {
    let server = Fixture::new().await;
    let document = ask(&server, "/beta/openapi.json", &[]).await.json();
    assert_eq!(document["servers"][0]["url"], "http://tenantwatch.test:8080");
    let described: BTreeSet<String> = document["paths"].as_object().unwrap().keys().cloned().collect();
    let served = served(&server);
    assert!(served.contains(LIST), "{served:?}");
    let alias = |path: &String| ALIASES.iter().any(|(alias, real)| alias == path && served.contains(*real));
    let real: BTreeSet<String> = served.iter().filter(|path| !alias(path)).cloned().collect();
    let is_elsewhere = |path: &String| ELSEWHERE.iter().any(|start| path.starts_with(start));
    let described: BTreeSet<String> = described.into_iter().filter(|path| !is_elsewhere(path)).collect();
    assert_eq!(described, real);
    for path in &real {
        let item = document["paths"][path].as_object().unwrap();
        let described: BTreeSet<String> = item.keys().cloned().collect();
        assert_eq!(described, methods(&server, path).await, "{path}");
    }
}
