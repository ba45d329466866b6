"""Chance: the one stream of random numbers from which a customer is made."""

import math
import random
import uuid

# It only names the stream of numbers: another text gives another estate from the same seed.
STREAM = "redteam"

HEXADECIMAL = "0123456789abcdef"
LETTERS_AND_DIGITS = "abcdefghijklmnopqrstuvwxyz0123456789"


class Draw(random.Random):
    """Random numbers, and the things that are often made of them. The order of draws decides the whole estate."""

    def guid(self):
        return str(uuid.UUID(int=self.getrandbits(128), version=4))

    def hexadecimal(self, length):
        return "".join(self.choice(HEXADECIMAL) for _ in range(length))

    def word(self, length=5):
        return "".join(self.choice(LETTERS_AND_DIGITS) for _ in range(length))

    def chance(self, probability):
        return self.random() < probability

    def weighted(self, weights):
        """One of the values of (value, weight) pairs."""
        rest = self.random() * sum(weight for _, weight in weights)
        for value, weight in weights:
            rest -= weight
            if rest <= 0:
                return value
        return weights[-1][0]

    def poisson(self, mean):
        limit = math.exp(-mean)
        count = 0
        product = 1.0
        while True:
            product *= self.random()
            if product <= limit:
                return count
            count += 1
