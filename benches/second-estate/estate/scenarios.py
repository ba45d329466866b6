"""Scenarios: attacks and look-alikes as the schedule sees them."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(eq=False)
class Scenario:
    play: Callable  # of an estate, a customer, a subscription and a time
    where: Callable  # of a customer and a subscription: whether it can happen there
    times: int
    span: float  # days
    directory_only: bool  # its label names no subscription
    malicious: bool = False

    @property
    def kind(self):
        return self.play.__name__

    @property
    def how(self):
        return " ".join(inspect.getdoc(self.play).split())


def anywhere(customer, subscription):
    return True


def is_business(customer, subscription):
    return subscription.kind != "small"


def scenario(where=anywhere, times=1, span=3, directory_only=False):
    """Makes a scenario of a function: its name is the kind of its labels, its docstring the note beside them."""

    def decorate(play):
        return Scenario(play, where, times, span, directory_only)

    return decorate


def collect(modules, malicious):
    """All scenarios of some modules."""
    found = [value for module in modules for value in vars(module).values() if isinstance(value, Scenario)]
    for one in found:
        one.malicious = malicious
    return found
