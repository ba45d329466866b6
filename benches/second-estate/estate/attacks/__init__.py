"""Attacks, written from published descriptions of intrusions."""

from estate.attacks import (
    containers,
    directory,
    flows,
    machines,
    passwords,
    persistence,
    phishing,
    services,
    subscriptions,
    theft,
)
from estate.scenarios import collect

ATTACKS = collect(
    [machines, services, containers, subscriptions, theft, persistence, phishing, passwords, directory, flows],
    malicious=True,
)
