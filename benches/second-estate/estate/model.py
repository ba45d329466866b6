"""The things of which an estate consists."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class Address(NamedTuple):
    """An address of the internet and what sign-in records say of it."""

    ip: str
    asn: int
    city: str
    state: str
    country: str
    latitude: float
    longitude: float


@dataclass(eq=False)
class Device:
    id: str
    name: str
    os: str
    trust: str
    compliant: bool | None = None
    managed: bool | None = None


@dataclass(eq=False)
class User:
    """A member, guest or partner's engineer; home_tenant is empty for members, partner_group for all but partners."""

    id: str
    name: str
    upn: str
    given_name: str = ""
    surname: str = ""
    role: str = "Reader"
    job: str = ""
    city: str = ""
    mail: str = ""
    home_tenant: str | None = None
    partner_group: str | None = None
    via_group: str | None = None
    puid: str = ""
    subject: str = ""
    groups: str = ""
    wids: str = ""
    device: Device | None = None
    device_kind: str = "win"
    phone: bool = False
    home_address: Address | None = None
    address_changed_on: int = -1
    home_office_share: float = 0.0
    away: tuple | None = None  # from, until, address
    late: bool = False
    born: float = 0.0

    @property
    def label_name(self):
        """How labels name it."""
        return self.upn


@dataclass(eq=False)
class ServicePrincipal:
    id: str
    name: str
    app_id: str = ""
    object_id: str = ""
    credential: str = "cert"  # or secret, oidc
    key_id: str = ""
    role: str = "Contributor"
    address: Address | None = None
    managed_identity: str | None = None  # the resource whose identity it is

    @property
    def label_name(self):
        return f"{self.name} {self.id}"


@dataclass(eq=False)
class Session:
    """What a caller, a user or a service principal, holds after a sign-in to work in a subscription."""

    estate: object
    subscription: Subscription
    user: User | None
    principal: ServicePrincipal | None
    address: Address | None
    application: str
    methods: str
    device: Device | None
    app_id: str | None
    role: str | None
    offset: int
    aio: str
    rh: str
    uti: str
    id: str

    @property
    def caller(self):
        return self.user or self.principal

    def issued_before(self, time):
        """When the token in use at a time was issued."""
        return int(time // 3600 * 3600 + self.offset)


@dataclass(eq=False)
class Machine:
    """A machine, or several of the same size (a scale set, a pool, a cluster) that come and go together."""

    id: str
    size: str
    region: str
    name: str = ""
    group: str = ""
    hours: int = 24  # a day
    count: float = 1
    mac: str = ""
    ip: str = ""
    start: float | None = None
    stop: float | None = None
    created: float | None = None
    spot: bool = False
    backed_up: bool = False
    reserved: bool = False
    provider: str = "Microsoft.Compute"
    label: object = None


@dataclass(eq=False)
class ScaleSet:
    id: str
    size: str
    lowest: int
    highest: int


@dataclass(eq=False)
class Cluster:
    """A managed Kubernetes cluster with the scale set of its nodes."""

    id: str
    scale_set: str
    size: str
    lowest: int
    highest: int
    principal: ServicePrincipal


@dataclass(eq=False)
class AutomationAccount:
    id: str
    principal: ServicePrincipal


@dataclass(eq=False)
class Subscription:
    customer: Customer
    id: str
    name: str
    kind: str  # small, prod, dev, ml, render, web
    region: str
    product_order: str
    growth: float
    scale: float
    born: float
    policies: str = ""
    has_activity_log: bool = True
    has_flow_logs: bool = False
    flow_period: tuple | None = None  # from, until
    resource_groups: list = field(default_factory=list)
    machines: list = field(default_factory=list)
    runs: list = field(default_factory=list)  # machines that came and went
    storage_accounts: list = field(default_factory=list)
    vaults: list = field(default_factory=list)
    security_groups: list = field(default_factory=list)
    sql_servers: list = field(default_factory=list)
    sites: list = field(default_factory=list)
    backup_vault: str | None = None
    cluster: Cluster | None = None
    scale_set: ScaleSet | None = None
    workspace: str | None = None
    batch_account: str | None = None
    openai: str | None = None
    registry: str | None = None
    automation: AutomationAccount | None = None
    log_workspace: str = ""
    role_assignments: dict = field(default_factory=dict)
    boost: dict = field(default_factory=dict)  # factor of load by day
    purpose: str = ""  # set where the schedule keeps the subscription for a scenario of its own
    attack: float | None = None
    look: float | None = None

    @property
    def path(self):
        return f"/subscriptions/{self.id}"

    def resource_id(self, group, kind, name):
        return f"{self.path}/resourceGroups/{group}/providers/{kind}/{name}"

    def role_assignment_id(self, draw, principal_id):
        """The assignment of a principal. A new identifier is drawn even if it has one, which keeps the stream."""
        return self.role_assignments.setdefault(principal_id, draw.hexadecimal(32))


@dataclass(eq=False)
class Customer:
    number: int
    tenant_id: str
    name: str
    domain: str
    prefix: str
    profile: str  # small, mid, large, ml, render, web
    city: str
    country: str
    created: str
    geo: str
    federation: str | None
    managed: bool  # its devices
    has_risk_levels: bool
    requires_mfa: bool
    born: float
    has_entra_logs: bool = True
    users: list = field(default_factory=list)
    principals: list = field(default_factory=list)
    subscriptions: list = field(default_factory=list)
    network_changes: list = field(default_factory=list)  # from, until, function of a user and a time to an address
    developer_group: str = ""
    owner: User | None = None
    office: Address | None = None
    offices: list = field(default_factory=list)
    pipeline: ServicePrincipal | None = None
    terraform: ServicePrincipal | None = None
    legacy: ServicePrincipal | None = None
    rotation: ServicePrincipal | None = None
    monitoring: ServicePrincipal | None = None
    partner_maintained: bool = False
    attacked: float | None = None
    scenarios: list = field(default_factory=list)  # what the schedule planned here

    @property
    def established_subscriptions(self):
        """Those that exist from the first day on."""
        return [one for one in self.subscriptions if one.purpose not in ("fleet", "cost", "lz")]


@dataclass(eq=False)
class Engineer:
    """An engineer of the partner."""

    given_name: str
    surname: str
    name: str
    mail: str
    id: str
    home_address: Address


@dataclass(eq=False)
class Partner:
    tenant_id: str
    name: str
    engineers: list = field(default_factory=list)
    office: Address | None = None
