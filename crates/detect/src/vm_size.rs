//! What the name of a virtual machine size says: family, vCPUs, accelerator.
//!
//! Names follow `Standard_<family><vCPUs>[-<usable vCPUs>]<features>[_<accelerator>][_v<generation>]`,
//! as `Standard_NC24ads_A100_v4` or `Standard_M8-2ms`. The oldest families (A, D, DS, G, GS) number
//! their sizes instead of naming the vCPUs; those stand in a table here. Searching a name for digits
//! takes generations and model numbers for vCPUs; this does not.
//!
//! Source: Microsoft's naming conventions for virtual machine sizes and the lists of earlier sizes.

/// What a size name says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VmSize {
    /// The letters before the number, in lower case: `d`, `e`, `nc`, `hb`. Old `ds` and `gs` are `d`
    /// and `g`, as they are the same machines with other disks.
    pub family: String,
    /// The vCPUs that can be used; `None` for an old size that the table does not have.
    pub vcpus: Option<u32>,
    /// The accelerator's model in lower case, or `gpu` if the name does not tell; `None` without one.
    pub accelerator: Option<String>,
}

/// Reads a size name; letter case does not matter. `None` for a text that is no size name.
#[must_use]
pub fn parse(name: &str) -> Option<VmSize> {
    let name = name.trim().to_ascii_lowercase();
    let body = name.strip_prefix("standard_").or_else(|| name.strip_prefix("basic_"))?;
    let mut parts = body.split('_');
    let size = SizePart::read(parts.next()?)?;
    let tags: Vec<&str> = parts.collect();
    let generation = tags.iter().find_map(|tag| tag.strip_prefix('v')?.parse::<u32>().ok());

    let family = match size.letters {
        "ds" => "d",
        "gs" => "g",
        other => other,
    };
    Some(VmSize {
        family: family.to_owned(),
        vcpus: size.usable.or_else(|| vcpus(family, size.number, generation)),
        accelerator: accelerator(family, generation, &tags),
    })
}

/// `nc24ads`, `m8-2ms`: letters, a number, and perhaps a smaller one.
struct SizePart<'a> {
    letters: &'a str,
    number: u32,
    usable: Option<u32>,
}

impl<'a> SizePart<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let (letters, rest) = text.split_at(text.find(|c: char| !c.is_ascii_alphabetic())?);
        let (number, rest) = leading_number(rest)?;
        let usable = rest.strip_prefix('-').and_then(leading_number).map(|(usable, _)| usable);
        (!letters.is_empty()).then_some(Self { letters, number, usable })
    }
}

fn leading_number(text: &str) -> Option<(u32, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

fn vcpus(family: &str, number: u32, generation: Option<u32>) -> Option<u32> {
    match (family, generation) {
        ("a", None) => Some(match number {
            0 | 1 => 1,
            2 | 5 => 2,
            3 | 6 => 4,
            4 | 7 | 8 | 10 => 8,
            9 | 11 => 16,
            _ => return None,
        }),
        ("d", None | Some(1 | 2)) => Some(match number {
            1 => 1,
            2 | 11 => 2,
            3 | 12 => 4,
            4 | 13 => 8,
            5 | 14 => 16,
            15 => 20,
            _ => return None,
        }),
        ("g", None) => (1..=5).contains(&number).then(|| 1 << number),
        _ => Some(number),
    }
}

/// Accelerator models as they stand in names.
const MODELS: [&str; 12] = [
    "a10",
    "a100",
    "gb200",
    "gb300",
    "h100",
    "h200",
    "mi300x",
    "rtxpro6000bse",
    "t4",
    "v100",
    "v620",
    "v710",
];

/// The model: named, or known from family and generation.
fn accelerator(family: &str, generation: Option<u32>, tags: &[&str]) -> Option<String> {
    let accelerated = family.starts_with('n');
    let named = tags.iter().find(|tag| MODELS.contains(tag));
    let model = match (named, family, generation) {
        (Some(model), ..) => model,
        (None, "nc", None) => "k80",
        (None, "nc", Some(2)) => "p100",
        (None, "nc", Some(3)) | (None, "nd", Some(2)) => "v100",
        (None, "nd", None) => "p40",
        (None, "nd", Some(4)) => "a100",
        (None, "nv", None | Some(2 | 3)) => "m60",
        (None, "nv", Some(4)) => "mi25",
        (None, "np", _) => "u250",
        (None, _, _) if accelerated => "gpu",
        (None, _, _) => return None,
    };
    Some(model.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn size_names_are_read() {
        let check = |name: &str, expected: &str| {
            let found = parse(name).map_or("none".to_owned(), |size| {
                let vcpus = size.vcpus.map_or("?".to_owned(), |vcpus| vcpus.to_string());
                format!("{} {vcpus} {}", size.family, size.accelerator.as_deref().unwrap_or("-"))
            });
            assert_eq!(found, expected, "{name}");
        };
        check("Standard_D4s_v5", "d 4 -");
        check("standard_nc24ads_a100_v4", "nc 24 a100");
        check("STANDARD_NC64AS_T4_V3", "nc 64 t4");
        check("Standard_NC6", "nc 6 k80");
        check("Standard_NC24rs_v3", "nc 24 v100");
        check("Standard_ND96asr_v4", "nd 96 a100");
        check("Standard_ND96isr_H100_v5", "nd 96 h100");
        check("Standard_ND96isr_MI300X_v5", "nd 96 mi300x");
        check("Standard_NV36ads_A10_v5", "nv 36 a10");
        check("Standard_NV12s_v3", "nv 12 m60");
        check("Standard_NG32ads_V620_v1", "ng 32 v620");
        check("Standard_NP10s", "np 10 u250");
        check("Standard_NCC40ads_H100_v5", "ncc 40 h100");
        check("Standard_ND40s_v9", "nd 40 gpu");
        check("Standard_F72s_v2", "f 72 -");
        check("Standard_FX12mds", "fx 12 -");
        check("Standard_M8-2ms", "m 2 -");
        check("Standard_M416ms_v2", "m 416 -");
        check("Standard_M176s_4_v3", "m 176 -");
        check("Standard_HB120-64rs_v3", "hb 64 -");
        check("Standard_HC44rs", "hc 44 -");
        check("Standard_B1ms", "b 1 -");
        check("Basic_A2", "a 2 -");
        check("Standard_A11", "a 16 -");
        check("Standard_A8m_v2", "a 8 -");
        check("Standard_DS3_v2", "d 4 -");
        check("Standard_DS11-1_v2", "d 1 -");
        check("Standard_D15_v2", "d 20 -");
        check("Standard_D64_v3", "d 64 -");
        check("Standard_DC8s_v3", "dc 8 -");
        check("Standard_GS5", "g 32 -");
        check("Standard_D9", "d ? -");
        check("", "none");
        check("Standard_", "none");
        check("Standard_4", "none");
        check("Standard_LRS", "none");
        check("P1v3", "none");
        check("Standard_D99999999999s_v3", "none");
    }

    proptest! {
        #[test]
        fn any_text_can_be_asked(name in "\\PC*", tail in "[_a-zA-Z0-9-]{0,20}") {
            let _ = parse(&name);
            let _ = parse(&format!("Standard_{tail}"));
            let _ = parse(&format!("Standard_{name}"));
        }
    }
}
