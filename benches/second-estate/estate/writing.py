"""Writes the records into files, in the folders that exports of Azure use."""

import csv
import json
from collections import defaultdict

from estate.costs import COST_COLUMNS
from estate.formats import compact_json, iso_date, iso_time, timestamp

FLOW_INTERVAL = 900  # seconds to a record; real flow logs have one a minute


def write_lines(path, lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as file:
        file.writelines(line + "\n" for line in lines)


def write_records_of(estate, customer, folder):
    """Writes and forgets the records of a customer, except costs."""
    for subscription in customer.subscriptions:
        write_activity_of(estate, subscription, folder)
    write_entra_of(estate, customer, folder)
    write_flows(estate, folder)


def write_activity_of(estate, subscription, folder):
    months = defaultdict(list)
    for time, line in estate.activity.pop(subscription, []):
        months[iso_time(time)[5:7]].append((time, line))
    place = folder / "activity" / "resourceId=" / "SUBSCRIPTIONS" / subscription.id.upper() / "y=2026"
    for month, rows in sorted(months.items()):
        write_lines(place / f"m={month}" / "PT1H.json", (line for _, line in sorted(rows)))


def write_entra_of(estate, customer, folder):
    place = folder / "entra" / f"tenantId={customer.tenant_id}"
    for category, rows in [*estate.sign_ins.items(), ("AuditLogs", estate.audit)]:
        if rows:
            write_lines(place / f"insights-logs-{category.lower()}.json", (line for _, line in sorted(rows)))
    estate.sign_ins.clear()
    estate.audit.clear()


def write_flows(estate, folder):
    days = defaultdict(list)
    for subscription, mac, time, rule, flow in estate.flows:
        days[subscription, iso_date(time)].append((mac, int(time // FLOW_INTERVAL), rule, time, flow))
    for (subscription, date), rows in days.items():
        records = flow_records(estate.draw, subscription, sorted(rows))
        log = f"NETWORKWATCHER_{subscription.region.upper()}_VNET-MAIN-FLOWLOG"
        place = folder / "flow" / "flowLogResourceID=" / f"{subscription.id.upper()}_NETWORKWATCHERRG" / log
        path = place / "y=2026" / f"m={date[5:7]}" / f"d={date[8:]}" / "PT1H.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('{"records":[' + ",".join(compact_json(record) for record in records) + "]}")
    estate.flows.clear()


def flow_records(draw, subscription, rows):
    """Gathers the tuples of a day into a record for each network card and interval, in groups by rule."""
    log_id = draw.guid()
    acl_id = draw.guid()
    records = []
    current = None
    for mac, interval, rule, _, flow in rows:
        if current != (mac, interval):
            current = (mac, interval)
            groups = {}
            flow_groups = []
            records.append(flow_record(subscription, mac, interval, log_id, acl_id, flow_groups))
        if rule not in groups:
            groups[rule] = []
            flow_groups.append({"rule": rule, "flowTuples": groups[rule]})
        groups[rule].append(flow)
    return sorted(records, key=lambda record: record["time"])


def flow_record(subscription, mac, interval, log_id, acl_id, flow_groups):
    watcher = f"NETWORKWATCHER_{subscription.region.upper()}"
    return {
        "time": timestamp(interval * FLOW_INTERVAL + FLOW_INTERVAL),
        "flowLogVersion": 4,
        "flowLogGUID": log_id,
        "macAddress": mac,
        "category": "FlowLogFlowEvent",
        "flowLogResourceID": (
            f"/SUBSCRIPTIONS/{subscription.id.upper()}/RESOURCEGROUPS/NETWORKWATCHERRG/PROVIDERS/MICROSOFT.NETWORK/"
            f"NETWORKWATCHERS/{watcher}/FLOWLOGS/VNET-MAIN-FLOWLOG"
        ),
        "targetResourceID": subscription.resource_id(
            subscription.resource_groups[0], "Microsoft.Network/virtualNetworks", "vnet-main"
        ),
        "operationName": "FlowLogFlowEvent",
        "flowRecords": {"flows": [{"aclID": acl_id, "flowGroups": flow_groups}]},
    }


def write_costs(estate, folder):
    place = folder / "cost"
    place.mkdir(parents=True, exist_ok=True)
    for month, rows in sorted(estate.costs.items()):
        rows.sort(key=lambda row: row[:2])
        with open(place / f"csp-usage-actual-cost_{month}.csv", "w", newline="") as file:
            writer = csv.writer(file, lineterminator="\r\n")
            writer.writerow(COST_COLUMNS)
            writer.writerows(row for _, _, row in rows)


def write_settings(estate, folder):
    (folder / "tenantwatch.toml").write_text(f'partner_tenant_id = "{estate.partner.tenant_id}"\n')


def write_counts(estate, folder):
    counts = {
        **estate.counts,
        "customers": len(estate.customers),
        "subscriptions": sum(len(customer.subscriptions) for customer in estate.customers),
    }
    with open(folder / "counts.json", "w") as file:
        json.dump(counts, file, indent=1)
