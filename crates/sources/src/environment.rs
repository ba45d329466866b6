//! The environment's variables, read once at the edge, so that tests set their own.

use std::collections::BTreeMap;
use std::fmt;

use secrecy::SecretString;

use crate::SourceError;

/// Variables by name. `Debug` shows no values: some are secrets.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The variables of this process; those that are not UTF-8 are left out.
    #[must_use]
    pub fn of_process() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// The value of a variable; an empty one counts as not set.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The secret in a variable that the settings of `source` name.
    pub(crate) fn secret(&self, source: &str, variable: &str) -> Result<SecretString, SourceError> {
        self.get(variable).map(SecretString::from).ok_or_else(|| {
            SourceError::settings(
                source,
                format!("the environment variable {variable} is not set; it should hold a secret"),
            )
        })
    }

    /// The variables whose names start so, in order.
    pub(crate) fn with_prefix<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0
            .iter()
            .filter(move |(name, _)| name.starts_with(prefix))
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
