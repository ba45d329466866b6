"""The 45 customers of the estate and their partner."""

from estate.azure import HOME_REGIONS
from estate.clock import DAY, START
from estate.model import Address, Customer, Engineer
from estate.networks import address_in, home_address
from estate.people import GIVEN_NAMES, SURNAMES, new_principal, new_user
from estate.places import CITIES, cities_of
from estate.subscriptions import equip, new_subscription

COMPANY_NAMES = [
    "Alder", "Brook", "Corvus", "Delta", "Elbe", "Fjord", "Granit", "Hafen", "Isar", "Juno", "Kestrel", "Lumen",
    "Meridian", "Nova", "Orion", "Pico", "Quanta", "Rhein", "Sable", "Tessera", "Umbra", "Vela", "Waldhof", "Xenon",
    "Yarrow", "Zephyr", "Amber", "Birke", "Cobalt", "Dune", "Ember", "Forge", "Grove", "Harbor", "Iris", "Jade",
    "Kiefer", "Larch", "Maple", "Nimbus", "Onyx", "Petrel", "Quartz", "Rowan",
]  # fmt: skip

COMPANY_TRADES = [
    ("Logistics", "logistics"),
    ("Dental", "dental"),
    ("Software", "soft"),
    ("Engineering", "eng"),
    ("Foods", "foods"),
    ("Media", "media"),
    ("Energy", "energy"),
    ("Law", "law"),
    ("Retail", "retail"),
    ("Biotech", "bio"),
    ("Insurance", "ins"),
    ("Clinics", "clinics"),
    ("Robotics", "robotics"),
    ("Analytics", "analytics"),
    ("Architects", "arch"),
    ("Finance", "fin"),
]

PROFILES = ["small"] * 14 + ["mid"] * 15 + ["large"] * 7 + ["ml"] * 4 + ["render"] * 2 + ["web"] * 3


LEGAL_FORMS = {
    "DE": "GmbH",
    "NL": "B.V.",
    "GB": "Ltd",
    "FR": "SARL",
    "NO": "AS",
    "SE": "AB",
    "IT": "S.r.l.",
    "ES": "S.L.",
    "PL": "Sp. z o.o.",
    "AT": "GmbH",
    "CH": "AG",
    "US": "Inc.",
    "CA": "Inc.",
    "AU": "Pty Ltd",
    "SG": "Pte. Ltd.",
}
TOP_LEVEL_DOMAINS = {"GB": "co.uk", "US": "com", "AU": "com.au", "SG": "com.sg"}
TRADES_OF_PROFILES = {
    "ml": [("Analytics", "analytics"), ("Biotech", "bio"), ("Robotics", "robotics")],
    "render": [("Media", "media"), ("Architects", "arch")],
}
SUBSCRIPTION_NAMES = {
    "small": "Azure",
    "prod": "Production",
    "dev": "DevTest",
    "ml": "DataScience",
    "render": "Render",
    "web": "Shop",
}
DEVELOPERS = {"small": 0, "mid": 3, "large": 5, "ml": 2, "render": 2, "web": 3}
LEGACY_PRINCIPALS = ["svc-backup-legacy", "sp-migration-2021", "app-reporting-old", "svc-monitor-poc"]


def build_customers(estate):
    """Fills the estate with the partner and its customers."""
    estate.restart("estate")
    draw = estate.draw
    estate.billing_account = f"{draw.guid()}:{draw.guid()}_2019-05-31"
    estate.billing_profile = "BG2U-" + draw.hexadecimal(4).upper() + "-PGB"
    profiles = PROFILES[:]
    draw.shuffle(profiles)
    names = COMPANY_NAMES[:]
    draw.shuffle(names)
    names += ["Solstice", "Tarn"]
    for number, profile in enumerate(profiles):
        customer = new_customer(draw, number, names[number], profile)
        hire(draw, customer)
        subscribe(draw, customer, names[number])
        register_programs(draw, customer)
        customer.partner_maintained = draw.chance(0.35)
        estate.customers.append(customer)
    for _ in range(4):
        estate.partner.engineers.append(new_engineer(draw))
    estate.partner.office = home_address(draw, "Hamburg")


