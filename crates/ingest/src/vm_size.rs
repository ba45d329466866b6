//! What the name of a virtual machine's size says: family, processors, accelerator.
//!
//! Names are `Standard_<family><processors>[-<usable processors>]<features>[_<accelerator>][_v<version>]`, such
//! as `Standard_NC24ads_A100_v4` and `Standard_M8-2ms_v2`. Sizes from before that rule have a number that does
//! not count processors; they are listed here.
//! Source: MicrosoftDocs/azure-compute-docs, articles/virtual-machines/vm-naming-conventions.md.

/// What a size's name says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VmSize {
    /// Family and sub-family in lower case: `nc`, `hb`, `f`, `m`.
    pub(crate) family: String,
    /// Processors (vCPUs) that the machine may use.
    pub(crate) cpus: i64,
    /// Model of the accelerator in lower case (`a100`), `fpga` for programmable ones; none for most machines.
    pub(crate) accelerator: Option<String>,
}

/// Letters that families start with. Other services have names of the same form (`Standard_S1`, `Standard_P1`).
const FAMILIES_START_WITH: &[u8] = b"abdefghlmn";
/// The longest family has three letters (`ncc`).
const FAMILY_LETTERS_MAX: usize = 3;
/// More than any machine has; a larger number is none of processors.
const CPUS_MAX: i64 = 4096;

impl VmSize {
    /// Reads a name in any letter case; `None` if it names no size.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let name = name.trim().to_ascii_lowercase();
        let name = name.strip_suffix("_promo").unwrap_or(&name);
        let (tier, name) = name.split_once('_')?;
        if !matches!(tier, "standard" | "basic") {
            return None;
        }
        let mut parts = name.split('_');
        let core = parts.next()?;
        let (letters, rest) = core.split_at(core.find(|letter: char| !letter.is_ascii_lowercase())?);
        let is_family = !letters.is_empty()
            && letters.len() <= FAMILY_LETTERS_MAX
            && FAMILIES_START_WITH.contains(&letters.as_bytes()[0]);
        let (number, features) = number(rest)?;
        if !is_family {
            return None;
        }
        let (usable, features) = match features.strip_prefix('-') {
            Some(constrained) => {
                let (usable, features) = self::number(constrained)?;
                (Some(usable), features)
            }
            None => (None, features),
        };
        if !features.bytes().all(|letter| letter.is_ascii_lowercase()) {
            return None;
        }
        let mut version = 1;
        let mut model = None;
        for part in parts {
            match part.strip_prefix('v').and_then(|digits| digits.parse().ok()) {
                Some(found) if is_version(part) => version = found,
                // `M416s_8_v2` has a number there that is no accelerator.
                _ if part.starts_with(|letter: char| letter.is_ascii_lowercase()) => model = Some(part),
                _ => {}
            }
        }
        let cpus = usable.or_else(|| cpus_of_old(letters, number, features, version)).unwrap_or(number);
        // `DS` and `GS` are `D` and `G` with fast storage, from before features were written last.
        let family = if matches!(letters, "ds" | "gs") { &letters[..1] } else { letters };
        let model = model.filter(|_| family.starts_with('n'));
        let accelerator = model.or_else(|| accelerator_of_old(family, features, version));
        (1..=CPUS_MAX).contains(&cpus).then(|| Self {
            family: family.to_owned(),
            cpus,
            accelerator: accelerator.map(str::to_owned),
        })
    }
}

/// `v4`; `v620` and `v710` are accelerators.
fn is_version(part: &str) -> bool {
    part.len() <= 3
}

