"""The estate itself: its customers, the stream of chance, the label in force and the records written so far."""

import random
import uuid
from collections import defaultdict
from contextlib import contextmanager

from estate.draw import STREAM, Draw
from estate.model import Partner


class Estate:
    def __init__(self, seed):
        self.seed = seed
        self.draw = Draw()
        self.customers = []
        self.partner = Partner(
            tenant_id=str(uuid.uuid5(uuid.NAMESPACE_URL, f"{STREAM}/{seed}/partner")),
            name="Nordlicht Cloud Distribution GmbH",
        )
        self.billing_account = ""
        self.billing_profile = ""
        self.label = None
        self.labels = []
        # records, until they are written
        self.activity = defaultdict(list)  # by subscription: time, line
        self.sign_ins = defaultdict(list)  # by category: time, line
        self.audit = []  # time, line
        self.costs = defaultdict(list)  # by month: day, subscription, row
        self.flows = []  # subscription, MAC address, time, rule, tuple
        self.counts = defaultdict(int)

    def restart(self, part):
        """Every part of the estate has a stream of numbers of its own, so that one does not change the others."""
        self.draw.seed(f"{STREAM}/{self.seed}/{part}")

    def private_random(self, purpose):
        """A stream beside the main one, for what must be the same however often it is asked."""
        return random.Random(f"{self.seed}/{purpose}")

    def stable_guid(self, text):
        return str(uuid.uuid5(uuid.NAMESPACE_URL, self.seed + text))

    def see(self, time, resource=None, principal=None):
        """Tells the label in force of a record."""
        if self.label:
            self.label.see(time, resource, principal)

    @contextmanager
    def labelled(self, label):
        """All records that are made inside belong to the label (None: to normal life)."""
        outer = self.label
        self.label = label
        try:
            yield
        finally:
            self.label = outer