def new_customer(draw, number, name, profile):
    trade, trade_domain = draw.choice(COMPANY_TRADES)
    if profile in TRADES_OF_PROFILES:
        trade, trade_domain = draw.choice(TRADES_OF_PROFILES[profile])
    if profile == "web":
        trade, trade_domain = "Retail", "retail"
    if draw.chance(0.8):
        city = draw.choice([city for city, (_, country, _, _) in CITIES.items() if country in HOME_REGIONS])
    else:
        city = draw.choice(["Hamburg", "Utrecht", "Manchester", "Oslo", "Lyon"])
    country = CITIES[city][1]
    small = profile == "small"
    customer = Customer(
        number=number,
        tenant_id=draw.guid(),
        name=f"{name} {trade} {LEGAL_FORMS[country]}",
        domain=f"{name.lower()}-{trade_domain}.{TOP_LEVEL_DOMAINS.get(country, country.lower())}",
        prefix=name[:4].upper(),
        profile=profile,
        city=city,
        country=country,
        born=START - 400 * DAY,
        created=str(1500000000 + draw.randint(0, 180000000)),
        geo="NA" if country in ("US", "CA") else "AS" if country in ("AU", "SG") else "EU",
        federation="ADFS" if profile == "large" and draw.chance(0.3) else None,
        managed=not small or draw.chance(0.4),
        has_risk_levels=draw.chance(0.35),
        requires_mfa=not small or draw.chance(0.3),
    )
    customer.developer_group = draw.guid()
    customer.has_entra_logs = not small or draw.chance(0.55)
    customer.office = home_address(draw, city)
    customer.offices = [customer.office]
    if profile == "large":
        customer.offices.append(home_address(draw, draw.choice(cities_of(country))))
    return customer


def hire(draw, customer):
    """Gives a customer its users; the first of them owns everything."""
    profile = customer.profile
    user_count = {
        "small": draw.randint(3, 6),
        "mid": draw.randint(8, 11),
        "large": draw.randint(13, 18),
        "ml": draw.randint(8, 11),
        "render": draw.randint(7, 10),
        "web": draw.randint(8, 12),
    }[profile]
    customer.owner = new_user(draw, customer, "admin")
    if profile != "small":
        for job in ("admin", "backup", "helpdesk", "manager"):
            new_user(draw, customer, job)
    for _ in range(DEVELOPERS[profile]):
        new_user(draw, customer, "dev")
    if profile == "ml":
        for _ in range(3):
            new_user(draw, customer, "ml")
    while len(customer.users) < user_count:
        new_user(draw, customer, draw.weighted([("office", 5), ("manager", 1)]))


def subscription_kinds(draw, profile):
    if profile == "small":
        return ["small"]
    if profile == "mid":
        return ["prod", "dev"] if draw.chance(0.75) else ["prod"]
    if profile == "large":
        return ["prod", "dev", draw.choice(["prod", "dev"])]
    if profile == "ml":
        return ["ml", "dev"] if draw.chance(0.6) else ["ml"]
    if profile == "render":
        return ["render", "dev"] if draw.chance(0.5) else ["render"]
    return ["web", "dev"]


def subscribe(draw, customer, name):
    """Gives a customer its subscriptions."""
    region = draw.choice(HOME_REGIONS[customer.country])
    kinds = subscription_kinds(draw, customer.profile)
    for position, kind in enumerate(kinds):
        ending = "" if position == kinds.index(kind) else "-2"
        subscription = new_subscription(draw, customer, f"{name}-{SUBSCRIPTION_NAMES[kind]}{ending}", kind, region)
        equip(draw, customer, subscription)
        subscription.has_activity_log = kind != "small" or draw.chance(0.85)


def register_programs(draw, customer):
    """Gives a customer the service principals of its pipelines and tools."""
    prefix = customer.prefix.lower()
    with_terraform = customer.profile in ("large", "mid", "web")
    if customer.profile != "small":
        name = f"{draw.choice(['sp-gh', 'azdo', 'gha'])}-{prefix}-deploy"
        customer.pipeline = new_principal(draw, customer, name, draw.choice(["oidc", "oidc", "secret"]))
        customer.terraform = customer.pipeline
        if with_terraform:
            credential = draw.choice(["oidc", "secret"])
            customer.terraform = new_principal(draw, customer, f"sp-terraform-{prefix}", credential, role="Owner")
        name = draw.choice(LEGACY_PRINCIPALS)
        customer.legacy = new_principal(draw, customer, name, "secret", address=customer.office)
        customer.rotation = new_principal(draw, customer, "sp-secret-rotation", "cert")
    if with_terraform and draw.chance(0.5):
        address = Address(address_in(draw, "3.121"), 16509, "Frankfurt am Main", "Hessen", "DE", 50.11, 8.68)
        customer.monitoring = new_principal(
            draw, customer, "DatadogAzureIntegration", "secret", role="Monitoring Reader", address=address
        )


def new_engineer(draw):
    given_name, surname = draw.choice(GIVEN_NAMES), draw.choice(SURNAMES)
    return Engineer(
        given_name=given_name,
        surname=surname,
        name=f"{given_name} {surname}",
        mail=f"{given_name}.{surname}@nordlicht-cloud.example".lower(),
        id=draw.guid(),
        home_address=home_address(draw, "Hamburg"),
    )
