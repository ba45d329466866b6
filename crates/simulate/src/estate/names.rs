//! Made-up names of companies, people and things.

use crate::dice::Dice;

const PLACES: [&str; 30] = [
    "Alderbeck",
    "Birkholm",
    "Calderwick",
    "Dunmore",
    "Eikeland",
    "Fennholt",
    "Granvik",
    "Hollowmere",
    "Ivarsund",
    "Juniper Hill",
    "Kestrelby",
    "Lindqvar",
    "Marrow Bay",
    "Nordhavn",
    "Oakenfell",
    "Pellworth",
    "Quillan",
    "Ravnsborg",
    "Silverby",
    "Tarnfield",
    "Ulverton",
    "Vesterlund",
    "Wexcombe",
    "Yarrowdale",
    "Zelbrook",
    "Ambervale",
    "Brackenridge",
    "Coldwater",
    "Drumlin",
    "Estermark",
];

const TRADES: [&str; 20] = [
    "Foods",
    "Logistics",
    "Dental",
    "Robotics",
    "Insurance",
    "Books",
    "Shipping",
    "Timber",
    "Textiles",
    "Energy",
    "Pharma",
    "Furniture",
    "Media",
    "Dairy",
    "Tools",
    "Travel",
    "Legal",
    "Optics",
    "Farms",
    "Games",
];

const FIRST_NAMES: [&str; 24] = [
    "ada", "bjorn", "carla", "dmitri", "elin", "farid", "greta", "hugo", "ines", "jonas", "kaya", "lars",
    "mina", "noor", "oskar", "petra", "quinn", "rosa", "sami", "tove", "ulla", "viktor", "wanda", "yusuf",
];

const LAST_NAMES: [&str; 20] = [
    "ashford", "berg", "castell", "dahl", "ek", "farrow", "gruber", "holm", "ito", "jansen", "kowal", "lund",
    "moreau", "nilsen", "ortega", "prior", "ruiz", "stone", "tanaka", "weiss",
];

/// A company's name. The number keeps names apart in large estates.
pub(crate) fn company(number: u32, dice: &mut Dice) -> String {
    let name = format!("{} {}", dice.pick(&PLACES), dice.pick(&TRADES));
    if number < 20 { name } else { format!("{name} {number}") }
}

/// A person's UPN at a company's domain. The number keeps people of a company apart.
pub(crate) fn upn(number: usize, domain: &str, dice: &mut Dice) -> String {
    let first = dice.pick(&FIRST_NAMES);
    let last = dice.pick(&LAST_NAMES);
    if number == 0 { format!("{first}.{last}@{domain}") } else { format!("{first}.{last}{number}@{domain}") }
}

/// The domain of a company, under the top-level domain that is reserved for examples (RFC 2606).
pub(crate) fn domain(company: &str) -> String {
    let slug: String = company.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("{}.example", slug.to_ascii_lowercase())
}
