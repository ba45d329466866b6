//! Changes to a directory: who changed what, as Entra's audit log tells it.
//!
//! Names of activities, of changed properties, and how their values are quoted follow Microsoft's list of
//! audit activities (learn.microsoft.com/entra/identity/monitoring-health/reference-audit-activities),
//! Stratus Red Team's examples, and records that operators published.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::dice::Dice;
use crate::estate::{App, Caller, Group, Principal};

/// One change; one record in the audit log.
#[derive(Debug, Clone)]
pub(crate) struct DirectoryAct {
    /// When it was done.
    pub(crate) at: DateTime<Utc>,
    /// Who did it.
    pub(crate) actor: Actor,
    /// `Add member to role`
    pub(crate) activity: &'static str,
    /// `RoleManagement`
    pub(crate) category: &'static str,
    /// `Core Directory`, `PIM`, …: the part of Entra that logged it.
    pub(crate) service: &'static str,
    /// `Add`, `Assign`, `Update`, `Unassign`, `Delete`
    pub(crate) operation: &'static str,
    /// What was changed, the main thing first.
    pub(crate) targets: Vec<Target>,
    /// Beside that: names and values.
    pub(crate) details: Vec<(&'static str, String)>,
    /// Why it was not done; `None` if it was.
    pub(crate) failure: Option<&'static str>,
    /// Groups the records of one request.
    pub(crate) correlation: Uuid,
    /// Its own id.
    pub(crate) id: Uuid,
}

/// Who changes a directory.
#[derive(Debug, Clone)]
pub(crate) enum Actor {
    /// A person at an address.
    Person(Caller),
    /// An application under its name. The log has no address of it.
    Application(Arc<Principal>, String),
    /// A part of Entra itself, such as `MS-PIM`.
    Service(&'static str),
}

/// Something that is changed.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// `User`, `ServicePrincipal`, `Application`, `Group`, `Role`
    pub(crate) kind: &'static str,
    /// Its object id.
    pub(crate) id: String,
    /// Its display name, if the log tells it.
    pub(crate) name: Option<String>,
    /// A user's principal name.
    pub(crate) principal_name: Option<String>,
    /// What of it is changed.
    pub(crate) changes: Vec<Change>,
}

/// A property with its values before and after: JSON text each.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    /// `Role.DisplayName`
    pub(crate) name: &'static str,
    /// Before.
    pub(crate) old: Option<String>,
    /// After.
    pub(crate) new: Option<String>,
}

/// The administrator of what. The id of the role's template is the same in every tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DirectoryRole {
    /// Everything.
    Global,
    /// Who has which role.
    PrivilegedRole,
    /// Applications and their secrets.
    Application,
    /// People, groups and passwords.
    User,
}

impl DirectoryRole {
    /// Its display name, the id of its template, and its older name in records.
    fn facts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Global => ("Global Administrator", "62e90394-69f5-4237-9190-012177145e10", "TenantAdmins"),
            Self::PrivilegedRole => (
                "Privileged Role Administrator",
                "e8611ab8-c189-46e8-94e1-60213ab1f814",
                "PrivilegedRoleAdmins",
            ),
            Self::Application => (
                "Application Administrator",
                "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3",
                "ApplicationAdministrators",
            ),
            Self::User => ("User Administrator", "fe930be7-5e62-47db-91af-98c3a49a38b1", "UserAccountAdmins"),
        }
    }
}

/// A value as the audit log quotes it: a JSON string of JSON.
fn quoted(value: impl Into<Value>) -> Option<String> {
    Some(value.into().to_string())
}

fn set(name: &'static str, value: impl Into<Value>) -> Change {
    Change { name, old: None, new: quoted(value) }
}

impl Target {
    fn new(kind: &'static str, id: impl ToString, name: Option<&str>) -> Self {
        Self {
            kind,
            id: id.to_string(),
            name: name.map(str::to_owned),
            principal_name: None,
            changes: Vec::new(),
        }
    }

    fn user(principal: &Principal) -> Self {
        let mut target = Self::new("User", principal.object_id, None);
        target.principal_name = Some(principal.caller.clone());
        target
    }

    fn application(app: &App) -> Self {
        Self::new("Application", app.object_id, Some(&app.name))
    }

    fn service_principal(app: &App) -> Self {
        Self::new("ServicePrincipal", app.service_principal.object_id, Some(&app.name))
    }

    fn changing(mut self, changes: Vec<Change>) -> Self {
        self.changes = changes;
        self
    }
}

