//! What the path of an Azure resource says: subscription, resource group, provider and type.
//!
//! A path is `/subscriptions/<id>/resourceGroups/<group>/providers/<namespace>/<type>/<name>/…`, in
//! any letter case. Tenant-level paths have no subscription, subscription-level ones no group.

use std::borrow::Cow;

/// The longest subscription or tenant id that is believed; GUIDs have 36 bytes.
const ID_BYTES_MAX: usize = 128;

/// The text in lower case; borrowed if it is already.
pub(crate) fn lower(text: &str) -> Cow<'_, str> {
    if !text.is_ascii() {
        return Cow::Owned(text.to_lowercase());
    }
    let has_upper = text.bytes().any(|byte| byte.is_ascii_uppercase());
    if has_upper { Cow::Owned(text.to_ascii_lowercase()) } else { Cow::Borrowed(text) }
}

/// The text if it can be an id: one printable word of bounded length.
pub(crate) fn id_word(text: &str) -> Option<&str> {
    let text = text.trim();
    if text.is_empty() || text.len() > ID_BYTES_MAX {
        return None;
    }
    // Nearly all ids are plain; the look at each character is for the others.
    let is_word = text.bytes().all(|byte| byte.is_ascii_graphic())
        || !text.chars().any(|character| character.is_whitespace() || character.is_control());
    is_word.then_some(text)
}

/// Whether the text has the form of a GUID.
pub(crate) fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// The parts of a path; all borrowed from it. `path` is in lower case.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Parts<'a> {
    pub(crate) subscription_id: Option<&'a str>,
    pub(crate) resource_group: Option<&'a str>,
}

/// Takes a path in lower case apart.
pub(crate) fn parts(path: &str) -> Parts<'_> {
    let mut parts = Parts::default();
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    if segments.next() != Some("subscriptions") {
        return parts;
    }
    parts.subscription_id = segments.next().and_then(id_word);
    if segments.next() == Some("resourcegroups") {
        parts.resource_group = segments.next();
    }
    parts
}

/// The provider and type of a path in lower case: `microsoft.compute/virtualmachines`.
///
/// The last `providers` segment counts: a role assignment on a machine is a role assignment.
pub(crate) fn resource_type(path: &str) -> Option<String> {
    let Some(tail) = after_last_provider(path) else {
        return own_type_of_container(path);
    };
    let mut segments = tail.split('/').filter(|segment| !segment.is_empty());
    let mut found = segments.next()?.to_owned();
    // Type and name alternate after the namespace.
    for kind in segments.step_by(2) {
        found.push('/');
        found.push_str(kind);
    }
    Some(found)
}

/// What follows the last `providers` segment. Going back from slash to slash takes less than a search for the
/// text, which first makes ready for long ones.
fn after_last_provider(path: &str) -> Option<&str> {
    let mut before = path;
    while let Some(slash) = before.rfind('/') {
        if let Some(tail) = path[slash..].strip_prefix("/providers/") {
            return Some(tail);
        }
        before = &path[..slash];
    }
    None
}

/// Subscriptions and groups are resources of `Microsoft.Resources` but do not say so in their path.
fn own_type_of_container(path: &str) -> Option<String> {
    let parts = parts(path);
    let kind = match (parts.subscription_id, parts.resource_group) {
        (Some(_), Some(_)) => "microsoft.resources/subscriptions/resourcegroups",
        (Some(_), None) => "microsoft.resources/subscriptions",
        (None, _) => return None,
    };
    Some(kind.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_apart() {
        let check = |path: &str, subscription: Option<&str>, group: Option<&str>, kind: Option<&str>| {
            let expected = Parts { subscription_id: subscription, resource_group: group };
            assert_eq!(parts(path), expected, "{path}");
            assert_eq!(resource_type(path).as_deref(), kind, "{path}");
        };
        let machine = "/subscriptions/s-1/resourcegroups/rg a/providers/microsoft.compute/virtualmachines/vm";
        check(machine, Some("s-1"), Some("rg a"), Some("microsoft.compute/virtualmachines"));
        check(
            &format!("{machine}/extensions/e"),
            Some("s-1"),
            Some("rg a"),
            Some("microsoft.compute/virtualmachines/extensions"),
        );
        check(
            &format!("{machine}/providers/microsoft.authorization/roleassignments/r"),
            Some("s-1"),
            Some("rg a"),
            Some("microsoft.authorization/roleassignments"),
        );
        check("/subscriptions/s-1", Some("s-1"), None, Some("microsoft.resources/subscriptions"));
        check("/subscriptions/s 1", None, None, None);
        check(
            "/subscriptions/s-1/resourcegroups/rg",
            Some("s-1"),
            Some("rg"),
            Some("microsoft.resources/subscriptions/resourcegroups"),
        );
        check("/tenants/t/providers/microsoft.aadiam", None, None, Some("microsoft.aadiam"));
        check("/providers/", None, None, None);
        check("vm", None, None, None);
        check("", None, None, None);
    }

    #[test]
    fn guids() {
        assert!(is_guid("0f0e0d0c-0000-4000-8000-000000000001"));
        assert!(!is_guid("0f0e0d0c_0000-4000-8000-000000000001"));
        assert!(!is_guid("tenant-abc"));
    }
}
