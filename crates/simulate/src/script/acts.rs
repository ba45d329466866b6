//! What operations ask for and answer: bodies as Azure writes them, and the ways in which they fail.
//!
//! Which member stands where follows the REST reference of each provider; the shape of a role
//! assignment, with its capital letters, follows the activity log that Microsoft shows for it
//! (learn.microsoft.com/azure/role-based-access-control/change-history-report).

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::catalog::Region;
use crate::dice::Dice;
use crate::estate::{Caller, Principal};
use crate::script::{Action, Failure, Outcome};

/// A built-in role. Its id is the same in every tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Everything, and who else may do it.
    Owner,
    /// Everything, except who else may do it.
    Contributor,
    /// Only who may do what.
    UserAccessAdministrator,
    /// Machines.
    VirtualMachineContributor,
    /// Accounts of storage, and with them their keys.
    StorageAccountContributor,
    /// Looking only.
    Reader,
    /// Alerts and what is measured.
    MonitoringContributor,
    /// What is stored, without the keys.
    StorageBlobDataContributor,
    /// Reading secrets.
    KeyVaultSecretsUser,
}

impl Role {
    /// As records call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Owner => "Owner",
            Self::Contributor => "Contributor",
            Self::UserAccessAdministrator => "User Access Administrator",
            Self::VirtualMachineContributor => "Virtual Machine Contributor",
            Self::StorageAccountContributor => "Storage Account Contributor",
            Self::Reader => "Reader",
            Self::MonitoringContributor => "Monitoring Contributor",
            Self::StorageBlobDataContributor => "Storage Blob Data Contributor",
            Self::KeyVaultSecretsUser => "Key Vault Secrets User",
        }
    }

    /// The GUID of its definition.
    pub(crate) fn definition(self) -> &'static str {
        match self {
            Self::Owner => "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
            Self::Contributor => "b24988ac-6180-42a0-ab88-20f7382dd24c",
            Self::UserAccessAdministrator => "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
            Self::VirtualMachineContributor => "9980e02c-c2be-4d73-94e8-173b1dc7cf3c",
            Self::StorageAccountContributor => "17d1049b-9a84-46fb-8f53-869881c3d3ab",
            Self::Reader => "acdd72a7-3385-48ef-bd42-f606fba81ae7",
            Self::MonitoringContributor => "749f88d5-cbae-40b8-bcfc-e573ddc772fa",
            Self::StorageBlobDataContributor => "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
            Self::KeyVaultSecretsUser => "4633458b-17de-408a-b874-0445c86b69e6",
        }
    }
}

impl Action {
    /// The same, with what it asks for.
    pub(crate) fn asking(mut self, body: &Value) -> Self {
        self.request = Some(body.to_string());
        self
    }

    /// The same, with the reply that repeats what was asked for under the resource's own name.
    pub(crate) fn echoed(mut self, body: &Value, resource_type: &str) -> Self {
        let mut reply = body.clone();
        reply["id"] = json!(self.resource);
        reply["name"] = json!(self.resource.rsplit('/').next());
        reply["type"] = json!(resource_type);
        self.response = Some(reply.to_string());
        self.asking(body)
    }

    /// The same, with the sentence that the log keeps of it.
    pub(crate) fn saying(mut self, message: String) -> Self {
        self.message = Some(message);
        self
    }

    /// The same, as one record of another category than `Administrative`.
    pub(crate) fn noted_as(mut self, category: &'static str) -> Self {
        self.category = category;
        self.outcome = Outcome::Noted;
        self
    }

    /// A role for somebody. `scope` is a path; the empty one is the root of the tenant.
    pub(crate) fn grant_role(
        at: DateTime<Utc>,
        caller: Caller,
        (role, to): (Role, &Principal),
        scope: &str,
        dice: &mut Dice,
    ) -> Self {
        let id = dice.guid();
        let resource = format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{id}");
        let definition = format!("/providers/Microsoft.Authorization/roleDefinitions/{}", role.definition());
        let scope = if scope.is_empty() { "/" } else { scope };
        let request = json!({
            "Id": id,
            "Properties": {
                "PrincipalId": to.object_id,
                "PrincipalType": to.principal_type,
                "RoleDefinitionId": definition,
                "Scope": scope,
            },
        });
        let reply = json!({
            "properties": {
                "roleDefinitionId": definition,
                "principalId": to.object_id,
                "principalType": to.principal_type,
                "scope": scope,
            },
            "id": resource,
            "type": "Microsoft.Authorization/roleAssignments",
            "name": id,
        });
        let mut action =
            Self::new(at, caller, "Microsoft.Authorization/roleAssignments/write", resource, dice)
                .asking(&request);
        action.response = Some(reply.to_string());
        action
    }

