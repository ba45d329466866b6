//! Sealed texts: what a server gives a client to bring back, opaque and signed.
//!
//! Page tokens and delta tokens are sealed. A seal is a keyed hash (BLAKE3) over what the text is for,
//! for whom it is, and what it holds; so a text that was changed, or that another caller was given, does
//! not open. It hides nothing: base64 can be read by anyone.
//!
//! The form is base64url of a version byte, what is held, and the seal. The version is signed too, but
//! looked at first, so that a text of another version of this program is told from a forgery.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::{ErrorKind, QueryError, QueryOption};

/// The form of all sealed texts. Version 1 was not signed.
const VERSION: u8 = 2;

/// Bytes of a seal: 128 bits are out of reach of guessing.
const SEAL_BYTES: usize = 16;

/// The secret that seals are made with: 32 random bytes, the same on all servers of a service.
#[derive(Clone)]
pub struct TokenKey([u8; 32]);

impl TokenKey {
    /// A key of these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKey(***)")
    }
}

/// Who seals, and for whom.
#[derive(Debug, Clone, Copy)]
pub struct Seal<'a> {
    /// The secret.
    pub key: &'a TokenKey,
    /// Who may bring the text back: anything that tells callers apart whose texts must not be swapped,
    /// such as their scope.
    pub context: &'a [u8],
}

impl Seal<'_> {
    /// Seals what a text holds. `option` is the query option that brings it back.
    #[must_use]
    pub fn close(&self, option: QueryOption, held: &[u8]) -> String {
        let mut bytes = Vec::with_capacity(1 + held.len() + SEAL_BYTES);
        bytes.push(VERSION);
        bytes.extend(held);
        let seal = self.hash(option, &bytes);
        bytes.extend(&seal.as_bytes()[..SEAL_BYTES]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// What a sealed text holds, if it is genuine.
    ///
    /// # Errors
    /// The text is no sealed text, is of another version, is longer than `bytes_max`, or its seal is not
    /// this one.
    pub fn open(&self, option: QueryOption, text: &str, bytes_max: usize) -> Result<Vec<u8>, QueryError> {
        if text.len() > bytes_max {
            return Err(too_long(option, bytes_max));
        }
        let mut bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| not_a_token(option))?;
        match bytes.first() {
            Some(&VERSION) => {}
            Some(_) => return Err(malformed(option, "token of another version").with_hint(START_AGAIN)),
            None => return Err(not_a_token(option)),
        }
        let held_bytes = bytes.len().checked_sub(SEAL_BYTES).filter(|length| *length >= 1);
        let found = bytes.split_off(held_bytes.ok_or_else(|| not_a_token(option))?);
        let expected = self.hash(option, &bytes);
        // Comparing whole hashes takes the same time wherever they differ.
        let mut whole = *expected.as_bytes();
        whole[..SEAL_BYTES].copy_from_slice(&found);
        if blake3::Hash::from_bytes(whole) != expected {
            let error = malformed(option, "the token was changed, or was given to another caller");
            return Err(error.with_hint(START_AGAIN));
        }
        bytes.remove(0);
        Ok(bytes)
    }

    fn hash(&self, option: QueryOption, bytes: &[u8]) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.key.0);
        for part in [option.name().as_bytes(), self.context, bytes] {
            // The length keeps the end of one part from passing for the start of the next.
            hasher.update(&(part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        hasher.finalize()
    }
}

/// What to do with a token that is of no use.
pub(crate) const START_AGAIN: &str = "start again without it";

/// The text is not what was sealed for this.
pub(crate) fn not_a_token(option: QueryOption) -> QueryError {
    malformed(option, "not a token of this server").with_hint(START_AGAIN)
}

/// The text is longer than any that is given out.
pub(crate) fn too_long(option: QueryOption, bytes_max: usize) -> QueryError {
    QueryError::of_option(
        ErrorKind::OverLimit,
        option.name(),
        format!("a token of more than {bytes_max} bytes"),
    )
}

pub(crate) fn malformed(option: QueryOption, message: &str) -> QueryError {
    QueryError::of_option(ErrorKind::Malformed, option.name(), message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: TokenKey = TokenKey([7; 32]);

    fn seal(context: &'static [u8]) -> Seal<'static> {
        Seal { key: &KEY, context }
    }

    fn check(seal: &Seal<'_>, option: QueryOption, text: &str, expected: &str) {
        assert_eq!(seal.open(option, text, 100).unwrap_err().to_string(), expected, "{text}");
    }

    #[test]
    fn a_text_opens_for_whom_it_was_sealed() {
        let text = seal(b"a").close(QueryOption::SkipToken, b"held");
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'));
        assert_eq!(seal(b"a").open(QueryOption::SkipToken, &text, 100).unwrap(), b"held");
        assert_eq!(format!("{KEY:?}"), "TokenKey(***)");
    }

    #[test]
    fn another_key_context_or_purpose_does_not_open_it() {
        let text = seal(b"a").close(QueryOption::SkipToken, b"held");
        let forged =
            "$skiptoken: the token was changed, or was given to another caller; start again without it";
        check(&seal(b"b"), QueryOption::SkipToken, &text, forged);
        check(&Seal { key: &TokenKey([8; 32]), context: b"a" }, QueryOption::SkipToken, &text, forged);
        check(&seal(b"a"), QueryOption::DeltaToken, &text, &forged.replace("skip", "delta"));
        // Neither do bytes that move from one part to the next.
        assert_ne!(
            seal(b"a").close(QueryOption::SkipToken, b"b"),
            seal(b"ab").close(QueryOption::SkipToken, b"")
        );
    }

    #[test]
    fn every_change_is_found() {
        let text = seal(b"a").close(QueryOption::SkipToken, b"held");
        let bytes = URL_SAFE_NO_PAD.decode(&text).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let changed = URL_SAFE_NO_PAD.encode(changed);
            assert!(seal(b"a").open(QueryOption::SkipToken, &changed, 100).is_err(), "{bit}");
        }
        for length in 0..bytes.len() {
            let cut = URL_SAFE_NO_PAD.encode(&bytes[..length]);
            assert!(seal(b"a").open(QueryOption::SkipToken, &cut, 100).is_err(), "{length}");
        }
    }

    #[test]
    fn errors_tell_what_it_is() {
        let check = |text: &str, expected: &str| check(&seal(b"a"), QueryOption::SkipToken, text, expected);
        check("", "$skiptoken: not a token of this server; start again without it");
        check("not base64!", "$skiptoken: not a token of this server; start again without it");
        check("AgAA", "$skiptoken: not a token of this server; start again without it");
        check("AQAA", "$skiptoken: token of another version; start again without it");
        check(&"A".repeat(101), "$skiptoken: a token of more than 100 bytes");
    }
}
