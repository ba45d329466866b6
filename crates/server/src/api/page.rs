//! The console: files that Vite makes from `web/`, and that are part of the binary.

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use graph::ApiError;
use rust_embed::RustEmbed;

/// The page loads nothing from elsewhere, runs no inline code, and cannot be framed.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The kinds of file that have a hash in their names.
const HASHED: [&str; 3] = [".js", ".css", ".woff2"];

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../../web/dist"]
struct Files;

/// `GET /`
pub(crate) async fn index() -> Response {
    file("index.html")
}

/// `GET /assets/{path}`
pub(crate) async fn asset(Path(path): Path<String>) -> Response {
    file(&format!("assets/{path}"))
}

fn file(path: &str) -> Response {
    let Some(file) = Files::get(path) else {
        return ApiError::no_such_path(&format!("/{path}")).into_response();
    };
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type(path)));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching(path)));
    (headers, file.data).into_response()
}

/// How long a browser may keep a file. Vite writes a hash of the content into the names of scripts, styles and fonts,
/// so that such a file never changes; the page itself and its icon keep their names.
fn caching(path: &str) -> &'static str {
    if HASHED.iter().any(|extension| path.ends_with(extension)) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    }
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    }
}
