"""Makes an estate: its customers, the schedule, then customer by customer the scenarios and normal life."""

import shutil
from collections import Counter

from estate.context import Estate
from estate.customers import build_customers
from estate.labels import Label, write_labels
from estate.life.bills import bill_of_runs, daily_bill
from estate.life.directory import directory_changes
from estate.life.office import office_work
from estate.life.people import daily_sign_ins
from estate.life.pipelines import pipelines
from estate.life.platform import platform_activity
from estate.life.traffic import daily_traffic
from estate.schedule import plan
from estate.writing import write_costs, write_counts, write_records_of, write_settings


def make_estate(seed, folder):
    """Writes the records, labels, notes, counts and settings of the estate of a seed into a folder."""
    records = folder / "records"
    shutil.rmtree(records, ignore_errors=True)
    records.mkdir(parents=True)
    estate = Estate(seed)
    build_customers(estate)
    plan(estate)
    played = Counter()
    for customer in estate.customers:
        estate.restart(f"c{customer.number}")
        play_scenarios(estate, customer, played)
        live(estate, customer)
        write_records_of(estate, customer, records)
    write_costs(estate, records)
    write_labels(estate.labels, folder)
    write_settings(estate, folder)
    write_counts(estate, folder)
    return estate


def play_scenarios(estate, customer, played):
    for time, scenario, subscription in sorted(customer.scenarios, key=lambda entry: entry[0]):
        played[scenario.kind] += 1
        label = Label(f"{scenario.kind}-{played[scenario.kind]}", scenario, customer, subscription)
        with estate.labelled(label):
            scenario.play(estate, customer, subscription, time)
        estate.labels.append(label)


def live(estate, customer):
    daily_sign_ins(estate, customer)
    directory_changes(estate, customer)
    pipelines(estate, customer)
    office_work(estate, customer)
    established = customer.established_subscriptions
    for subscription in customer.subscriptions:
        if subscription in established:
            platform_activity(estate, customer, subscription)
            daily_bill(estate, subscription)
            daily_traffic(estate, customer, subscription)
        else:
            bill_of_runs(estate, subscription)
