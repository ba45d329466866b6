//! The OpenAPI document has every route of the server, each with its methods; and none of them but the few that are open
//! answers without a token.

use std::collections::BTreeSet;

use graph::auth::READ_WRITE;
use serde_json::json;

use super::*;

/// Where the routes of the Graph surface lie; a test of its crate holds those against the document.
const OF_GRAPH: [&str; 3] = ["/beta", "/v1/", "/webhooks/"];

/// What describes itself: the page, whose files the wildcards below have.
const PAGE: &str = "/";

/// What answers without a token, or looks at one itself.
const OPEN: [&str; 2] = ["/health", "/demo/token"];

/// The paths of the router that are not Graph's. It names them nowhere but in its debug text.
fn served(server: &Fixture) -> BTreeSet<String> {
    let text = format!("{:?}", server.router);
    let named = text.split("RouteId(").filter_map(|piece| {
        let (_, rest) = piece.split_once("): \"")?;
        Some(rest.split_once('"')?.0.to_owned())
    });
    let own = |path: &String| {
        path != PAGE && !path.contains("{*") && !OF_GRAPH.iter().any(|start| path.starts_with(start))
    };
    named.filter(own).collect()
}

fn concrete(path: &str) -> String {
    let segments = path.split('/').map(|segment| match segment {
        // What is no kind is told before who sends it.
        "{kind}" => "any",
        segment if segment.starts_with('{') => "x",
        segment => segment,
    });
    segments.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn the_openapi_document_has_every_route_of_the_server() {
    let server = Fixture::new(true).await;
    let document = server.get(HOST, "/beta/openapi.json", None).await.json();
    let paths = document["paths"].as_object().unwrap();
    let is_own = |path: &&String| !OF_GRAPH.iter().any(|start| path.starts_with(start));
    let described: BTreeSet<String> = paths.keys().filter(is_own).cloned().collect();
    let served = served(&server);
    assert!(served.contains("/tenantwatch/v1/detectors/{id}/replay"), "{served:?}");
    assert_eq!(described, served);
    let token = server.token(READ_WRITE);
    for path in &served {
        let reply = server.send("TRACE", &concrete(path), &token, &json!({})).await;
        assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED, "{path}: {}", reply.text);
        let allow = reply.headers["allow"].to_str().unwrap();
        let methods: BTreeSet<String> =
            allow.split(", ").filter(|method| *method != "HEAD").map(str::to_lowercase).collect();
        let described: BTreeSet<String> = paths[path].as_object().unwrap().keys().cloned().collect();
        assert_eq!(described, methods, "{path}");
    }
}

#[tokio::test]
async fn no_route_of_the_server_but_the_open_ones_answers_without_a_token() {
    let server = Fixture::new(true).await;
    let document = server.get(HOST, "/beta/openapi.json", None).await.json();
    for path in served(&server) {
        for method in document["paths"][&path].as_object().unwrap().keys() {
            let request = Request::builder()
                .method(method.to_uppercase().as_str())
                .uri(concrete(&path))
                .header("host", HOST)
                .header("content-type", "application/json");
            let reply = server.reply(request.body(Body::from("{}")).unwrap()).await;
            let expected =
                if OPEN.contains(&path.as_str()) { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
            assert_eq!(reply.status, expected, "{method} {path}: {}", reply.text);
        }
    }
}
