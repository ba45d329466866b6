"""Records of the audit log of Entra ID."""

from estate.clock import END, START
from estate.formats import compact_json, timestamp
from estate.model import ServicePrincipal, User

CORE_DIRECTORY = "Core Directory"


def target(kind, identifier, name=None, upn=None, changes=None):
    """A target of a change; changes: new value by property, or a pair of the old and the new one."""
    modified = []
    for changed, change in (changes or {}).items():
        old, new = change if isinstance(change, tuple) else (None, change)
        written = new if isinstance(new, str) and new[:1] in '["{' else compact_json(new)
        modified.append({"displayName": changed, "oldValue": old, "newValue": written})
    return {
        "id": identifier,
        "displayName": name,
        "type": kind,
        "userPrincipalName": upn,
        "modifiedProperties": modified,
        "administrativeUnits": [],
    }


def user_target(user, changes=None):
    return target("User", user.id, upn=user.upn, changes=changes)


def named_user_target(user):
    return target("User", user.id, user.name, user.upn)


def write_audit(
    estate,
    customer,
    time,
    activity,
    category,
    actor,
    targets,
    operation="Update",
    service=CORE_DIRECTORY,
    address=None,
    reason="",
    details=None,
):
    """One successful change in the directory by a user or a service principal."""
    if not START <= time < END:
        return
    if not customer.has_entra_logs or time < customer.born:
        return
    draw = estate.draw
    by_user = isinstance(actor, User)
    core = service == CORE_DIRECTORY
    estate.see(time, None, actor.label_name)
    correlation = draw.guid()
    origin = "Directory" if core else service.replace(" ", "")
    properties = {
        "tenantId": customer.tenant_id,
        "resultType": "",
        "resultDescription": reason,
        "operationName": activity,
        "identity": "",
        "tenantGeo": customer.geo,
        "id": f"{origin}_{correlation}_{draw.word(5).upper()}_{draw.randint(10000000, 99999999)}",
        "category": category,
        "correlationId": correlation,
        "result": "success",
        "resultReason": reason,
        "activityDisplayName": activity,
        "activityDateTime": timestamp(time)[:26] + "+00:00",
        "loggedByService": service,
        "operationType": operation,
        "userAgent": None,
        "initiatedBy": initiator(actor, core, address),
        "targetResources": targets,
        "additionalDetails": details or ([{"key": "User-Agent", "value": "EvoSTS"}] if core else []),
    }
    record = {
        "time": timestamp(time),
        "resourceId": f"/tenants/{customer.tenant_id}/providers/Microsoft.aadiam",
        "operationName": activity,
        "operationVersion": "1.0",
        "category": "AuditLogs",
        "tenantId": customer.tenant_id,
        "resultSignature": "None",
        "durationMs": 0,
        **({"callerIpAddress": address.ip} if address and by_user else {}),
        "correlationId": correlation,
        "identity": actor.name,
        "Level": "4",
        "properties": properties,
    }
    estate.audit.append((time, compact_json(record)))
    estate.counts["audit"] += 1


def initiator(actor, core, address):
    if isinstance(actor, User):
        user = {
            "id": actor.id,
            "displayName": None if core else actor.name,
            "userPrincipalName": actor.upn,
            "ipAddress": address.ip if address else "",
            "roles": [],
        }
        return {"user": user}
    app = {
        "appId": None if core else actor.app_id,
        "displayName": actor.name,
        "servicePrincipalId": actor.id,
        "servicePrincipalName": None,
    }
    return {"app": app}


def device_service(estate, customer):
    return ServicePrincipal(
        id=estate.stable_guid(customer.tenant_id + "drs"),
        app_id="01cb2876-7ebd-4aa4-9cc9-d28bd4d359a9",
        name="Device Registration Service",
    )
