//! Azure regions, with the spellings that different records use for them.

/// A region.
#[derive(Debug, PartialEq)]
pub(crate) struct Region {
    /// `westeurope`
    pub(crate) id: &'static str,
    /// `West Europe`
    pub(crate) name: &'static str,
    /// `EU West`: the spelling of price lists and meters.
    pub(crate) meter_name: &'static str,
    /// Where its offices are, whole hours east of Greenwich.
    pub(crate) utc_offset_hours: i64,
    /// Prices against those of the cheapest region.
    pub(crate) price_factor: f64,
    /// Whether made-up customers live here. Regions without customers are those that attackers like:
    /// quota lies unused there, and nobody looks.
    pub(crate) home: bool,
}

const fn home(
    id: &'static str,
    name: &'static str,
    meter_name: &'static str,
    utc_offset_hours: i64,
    price_factor: f64,
) -> Region {
    Region { id, name, meter_name, utc_offset_hours, price_factor, home: true }
}

const fn away(
    id: &'static str,
    name: &'static str,
    meter_name: &'static str,
    utc_offset_hours: i64,
    price_factor: f64,
) -> Region {
    Region { id, name, meter_name, utc_offset_hours, price_factor, home: false }
}

/// The regions of the estates.
pub(crate) static REGIONS: [Region; 24] = [
    home("westeurope", "West Europe", "EU West", 1, 1.15),
    home("northeurope", "North Europe", "EU North", 0, 1.08),
    home("swedencentral", "Sweden Central", "SE Central", 1, 1.05),
    home("norwayeast", "Norway East", "NO East", 1, 1.2),
    home("uksouth", "UK South", "UK South", 0, 1.16),
    home("germanywestcentral", "Germany West Central", "DE West Central", 1, 1.18),
    home("francecentral", "France Central", "FR Central", 1, 1.17),
    home("eastus", "East US", "US East", -5, 1.0),
    home("eastus2", "East US 2", "US East 2", -5, 1.0),
    home("westus2", "West US 2", "US West 2", -8, 1.0),
    home("canadacentral", "Canada Central", "CA Central", -5, 1.1),
    home("australiaeast", "Australia East", "AU East", 10, 1.22),
    away("southcentralus", "South Central US", "US South Central", -6, 1.12),
    away("centralus", "Central US", "US Central", -6, 1.1),
    away("westus3", "West US 3", "US West 3", -7, 1.0),
    away("brazilsouth", "Brazil South", "BR South", -3, 1.6),
    away("japaneast", "Japan East", "JA East", 9, 1.25),
    away("koreacentral", "Korea Central", "KR Central", 9, 1.14),
    away("centralindia", "Central India", "IN Central", 5, 0.95),
    away("southeastasia", "Southeast Asia", "AP Southeast", 8, 1.2),
    away("eastasia", "East Asia", "AP East", 8, 1.3),
    away("southafricanorth", "South Africa North", "ZA North", 2, 1.25),
    away("uaenorth", "UAE North", "AE North", 4, 1.24),
    away("ukwest", "UK West", "UK West", 0, 1.18),
];
