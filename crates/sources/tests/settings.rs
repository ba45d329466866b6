//! The `[[sources]]` of a settings file.
#![allow(clippy::unwrap_used, reason = "tests; clippy excuses only the bodies of test functions")]

use sources::{Environment, Limits, SourceSettings, open};

/// What is said of settings, with the variables `SET` and `SAS` holding values.
fn check(settings: &str) -> Result<(), String> {
    let settings: SourceSettings = toml::from_str(settings).map_err(|error| error.message().to_owned())?;
    let variables = [("SET", "a2V5"), ("SAS", "?sv=2031-01-01&sig=a2V5%3D")];
    let env: Environment =
        variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
    open(&settings, &env, Limits::default()).map(drop).map_err(|error| error.to_string())
}

#[test]
fn what_can_be_used_is_opened() {
    let good = [
        "type = 'folder'\nname = 'a'\npath = '/srv/exports'\npoll_every = '5s'\nsettle = '1m'",
        "type = 'azure_blob'\nname = 'a'\naccount = 'b'\ncontainer = 'c'\naccount_key_env = 'SET'\nlookback = '6h'",
        "type = 'azure_blob'\nname = 'a'\naccount = 'b'\ncontainer = 'c'\nsas_token_env = 'SAS'\nsince = '2031-02-01T00:00:00Z'",
        "type = 'azure_blob'\nname = 'a'\naccount = 'b'\ncontainer = 'c'\ntenant_id = 't'\nclient_id = 'c'\nclient_secret_env = 'SET'",
        "type = 's3'\nname = 'a'\nbucket = 'b'\nregion = 'eu-north-1'\naccess_key_id_env = 'SET'\nsecret_access_key_env = 'SET'",
        "type = 'event_hubs'\nname = 'a'\nbootstrap = ['localhost:9092']\ntopics = ['t']\nauth = 'none'\ntls = false",
    ];
    for settings in good {
        assert_eq!(check(settings), Ok(()), "{settings}");
    }
}

#[test]
fn what_cannot_is_refused_by_name() {
    let hub = "type = 'event_hubs'\nname = 'a'\n";
    let blob = "type = 'azure_blob'\nname = 'a'\naccount = 'b'\ncontainer = 'c'\n";
    let bad = [
        ("type = 'ftp'\nname = 'a'".to_owned(), "unknown variant `ftp`"),
        ("type = 'folder'\nname = 'a'".to_owned(), "missing field `path`"),
        ("type = 'folder'\nname = ' '\npath = '/x'".to_owned(), "the name is empty"),
        ("type = 'folder'\nname = 'a'\npath = '/x'\nevery = '2s'".to_owned(), "unknown field `every`"),
        (
            "type = 'folder'\nname = 'a'\npath = '/x'\nsettle = 'soon'".to_owned(),
            "'soon' is no length of time such as",
        ),
        (format!("{blob}account_key = 'secret'"), "unknown field `account_key`"),
        (format!("{blob}account_key_env = 'UNSET'"), "the environment variable UNSET is not set"),
        (format!("{blob}account_key_env = 'SET'\nsas_token_env = 'SET'"), "give one of account_key_env"),
        (format!("{blob}client_secret_env = 'SET'"), "needs tenant_id and client_id beside it"),
        (format!("{blob}tenant_id = 't'"), "need client_secret_env beside them"),
        (format!("{blob}account_key_env = 'SET'\nlookback = '3years'"), "longer than a year"),
        ("type = 's3'\nname = 'a'\nbucket = 'b'\naccess_key_id_env = 'SET'".to_owned(), "together"),
        (format!("{hub}bootstrap = []\ntopics = ['t']\nauth = 'none'"), "must each name one at least"),
        (format!("{hub}bootstrap = ['contoso']\ntopics = ['t']\nauth = 'none'"), "is no host:port"),
        (
            format!(
                "{hub}bootstrap = ['kafka.contoso.example:9092']\ntopics = ['t']\nauth = 'none'\ntls = false"
            ),
            "for brokers on this machine only",
        ),
        (
            format!("{hub}bootstrap = ['localhost:9093']\ntopics = ['t']\nauth = 'connection_string'"),
            "needs connection_string_env",
        ),
        (
            format!(
                "{hub}bootstrap = ['localhost:9093']\ntopics = ['t']\nauth = 'connection_string'\nconnection_string_env = 'SET'"
            ),
            "SET holds no connection string",
        ),
        (format!("{hub}bootstrap = ['localhost:9093']\ntopics = ['t']\nauth = 'entra'"), "AZURE_TENANT_ID"),
        (
            format!(
                "{hub}bootstrap = ['localhost:9093']\ntopics = ['t']\nauth = 'none'\nca_file = '/nowhere.pem'"
            ),
            "ca_file /nowhere.pem cannot be read",
        ),
    ];
    for (settings, expected) in bad {
        let said = check(&settings).expect_err(&settings);
        assert!(said.contains(expected), "{settings}\n  said: {said}");
        assert!(!said.contains("a2V5"), "a secret is shown: {said}");
    }
}

#[test]
fn the_environment_shows_names_only() {
    let env: Environment = [("SET".to_owned(), "a2V5".to_owned())].into_iter().collect();
    assert_eq!(format!("{env:?}"), "{\"SET\"}");
}
