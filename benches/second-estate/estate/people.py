"""Users, guests, partner's engineers and service principals."""

import uuid

from estate.model import Device, ServicePrincipal, User
from estate.networks import home_address, runner_address

GIVEN_NAMES = [
    "Anna", "Jonas", "Lena", "Lukas", "Marie", "Felix", "Sofia", "Paul", "Emma", "Max", "Clara", "Tim", "Nora",
    "Jan", "Eva", "Tom", "Ida", "Ole", "Lars", "Sven", "Ingrid", "Pieter", "Sanne", "Daan", "Bram", "Femke",
    "Oliver", "Amelia", "Harry", "Isla", "George", "Freya", "Chloe", "Louis", "Camille", "Hugo", "Ines", "Marco",
    "Giulia", "Luca", "Chiara", "Carlos", "Lucia", "Javier", "Piotr", "Kasia", "Marek", "Zofia", "Stefan", "Petra",
    "Urs", "Reto", "John", "Sarah", "Mike", "Emily", "David", "Jessica", "Ryan", "Ashley", "Liam", "Olivia", "Jack",
    "Charlotte", "Wei", "Mei", "Priya", "Arjun", "Fatima", "Yusuf",
]  # fmt: skip

SURNAMES = [
    "Schmidt", "Becker", "Wagner", "Hoffmann", "Koch", "Richter", "Klein", "Wolf", "Neumann", "Braun", "Hansen",
    "Larsen", "Berg", "Lindqvist", "Johansson", "deVries", "Bakker", "Visser", "Smit", "Mulder", "Taylor", "Walker",
    "Hughes", "Edwards", "Green", "Wood", "Martin", "Bernard", "Dubois", "Moreau", "Laurent", "Rossi", "Ferrari",
    "Bianchi", "Romano", "Garcia", "Lopez", "Perez", "Nowak", "Wisniewski", "Zielinski", "Gruber", "Huber",
    "Steiner", "Keller", "Meier", "Miller", "Davis", "Wilson", "Anderson", "Clark", "Nguyen", "Tan", "Lim", "Wong",
    "Sharma", "Patel", "Khan", "Silva",
]  # fmt: skip


ROLES_OF_JOBS = {"admin": "Owner", "dev": "Contributor", "ml": "Contributor", "backup": "Backup Contributor"}
GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
MEMBER = "b79fbf4d-3ef9-4689-8143-76b194e85509"
HELPDESK_AGENT = "08372b87-7d02-482a-9e02-fb03ea5fe193"


def new_user(draw, customer, job, city=None):
    """Adds a member with a device and an address at home."""
    given_name, surname = draw.choice(GIVEN_NAMES), draw.choice(SURNAMES)
    name = f"{given_name} {surname}"
    namesakes = sum(1 for user in customer.users if user.name == name)
    device_kind = draw.weighted([("win", 8), ("mac", 2 if job in ("dev", "ml", "admin") else 0.6)])
    user = User(
        id=draw.guid(),
        given_name=given_name,
        surname=surname,
        name=name,
        upn=f"{given_name}.{surname}{namesakes or ''}@{customer.domain}".lower(),
        role=ROLES_OF_JOBS.get(job, "Reader"),
        job=job,
        city=city or customer.city,
        puid=new_puid(draw),
        subject=draw.word(43),
        groups=",".join(draw.guid() for _ in range(2)),
        wids=f"{GLOBAL_ADMINISTRATOR},{MEMBER}" if job == "admin" else MEMBER,
        home_office_share=draw.uniform(0.1, 0.5),
        device_kind=device_kind,
        late=draw.chance(0.1),
    )
    if job in ("dev", "ml", "backup") and draw.chance(0.6):
        user.via_group = customer.developer_group
    user.device = new_device(draw, customer, given_name, device_kind)
    user.home_address = home_address(draw, user.city)
    user.phone = draw.chance(0.7)
    customer.users.append(user)
    return user


def new_puid(draw):
    return "1003" + draw.hexadecimal(12).upper()


def new_device(draw, customer, given_name, kind):
    windows = kind == "win"
    identifier = draw.guid() if customer.managed else ""
    if windows:
        name = f"{customer.prefix}-{draw.choice(['NB', 'LT', 'PC'])}{draw.randint(100, 999)}"
    else:
        name = f"{given_name}s-MacBook"
    compliant = True if customer.managed and draw.chance(0.93) else None
    if windows:
        trust = "Azure AD joined" if draw.chance(0.7) else "Hybrid Azure AD joined"
    else:
        trust = "Azure AD registered"
    return Device(
        id=identifier,
        name=name,
        os="Windows10" if windows else "MacOs",
        compliant=compliant,
        managed=True if customer.managed else None,
        trust=trust,
    )


def new_principal(draw, customer, name, credential, role="Contributor", address=None, managed_identity=None):
    principal = ServicePrincipal(
        id=draw.guid(),
        app_id=draw.guid(),
        object_id=draw.guid(),
        name=name,
        credential=credential,
        key_id=draw.guid(),
        role=role,
        address=address,
        managed_identity=managed_identity,
    )
    customer.principals.append(principal)
    return principal


def partner_user(estate, customer, number):
    """An engineer of the partner as the customer sees him: by the delegated group, not by an account of its own."""
    engineer = estate.partner.engineers[number]
    private = estate.private_random(f"{customer.number}/{number}/pu")
    partner_group, own_group = (str(uuid.UUID(int=private.getrandbits(128), version=4)) for _ in range(2))
    return User(
        id=engineer.id,
        given_name=engineer.given_name,
        surname=engineer.surname,
        name=engineer.name,
        upn=engineer.mail,
        mail=engineer.mail,
        role="Contributor",
        job="partner",
        home_tenant=estate.partner.tenant_id,
        partner_group=partner_group,
        puid=new_puid(estate.draw),
        subject=estate.draw.word(43),
        groups=own_group,
        wids=HELPDESK_AGENT,
        home_address=engineer.home_address,
    )


def principal_address(draw, principal):
    return principal.address if principal.address else runner_address(draw)


def guest_user(draw, customer, mail, home_tenant, name):
    given_name, surname = name.split(" ")
    directory = customer.domain.split(".")[0].replace("-", "")
    return User(
        id=draw.guid(),
        given_name=given_name,
        surname=surname,
        name=name,
        upn=f"{mail.replace('@', '_')}#EXT#@{directory}.onmicrosoft.com".lower(),
        mail=mail,
        job="guest",
        home_tenant=home_tenant,
        puid=new_puid(draw),
        subject=draw.word(43),
        wids=MEMBER,
    )


def random_name(draw):
    return f"{draw.choice(GIVEN_NAMES)} {draw.choice(SURNAMES)}"
