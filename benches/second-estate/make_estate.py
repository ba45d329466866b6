#!/usr/bin/env python3
"""Makes an estate of customers in Azure with labelled attacks and harmless look-alikes.

usage: make_estate.py SEED FOLDER
"""

import argparse
import json
from pathlib import Path

from estate.making import make_estate


def summary(labels):
    kinds = {label.scenario.kind for label in labels}
    return f"{len(labels)} of {len(kinds)} kinds"


def main():
    parser = argparse.ArgumentParser(description="Makes records of an estate in Azure and labels for them.")
    parser.add_argument("seed", help="any text or number; the same one gives the same estate")
    parser.add_argument("folder", type=Path, help="where records, labels, notes, counts and settings are written")
    arguments = parser.parse_args()
    estate = make_estate(arguments.seed, arguments.folder)
    print(json.dumps(estate.counts))
    print("attacks:", summary([label for label in estate.labels if label.scenario.malicious]))
    print("look-alikes:", summary([label for label in estate.labels if not label.scenario.malicious]))


if __name__ == "__main__":
    main()
