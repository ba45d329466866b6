//! Who called: from the claims of the token, or from what stands beside them.

use serde_json::value::RawValue;

use crate::json::envelope::Envelope;
use crate::json::loose::{Text, loose, read_or_empty, unfold};
use crate::resource::id_word;

loose! {
    /// `identity` of the export shape.
    struct Identity {
        claims: Option<&'a RawValue> = "claims",
        authorization: Option<&'a RawValue> = "authorization",
    }
}

loose! {
    /// Claims of the caller's token, by their long and short names.
    struct Claims {
        object_id: Text<'a> = "http://schemas.microsoft.com/identity/claims/objectidentifier" | "oid",
        app_id: Text<'a> = "appid" | "azp",
        tenant_id: Text<'a> = "http://schemas.microsoft.com/identity/claims/tenantid" | "tid",
        issuer: Text<'a> = "iss",
        auth_methods: Text<'a> = "http://schemas.microsoft.com/claims/authnmethodsreferences" | "amr",
        upn: Text<'a> = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn" | "upn",
        unique_name: Text<'a> = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name" | "unique_name",
        name: Text<'a> = "name",
    }
}

loose! {
    /// `authorization` of either shape.
    struct Authorization {
        evidence: Evidence<'a> = "evidence",
    }
}

loose! {
    /// Which principal's role allowed the call.
    struct Evidence {
        principal_id: Text<'a> = "principalid",
    }
}

/// The caller of an operation; ids in lower case.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Caller {
    /// UPN or object id, as the record says.
    pub(crate) name: Option<String>,
    /// Object id; the name if the record has none.
    pub(crate) id: Option<String>,
    pub(crate) app_id: Option<String>,
    pub(crate) tenant_id: Option<String>,
    pub(crate) auth_methods: Option<String>,
}

impl Caller {
    pub(crate) fn read(record: &Envelope<'_>) -> Self {
        let identity_text = record.identity.map(|raw| unfold(raw.get())).unwrap_or_default();
        let identity: Identity<'_> = read_or_empty(&identity_text);
        let claims_text = record
            .claims_d
            .or(record.claims)
            .or(identity.claims)
            .map(|raw| unfold(raw.get()))
            .unwrap_or_default();
        let claims: Claims<'_> = read_or_empty(&claims_text);
        let authorization = record.authorization_d.or(record.authorization).or(identity.authorization);
        let authorization_text = authorization.map(|raw| unfold(raw.get())).unwrap_or_default();
        let authorization: Authorization<'_> = read_or_empty(&authorization_text);

        // `identity` may be a bare display name.
        let is_name = !identity_text.starts_with(['{', '[']) && !matches!(&*identity_text, "" | "null");
        let bare_name = Some(&*identity_text).filter(|_| is_name);
        let object_id = claims.object_id.get().or(authorization.evidence.principal_id.get());
        let name = record
            .caller
            .get()
            .or(claims.upn.get())
            .or(claims.unique_name.get())
            .or(claims.name.get().filter(|name| name.contains('@')))
            .or(bare_name)
            .or(object_id)
            .or(claims.app_id.get());
        let tenant = claims.tenant_id.get().or_else(|| claims.issuer.get().and_then(tenant_of_issuer));
        Self {
            name: name.map(str::to_lowercase),
            id: object_id.or(name).map(str::to_lowercase),
            app_id: claims.app_id.get().map(str::to_lowercase),
            tenant_id: tenant.and_then(id_word).map(str::to_lowercase),
            auth_methods: claims.auth_methods.get().map(str::to_lowercase),
        }
    }
}

/// The tenant in `https://sts.windows.net/<tenant>/` or `https://login.microsoftonline.com/<tenant>/v2.0`.
fn tenant_of_issuer(issuer: &str) -> Option<&str> {
    let (_, rest) = issuer.split_once("://")?;
    rest.split('/').nth(1).filter(|tenant| !tenant.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(json: &str) -> Caller {
        Caller::read(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn claims_name_the_caller() {
        let claims = r#"{"http://schemas.microsoft.com/identity/claims/objectidentifier":"O-1","appid":"A-1","iss":"https://sts.windows.net/T-1/","http://schemas.microsoft.com/claims/authnmethodsreferences":"pwd,mfa","http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn":"Ann@x.example"}"#;
        let expected = Caller {
            name: Some("ann@x.example".into()),
            id: Some("o-1".into()),
            app_id: Some("a-1".into()),
            tenant_id: Some("t-1".into()),
            auth_methods: Some("pwd,mfa".into()),
        };
        assert_eq!(caller(&format!(r#"{{"identity":{{"claims":{claims}}}}}"#)), expected);
        assert_eq!(caller(&format!(r#"{{"caller":"ANN@x.example","claims":{claims}}}"#)), expected);
        let as_text = serde_json::to_string(&format!(r#"{{"claims":{claims}}}"#)).unwrap();
        assert_eq!(caller(&format!(r#"{{"identity":{as_text}}}"#)), expected, "JSON text in a string");
    }

    #[test]
    fn other_callers() {
        let check = |json: &str, name: Option<&str>, id: Option<&str>| {
            let caller = caller(json);
            assert_eq!((caller.name.as_deref(), caller.id.as_deref()), (name, id), "{json}");
        };
        check(r#"{"identity":"Ju Cho"}"#, Some("ju cho"), Some("ju cho"));
        check(
            r#"{"identity":{"authorization":{"evidence":{"principalId":"P-1"}}}}"#,
            Some("p-1"),
            Some("p-1"),
        );
        check(r#"{"identity":{"claims":{"appid":"A-1"}}}"#, Some("a-1"), Some("a-1"));
        check(r#"{"identity":null}"#, None, None);
        check(r#"{"identity":[1]}"#, None, None);
        check("{}", None, None);
    }
}
