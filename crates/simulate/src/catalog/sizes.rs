//! Sizes of virtual machines.

/// What a size is bought for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SizeClass {
    /// What offices run.
    Usual,
    /// A small GPU machine, as a developer tries one.
    SmallGpu,
    /// Dozens of processors and no GPU.
    Large,
    /// Data-centre GPUs.
    Gpu,
}

/// A size.
#[derive(Debug, PartialEq)]
pub(crate) struct Size {
    /// `Standard_D4s_v5`
    pub(crate) name: &'static str,
    /// The family as quota messages spell it.
    pub(crate) quota_family: &'static str,
    /// The family as meters spell it.
    pub(crate) series: &'static str,
    /// Number of virtual processors.
    pub(crate) vcpus: u32,
    /// US dollars an hour in the cheapest region.
    pub(crate) hourly_usd: f64,
    /// What it is bought for.
    pub(crate) class: SizeClass,
}

impl Size {
    /// `D4s v5`: the meter's name.
    pub(crate) fn meter_name(&self) -> String {
        self.name.trim_start_matches("Standard_").replace('_', " ")
    }
}

const fn size_of(
    name: &'static str,
    quota_family: &'static str,
    series: &'static str,
    vcpus: u32,
    hourly_usd: f64,
    class: SizeClass,
) -> Size {
    Size { name, quota_family, series, vcpus, hourly_usd, class }
}

use SizeClass::{Gpu, Large, SmallGpu, Usual};

/// The sizes of the estates.
pub(crate) static SIZES: [Size; 28] = [
    size_of("Standard_B2s", "standardBSFamily", "BS Series", 2, 0.042, Usual),
    size_of("Standard_B2ms", "standardBSFamily", "BS Series", 2, 0.083, Usual),
    size_of("Standard_B4ms", "standardBSFamily", "BS Series", 4, 0.166, Usual),
    size_of("Standard_D2s_v5", "standardDSv5Family", "Dsv5 Series", 2, 0.096, Usual),
    size_of("Standard_D4s_v5", "standardDSv5Family", "Dsv5 Series", 4, 0.192, Usual),
    size_of("Standard_D8s_v5", "standardDSv5Family", "Dsv5 Series", 8, 0.384, Usual),
    size_of("Standard_D4as_v5", "standardDASv5Family", "Dasv5 Series", 4, 0.172, Usual),
    size_of("Standard_D16s_v5", "standardDSv5Family", "Dsv5 Series", 16, 0.768, Usual),
    size_of("Standard_E2s_v5", "standardESv5Family", "Esv5 Series", 2, 0.126, Usual),
    size_of("Standard_E4s_v5", "standardESv5Family", "Esv5 Series", 4, 0.252, Usual),
    size_of("Standard_E8s_v5", "standardESv5Family", "Esv5 Series", 8, 0.504, Usual),
    size_of("Standard_F4s_v2", "standardFSv2Family", "FSv2 Series", 4, 0.169, Usual),
    size_of("Standard_F8s_v2", "standardFSv2Family", "FSv2 Series", 8, 0.338, Usual),
    size_of("Standard_NC4as_T4_v3", "standardNCASv3_T4Family", "NCasv3 T4 Series", 4, 0.526, SmallGpu),
    size_of("Standard_NV6ads_A10_v5", "StandardNVADSA10v5Family", "NVadsA10v5 Series", 6, 0.454, SmallGpu),
    size_of("Standard_D64s_v5", "standardDSv5Family", "Dsv5 Series", 64, 3.072, Large),
    size_of("Standard_D96s_v5", "standardDSv5Family", "Dsv5 Series", 96, 4.608, Large),
    size_of("Standard_F48s_v2", "standardFSv2Family", "FSv2 Series", 48, 2.03, Large),
    size_of("Standard_F64s_v2", "standardFSv2Family", "FSv2 Series", 64, 2.706, Large),
    size_of("Standard_F72s_v2", "standardFSv2Family", "FSv2 Series", 72, 3.045, Large),
    size_of("Standard_HB120rs_v3", "standardHBrsv3Family", "HBrsv3 Series", 120, 3.6, Large),
    size_of("Standard_E96s_v5", "standardESv5Family", "Esv5 Series", 96, 6.048, Large),
    size_of("Standard_NC24ads_A100_v4", "StandardNCADSA100v4Family", "NCadsA100v4 Series", 24, 3.67, Gpu),
    size_of("Standard_NC48ads_A100_v4", "StandardNCADSA100v4Family", "NCadsA100v4 Series", 48, 7.35, Gpu),
    size_of("Standard_NC96ads_A100_v4", "StandardNCADSA100v4Family", "NCadsA100v4 Series", 96, 14.7, Gpu),
    size_of("Standard_NC64as_T4_v3", "standardNCASv3_T4Family", "NCasv3 T4 Series", 64, 4.35, Gpu),
    size_of("Standard_NC24s_v3", "standardNCSv3Family", "NCSv3 Series", 24, 12.24, Gpu),
    size_of("Standard_NV36ads_A10_v5", "StandardNVADSA10v5Family", "NVadsA10v5 Series", 36, 3.2, Gpu),
];

/// The size of this name. Only for names written in this crate.
pub(crate) fn size(name: &str) -> &'static Size {
    SIZES.iter().find(|size| size.name == name).expect("the crate names only sizes of its own table")
}

/// All sizes of a class.
pub(crate) fn of_class(class: SizeClass) -> Vec<&'static Size> {
    SIZES.iter().filter(|size| size.class == class).collect()
}
