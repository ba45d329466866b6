"""Records of the activity log, in the shape of the export to storage or an event hub."""

from typing import NamedTuple

from estate.azure import APPLICATIONS, ROLES
from estate.clock import END, START
from estate.formats import compact_json, timestamp
from estate.model import Session

STATUS_TEXTS = {"Start": "Started.", "Accept": "Accepted.", "Success": "Succeeded.", "Failure": "Failed."}


TOKENS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"
IDENTITY = "http://schemas.microsoft.com/identity/claims"
TOKEN_ISSUER = "https://sts.windows.net"
PERSONAL_ACCOUNT = "live.com"


class Failure(NamedTuple):
    """Why an operation failed."""

    code: str
    message: str
    http_status: str


def principal_claims(session, time):
    """The claims in the token of a service principal."""
    tenant_id = session.subscription.customer.tenant_id
    principal = session.principal
    issued = session.issued_before(time)
    claims = {
        "aud": "https://management.azure.com/",
        "iss": f"{TOKEN_ISSUER}/{tenant_id}/",
        "iat": str(issued),
        "nbf": str(issued),
        "exp": str(issued + 3900),
        "aio": session.aio,
        "appid": principal.app_id,
        "appidacr": "1" if principal.credential == "secret" else "2",
        f"{IDENTITY}/identityprovider": f"{TOKEN_ISSUER}/{tenant_id}/",
        "idtyp": "app",
        f"{IDENTITY}/objectidentifier": principal.id,
        "rh": session.rh,
        f"{TOKENS}/nameidentifier": principal.id,
        f"{IDENTITY}/tenantid": tenant_id,
        "uti": session.uti,
        "ver": "1.0",
        "xms_tcdt": session.subscription.customer.created,
    }
    if principal.managed_identity:
        claims["xms_mirid"] = principal.managed_identity
        claims["appidacr"] = "2"
    return claims


def user_claims(session, time):
    """The claims in the token of a user; those of guests and partners name their own tenant."""
    tenant_id = session.subscription.customer.tenant_id
    user = session.user
    issued = session.issued_before(time)
    claims = {
        "aud": "https://management.core.windows.net/",
        "iss": f"{TOKEN_ISSUER}/{tenant_id}/",
        "iat": str(issued),
        "nbf": str(issued),
        "exp": str(issued + 5100),
        "http://schemas.microsoft.com/claims/authnclassreference": "1",
        "aio": session.aio,
        "http://schemas.microsoft.com/claims/authnmethodsreferences": session.methods,
        "appid": session.app_id or APPLICATIONS[session.application][0],
        "appidacr": "2" if session.application == "portal" else "0",
        **({"deviceid": session.device.id} if session.device and session.device.id else {}),
        f"{TOKENS}/surname": user.surname,
        f"{TOKENS}/givenname": user.given_name,
        "groups": user.groups,
        "idtyp": "user",
        "ipaddr": session.address.ip,
        "name": user.name,
        f"{IDENTITY}/objectidentifier": user.id,
        "puid": user.puid,
        "rh": session.rh,
        f"{IDENTITY}/scope": "user_impersonation",
        f"{TOKENS}/nameidentifier": user.subject,
        f"{IDENTITY}/tenantid": tenant_id,
    }
    if user.home_tenant:
        personal = user.home_tenant == PERSONAL_ACCOUNT
        claims[f"{TOKENS}/emailaddress"] = user.mail
        claims[f"{IDENTITY}/identityprovider"] = PERSONAL_ACCOUNT if personal else f"{TOKEN_ISSUER}/{user.home_tenant}/"
        claims[f"{TOKENS}/name"] = f"{PERSONAL_ACCOUNT}#{user.mail}" if personal else user.mail
    else:
        claims[f"{TOKENS}/name"] = user.upn
        claims[f"{TOKENS}/upn"] = user.upn
    claims.update(uti=session.uti, ver="1.0", wids=user.wids, xms_tcdt=session.subscription.customer.created)
    return claims


def new_session(
    estate,
    subscription,
    user=None,
    principal=None,
    address=None,
    application="portal",
    methods="pwd,mfa",
    device=None,
    app_id=None,
    role=None,
):
    draw = estate.draw
    return Session(
        estate=estate,
        subscription=subscription,
        user=user,
        principal=principal,
        address=address,
        application=application,
        methods=methods,
        device=device,
        app_id=app_id,
        role=role,
        offset=draw.randrange(0, 3000),
        aio=draw.word(28),
        rh="1.A" + draw.word(20) + ".",
        uti=draw.word(22),
        id=draw.guid(),
    )


