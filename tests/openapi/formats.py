"""Values for the formats that the document names and JSON Schema cannot describe.

Schemathesis asks for them where it makes a request that the document allows, so that such a request
is right and the server must take it.
"""

import schemathesis
from hypothesis import strategies as st

from known import CERTIFICATE

TEXTS = ["id", "alertType", "displayName", "description", "customerTenantId", "subscriptionId", "resolvedBy"]
TIMES = ["detectedDateTime", "firstObservedDateTime", "lastObservedDateTime", "resolvedOnDateTime"]
SEVERITIES = ["informational", "low", "medium", "high"]
STATUSES = ["active", "investigating", "resolved"]
SORTABLE = TEXTS + TIMES + ["severity", "confidenceLevel", "status", "isTest"]

# Printable, so that what is found can be read; quotes are in it because they must be doubled.
words = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=12)
literals = words.map(lambda word: "'" + word.replace("'", "''") + "'")
operators = st.sampled_from(["eq", "ne", "gt", "ge", "lt", "le"])
times = st.datetimes().map(lambda time: time.replace(microsecond=0).isoformat() + "Z")


def joined(*parts):
    return st.tuples(*parts).map(" ".join)


comparisons = st.one_of(
    joined(st.sampled_from(TEXTS), operators, literals),
    joined(st.sampled_from(TIMES), operators, times),
    joined(st.just("severity"), operators, st.sampled_from(SEVERITIES).map(lambda name: f"'{name}'")),
    joined(st.just("status"), st.sampled_from(["eq", "ne"]), st.sampled_from(STATUSES).map(lambda name: f"'{name}'")),
    joined(st.just("isTest eq"), st.sampled_from(["true", "false", "null"])),
    st.tuples(st.sampled_from(["contains", "startswith", "endswith"]), st.sampled_from(TEXTS), literals)
    .map(lambda call: f"{call[0]}({call[1]},{call[2]})"),
    st.lists(literals, min_size=1, max_size=4).map(lambda items: f"id in ({','.join(items)})"),
    joined(st.just("additionalDetails/ConnectionCount eq"), literals),
)
filters = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        inner.map(lambda one: f"not ({one})"),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda all: f"({all[0]}) {all[1]} ({all[2]})"),
    ),
    max_leaves=6,
)
orders = st.lists(
    joined(st.sampled_from(SORTABLE), st.sampled_from(["asc", "desc"])), min_size=1, max_size=4,
    unique_by=lambda key: key.split()[0],
).map(",".join)
selections = st.one_of(
    st.just("*"),
    st.lists(st.sampled_from(SORTABLE + ["affectedResources", "activityLogs"]), min_size=1, max_size=5, unique=True)
    .map(",".join),
)

schemathesis.openapi.format("odata-filter", filters)
schemathesis.openapi.format("odata-orderby", orders)
schemathesis.openapi.format("odata-select", selections)
schemathesis.openapi.format("odata-search", st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=12))
schemathesis.openapi.format("odata-delta-token", st.just("latest"))
schemathesis.openapi.format("etag", st.just("*"))
schemathesis.openapi.format("x509-certificate", st.just(CERTIFICATE))
