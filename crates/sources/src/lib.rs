//! Where records come from: folders, containers in Azure and S3, and Event Hubs.
