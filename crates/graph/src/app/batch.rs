//! JSON batching: several requests in one body, and the order in which they may run.
//!
//! Graph's form (page "JSON batching"): at most twenty requests, each with an id, a method and an
//! address; `dependsOn` names requests that must have succeeded before. The Python SDK writes that
//! property as `depends_on`.

use std::collections::HashMap;

use serde_json::{Map, Value};

/// Most requests in one batch, as Graph has it.
pub const REQUESTS_MAX: usize = 20;

/// Why a batch cannot be run at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// The body has no list of requests.
    #[error("The body must be {{\"requests\": [...]}} with 1 to {REQUESTS_MAX} requests.")]
    NoRequests,
    /// There are more than Graph allows.
    #[error("A batch has at most {REQUESTS_MAX} requests; this one has {0}.")]
    TooMany(usize),
    /// The body has another property.
    #[error("The batch has no property '{0}'; there is only 'requests'.")]
    UnknownProperty(String),
    /// One request is malformed.
    #[error("requests[{index}]: {problem}.")]
    Malformed {
        /// Which one, from 0.
        index: usize,
        /// What is wrong and how to mend it.
        problem: String,
    },
    /// Requests wait for each other.
    #[error("The requests {0} wait for each other; no request may depend on itself.")]
    Circular(String),
}

/// A batch that can be run.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// The requests, in the order of the body.
    pub items: Vec<Item>,
}

/// One request of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// The caller's name for it.
    pub id: String,
    /// The method, in capitals.
    pub method: String,
    /// The address, as written.
    pub url: String,
    /// Headers, as written.
    pub headers: Vec<(String, String)>,
    /// The body: any JSON value; a string is base64url of bytes that are not JSON.
    pub body: Option<Value>,
    /// Places in [`Batch::items`] of the requests that must have succeeded before.
    pub depends_on: Vec<usize>,
}

impl Batch {
    /// Reads the body of a batch request.
    ///
    /// # Errors
    ///
    /// [`BatchError`], which names the request and what is wrong with it.
    pub fn parse(body: &Map<String, Value>) -> Result<Self, BatchError> {
        if let Some(other) = body.keys().find(|name| *name != "requests" && !name.contains('@')) {
            return Err(BatchError::UnknownProperty(other.clone()));
        }
        let Some(Value::Array(requests)) = body.get("requests") else { return Err(BatchError::NoRequests) };
        match requests.len() {
            0 => return Err(BatchError::NoRequests),
            count if count > REQUESTS_MAX => return Err(BatchError::TooMany(count)),
            _ => {}
        }
        let places = places(requests)?;
        let items = (requests.iter().enumerate())
            .map(|(index, request)| {
                item(request, &places).map_err(|problem| BatchError::Malformed { index, problem })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let batch = Self { items };
        batch.waves()?;
        Ok(batch)
    }

    /// The requests in groups: each group depends only on groups before it.
    ///
    /// # Errors
    ///
    /// [`BatchError::Circular`]; never for what [`Batch::parse`] gave.
    pub fn waves(&self) -> Result<Vec<Vec<usize>>, BatchError> {
        let mut waves: Vec<Vec<usize>> = Vec::new();
        let mut is_placed = vec![false; self.items.len()];
        while is_placed.contains(&false) {
            let ready = |index: &usize| {
                !is_placed[*index] && self.items[*index].depends_on.iter().all(|before| is_placed[*before])
            };
            let wave: Vec<usize> = (0..self.items.len()).filter(ready).collect();
            if wave.is_empty() {
                let waiting = (0..self.items.len()).filter(|index| !is_placed[*index]);
                let ids: Vec<String> = waiting.map(|index| format!("'{}'", self.items[index].id)).collect();
                return Err(BatchError::Circular(ids.join(", ")));
            }
            wave.iter().for_each(|index| is_placed[*index] = true);
            waves.push(wave);
        }
        Ok(waves)
    }
}

/// Where each id is; ids are compared without case, as Graph does.
fn places(requests: &[Value]) -> Result<HashMap<String, usize>, BatchError> {
    let mut places = HashMap::new();
    for (index, request) in requests.iter().enumerate() {
        let malformed = |problem: String| BatchError::Malformed { index, problem };
        let id = match request.get("id") {
            Some(Value::String(id)) if !id.is_empty() => id.to_lowercase(),
            _ => return Err(malformed("property 'id' must be a text that is not empty".to_owned())),
        };
        if let Some(first) = places.insert(id.clone(), index) {
            return Err(malformed(format!("id '{id}' is taken by requests[{first}]; each needs its own")));
        }
    }
    Ok(places)
}

fn item(request: &Value, places: &HashMap<String, usize>) -> Result<Item, String> {
    const KNOWN: [&str; 7] = ["id", "method", "url", "headers", "body", "dependsOn", "depends_on"];
    let Value::Object(request) = request else { return Err("it must be a JSON object".to_owned()) };
    if let Some(other) = request.keys().find(|name| !KNOWN.contains(&name.as_str()) && !name.contains('@')) {
        return Err(format!("property '{other}' is not supported; there are {}", KNOWN[..6].join(", ")));
    }
    let text = |name: &str| match request.get(name) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text.clone()),
        _ => Err(format!("property '{name}' must be a text that is not empty")),
    };
    let headers = headers(request.get("headers"))?;
    let body = request.get("body").filter(|body| !body.is_null()).cloned();
    let has_type = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    if body.is_some() && !has_type {
        return Err("a request with a body needs the header 'Content-Type'".to_owned());
    }
    Ok(Item {
        id: text("id")?,
        method: text("method")?.to_ascii_uppercase(),
        url: text("url")?,
        headers,
        body,
        depends_on: depends_on(request, places)?,
    })
}

