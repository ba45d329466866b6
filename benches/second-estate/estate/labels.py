"""Labels: the truth about attacks and look-alikes, gathered from the records that they leave."""

import json
import sys

from estate.clock import DAY, day_start
from estate.formats import iso_time

NO_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
MOST_RESOURCES = 40
NEVER = 1e18


class Label:
    def __init__(self, name, scenario, customer, subscription):
        self.name = name
        self.scenario = scenario
        self.customer = customer
        self.subscription = subscription
        self.first = NEVER
        self.last = 0
        self.last_event = 0
        self.resources = []
        self.principals = []
        self.touches_cost = False

    @property
    def is_empty(self):
        return self.first == NEVER

    def see(self, time, resource=None, principal=None):
        self.last_event = max(self.last_event, time)
        self._widen(time, resource)
        if principal and principal not in self.principals:
            self.principals.append(principal)

    def see_cost(self, day_begin, resource):
        """A day of cost, which does not begin a label before its first event."""
        self._widen(day_begin if self.is_empty else max(day_begin, self.first), resource)
        self.touches_cost = True

    def _widen(self, time, resource):
        self.first = min(self.first, time)
        self.last = max(self.last, time)
        if resource and resource not in self.resources and len(self.resources) < MOST_RESOURCES:
            self.resources.append(resource)

    def end(self):
        """The last record, but cost at most five days after the last event."""
        return min(self.last, self.last_event + 5 * DAY) if self.last_event else self.last

    def as_label(self):
        """What `tenantwatch evaluate --labels` reads."""
        return {
            "scenario": self.name,
            "kind": self.scenario.kind,
            "malicious": self.scenario.malicious,
            "customer_tenant": self.customer.tenant_id,
            "subscription": NO_SUBSCRIPTION if self.scenario.directory_only else self.subscription.id,
            "from": iso_time(day_start(self.first)),
            "until": iso_time(self.end() + (4 * DAY if self.touches_cost else 1.5 * DAY)),
            "first_event": iso_time(self.first),
            "principals": self.principals,
            "resources": [resource for resource in self.resources if resource.startswith("/")],
        }

    def as_note(self):
        """What helps a person to understand why something was found or missed."""
        return {
            "scenario": self.name,
            "customer": self.customer.name,
            "subscription_name": self.subscription.name,
            "profile": self.customer.profile,
            "has_activity_log": self.subscription.has_activity_log,
            "has_entra_logs": self.customer.has_entra_logs,
            "p2_risk": self.customer.has_risk_levels,
            "has_flow_logs": bool(self.subscription.flow_period),
            "touches_cost": self.touches_cost,
            "last_event": iso_time(self.end()),
            "how": self.scenario.how,
        }


def write_labels(labels, folder):
    kept = []
    for label in sorted(labels, key=lambda label: label.first):
        if label.is_empty:
            print("nothing was written for", label.name, file=sys.stderr)
        else:
            kept.append(label)
    with open(folder / "labels.json", "w") as file:
        json.dump([label.as_label() for label in kept], file, indent=1)
    with open(folder / "notes.json", "w") as file:
        json.dump([label.as_note() for label in kept], file, indent=1)
