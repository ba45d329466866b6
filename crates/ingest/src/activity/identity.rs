//! Who called: from the claims of the token, or from what stands beside them.
//!
//! A token is issued by the tenant in which it is used. For guests and delegated administrators, who come from
//! another, the claim `identityprovider` names the tenant that they signed in to; for applications it is the
//! tenant of the service principal, not of the publisher. A role that was given to a group of another tenant
//! (`ForeignGroup`), as a partner's delegated administrators have it, shows that the caller is not of the tenant
//! that issued the token, even where nothing tells of which; then the caller's tenant is left open.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::json::envelope::Envelope;
use crate::json::loose::{Nested, Text, loose, read_or_empty, unfold};
use crate::resource::{id_word, is_guid};

loose! {
    /// `identity` of the export shape.
    struct Identity {
        claims: Nested<'a, Claims<'a>> = "claims",
        authorization: Nested<'a, Authorization<'a>> = "authorization",
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
        identity_provider: Text<'a> = "http://schemas.microsoft.com/identity/claims/identityprovider" | "idp",
        // What a user allowed the application to do; tokens of applications alone have none.
        scope: Text<'a> = "http://schemas.microsoft.com/identity/claims/scope" | "scp",
        token_type: Text<'a> = "idtyp",
        // Path of the resource whose managed identity it is.
        managed_identity: Text<'a> = "xms_mirid",
        // How the application proved itself: 0 not at all, 1 with a secret, 2 with a certificate.
        client_proof: Text<'a> = "appidacr" | "azpacr",
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
        principal_type: Text<'a> = "principaltype",
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
    /// `user`, `application` or `managed_identity`.
    pub(crate) kind: Option<&'static str>,
    /// The tenant that the caller signed in to.
    pub(crate) tenant_id: Option<String>,
    /// The caller has an account of another service, which is of no tenant, such as a mail address.
    pub(crate) is_of_no_tenant: bool,
    pub(crate) auth_methods: Option<String>,
}

impl Caller {
    pub(crate) fn read(record: &Envelope<'_>) -> Self {
        let identity_text = record.identity.text();
        let of_text: Identity<'_> = read_or_empty(&identity_text);
        let identity = object(&record.identity, &of_text);
        let claims_text = text(record.claims_d.or(record.claims), &identity.claims);
        let of_text: Claims<'_> = read_or_empty(&claims_text);
        let claims = if claims_text.is_empty() { object(&identity.claims, &of_text) } else { &of_text };
        let authorization_text =
            text(record.authorization_d.or(record.authorization), &identity.authorization);
        let of_text: Authorization<'_> = read_or_empty(&authorization_text);
        let authorization =
            if authorization_text.is_empty() { object(&identity.authorization, &of_text) } else { &of_text };

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
        let home = claims.identity_provider.get();
        let issuer = claims.tenant_id.get().or_else(|| claims.issuer.get().and_then(tenant_of_issuer));
        let evidence = authorization.evidence.principal_type.get();
        let has_foreign_role = evidence.is_some_and(|kind| kind.eq_ignore_ascii_case("ForeignGroup"));
        let tenant = match home {
            Some("live.com") => Some(PERSONAL_ACCOUNTS),
            Some(home) => tenant_of_issuer(home),
            None => issuer.filter(|_| !has_foreign_role),
        };
        Self {
            name: name.map(str::to_lowercase),
            id: object_id.or(name).map(str::to_lowercase),
            app_id: claims.app_id.get().map(str::to_lowercase),
            kind: kind(record, claims, evidence),
            is_of_no_tenant: home.is_some() && tenant.is_none(),
            tenant_id: tenant.and_then(id_word).map(str::to_lowercase),
            auth_methods: claims.auth_methods.get().map(str::to_lowercase),
        }
    }
}

impl Caller {
    /// Whose the caller is: `partner`, `customer`, `foreign`; `None` if that cannot be told from the record. Whoever
    /// knows more customers, and which tenants are resellers, may tell more by [`Self::tenant_id`].
    pub(crate) fn origin(&self, customer: Option<&str>, partner: &str) -> Option<&'static str> {
        let is = |other: &str| self.tenant_id.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(other));
        if is(partner) {
            return Some("partner");
        }
        match customer {
            Some(customer) if is(customer) => Some("customer"),
            Some(_) if self.tenant_id.is_some() => Some("foreign"),
            _ => self.is_of_no_tenant.then_some("foreign"),
        }
    }
}

/// The object that was read in place, or what was read of the text in its stead.
fn object<'n, T>(nested: &'n Nested<'_, T>, of_text: &'n T) -> &'n T {
    match nested {
        Nested::Object(object) => object,
        Nested::Text(_) => of_text,
    }
}

/// A member beside `identity`, or else the text of the one in it; empty if that one is an object.
fn text<'n, T>(beside: Option<&'n RawValue>, within: &'n Nested<'_, T>) -> Cow<'n, str> {
    beside.map_or_else(|| within.text(), |raw| unfold(raw.get()))
}

