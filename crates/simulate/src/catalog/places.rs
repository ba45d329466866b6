//! Where people and machines sign in from: cities, and the networks that addresses belong to.
//!
//! Coordinates are those of city centres, to three decimals, as address databases give them. Numbers of
//! networks are those reserved for documentation (RFC 5398), as the addresses are.

use chrono::TimeDelta;

use crate::dice::Dice;

/// A city.
#[derive(Debug, PartialEq)]
pub(crate) struct Place {
    /// ISO 3166, two letters.
    pub(crate) country: &'static str,
    /// `Oslo`
    pub(crate) city: &'static str,
    /// The province, county or state.
    pub(crate) state: &'static str,
    /// Degrees north.
    pub(crate) latitude: f64,
    /// Degrees east.
    pub(crate) longitude: f64,
    /// Whole hours east of Greenwich.
    pub(crate) utc_offset_hours: i64,
}

/// Where an address is thought to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Whereabouts {
    /// The city.
    pub(crate) place: &'static Place,
    /// The number of its network.
    pub(crate) autonomous_system: u32,
}

/// What kind of network an address belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Network {
    /// A company's own line.
    Office,
    /// A home, a hotel.
    Home,
    /// A telephone.
    Mobile,
    /// A data centre: build agents, and whatever else is rented there.
    Hosting,
}

impl Network {
    /// One of the networks of this kind.
    pub(crate) fn number(self, dice: &mut Dice) -> u32 {
        let (low, high) = match self {
            Self::Office => (64_496, 64_501),
            Self::Home => (64_502, 64_508),
            Self::Mobile => (64_509, 64_511),
            Self::Hosting => (65_536, 65_551),
        };
        dice.between(low, high) as u32
    }
}

/// How fast a journey goes at most, in kilometres an hour, and how long it takes beside: the way to the
/// airport and the wait.
const JOURNEY: (f64, f64) = (700.0, 3.0);

/// Kilometres of one degree of latitude.
const KILOMETRES_A_DEGREE: f64 = 111.2;

impl Place {
    /// No journey to the other place takes longer. It goes along a meridian and a parallel as wide as the
    /// equator, so that it is never too short, and needs no trigonometry.
    pub(crate) fn journey_to(&self, other: &Self) -> TimeDelta {
        let north = (self.latitude - other.latitude).abs();
        let around = (self.longitude - other.longitude).abs();
        let east = around.min(360.0 - around);
        let hours = (north + east) * KILOMETRES_A_DEGREE / JOURNEY.0 + JOURNEY.1;
        TimeDelta::minutes((hours * 60.0) as i64)
    }
}

/// The cities around the offices of customers in a home region. The first is the office's; the others are
/// near enough to go there and back within a day.
pub(crate) fn places_around(region_id: &str) -> &'static [Place; 3] {
    let home = HOMES.iter().find(|(id, _)| *id == region_id);
    &home.unwrap_or(&HOMES[0]).1
}

const fn place(
    country: &'static str,
    city: &'static str,
    state: &'static str,
    latitude: f64,
    longitude: f64,
    utc_offset_hours: i64,
) -> Place {
    Place { country, city, state, latitude, longitude, utc_offset_hours }
}

