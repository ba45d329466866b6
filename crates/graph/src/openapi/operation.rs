//! One operation of the document, put together from its parts.

use axum::http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::errors::{self, Manners};
use super::parts;
use crate::error::Kind;

/// What one method does with one path.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    pub(super) method: Method,
    /// With parameters in braces.
    pub(super) path: &'static str,
    id: &'static str,
    tag: &'static str,
    summary: &'static str,
    description: String,
    parameters: Vec<Value>,
    body: Option<Value>,
    responses: Map<String, Value>,
    is_open: bool,
}

impl Operation {
    pub(super) fn new(
        method: Method,
        path: &'static str,
        id: &'static str,
        tag: &'static str,
        summary: &'static str,
    ) -> Self {
        Self {
            method,
            path,
            id,
            tag,
            summary,
            description: String::new(),
            parameters: Vec::new(),
            body: None,
            responses: errors::too_long().collect(),
            is_open: false,
        }
        .fails(&[Kind::BadRequest, Kind::Internal])
    }

    pub(super) fn get(
        path: &'static str,
        id: &'static str,
        tag: &'static str,
        summary: &'static str,
    ) -> Self {
        Self::new(Method::GET, path, id, tag, summary)
    }

    /// What the caller must hold; and the errors that come of not holding it.
    pub(super) fn needs(mut self, permissions: &[&str]) -> Self {
        self.description.push_str(&format!(" Needs {}.", permissions.join(" or ")));
        self.fails(&errors::errors_of_protected())
    }

    /// Anybody may call it.
    pub(super) fn open_to_all(mut self) -> Self {
        self.is_open = true;
        self
    }

    pub(super) fn describe(mut self, text: &str) -> Self {
        self.description.insert_str(0, text);
        self
    }

    /// Adds parameters by the names that they have among the components.
    pub(super) fn takes(mut self, names: &[&str]) -> Self {
        let references = names.iter().map(|name| json!({"$ref": format!("#/components/parameters/{name}")}));
        self.parameters.extend(references);
        self
    }

    /// Adds a parameter that only this operation has.
    pub(super) fn parameter(mut self, parameter: Value) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// The body: a schema and a named example.
    pub(super) fn body(mut self, schema: Value, example: Value) -> Self {
        self.body = Some(json!({
            "required": true,
            "content": {"application/json": {"schema": schema, "examples": {"example": {"value": example}}}},
        }));
        self.fails(&[Kind::TooLarge, Kind::UnsupportedMediaType])
    }

    /// A reply with a body of one media type.
    pub(super) fn gives(
        self,
        status: StatusCode,
        description: &str,
        media_type: &str,
        schema: Value,
        example: Value,
    ) -> Self {
        let content = json!({media_type: {"schema": schema, "examples": {"example": {"value": example}}}});
        self.response(status, json!({"description": description, "content": content}))
    }

    /// A reply with a JSON body.
    pub(super) fn gives_json(
        self,
        status: StatusCode,
        description: &str,
        schema: Value,
        example: Value,
    ) -> Self {
        self.gives(status, description, "application/json", schema, example)
    }

    /// A reply without a body.
    pub(super) fn gives_nothing(self, status: StatusCode, description: &str) -> Self {
        self.response(status, json!({"description": description}))
    }

    /// The reply comes in another form as well.
    pub(super) fn also_as(mut self, status: StatusCode, media_type: &str, schema: Value) -> Self {
        if let Some(response) = self.responses.get_mut(status.as_str()) {
            response["content"][media_type] = json!({"schema": schema});
        }
        self
    }

    fn response(mut self, status: StatusCode, mut response: Value) -> Self {
        response["headers"] = parts::reply_headers(Manners::of(self.path));
        self.responses.insert(status.as_str().to_owned(), response);
        self
    }

    /// Adds a header to the successful replies.
    pub(super) fn with_header(mut self, name: &str) -> Self {
        for response in self.responses.values_mut().filter(|response| response.get("headers").is_some()) {
            response["headers"][name] = parts::header(name);
        }
        self
    }

    pub(super) fn fails(mut self, kinds: &[Kind]) -> Self {
        for kind in kinds {
            let (status, reference) = errors::error_response(kind, Manners::of(self.path));
            self.responses.insert(status, reference);
        }
        self
    }

    pub(super) fn to_json(&self) -> Value {
        let mut responses: Vec<_> = self.responses.clone().into_iter().collect();
        responses.sort_by(|(one, _), (other, _)| one.cmp(other));
        let mut json = json!({
            "operationId": self.id,
            "tags": [self.tag],
            "summary": self.summary,
            "description": if self.description.is_empty() { self.summary } else { self.description.trim() },
        });
        if self.is_open {
            json["security"] = json!([]);
        }
        if !self.parameters.is_empty() {
            json["parameters"] = self.parameters.clone().into();
        }
        if let Some(body) = &self.body {
            json["requestBody"] = body.clone();
        }
        json["responses"] = Map::from_iter(responses).into();
        json
    }
}