/// The tenant that all personal Microsoft accounts are in.
const PERSONAL_ACCOUNTS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// What kind of principal it is. A role may be given to a group, which tells nothing.
fn kind(record: &Envelope<'_>, claims: &Claims<'_>, evidence: Option<&str>) -> Option<&'static str> {
    let told = |text: Option<&str>, word: &str| text.is_some_and(|text| text.eq_ignore_ascii_case(word));
    let is_account = |name: Option<&str>| name.is_some_and(|name| name.contains('@'));
    let token_type = claims.token_type.get();
    if claims.managed_identity.get().is_some() {
        return Some("managed_identity");
    }
    if told(token_type, "app") {
        return Some("application");
    }
    let names_user = claims.upn.get().or(claims.scope.get()).is_some()
        || [claims.unique_name.get(), claims.name.get(), record.caller.get()].into_iter().any(is_account);
    if told(token_type, "user") || names_user || told(evidence, "User") {
        return Some("user");
    }
    let has_proof = matches!(claims.client_proof.get(), Some("1" | "2"));
    let is_object = record.caller.get().is_some_and(is_guid);
    (told(evidence, "ServicePrincipal") || has_proof || is_object).then_some("application")
}

/// The tenant in `https://sts.windows.net/<tenant>/` or `https://login.microsoftonline.com/<tenant>/v2.0`.
fn tenant_of_issuer(issuer: &str) -> Option<&str> {
    let (_, rest) = issuer.split_once(':')?;
    rest.strip_prefix("//")?.split('/').nth(1).filter(|tenant| !tenant.is_empty())
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
            kind: Some("user"),
            tenant_id: Some("t-1".into()),
            is_of_no_tenant: false,
            auth_methods: Some("pwd,mfa".into()),
        };
        assert_eq!(caller(&format!(r#"{{"identity":{{"claims":{claims}}}}}"#)), expected);
        assert_eq!(caller(&format!(r#"{{"caller":"ANN@x.example","claims":{claims}}}"#)), expected);
        let as_text = serde_json::to_string(&format!(r#"{{"claims":{claims}}}"#)).unwrap();
        assert_eq!(caller(&format!(r#"{{"identity":{as_text}}}"#)), expected, "JSON text in a string");
    }

    #[test]
    fn kinds_of_caller() {
        let check = |json: &str, kind: Option<&str>| assert_eq!(caller(json).kind, kind, "{json}");
        check(r#"{"claims":{"idtyp":"app","xms_mirid":"/subscriptions/s"}}"#, Some("managed_identity"));
        check(r#"{"claims":{"idtyp":"app","appidacr":"2"}}"#, Some("application"));
        check(r#"{"claims":{"appid":"a","appidacr":"1"}}"#, Some("application"));
        check(r#"{"claims":{"appid":"a","appidacr":"1","scp":"user_impersonation"}}"#, Some("user"));
        check(r#"{"claims":{"idtyp":"user","appidacr":"0"}}"#, Some("user"));
        check(r#"{"claims":{"appid":"a","appidacr":"0"}}"#, None);
        check(r#"{"caller":"ann@x.example"}"#, Some("user"));
        check(r#"{"caller":"0f0e0d0c-0000-4000-8000-000000000001"}"#, Some("application"));
        check(r#"{"caller":"Microsoft.Insights"}"#, None);
        check(r#"{"authorization":{"evidence":{"principalType":"ServicePrincipal"}}}"#, Some("application"));
        check(r#"{"authorization":{"evidence":{"principalType":"User"}}}"#, Some("user"));
        check(r#"{"authorization":{"evidence":{"principalType":"Group"}}}"#, None);
        check("{}", None);
    }

    #[test]
    fn origins_of_caller() {
        let check = |claims: &str, evidence: &str, tenant: Option<&str>, origin: Option<&str>| {
            let json = format!(
                r#"{{"claims":{{{claims}}},"authorization":{{"evidence":{{"principalType":"{evidence}"}}}}}}"#
            );
            let caller = caller(&json);
            assert_eq!(
                (caller.tenant_id.as_deref(), caller.origin(Some("cust"), "PART")),
                (tenant, origin),
                "{json}"
            );
        };
        let token = r#""iss":"https://sts.windows.net/cust/""#;
        let home = |tenant: &str| format!(r#"{token},"idp":"https://sts.windows.net/{tenant}/""#);
        check(token, "User", Some("cust"), Some("customer"));
        check(r#""tid":"PART""#, "User", Some("part"), Some("partner"));
        check(r#""tid":"else""#, "User", Some("else"), Some("foreign"));
        // The token is the customer's, the account is not.
        check(&home("part"), "ForeignGroup", Some("part"), Some("partner"));
        check(&home("cust"), "User", Some("cust"), Some("customer"));
        check(&home("else"), "ForeignGroup", Some("else"), Some("foreign"));
        check(token, "ForeignGroup", None, None);
        check(r#""tid":"PART""#, "ForeignGroup", None, None);
        check(&format!(r#"{token},"idp":"live.com""#), "User", Some(PERSONAL_ACCOUNTS), Some("foreign"));
        check(&format!(r#"{token},"idp":"mail""#), "User", None, Some("foreign"));
        check("", "User", None, None);

        let customers = caller(r#"{"claims":{"tid":"cust"}}"#);
        assert_eq!(customers.origin(None, "part"), None, "nothing tells whose subscription it is");
        assert_eq!(customers.origin(None, "cust"), Some("partner"));
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
