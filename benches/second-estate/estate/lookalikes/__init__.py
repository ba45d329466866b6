"""Harmless work that looks like an attack."""

from estate.lookalikes import growth, machines, maintenance, networks, outsiders, people
from estate.scenarios import collect

LOOKALIKES = collect(
    [machines, growth, maintenance, people, outsiders, networks],
    malicious=False,
)
