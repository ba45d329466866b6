//! Region ids from the many spellings of a region.
//!
//! Sources disagree: `brazilsouth`, `Brazil South`, `BR South`, `brsouth`. A detector that looks for
//! a new region must not see four.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

/// One region a line: the id, then its other spellings, folded.
const TABLE: &str = include_str!("regions.txt");

static IDS: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| {
    let mut ids = HashMap::new();
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let id = line.split(' ').next().unwrap_or(line);
        ids.extend(line.split(' ').map(|spelling| (spelling, id)));
    }
    ids
});

/// The one spelling whose blank counts: with it it is Swiss, without it Chinese.
const SWISS_OR_CHINESE: &str = "chnorth";

/// The longest spelling that is looked up; region names are far shorter.
const SPELLING_BYTES_MAX: usize = 64;

/// The id of the region, or `None` if the text names none (`Unassigned`, empty).
///
/// A region that the table does not know yet keeps its name in the form that Azure makes ids of:
/// lower case, without spaces.
pub(crate) fn region_id(spelling: &str) -> Option<Cow<'static, str>> {
    let mut folded = [0; SPELLING_BYTES_MAX];
    let mut length = 0;
    for byte in spelling.bytes().filter(u8::is_ascii_alphanumeric) {
        *folded.get_mut(length)? = byte.to_ascii_lowercase();
        length += 1;
    }
    let folded = std::str::from_utf8(&folded[..length]).ok()?;
    match folded {
        "" | "unassigned" | "unknown" | "none" | "na" | "null" => None,
        SWISS_OR_CHINESE if spelling.trim().contains(char::is_whitespace) => {
            Some(Cow::Borrowed("switzerlandnorth"))
        }
        SWISS_OR_CHINESE => Some(Cow::Borrowed("chinanorth")),
        _ => Some(IDS.get(folded).map_or_else(|| Cow::Owned(folded.to_owned()), |id| Cow::Borrowed(*id))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_become_ids() {
        let check = |spelling: &str, expected: Option<&str>| {
            assert_eq!(region_id(spelling).as_deref(), expected, "{spelling}");
        };
        for spelling in ["brazilsouth", "Brazil South", "BR South", "brsouth", "BRAZILSOUTH"] {
            check(spelling, Some("brazilsouth"));
        }
        // The odd ones of Regions.csv, whose spellings say little of the id, or look like those of others.
        for (spellings, id) in [
            ("AP Southeast,sg,southsoutheastasia", "southeastasia"),
            ("ch north, CH North ,CHN,switzerlandn", "switzerlandnorth"),
            ("chnorth,CHNORTH,bj,cn north", "chinanorth"),
            ("ch west,CHW", "switzerlandwest"),
            ("bjs,cn north 2", "chinanorth2"),
            ("bl,eu,useast", "eastus"),
            ("bn,eu2,eastsu2", "eastus2"),
            ("eu west,am2,europe,we", "westeurope"),
            ("db,ne,eu north", "northeurope"),
            ("ch,Chicago,us north central", "northcentralus"),
            ("Dallas,sn,scus", "southcentralus"),
            ("se,kr central", "koreacentral"),
            ("ps", "koreasouth"),
            ("sec,se central", "swedencentral"),
            ("ses,se south", "swedensouth"),
            ("pn,in central", "centralindia"),
            ("ins,ma,sin", "southindia"),
            ("by,siliconvalley", "westus"),
            ("ml,au southeast", "australiasoutheast"),
            ("sy,eau", "australiaeast"),
            ("qa central,qatarentral", "qatarcentral"),
            ("canandacentral,yt", "canadacentral"),
            ("fr", "germanycentral"),
            ("FR Central,par", "francecentral"),
            ("za north,san", "southafricanorth"),
            ("us gov az,phx,ussgovarizona", "usgovarizona"),
            ("USV", "usgovvirginia"),
            ("bso,cq,br south", "brazilsouth"),
            ("unitedkingdomsouth2,gbs", "uksouth"),
        ] {
            for spelling in spellings.split(',') {
                check(spelling, Some(id));
            }
        }
        check("US East 2", Some("eastus2"));
        check("West Europe", Some("westeurope"));
        check("Global", Some("global"));
        check("Atlantis North 3", Some("atlantisnorth3"));
        check("Unassigned", None);
        check(" ", None);
        check(&"x".repeat(65), None);
    }
}
