//! Errors of object stores, in words that say what to do.

use object_store::Error;
use object_store::path::Path;

use crate::SourceError;
use crate::error::{Cause, with_causes};

/// A container, as people call it.
#[derive(Debug, Clone)]
pub(super) struct Place(pub(super) String);

impl Place {
    /// The name of an object for people.
    pub(super) fn name_of(&self, key: &str) -> String {
        format!("{}: {key}", self.0)
    }

    /// A folder as the store wants it.
    pub(super) fn path(&self, folder: &str) -> Result<Path, SourceError> {
        Path::parse(folder).map_err(|error| self.error(Error::InvalidPath { source: error }))
    }

    /// What went wrong with the container.
    pub(super) fn error(&self, error: Error) -> SourceError {
        translate(self.0.clone(), error)
    }

    /// What went wrong with one object.
    pub(super) fn object_error(&self, key: &str, error: Error) -> SourceError {
        translate(self.name_of(key), error)
    }
}

const CLOCK: &str =
    "the clock of this machine differs too much from the store's; set it, for example with NTP";
const KEY: &str = "the credentials are not accepted: look whether the key, token or secret is right, complete and not expired";
/// What stores say of credentials that they do not know or cannot check.
const KEY_SAID: [&str; 5] = [
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "AuthenticationFailed",
    "InvalidAuthenticationInfo",
    "failed to authenticate the request",
];
const MISSING: &str = "create it, or correct the account, container or bucket in the settings";
const RIGHTS: &str = "the credentials lack the right to list and read here: give them 'Storage Blob Data Reader' (Azure) or \
                      s3:ListBucket and s3:GetObject (S3), and look at the store's firewall";

fn translate(place: String, error: Error) -> SourceError {
    let said = with_causes(&error);
    let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
    let refused = |mend: &str, error: Error| SourceError::Refused {
        place: place.clone(),
        mend: mend.to_owned(),
        cause: Cause::from(error),
    };
    if has(&["Request date header too old", "RequestTimeTooSkewed"]) {
        return refused(CLOCK, error);
    }
    if has(&KEY_SAID) {
        return refused(KEY, error);
    }
    match error {
        Error::Generic { .. } if has(&["BlobArchived", "InvalidObjectState"]) => {
            refused("it is archived; bring it back to an online tier", error)
        }
        Error::Unauthenticated { .. } => refused(KEY, error),
        Error::PermissionDenied { .. } => refused(RIGHTS, error),
        Error::NotFound { .. } => SourceError::Missing { place, mend: MISSING.to_owned() },
        // When listing, the library gives the status as text only.
        Error::Generic { .. } if has(&["status code: 404"]) => {
            SourceError::Missing { place, mend: MISSING.to_owned() }
        }
        Error::Generic { .. } if has(&["status code: 401"]) => refused(KEY, error),
        Error::Generic { .. } if has(&["status code: 403"]) => refused(RIGHTS, error),
        Error::InvalidPath { .. } => refused(
            "a name in it has an empty part ('//') or a dot part, which cannot be read; rename it",
            error,
        ),
        // No answer, or an answer that makes no sense: the network's fault more often than not.
        error => {
            let mend =
                "look whether its name resolves and the network and proxy let us through; it is tried again";
            SourceError::unavailable(place, mend, error)
        }
    }
}