/// When, by whom, and with which chance: what every change needs. Its functions are the ordinary kinds of
/// changes; each gives the records of one request, in their order.
pub(crate) struct By<'a> {
    /// When.
    pub(crate) at: DateTime<Utc>,
    /// By whom.
    pub(crate) actor: Actor,
    /// Its chance.
    pub(crate) dice: &'a mut Dice,
}

impl By<'_> {
    fn core(
        self,
        activity: &'static str,
        category: &'static str,
        operation: &'static str,
        targets: Vec<Target>,
    ) -> DirectoryAct {
        DirectoryAct {
            at: self.at,
            actor: self.actor,
            activity,
            category,
            service: "Core Directory",
            operation,
            targets,
            details: Vec::new(),
            failure: None,
            correlation: self.dice.guid(),
            id: self.dice.guid(),
        }
    }

    /// Somebody joins.
    pub(crate) fn adds_user(self, user: &Principal) -> Vec<DirectoryAct> {
        let changes = vec![
            Change { name: "AccountEnabled", old: Some("[]".to_owned()), new: Some("[true]".to_owned()) },
            Change {
                name: "UserPrincipalName",
                old: Some("[]".to_owned()),
                new: quoted(json!([user.caller])),
            },
            set("Included Updated Properties", "AccountEnabled, UserPrincipalName"),
        ];
        vec![self.core("Add user", "UserManagement", "Add", vec![Target::user(user).changing(changes)])]
    }

    /// Something about a person changes: a department, a telephone number.
    pub(crate) fn updates_user(
        self,
        user: &Principal,
        property: &'static str,
        old: &str,
        new: &str,
    ) -> Vec<DirectoryAct> {
        let changes = vec![
            Change { name: property, old: quoted(json!([old])), new: quoted(json!([new])) },
            set("Included Updated Properties", property),
        ];
        vec![self.core("Update user", "UserManagement", "Update", vec![Target::user(user).changing(changes)])]
    }

    /// An administrator gives a person a new password.
    pub(crate) fn resets_password(self, user: &Principal) -> Vec<DirectoryAct> {
        vec![self.core("Reset user password", "UserManagement", "Update", vec![Target::user(user)])]
    }

    /// A person registers a second factor of their own. The actor is the same person.
    pub(crate) fn registers_second_factor(self, user: &Principal) -> Vec<DirectoryAct> {
        let mut act =
            self.core("User registered security info", "UserManagement", "Add", vec![Target::user(user)]);
        act.service = "Authentication Methods";
        vec![act]
    }

    /// A person joins a group, or leaves it.
    pub(crate) fn changes_group(self, user: &Principal, group: &Group, joins: bool) -> Vec<DirectoryAct> {
        let value = |value: String| quoted(value);
        let change = |name, text: String| match joins {
            true => Change { name, old: None, new: value(text) },
            false => Change { name, old: value(text), new: None },
        };
        let changes = vec![
            change("Group.ObjectID", group.id.to_string()),
            change("Group.DisplayName", group.name.to_owned()),
        ];
        let targets =
            vec![Target::user(user).changing(changes), Target::new("Group", group.id, Some(group.name))];
        let (activity, operation) = match joins {
            true => ("Add member to group", "Assign"),
            false => ("Remove member from group", "Unassign"),
        };
        vec![self.core(activity, "GroupManagement", operation, targets)]
    }

    /// Somebody gets a role over the directory for good.
    pub(crate) fn assigns_role(self, user: &Principal, role: DirectoryRole) -> Vec<DirectoryAct> {
        vec![self.role_member(user, role)]
    }

    fn role_member(self, user: &Principal, role: DirectoryRole) -> DirectoryAct {
        let (name, template, older_name) = role.facts();
        let role_id = self.dice.guid();
        let changes = vec![
            set("Role.ObjectID", role_id.to_string()),
            set("Role.DisplayName", name),
            set("Role.TemplateId", template),
            set("Role.WellKnownObjectName", older_name),
        ];
        let mut target = Target::user(user);
        if !user.is_person() {
            target = Target::new("ServicePrincipal", user.object_id, None);
        }
        let targets = vec![target.changing(changes), Target::new("Role", role_id, None)];
        self.core("Add member to role", "RoleManagement", "Assign", targets)
    }

    /// Somebody takes up a role for some hours that they are eligible for: asked for and done, in this order.
    pub(crate) fn activates_role(
        self,
        user: &Principal,
        role: DirectoryRole,
        why: &str,
    ) -> Vec<DirectoryAct> {
        let Self { at, actor, dice } = self;
        let (name, template, _) = role.facts();
        let changes = vec![
            Change { name: "RoleDefinitionOriginId", old: quoted(""), new: quoted(template) },
            Change { name: "RoleDefinitionOriginType", old: quoted(""), new: quoted("BuiltInRole") },
            Change { name: "TemplateId", old: quoted(""), new: quoted(template) },
        ];
        let request = Target::new("Request", dice.guid(), None);
        let targets =
            vec![Target::new("Role", template, Some(name)).changing(changes), request, Target::user(user)];
        let done_after = dice.seconds(2.0, 40.0);
        let by = By { at, actor, dice: &mut *dice };
        let mut asked =
            by.core("Add member to role requested (PIM activation)", "RoleManagement", "Add", targets);
        asked.service = "PIM";
        asked.details = vec![
            ("RoleDefinitionOriginType", "BuiltInRole".to_owned()),
            ("TemplateId", template.to_owned()),
            ("Justification", why.to_owned()),
        ];
        let done = DirectoryAct {
            at: asked.at + done_after,
            activity: "Add member to role completed (PIM activation)",
            id: dice.guid(),
            ..asked.clone()
        };
        // The directory itself logs it, too, as done by the service.
        let member = By { at: done.at, actor: Actor::Service("MS-PIM"), dice }.role_member(user, role);
        vec![asked, member, done]
    }

    /// A global administrator takes the right to grant anything on every subscription.
    pub(crate) fn elevates_access(self) -> Vec<DirectoryAct> {
        let mut act = self.core(
            "User has elevated their access to User Access Administrator for their Azure Resources",
            "AzureRBACRoleManagementElevateAccess",
            "Assign",
            Vec::new(),
        );
        act.service = "Azure RBAC (Elevated Access)";
        vec![act]
    }

    /// An application is registered: it, and its service principal. One request, two records.
    pub(crate) fn registers_app(self, app: &App) -> Vec<DirectoryAct> {
        let added =
            |name, value: Value| Change { name, old: Some("[]".to_owned()), new: quoted(json!([value])) };
        let app_id = app.service_principal.app_id.as_str();
        let after = self.dice.seconds(0.2, 1.5);
        let second_id = self.dice.guid();
        let application = self.core(
            "Add application",
            "ApplicationManagement",
            "Add",
            vec![Target::application(app).changing(vec![
                added("AppId", json!(app_id)),
                added("DisplayName", json!(app.name)),
                set("Included Updated Properties", "AppId, DisplayName"),
            ])],
        );
        let service_principal = DirectoryAct {
            at: application.at + after,
            activity: "Add service principal",
            targets: vec![Target::service_principal(app).changing(vec![
                added("AccountEnabled", json!(true)),
                added("AppPrincipalId", json!(app_id)),
                added("DisplayName", json!(app.name)),
                set("TargetId.ServicePrincipalNames", app_id),
            ])],
            id: second_id,
            ..application.clone()
        };
        vec![application, service_principal]
    }

    /// The secrets of an application change from some to others; what is in both stays.
    pub(crate) fn changes_secrets(
        self,
        app: &App,
        old: &[Secret<'_>],
        new: &[Secret<'_>],
    ) -> Vec<DirectoryAct> {
        let changes = vec![
            Change { name: "KeyDescription", old: key_description(old), new: key_description(new) },
            set("Included Updated Properties", "KeyDescription"),
        ];
        // The dash is Microsoft's, and so is the space at the end.
        vec![self.core(
            "Update application – Certificates and secrets management ",
            "ApplicationManagement",
            "Update",
            vec![Target::application(app).changing(changes)],
        )]
    }

    /// A service principal gets a secret that its application does not show.
    pub(crate) fn adds_hidden_secret(
        self,
        app: &App,
        old: &[Secret<'_>],
        new: &[Secret<'_>],
    ) -> Vec<DirectoryAct> {
        let changes = vec![
            Change { name: "KeyDescription", old: key_description(old), new: key_description(new) },
            set("Included Updated Properties", "KeyDescription"),
            set("TargetId.ServicePrincipalNames", app.service_principal.app_id.as_str()),
        ];
        vec![self.core(
            "Add service principal credentials",
            "ApplicationManagement",
            "Update",
            vec![Target::service_principal(app).changing(changes)],
        )]
    }

    /// Somebody becomes an owner of an application, and may then give it secrets.
    pub(crate) fn adds_owner(self, app: &App, owner: &Principal) -> Vec<DirectoryAct> {
        let changes = vec![
            set("Application.ObjectID", app.object_id.to_string()),
            set("Application.DisplayName", app.name.as_str()),
            set("Application.AppId", app.service_principal.app_id.as_str()),
        ];
        let targets = vec![Target::user(owner).changing(changes), Target::application(app)];
        vec![self.core("Add owner to application", "ApplicationManagement", "Assign", targets)]
    }

    /// An application may from now on read or do `scope`: in one person's name, or in everybody's.
    pub(crate) fn consents(self, app: &App, scope: &str, for_everybody: bool) -> Vec<DirectoryAct> {
        let word = if for_everybody { "True" } else { "False" };
        let consent_type = if for_everybody { "AllPrincipals" } else { "Principal" };
        let person = match &self.actor {
            Actor::Person(caller) if !for_everybody => caller.principal.object_id.to_string(),
            Actor::Person(_) | Actor::Application(..) | Actor::Service(_) => String::new(),
        };
        let service_principal = app.service_principal.object_id;
        let permissions = format!(
            "[] => [[Id: {}, ClientId: {service_principal}, PrincipalId: {person}, ResourceId: {}, \
             ConsentType: {consent_type}, Scope: {scope}, CreatedDateTime: , LastModifiedDateTime ]]; ",
            self.dice.guid().simple(),
            self.dice.guid(),
        );
        let changes = vec![
            set("ConsentContext.IsAdminConsent", word),
            set("ConsentContext.IsAppOnly", "False"),
            set("ConsentContext.OnBehalfOfAll", word),
            set("ConsentContext.Tags", "WindowsAzureActiveDirectoryIntegratedApp"),
            set("ConsentAction.Permissions", permissions),
            set("TargetId.ServicePrincipalNames", app.service_principal.app_id.as_str()),
        ];
        vec![self.core(
            "Consent to application",
            "ApplicationManagement",
            "Assign",
            vec![Target::service_principal(app).changing(changes)],
        )]
    }

    /// An application may from now on do something in its own name, such as `Mail.Read`.
    pub(crate) fn grants_app_role(self, app: &App, permission: &str) -> Vec<DirectoryAct> {
        let changes = vec![
            set("AppRole.Id", self.dice.guid().to_string()),
            set("AppRole.Value", permission),
            set("ServicePrincipal.DisplayName", app.name.as_str()),
            set("ServicePrincipal.AppId", app.service_principal.app_id.as_str()),
        ];
        let graph = Target::new("ServicePrincipal", self.dice.guid(), Some("Microsoft Graph"));
        vec![self.core(
            "Add app role assignment to service principal",
            "ApplicationManagement",
            "Assign",
            vec![graph.changing(changes)],
        )]
    }

    /// Somebody of another tenant is let in: the person exists, and is invited. One request, two records.
    pub(crate) fn invites(self, guest: &Principal, mail: &str) -> Vec<DirectoryAct> {
        let mut user = Target::user(guest);
        user.name = mail.split('@').next().map(str::to_owned);
        let invited_after = self.dice.seconds(0.3, 2.0);
        let invited_id = self.dice.guid();
        let exists = self.core("Add user", "UserManagement", "Add", vec![user]);
        let invited = DirectoryAct {
            at: exists.at + invited_after,
            activity: "Invite external user",
            service: "Invited Users",
            details: vec![("invitedUserEmailAddress", mail.to_owned())],
            id: invited_id,
            ..exists.clone()
        };
        vec![exists, invited]
    }

    /// The invited one comes in. The actor is the guest.
    pub(crate) fn redeems_invitation(self, guest: &Principal) -> Vec<DirectoryAct> {
        let mut act =
            self.core("Redeem external user invite", "UserManagement", "Update", vec![Target::user(guest)]);
        act.service = "B2B Auth";
        vec![act]
    }
}

/// A secret of an application, as the log tells it: never the secret itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Secret<'a> {
    /// Its id; sign-ins name it.
    pub(crate) key: Uuid,
    /// What somebody called it.
    pub(crate) name: &'a str,
}

fn key_description(secrets: &[Secret<'_>]) -> Option<String> {
    let text = |secret: &Secret<'_>| {
        format!("[KeyIdentifier={},KeyType=Password,KeyUsage=Verify,DisplayName={}]", secret.key, secret.name)
    };
    quoted(secrets.iter().map(text).collect::<Vec<_>>())
}