fn number(text: &str) -> Option<(i64, &str)> {
    let end = text.find(|digit: char| !digit.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    Some((digits.parse().ok()?, rest))
}

/// The processors of sizes whose number is only an order.
fn cpus_of_old(letters: &str, number: i64, features: &str, version: u32) -> Option<i64> {
    let table: &[(i64, i64)] = match (letters, version) {
        // A8 and A10 differ in network; A0 shares a processor.
        ("a", 1) if features.is_empty() => &[
            (0, 1),
            (1, 1),
            (2, 2),
            (3, 4),
            (4, 8),
            (5, 2),
            (6, 4),
            (7, 8),
            (8, 8),
            (9, 16),
            (10, 8),
            (11, 16),
        ],
        ("d" | "ds", 1 | 2) => {
            &[(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (11, 2), (12, 4), (13, 8), (14, 16), (15, 20)]
        }
        ("g" | "gs", 1) => &[(1, 2), (2, 4), (3, 8), (4, 16), (5, 32)],
        _ => return None,
    };
    table.iter().find(|(size, _)| *size == number).map(|(_, cpus)| *cpus)
}

/// The accelerator of sizes from before names told it.
fn accelerator_of_old(family: &str, features: &str, version: u32) -> Option<&'static str> {
    let is_amd = features.starts_with('a');
    Some(match (family, version) {
        ("np", _) => "fpga",
        ("nc", 1) => "k80",
        ("nc", 2) => "p100",
        ("nc", 3) => "v100",
        ("nd", 1) => "p40",
        ("nd", 2) => "v100",
        ("nd", 4) => "a100",
        ("nv", 4) if is_amd => "mi25",
        ("nv", 1..=3) => "m60",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read() {
        let check = |name: &str, expected: Option<(&str, i64, Option<&str>)>| {
            let found = VmSize::parse(name);
            let found =
                found.as_ref().map(|size| (size.family.as_str(), size.cpus, size.accelerator.as_deref()));
            assert_eq!(found, expected, "{name}");
        };
        check("Standard_D4s_v5", Some(("d", 4, None)));
        check("STANDARD_D4S_V5", Some(("d", 4, None)));
        check("Standard_D2_v2", Some(("d", 2, None)));
        check("Standard_D5_v2", Some(("d", 16, None)));
        check("Standard_D14", Some(("d", 16, None)));
        check("Standard_DS13_v2", Some(("d", 8, None)));
        check("Standard_DS13-4_v2", Some(("d", 4, None)));
        check("Standard_DS2_v2_Promo", Some(("d", 2, None)));
        check("Standard_D16_v3", Some(("d", 16, None)));
        check("Standard_DC4s_v3", Some(("dc", 4, None)));
        check("Standard_EC96ads_v5", Some(("ec", 96, None)));
        check("Standard_E96-48ads_v5", Some(("e", 48, None)));
        check("Standard_F72s_v2", Some(("f", 72, None)));
        check("Standard_FX96-24mds_v2", Some(("fx", 24, None)));
        check("Standard_M8-2ms", Some(("m", 2, None)));
        check("Standard_M8-2ms_v2", Some(("m", 2, None)));
        check("Standard_M416ms_v2", Some(("m", 416, None)));
        check("Standard_M416s_8_v2", Some(("m", 416, None)));
        check("Standard_M1792ixds_32_v3", Some(("m", 1792, None)));
        check("Standard_B2ms", Some(("b", 2, None)));
        check("Basic_A1", Some(("a", 1, None)));
        check("Standard_A7", Some(("a", 8, None)));
        check("Standard_A8m_v2", Some(("a", 8, None)));
        check("Standard_G5", Some(("g", 32, None)));
        check("Standard_GS4-8", Some(("g", 8, None)));
        check("Standard_L80as_v3", Some(("l", 80, None)));
        check("Standard_H16mr", Some(("h", 16, None)));
        check("Standard_HB120rs_v3", Some(("hb", 120, None)));
        check("Standard_HB176-144rs_v4", Some(("hb", 144, None)));
        check("Standard_HC44rs", Some(("hc", 44, None)));
        check("Standard_HX176rs", Some(("hx", 176, None)));
        check("Standard_NC6", Some(("nc", 6, Some("k80"))));
        check("Standard_NC6s_v2", Some(("nc", 6, Some("p100"))));
        check("Standard_NC24rs_v3", Some(("nc", 24, Some("v100"))));
        check("Standard_NC16as_T4_v3", Some(("nc", 16, Some("t4"))));
        check("Standard_NC24ads_A100_v4", Some(("nc", 24, Some("a100"))));
        check("Standard_NCC40ads_H100_v5", Some(("ncc", 40, Some("h100"))));
        check("Standard_ND6s", Some(("nd", 6, Some("p40"))));
        check("Standard_ND40rs_v2", Some(("nd", 40, Some("v100"))));
        check("Standard_ND96asr_v4", Some(("nd", 96, Some("a100"))));
        check("Standard_ND96isr_MI300X_v5", Some(("nd", 96, Some("mi300x"))));
        check("Standard_ND128isr_NDR_GB200_v6", Some(("nd", 128, Some("gb200"))));
        check("Standard_NV12s_v3", Some(("nv", 12, Some("m60"))));
        check("Standard_NV16as_v4", Some(("nv", 16, Some("mi25"))));
        check("Standard_NV36ads_A10_v5", Some(("nv", 36, Some("a10"))));
        check("Standard_NV4ads_V710_v5", Some(("nv", 4, Some("v710"))));
        check("Standard_NG32ads_V620_v1", Some(("ng", 32, Some("v620"))));
        check("Standard_NP10s", Some(("np", 10, Some("fpga"))));
    }

    #[test]
    fn other_names_are_none() {
        for name in [
            "",
            "Standard",
            "Standard_",
            "Standard_LRS",
            "Premium_LRS",
            "Standard_S1",
            "Standard_P1v2",
            "D4s_v5",
            "Standard_D",
            "Standard_D4-",
            "Standard_D99999999999999999999s",
            "Standard_D5000s",
            "Standard_DDDD4",
            "Standard_E0",
            "Standard_Dä4",
            "Standard_D4ä",
        ] {
            assert_eq!(VmSize::parse(name), None, "{name}");
        }
    }
}