def evidence(session):
    """By which role assignment a caller was allowed to do what he did."""
    subscription = session.subscription
    role = session.role or session.caller.role
    user = session.user
    if session.principal:
        principal_id, principal_type = session.principal.id, "ServicePrincipal"
    elif user.partner_group:
        principal_id, principal_type = user.partner_group, "ForeignGroup"
    elif user.via_group:
        principal_id, principal_type = user.via_group, "Group"
    else:
        principal_id, principal_type = user.id, "User"
    return {
        "role": role,
        "roleAssignmentScope": subscription.path,
        "roleAssignmentId": subscription.role_assignment_id(session.estate.draw, principal_id),
        "roleDefinitionId": ROLES.get(role, ROLES["Contributor"]).replace("-", ""),
        "principalId": principal_id.replace("-", ""),
        "principalType": principal_type,
    }


def write_activity(
    estate,
    subscription,
    time,
    operation,
    resource,
    status,
    session=None,
    signature="",
    properties=None,
    category="Administrative",
    correlation=None,
    level="Information",
    duration=0,
):
    """One record; without a session for what the platform does by itself."""
    if not START <= time < END:
        return
    if not subscription.has_activity_log or time < subscription.born:
        return
    estate.see(time, resource, session.caller.label_name if session else None)
    record = {
        "RoleLocation": "West Europe",
        "time": timestamp(time),
        "resourceId": resource.upper(),
        "operationName": operation.upper(),
        "category": category,
        "resultType": status,
        "resultSignature": STATUS_TEXTS.get(status, "") + signature,
        "durationMs": str(duration),
    }
    if session and session.address:
        record["callerIpAddress"] = session.address.ip
    record["correlationId"] = correlation
    if session:
        record["identity"] = {
            "authorization": {"scope": resource, "action": operation, "evidence": evidence(session)},
            "claims": principal_claims(session, time) if session.principal else user_claims(session, time),
        }
    record["level"] = level
    record["properties"] = {
        **(properties or {}),
        "eventCategory": category,
        "entity": resource,
        "message": operation,
        "hierarchy": f"{subscription.customer.tenant_id}/{subscription.id}",
    }
    record["tenantId"] = subscription.customer.tenant_id
    estate.activity[subscription].append((time, compact_json(record)))
    estate.counts["activity"] += 1


def operate(
    session,
    time,
    operation,
    resource,
    long_running=False,
    request=None,
    response=None,
    failure=None,
    correlation=None,
):
    """One operation: records of its start and end, and of its acceptance if it is long. Returns when it ended."""
    estate = session.estate
    draw = estate.draw
    correlation = correlation or draw.guid()
    answered = time + draw.uniform(0.2, 1.4)

    def write(moment, status, properties, signature="", level="Information"):
        write_activity(
            estate,
            session.subscription,
            moment,
            operation,
            resource,
            status,
            session,
            signature,
            properties,
            correlation=correlation,
            level=level,
            duration=int((moment - time) * 1000),
        )

    write(time, "Start", {"requestbody": compact_json(request)} if request is not None else None)
    request_id = draw.guid()
    if failure:
        message = compact_json({"error": {"code": failure.code, "message": failure.message}})
        properties = {
            "statusCode": failure.http_status,
            "serviceRequestId": request_id,
            "statusMessage": message,
        }
        write(answered, "Failure", properties, failure.http_status, "Error")
        return answered
    creates = operation.endswith("write")
    if long_running:
        code = "Created" if creates else "Accepted"
    else:
        code = "Created" if creates else "OK"
    properties = {"statusCode": code, "serviceRequestId": request_id}
    if response is not None:
        properties["responseBody"] = compact_json(response)
    if not long_running:
        write(answered, "Success", properties, code)
        return answered
    finished = answered + draw.uniform(8, 75)
    write(answered, "Accept", properties, code)
    write(finished, "Success", {"statusCode": "OK", "serviceRequestId": None})
    return finished


def evaluate_policy(session, time, resource, correlation=None, effect="audit"):
    """The record of a policy that looked at a resource."""
    estate = session.estate
    subscription = session.subscription
    write_activity(
        estate,
        subscription,
        time,
        f"Microsoft.Authorization/policies/{effect}/action",
        resource,
        "Success",
        session,
        "OK",
        {
            "isComplianceCheck": "False",
            "resourceLocation": subscription.region,
            "ancestors": subscription.customer.tenant_id,
            "policies": subscription.policies,
        },
        category="Policy",
        correlation=correlation or estate.draw.guid(),
        level="Warning",
    )