/// Around the offices, by home region.
static HOMES: [(&str, [Place; 3]); 12] = [
    (
        "westeurope",
        [
            place("NL", "Amsterdam", "Noord-Holland", 52.374, 4.890, 1),
            place("NL", "Haarlem", "Noord-Holland", 52.381, 4.637, 1),
            place("NL", "Hilversum", "Noord-Holland", 52.223, 5.176, 1),
        ],
    ),
    (
        "northeurope",
        [
            place("IE", "Dublin", "Dublin", 53.333, -6.249, 0),
            place("IE", "Bray", "Wicklow", 53.203, -6.111, 0),
            place("IE", "Swords", "Dublin", 53.460, -6.218, 0),
        ],
    ),
    (
        "swedencentral",
        [
            place("SE", "Stockholm", "Stockholm", 59.333, 18.065, 1),
            place("SE", "Solna", "Stockholm", 59.360, 18.001, 1),
            place("SE", "Sodertalje", "Stockholm", 59.196, 17.625, 1),
        ],
    ),
    (
        "norwayeast",
        [
            place("NO", "Oslo", "Oslo", 59.913, 10.746, 1),
            place("NO", "Drammen", "Buskerud", 59.744, 10.205, 1),
            place("NO", "Lillestrom", "Akershus", 59.956, 11.050, 1),
        ],
    ),
    (
        "uksouth",
        [
            place("GB", "London", "England", 51.509, -0.126, 0),
            place("GB", "Croydon", "England", 51.376, -0.098, 0),
            place("GB", "Watford", "England", 51.655, -0.396, 0),
        ],
    ),
    (
        "germanywestcentral",
        [
            place("DE", "Frankfurt am Main", "Hessen", 50.116, 8.684, 1),
            place("DE", "Offenbach", "Hessen", 50.101, 8.766, 1),
            place("DE", "Mainz", "Rheinland-Pfalz", 49.984, 8.279, 1),
        ],
    ),
    (
        "francecentral",
        [
            place("FR", "Paris", "Paris", 48.853, 2.349, 1),
            place("FR", "Versailles", "Yvelines", 48.804, 2.134, 1),
            place("FR", "Montreuil", "Seine-Saint-Denis", 48.864, 2.443, 1),
        ],
    ),
    (
        "eastus",
        [
            place("US", "Washington", "District of Columbia", 38.895, -77.036, -5),
            place("US", "Arlington", "Virginia", 38.881, -77.104, -5),
            place("US", "Reston", "Virginia", 38.969, -77.341, -5),
        ],
    ),
    (
        "eastus2",
        [
            place("US", "Richmond", "Virginia", 37.554, -77.460, -5),
            place("US", "Ashland", "Virginia", 37.759, -77.480, -5),
            place("US", "Chester", "Virginia", 37.357, -77.441, -5),
        ],
    ),
    (
        "westus2",
        [
            place("US", "Seattle", "Washington", 47.606, -122.332, -8),
            place("US", "Bellevue", "Washington", 47.610, -122.201, -8),
            place("US", "Redmond", "Washington", 47.674, -122.122, -8),
        ],
    ),
    (
        "canadacentral",
        [
            place("CA", "Toronto", "Ontario", 43.700, -79.416, -5),
            place("CA", "Mississauga", "Ontario", 43.589, -79.644, -5),
            place("CA", "Markham", "Ontario", 43.867, -79.266, -5),
        ],
    ),
    (
        "australiaeast",
        [
            place("AU", "Sydney", "New South Wales", -33.868, 151.207, 10),
            place("AU", "Parramatta", "New South Wales", -33.815, 151.003, 10),
            place("AU", "Hornsby", "New South Wales", -33.704, 151.099, 10),
        ],
    ),
];