fn headers(value: Option<&Value>) -> Result<Vec<(String, String)>, String> {
    let headers = match value {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Object(headers)) => headers,
        Some(_) => return Err("property 'headers' must be an object of texts".to_owned()),
    };
    let text = |(name, value): (&String, &Value)| match value {
        Value::String(text) => Ok((name.clone(), text.clone())),
        _ => Err(format!("header '{name}' must be a text")),
    };
    headers.iter().map(text).collect()
}

fn depends_on(request: &Map<String, Value>, places: &HashMap<String, usize>) -> Result<Vec<usize>, String> {
    let mut depends_on = Vec::new();
    for name in ["dependsOn", "depends_on"] {
        let ids = match request.get(name) {
            None | Some(Value::Null) => continue,
            Some(Value::Array(ids)) => ids,
            Some(_) => return Err(format!("property '{name}' must be a list of ids")),
        };
        for id in ids {
            let id = id.as_str().ok_or_else(|| format!("property '{name}' must be a list of ids"))?;
            let place = places
                .get(&id.to_lowercase())
                .ok_or_else(|| format!("property '{name}' names '{id}', which is not in the batch"))?;
            if !depends_on.contains(place) {
                depends_on.push(*place);
            }
        }
    }
    Ok(depends_on)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(body: Value) -> Result<Batch, String> {
        Batch::parse(body.as_object().unwrap()).map_err(|error| error.to_string())
    }

    fn get(id: &str, depends_on: Value) -> Value {
        json!({"id": id, "method": "get", "url": "/x", "dependsOn": depends_on})
    }

    #[test]
    fn requests_wait_for_those_they_depend_on() {
        let batch = parse(json!({"requests": [
            get("c", json!(["A", "b"])), get("a", json!([])), get("b", json!(["a"])), get("d", json!(null)),
        ]}))
        .unwrap();
        assert_eq!(batch.waves(), Ok(vec![vec![1, 3], vec![2], vec![0]]));
        assert_eq!(batch.items[0].method, "GET");
    }

    #[test]
    fn the_python_sdks_spelling_is_read_too() {
        let first = json!({"id": "1", "method": "GET", "url": "/x", "depends_on": []});
        let second = json!({"id": "2", "method": "GET", "url": "/x", "depends_on": ["1"]});
        assert_eq!(parse(json!({"requests": [first, second]})).unwrap().items[1].depends_on, [0]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let check = |body: Value, expected: &str| assert_eq!(parse(body).err().as_deref(), Some(expected));
        let empty = "The body must be {\"requests\": [...]} with 1 to 20 requests.";
        check(json!({}), empty);
        check(json!({"requests": []}), empty);
        check(json!({"requests": {}}), empty);
        check(json!({"request": []}), "The batch has no property 'request'; there is only 'requests'.");
        let many: Vec<Value> = (0..21).map(|n| get(&n.to_string(), json!([]))).collect();
        check(json!({"requests": many}), "A batch has at most 20 requests; this one has 21.");
        check(
            json!({"requests": [get("a", json!([])), get("A", json!([]))]}),
            "requests[1]: id 'a' is taken by requests[0]; each needs its own.",
        );
        check(
            json!({"requests": [get("a", json!(["z"]))]}),
            "requests[0]: property 'dependsOn' names 'z', which is not in the batch.",
        );
        check(
            json!({"requests": [get("a", json!(["b"])), get("b", json!(["a"])), get("c", json!([]))]}),
            "The requests 'a', 'b' wait for each other; no request may depend on itself.",
        );
        let one = |request: Value| json!({"requests": [request]});
        check(one(json!(7)), "requests[0]: property 'id' must be a text that is not empty.");
        check(
            one(json!({"id": "1", "url": "/x"})),
            "requests[0]: property 'method' must be a text that is not empty.",
        );
        check(
            one(json!({"id": "1", "method": "PATCH", "url": "/x", "body": {}})),
            "requests[0]: a request with a body needs the header 'Content-Type'.",
        );
        check(
            one(json!({"id": "1", "method": "GET", "url": "/x", "headers": {"a": 1}})),
            "requests[0]: header 'a' must be a text.",
        );
        check(
            one(json!({"id": "1", "method": "GET", "url": "/x", "atomicityGroup": "g"})),
            "requests[0]: property 'atomicityGroup' is not supported; there are id, method, url, headers, body, dependsOn.",
        );
    }
}
