"""Addresses of homes, mobile phones, hosting providers and build runners, in networks that their providers publish."""

from estate.model import Address
from estate.places import CITIES, cities_of

INTERNET_PROVIDERS = {
    "DE": [
        (3320, ["84.135", "91.12", "87.146", "79.204"]),
        (3209, ["88.67", "178.6", "92.208"]),
        (6805, ["77.180", "95.114"]),
    ],
    "NL": [(1136, ["86.83", "145.132", "77.162"]), (33915, ["84.105", "62.194"])],
    "GB": [(2856, ["86.143", "81.152", "109.145"]), (5089, ["82.31", "86.17"]), (5607, ["90.204", "94.6"])],
    "FR": [(3215, ["90.63", "92.146", "86.210"]), (12322, ["82.64", "88.160"])],
    "NO": [(2119, ["84.208", "88.90"]), (29695, ["51.174", "79.160"])],
    "SE": [(3301, ["81.226", "90.224", "217.208"]), (2119, ["95.192", "83.226"])],
    "IT": [(3269, ["79.16", "87.3", "95.232"]), (30722, ["37.116", "93.33"])],
    "ES": [(3352, ["80.24", "88.2", "83.39"]), (12430, ["77.224", "62.151"])],
    "PL": [(5617, ["83.4", "79.184", "95.48"]), (12741, ["89.64", "81.15"])],
    "AT": [(8447, ["80.108", "91.112"]), (8412, ["84.112", "62.178"])],
    "CH": [(3303, ["85.0", "178.192", "81.62"]), (6730, ["31.10", "84.226"])],
    "US": [(7922, ["73.32", "24.9", "98.196"]), (7018, ["99.64", "108.192", "76.183"]), (20115, ["71.80", "66.168"])],
    "CA": [(577, ["70.48", "142.112", "174.88"]), (812, ["99.224", "72.138"])],
    "AU": [(1221, ["101.160", "120.144", "58.160"]), (4764, ["124.149", "115.64"])],
    "SG": [(9506, ["116.86", "119.56"]), (4657, ["27.125", "182.55"])],
    "PT": [(3243, ["81.193", "85.240"]), (2860, ["188.80", "94.60"])],
    "IN": [(24560, ["122.167", "106.51"]), (55836, ["49.37", "157.45"])],
    "NG": [(29465, ["105.112", "197.210"])],
    "VN": [(45899, ["113.160", "14.161"]), (7552, ["27.72", "171.224"])],
    "ID": [(7713, ["36.68", "180.244"])],
    "BR": [(28573, ["177.32", "189.60"]), (26599, ["177.138", "179.97"])],
    "RO": [(8708, ["86.120", "188.24"]), (9050, ["92.80", "79.112"])],
    "UA": [(15895, ["93.72", "46.211"])],
    "RU": [(12389, ["95.24", "178.34"]), (8402, ["89.178", "2.92"])],
    "AE": [(5384, ["86.96", "94.200"])],
    "TR": [(9121, ["78.160", "88.224"])],
}

HOSTING = [
    (14061, "Amsterdam", "Noord-Holland", "NL", 52.37, 4.89, ["188.166", "164.92", "178.62"]),
    (14061, "North Bergen", "New Jersey", "US", 40.8, -74.01, ["159.89", "157.230", "167.99"]),
    (16276, "Gravelines", "Nord", "FR", 50.99, 2.13, ["51.75", "54.36", "91.134"]),
    (24940, "Falkenstein", "Sachsen", "DE", 50.48, 12.37, ["88.99", "95.216", "138.201"]),
    (9009, "Bucharest", "Bucuresti", "RO", 44.43, 26.1, ["89.40", "185.94"]),
    (9009, "London", "England", "GB", 51.51, -0.13, ["146.70", "37.120"]),
    (51167, "Nuremberg", "Bayern", "DE", 49.45, 11.08, ["161.97", "207.180"]),
    (20473, "Piscataway", "New Jersey", "US", 40.5, -74.4, ["45.76", "149.28", "207.246"]),
    (20473, "Singapore", "Singapore", "SG", 1.35, 103.82, ["45.77", "139.180"]),
    (44477, "Chisinau", "Chisinau", "MD", 47.01, 28.86, ["94.131", "45.142"]),
    (212238, "Miami", "Florida", "US", 25.77, -80.19, ["156.146", "143.244"]),
    (60068, "Warsaw", "Mazowieckie", "PL", 52.23, 21.01, ["185.246", "138.199"]),
    (396982, "Council Bluffs", "Iowa", "US", 41.26, -95.86, ["34.68", "35.192"]),
    (45102, "Hong Kong", "Hong Kong", "HK", 22.32, 114.17, ["47.242", "8.210"]),
    (62240, "Zurich", "Zurich", "CH", 47.37, 8.54, ["185.159", "194.126"]),
]

RUNNER_CENTRES = [
    ("Amsterdam", "Noord-Holland", "NL", 52.37, 4.89),
    ("Boydton", "Virginia", "US", 36.67, -78.39),
    ("Boydton", "Virginia", "US", 36.67, -78.39),
    ("Dublin", "Dublin", "IE", 53.35, -6.26),
    ("Quincy", "Washington", "US", 47.23, -119.85),
    ("San Antonio", "Texas", "US", 29.42, -98.49),
]

RUNNER_PREFIXES = ["20.102", "20.169", "52.190", "40.84", "4.227", "20.55", "13.86", "172.184", "20.1", "52.255"]


def address_in(draw, prefix):
    return f"{prefix}.{draw.randint(0, 255)}.{draw.randint(2, 253)}"


def home_address(draw, city):
    """An address of somebody's home or office."""
    state, country, latitude, longitude = CITIES[city]
    asn, prefixes = draw.choice(INTERNET_PROVIDERS[country])
    return Address(address_in(draw, draw.choice(prefixes)), asn, city, state, country, latitude, longitude)


def hosting_address(draw, other_than=None):
    """An address of a hosting provider, if possible outside of a country."""
    for _ in range(40):
        asn, city, state, country, latitude, longitude, prefixes = draw.choice(HOSTING)
        if country != other_than:
            break
    return Address(address_in(draw, draw.choice(prefixes)), asn, city, state, country, latitude, longitude)


def runner_address(draw):
    """An address of a build runner, which stands in Azure."""
    place = draw.choice(RUNNER_CENTRES)
    return Address(address_in(draw, draw.choice(RUNNER_PREFIXES)), 8075, *place)


def mobile_address(draw, city):
    """An address of a mobile network, which may seem to be in another city of the country."""
    state, country, latitude, longitude = CITIES[city]
    asn, prefixes = draw.choice(INTERNET_PROVIDERS[country])
    ip = address_in(draw, draw.choice(prefixes))
    seen_in = draw.choice(cities_of(country))
    return Address(ip, asn, seen_in, state, country, latitude, longitude)