/// The rest of the world: where people travel to, and where machines are rented.
pub(crate) static WORLD: [Place; 48] = [
    place("DK", "Copenhagen", "Capital Region", 55.676, 12.566, 1),
    place("DE", "Berlin", "Berlin", 52.524, 13.411, 1),
    place("DE", "Munich", "Bayern", 48.137, 11.575, 1),
    place("ES", "Madrid", "Madrid", 40.417, -3.703, 1),
    place("IT", "Milan", "Lombardia", 45.464, 9.190, 1),
    place("PL", "Warsaw", "Mazowieckie", 52.230, 21.012, 1),
    place("AT", "Vienna", "Wien", 48.208, 16.372, 1),
    place("CH", "Zurich", "Zurich", 47.377, 8.540, 1),
    place("FI", "Helsinki", "Uusimaa", 60.170, 24.935, 2),
    place("BE", "Brussels", "Brussels Hoofdstedelijk Gewest", 50.850, 4.349, 1),
    place("PT", "Lisbon", "Lisboa", 38.717, -9.133, 0),
    place("GB", "Manchester", "England", 53.481, -2.237, 0),
    place("FR", "Lyon", "Rhone", 45.749, 4.848, 1),
    place("SE", "Gothenburg", "Vastra Gotaland", 57.707, 11.967, 1),
    place("NO", "Bergen", "Vestland", 60.393, 5.324, 1),
    place("NL", "Rotterdam", "Zuid-Holland", 51.923, 4.479, 1),
    place("CZ", "Prague", "Praha", 50.088, 14.421, 1),
    place("HU", "Budapest", "Budapest", 47.498, 19.040, 1),
    place("EE", "Tallinn", "Harjumaa", 59.437, 24.754, 2),
    place("LT", "Vilnius", "Vilniaus", 54.689, 25.280, 2),
    place("RO", "Bucharest", "Bucuresti", 44.432, 26.106, 2),
    place("BG", "Sofia", "Sofia-Grad", 42.698, 23.325, 2),
    place("UA", "Kyiv", "Kyiv", 50.454, 30.524, 2),
    place("RU", "Moscow", "Moskva", 55.752, 37.616, 3),
    place("TR", "Istanbul", "Istanbul", 41.014, 28.950, 3),
    place("US", "New York", "New York", 40.714, -74.006, -5),
    place("US", "Boston", "Massachusetts", 42.358, -71.060, -5),
    place("US", "Chicago", "Illinois", 41.850, -87.650, -6),
    place("US", "Dallas", "Texas", 32.783, -96.807, -6),
    place("US", "San Jose", "California", 37.339, -121.895, -8),
    place("CA", "Montreal", "Quebec", 45.509, -73.588, -5),
    place("CA", "Vancouver", "British Columbia", 49.250, -123.119, -8),
    place("MX", "Mexico City", "Ciudad de Mexico", 19.428, -99.128, -6),
    place("CO", "Bogota", "Bogota D.C.", 4.610, -74.082, -5),
    place("BR", "Sao Paulo", "Sao Paulo", -23.548, -46.636, -3),
    place("NG", "Lagos", "Lagos", 6.454, 3.395, 1),
    place("ZA", "Johannesburg", "Gauteng", -26.202, 28.044, 2),
    place("AE", "Dubai", "Dubai", 25.077, 55.309, 4),
    place("IN", "Mumbai", "Maharashtra", 19.073, 72.883, 5),
    place("SG", "Singapore", "Singapore", 1.290, 103.850, 8),
    place("VN", "Hanoi", "Ha Noi", 21.025, 105.841, 7),
    place("ID", "Jakarta", "Jakarta", -6.215, 106.845, 7),
    place("HK", "Hong Kong", "Central and Western", 22.286, 114.158, 8),
    place("KR", "Seoul", "Seoul", 37.568, 126.978, 9),
    place("JP", "Tokyo", "Tokyo", 35.690, 139.692, 9),
    place("AU", "Melbourne", "Victoria", -37.814, 144.963, 10),
    place("AU", "Brisbane", "Queensland", -27.468, 153.028, 10),
    place("NZ", "Auckland", "Auckland", -36.848, 174.763, 12),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::REGIONS;

    #[test]
    fn every_home_region_has_its_cities() {
        for region in REGIONS.iter().filter(|region| region.home) {
            assert!(HOMES.iter().any(|(id, _)| *id == region.id), "{}", region.id);
            let around = places_around(region.id);
            for place in around {
                assert_eq!(place.country, around[0].country);
                assert_eq!(place.utc_offset_hours, region.utc_offset_hours);
                assert!(around[0].journey_to(place) < TimeDelta::hours(4), "{place:?}");
            }
        }
    }

    #[test]
    fn journeys_take_their_time() {
        let find = |city: &str| WORLD.iter().find(|place| place.city == city).unwrap();
        let hours = |from: &str, to: &str| find(from).journey_to(find(to)).num_hours();
        assert_eq!(hours("Berlin", "Berlin"), 3);
        assert!((4..8).contains(&hours("Berlin", "Madrid")));
        assert!((20..50).contains(&hours("Berlin", "Auckland")));
        assert_eq!(hours("Auckland", "Vancouver"), hours("Vancouver", "Auckland"));
    }
}
