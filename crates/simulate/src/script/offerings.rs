//! Computing power that is not a machine: bodies of pools, container groups and clusters. Look-alikes
//! and the routine ask for them in the shape in which attackers do.

use serde_json::{Value, json};

use crate::catalog::Region;

/// A pool of Azure Batch whose nodes fetch their program from the customer's own storage.
pub(crate) fn pool(size: &str, dedicated: i64, spare: i64, package: &str) -> Value {
    json!({
        "properties": {
            "vmSize": size,
            "interNodeCommunication": "Disabled",
            "taskSlotsPerNode": 1,
            "deploymentConfiguration": {"virtualMachineConfiguration": {
                "imageReference": {
                    "publisher": "microsoft-dsvm", "offer": "ubuntu-hpc", "sku": "2204", "version": "latest",
                },
                "nodeAgentSkuId": "batch.node.ubuntu 22.04",
            }},
            "scaleSettings": {"fixedScale": {
                "targetDedicatedNodes": dedicated,
                "targetLowPriorityNodes": spare,
                "resizeTimeout": "PT15M",
            }},
            "startTask": {
                "commandLine": "/bin/bash -c \"./install.sh\"",
                "resourceFiles": [{"httpUrl": package, "filePath": "install.sh"}],
                "userIdentity": {"autoUser": {"scope": "pool", "elevationLevel": "admin"}},
                "waitForSuccess": true,
            },
        },
    })
}

/// A group with one container.
pub(crate) fn containers(region: &Region, name: &str, image: &str, vcpus: i64, restart: &str) -> Value {
    json!({
        "location": region.id,
        "properties": {
            "sku": "Standard",
            "osType": "Linux",
            "restartPolicy": restart,
            "containers": [{"name": name, "properties": {
                "image": image,
                "ports": [],
                "resources": {"requests": {"cpu": vcpus as f64, "memoryInGB": (vcpus * 2) as f64}},
            }}],
        },
    })
}

/// A cluster of a machine learning workspace that grows with its jobs and shrinks after them.
pub(crate) fn cluster(region: &Region, size: &str, nodes: (i64, i64), idle_minutes: i64) -> Value {
    json!({
        "location": region.id,
        "properties": {
            "computeType": "AmlCompute",
            "properties": {
                "osType": "Linux",
                "vmSize": size,
                "vmPriority": "Dedicated",
                "remoteLoginPortPublicAccess": "Disabled",
                "scaleSettings": {
                    "minNodeCount": nodes.0,
                    "maxNodeCount": nodes.1,
                    "nodeIdleTimeBeforeScaleDown": format!("PT{idle_minutes}M"),
                },
            },
        },
    })
}

/// A data scientist's own machine in a workspace.
pub(crate) fn compute_instance(region: &Region, size: &str) -> Value {
    json!({
        "location": region.id,
        "properties": {
            "computeType": "ComputeInstance",
            "properties": {
                "vmSize": size,
                "applicationSharingPolicy": "Personal",
                "computeInstanceAuthorizationType": "personal",
            },
        },
    })
}
