//! Delta tokens: since when changes are asked for, as an opaque, signed text.
//!
//! Graph's delta links do not repeat the options of the first request, so the token holds them. It
//! holds no fingerprint: the options in it are the query.

use chrono::{DateTime, Utc};

use crate::error::{QueryError, QueryOption};
use crate::limits::Limits;
use crate::page_token::Reader;
use crate::seal::{Seal, not_a_token, too_long};

const OPTION: QueryOption = QueryOption::DeltaToken;

/// What a delta token holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeltaToken {
    /// Up to where the caller has seen the changes, and up to where a round in progress goes. What the
    /// numbers mean is for the giver to say.
    pub position: (i64, i64),
    /// The query string of the first request, with the options that hold for all rounds.
    pub query: String,
    /// When it was given, for those that expire; in seconds, what is finer is cut off.
    pub issued_at: DateTime<Utc>,
}

impl DeltaToken {
    /// The text of the token.
    ///
    /// # Errors
    /// It would be longer than [`Limits::token_bytes`], so that it would be refused later.
    pub fn encode(&self, seal: &Seal<'_>, limits: &Limits) -> Result<String, QueryError> {
        let mut held = Vec::with_capacity(24 + self.query.len());
        held.extend(self.position.0.to_be_bytes());
        held.extend(self.position.1.to_be_bytes());
        held.extend(self.issued_at.timestamp().to_be_bytes());
        held.extend(self.query.as_bytes());
        let token = seal.close(OPTION, &held);
        if token.len() > limits.token_bytes { Err(too_long(OPTION, limits.token_bytes)) } else { Ok(token) }
    }

    /// Reads the text of a token.
    ///
    /// # Errors
    /// As [`Seal::open`].
    pub fn decode(text: &str, seal: &Seal<'_>, limits: &Limits) -> Result<Self, QueryError> {
        let held = seal.open(OPTION, text, limits.token_bytes)?;
        let mut reader = Reader { rest: &held };
        let mut read = || {
            let position = (i64::from_be_bytes(reader.array()?), i64::from_be_bytes(reader.array()?));
            let issued_at = DateTime::from_timestamp(i64::from_be_bytes(reader.array()?), 0)?;
            let query = String::from_utf8(reader.rest.to_vec()).ok()?;
            Some(Self { position, query, issued_at })
        };
        read().ok_or_else(|| not_a_token(OPTION))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::TokenKey;

    #[test]
    fn a_token_reads_back() {
        let key = TokenKey::new([3; 32]);
        let seal = Seal { key: &key, context: b"partner" };
        let limits = Limits::default();
        let token = DeltaToken {
            position: (i64::MIN, 7),
            query: "$filter=severity eq 'high'&$select=id,größe".to_owned(),
            issued_at: DateTime::from_timestamp(1_900_000_000, 0).unwrap(),
        };
        let text = token.encode(&seal, &limits).unwrap();
        assert_eq!(DeltaToken::decode(&text, &seal, &limits), Ok(token.clone()));
        let other = Seal { key: &key, context: b"other" };
        assert!(DeltaToken::decode(&text, &other, &limits).is_err());

        let short = seal.close(OPTION, &[0; 23]);
        assert_eq!(
            DeltaToken::decode(&short, &seal, &limits).unwrap_err().to_string(),
            "$deltatoken: not a token of this server; start again without it"
        );
        let long = DeltaToken { query: "x".repeat(limits.token_bytes), ..token };
        assert_eq!(
            long.encode(&seal, &limits).unwrap_err().to_string(),
            "$deltatoken: a token of more than 16384 bytes"
        );
    }
}
