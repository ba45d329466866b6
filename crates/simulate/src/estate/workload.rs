//! What subscriptions are for, and what that takes.

use crate::catalog::{Meter, Size, meter, size};
use crate::estate::Rhythm;

/// What a subscription is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Workload {
    /// A shop on the web: front ends that scale, a database, leisure hours.
    WebShop,
    /// Books and stock: big databases, month ends.
    Erp,
    /// Developers: machines that come and go.
    DevTest,
    /// Reports: nightly jobs.
    Analytics,
    /// Pipelines and storage that grows.
    DataPlatform,
    /// Desktops and files for an office.
    Office,
}

/// One usage of a workload: meter, blocks a day at size 1, rhythm.
pub(crate) type Need = (&'static Meter, f64, Rhythm);

impl Workload {
    pub(crate) const ALL: [Self; 6] =
        [Self::WebShop, Self::Erp, Self::DevTest, Self::Analytics, Self::DataPlatform, Self::Office];

    /// How people call it.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::WebShop => "Web shop",
            Self::Erp => "ERP",
            Self::DevTest => "Dev-Test",
            Self::Analytics => "Analytics",
            Self::DataPlatform => "Data platform",
            Self::Office => "Office",
        }
    }

    /// How resource names call it.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::WebShop => "shop",
            Self::Erp => "erp",
            Self::DevTest => "dev",
            Self::Analytics => "bi",
            Self::DataPlatform => "data",
            Self::Office => "office",
        }
    }

    /// Machines at size 1, and their usual sizes.
    pub(crate) fn machines(self) -> (f64, Vec<&'static Size>) {
        let (count, names): (f64, &[&str]) = match self {
            Self::WebShop => (2.0, &["Standard_D2s_v5", "Standard_D4s_v5", "Standard_F4s_v2"]),
            Self::Erp => (1.6, &["Standard_E4s_v5", "Standard_E8s_v5", "Standard_D4s_v5"]),
            Self::DevTest => (2.2, &["Standard_B2s", "Standard_B2ms", "Standard_D2s_v5"]),
            Self::Analytics => (1.2, &["Standard_D8s_v5", "Standard_E4s_v5", "Standard_F8s_v2"]),
            Self::DataPlatform => (1.2, &["Standard_D4as_v5", "Standard_D8s_v5", "Standard_E2s_v5"]),
            Self::Office => (1.5, &["Standard_B4ms", "Standard_D2s_v5", "Standard_B2ms"]),
        };
        (count, names.iter().map(|name| size(name)).collect())
    }

    /// What it uses beside machines.
    pub(crate) fn needs(self) -> Vec<Need> {
        use Rhythm::{Flat, Leisure, MonthEnd, Office};
        let own: &[(&str, f64, Rhythm)] = match self {
            Self::WebShop => &[
                ("app-service", 4.8, Flat),
                ("sql", 96.0, Flat),
                ("gateway", 24.0, Flat),
                ("bandwidth", 60.0, Leisure),
                ("functions", 1.2, Leisure),
                ("blob-write", 40.0, Leisure),
            ],
            Self::Erp => &[
                ("sql", 192.0, Flat),
                ("sql-storage", 8.0, Flat),
                ("bandwidth", 8.0, Office),
                ("functions", 0.4, MonthEnd),
                ("backup-storage", 30.0, Flat),
            ],
            Self::DevTest => {
                &[("app-service", 2.4, Flat), ("blob-write", 9.0, Office), ("bandwidth", 3.0, Office)]
            }
            Self::Analytics => &[
                ("data-factory", 14.0, Office),
                ("sql", 48.0, Flat),
                ("blob-write", 120.0, Flat),
                ("databricks", 30.0, Office),
            ],
            Self::DataPlatform => &[
                ("databricks", 60.0, Flat),
                ("data-factory", 22.0, Flat),
                ("cosmos", 240.0, Flat),
                ("blob-write", 260.0, Office),
            ],
            Self::Office => {
                &[("bandwidth", 12.0, Office), ("backup-storage", 18.0, Flat), ("functions", 0.1, Office)]
            }
        };
        let common: [(&str, f64, Rhythm); 4] = [
            ("blob", 12.0, Flat),
            ("log-analytics", 1.6, Office),
            ("key-vault", 0.8, Office),
            ("public-ip", 24.0, Flat),
        ];
        own.iter().chain(&common).map(|(key, per_day, rhythm)| (meter(key), *per_day, *rhythm)).collect()
    }
}
