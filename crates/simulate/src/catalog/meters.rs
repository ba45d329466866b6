//! Meters: what is billed beside the hours of machines.

/// A meter.
#[derive(Debug, PartialEq)]
pub(crate) struct Meter {
    /// How this crate calls it.
    pub(crate) key: &'static str,
    /// `Storage`
    pub(crate) service_family: &'static str,
    /// `Storage`
    pub(crate) category: &'static str,
    /// `Tiered Block Blob`
    pub(crate) sub_category: &'static str,
    /// `Hot LRS Data Stored`
    pub(crate) name: &'static str,
    /// `Microsoft.Storage`
    pub(crate) consumed_service: &'static str,
    /// Provider and type in the resource's path.
    pub(crate) resource_type: &'static str,
    /// The block that is counted, such as `10K`.
    pub(crate) unit: &'static str,
    /// US dollars a block in the cheapest region.
    pub(crate) unit_usd: f64,
}

macro_rules! meters {
    ($($key:literal: $family:literal, $category:literal, $sub:literal, $name:literal, $service:literal,
       $type:literal, $unit:literal, $price:literal;)*) => {
        /// The meters of the estates.
        pub(crate) static METERS: &[Meter] = &[$(Meter {
            key: $key,
            service_family: $family,
            category: $category,
            sub_category: $sub,
            name: $name,
            consumed_service: $service,
            resource_type: $type,
            unit: $unit,
            unit_usd: $price,
        }),*];
    };
}

meters! {
    "blob": "Storage", "Storage", "Tiered Block Blob", "Hot LRS Data Stored", "Microsoft.Storage",
        "Microsoft.Storage/storageAccounts", "1 GB/Month", 0.0184;
    "blob-write": "Storage", "Storage", "Tiered Block Blob", "Hot LRS Write Operations", "Microsoft.Storage",
        "Microsoft.Storage/storageAccounts", "10K", 0.055;
    "disk": "Storage", "Storage", "Premium SSD Managed Disks", "P10 LRS Disk", "Microsoft.Compute",
        "Microsoft.Compute/disks", "1/Month", 19.71;
    "bandwidth": "Networking", "Bandwidth", "Rtn Preference: MGN", "Standard Data Transfer Out",
        "Microsoft.Network", "Microsoft.Network/publicIPAddresses", "1 GB", 0.08;
    "public-ip": "Networking", "Virtual Network", "IP Addresses", "Standard IPv4 Static Public IP",
        "Microsoft.Network", "Microsoft.Network/publicIPAddresses", "1 Hour", 0.005;
    "gateway": "Networking", "Application Gateway", "Standard v2", "Standard Fixed Cost",
        "Microsoft.Network", "Microsoft.Network/applicationGateways", "1 Hour", 0.246;
    "app-service": "Compute", "Azure App Service", "Premium v3 Plan", "P1 v3 App", "Microsoft.Web",
        "Microsoft.Web/serverfarms", "10 Hours", 2.48;
    "functions": "Compute", "Functions", "Functions", "Standard Execution Time", "Microsoft.Web",
        "Microsoft.Web/sites", "50000 GB Seconds", 0.8;
    "sql": "Databases", "SQL Database", "Single/Elastic Pool General Purpose - Compute Gen5", "vCore",
        "Microsoft.Sql", "Microsoft.Sql/servers/databases", "1 Hour", 0.126;
    "sql-storage": "Databases", "SQL Database", "Single/Elastic Pool General Purpose - Storage",
        "General Purpose Data Stored", "Microsoft.Sql", "Microsoft.Sql/servers/databases", "1 GB/Month", 0.115;
    "cosmos": "Databases", "Azure Cosmos DB", "Azure Cosmos DB", "100 RU/s", "Microsoft.DocumentDB",
        "Microsoft.DocumentDB/databaseAccounts", "1 Hour", 0.008;
    "log-analytics": "Management and Governance", "Log Analytics", "Log Analytics",
        "Analytics Logs Data Ingestion", "Microsoft.OperationalInsights",
        "Microsoft.OperationalInsights/workspaces", "1 GB", 2.76;
    "backup": "Management and Governance", "Backup", "Backup", "Azure VM Protected Instances",
        "Microsoft.RecoveryServices", "Microsoft.RecoveryServices/vaults", "1/Month", 10.0;
    "backup-storage": "Management and Governance", "Backup", "Backup", "LRS Data Stored",
        "Microsoft.RecoveryServices", "Microsoft.RecoveryServices/vaults", "1 GB/Month", 0.0224;
    "key-vault": "Security", "Key Vault", "Key Vault", "Operations", "Microsoft.KeyVault",
        "Microsoft.KeyVault/vaults", "10K", 0.03;
    "data-factory": "Analytics", "Azure Data Factory v2", "Azure Data Factory v2",
        "Cloud Data Movement", "Microsoft.DataFactory", "Microsoft.DataFactory/factories", "1 Hour", 0.25;
    "databricks": "Analytics", "Azure Databricks", "Azure Databricks", "Premium Jobs Compute DBU",
        "Microsoft.Databricks", "Microsoft.Databricks/workspaces", "1 Hour", 0.3;
    "ml-compute": "Compute", "Virtual Machines", "NCadsA100v4 Series", "NC24ads A100 v4",
        "Microsoft.MachineLearningServices", "Microsoft.MachineLearningServices/workspaces", "1 Hour", 3.67;
    "batch-compute": "Compute", "Virtual Machines", "FSv2 Series", "F72s v2 Low Priority", "Microsoft.Batch",
        "Microsoft.Batch/batchAccounts", "1 Hour", 0.61;
    "batch-dedicated": "Compute", "Virtual Machines", "FSv2 Series", "F72s v2", "Microsoft.Batch",
        "Microsoft.Batch/batchAccounts", "1 Hour", 3.045;
    "batch-gpu": "Compute", "Virtual Machines", "NCasv3 T4 Series", "NC64as T4 v3 Low Priority",
        "Microsoft.Batch", "Microsoft.Batch/batchAccounts", "1 Hour", 0.87;
    "ml-cpu": "Compute", "Virtual Machines", "HBrsv3 Series", "HB120rs v3",
        "Microsoft.MachineLearningServices", "Microsoft.MachineLearningServices/workspaces", "1 Hour", 3.6;
    "storage-egress": "Networking", "Bandwidth", "Rtn Preference: MGN", "Standard Data Transfer Out",
        "Microsoft.Storage", "Microsoft.Storage/storageAccounts", "1 GB", 0.08;
    "container-vcpu": "Containers", "Container Instances", "Container Instances", "Standard vCPU Duration",
        "Microsoft.ContainerInstance", "Microsoft.ContainerInstance/containerGroups", "1 Hour", 0.0405;
}

/// The meter of this key. Only for keys written in this crate.
pub(crate) fn meter(key: &str) -> &'static Meter {
    METERS.iter().find(|meter| meter.key == key).expect("the crate names only meters of its own table")
}