    /// The deletion of what a meter counts, if that is a resource which people delete.
    pub(crate) fn delete_metered(
        at: DateTime<Utc>,
        resource_type: &str,
        resource: &str,
        caller: Caller,
        dice: &mut Dice,
    ) -> Option<Self> {
        let operation = match resource_type {
            "Microsoft.Batch/batchAccounts" => "Microsoft.Batch/batchAccounts/delete",
            "Microsoft.ContainerInstance/containerGroups" => {
                "Microsoft.ContainerInstance/containerGroups/delete"
            }
            "Microsoft.MachineLearningServices/workspaces" => {
                "Microsoft.MachineLearningServices/workspaces/delete"
            }
            _ => return None,
        };
        Some(Self::new(at, caller, operation, resource.to_owned(), dice).accepted(false, dice))
    }
}

/// A rule that lets anybody in through a port.
pub(crate) fn open_port(port: &str, source: &str, priority: i64) -> Value {
    json!({
        "properties": {
            "protocol": "Tcp",
            "sourcePortRange": "*",
            "destinationPortRange": port,
            "sourceAddressPrefix": source,
            "destinationAddressPrefix": "*",
            "access": "Allow",
            "priority": priority,
            "direction": "Inbound",
            "sourcePortRanges": [],
            "destinationPortRanges": [],
            "sourceAddressPrefixes": [],
            "destinationAddressPrefixes": [],
        },
    })
}

/// An extension of a machine. What it is told in secret is not logged.
pub(crate) fn extension(
    region: &Region,
    publisher: &str,
    kind: &str,
    version: &str,
    settings: Value,
) -> Value {
    json!({
        "location": region.id,
        "properties": {
            "publisher": publisher,
            "type": kind,
            "typeHandlerVersion": version,
            "autoUpgradeMinorVersion": true,
            "settings": settings,
        },
    })
}

impl Failure {
    /// A lock is on it, or above it.
    pub(crate) fn locked(resource: &str, locked: &str) -> Self {
        Self {
            http: "Conflict",
            code: "ScopeLocked",
            message: format!(
                "The scope '{resource}' cannot perform delete operation because following scope(s) are \
                 locked: '{locked}'. Please remove the lock and try again."
            ),
        }
    }

    /// The region has no room for another account of Batch.
    pub(crate) fn batch_accounts() -> Self {
        Self {
            http: "BadRequest",
            code: "SubscriptionQuotaExceeded",
            message: "The regional account quota for the specified subscription has been reached.".to_owned(),
        }
    }

    /// The region has no processors left for containers.
    pub(crate) fn containers(region: &Region, asked: i64) -> Self {
        Self {
            http: "BadRequest",
            code: "ContainerGroupQuotaReached",
            message: format!(
                "Resource type 'Microsoft.ContainerInstance/containerGroups' container group quota \
                 'StandardCores' exceeded in region '{}'. Limit: '10', Usage: '10' Requested: '{asked}'.",
                region.id
            ),
        }
    }

    /// Machine learning has no processors of the family left.
    pub(crate) fn learning(family: &str, nodes: i64, vcpus: i64) -> Self {
        Self {
            http: "BadRequest",
            code: "ClusterMinNodesExceedCoreQuota",
            message: format!(
                "The specified subscription has a {family} vCPU quota of 0 and cannot accomodate for at \
                 least {nodes} requested managed compute nodes which maps to {vcpus} vCPUs."
            ),
        }
    }

    /// Kubernetes has no processors left in the region.
    pub(crate) fn kubernetes(region: &Region, asked: i64) -> Self {
        Self {
            http: "BadRequest",
            code: "ErrCode_InsufficientVCPUQuota",
            message: format!(
                "Insufficient regional vcpu quota left for location {}. left regional vcpu quota 10, \
                 requested quota {asked}.",
                region.id
            ),
        }
    }

    /// More quota is not given without a talk.
    pub(crate) fn no_more_quota(family: &str, region: &str) -> Self {
        let message = format!("The request for more {family} in {region} was turned down.");
        Self { http: "BadRequest", code: "ContactSupport", message }
    }
}
