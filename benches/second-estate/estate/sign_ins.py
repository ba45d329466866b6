"""Records of sign-ins of users and service principals to Entra ID."""

from estate.activity import PERSONAL_ACCOUNT
from estate.agents import SIGN_IN_ERRORS, SYSTEMS, USER_AGENTS
from estate.azure import APPLICATIONS, RESOURCES
from estate.clock import END, START
from estate.formats import compact_json, iso_time, short_timestamp, timestamp

WRONG_CREDENTIALS = (50126, 50053, 50055, 50034)
BROWSER_APPLICATIONS = ("portal", "office", "mysign", "spo")
SATISFIED_BY_CLAIM = "MFA requirement satisfied by claim in the token"
CREDENTIAL_TYPES = {"secret": "clientSecret", "cert": "clientAssertion", "oidc": "federatedIdentityCredential"}


def sign_in(
    estate,
    customer,
    time,
    user,
    address,
    application="office",
    resource="graph",
    device=None,
    agent="win",
    error=0,
    interactive=True,
    protocol="none",
    client=None,
    session_id=None,
    mfa="claim",
    conditional_access=None,
    risk=None,
    foreign_application=None,
    method=None,
):
    """One sign-in of a user; mfa: fresh, claim (of an older token), denied or none."""
    if not START <= time < END:
        return
    if not customer.has_entra_logs or time < customer.born:
        return
    draw = estate.draw
    estate.see(time, None, user.label_name)
    app_id, app_name = foreign_application or APPLICATIONS[application]
    resource_id, resource_name = RESOURCES[resource]
    request_id = draw.guid()
    correlation = draw.guid()
    steps = authentication_steps(draw, customer, time, mfa, error, method) if interactive else []
    if not client:
        client = "Browser" if application in BROWSER_APPLICATIONS else "Mobile Apps and Desktop clients"
    if not conditional_access:
        conditional_access = "success" if customer.requires_mfa and error == 0 else "notApplied"
    properties = {
        "id": request_id,
        "createdDateTime": short_timestamp(time),
        "userDisplayName": user.name,
        "userPrincipalName": user.upn,
        "userId": user.id,
        "appId": app_id,
        "appDisplayName": app_name,
        "ipAddress": address.ip,
        "status": status_of(error, mfa),
        "clientAppUsed": client,
        "userAgent": USER_AGENTS[agent],
        "deviceDetail": device_detail(device, agent),
        "location": location_of(address),
        "mfaDetail": {},
        "correlationId": correlation,
        "conditionalAccessStatus": conditional_access,
        "appliedConditionalAccessPolicies": [],
        "originalRequestId": "",
        "isInteractive": interactive,
        "tokenIssuerName": "",
        "tokenIssuerType": "AzureAD",
        "authenticationProcessingDetails": [],
        "processingTimeInMilliseconds": draw.randint(60, 420),
        **risk_of(customer, risk),
        "riskEventTypes": [],
        "riskEventTypes_v2": [],
        "resourceDisplayName": resource_name,
        "resourceId": resource_id,
        "resourceTenantId": customer.tenant_id,
        "homeTenantId": home_tenant_of(user, customer),
        "tenantId": customer.tenant_id,
        "authenticationDetails": steps,
        "authenticationRequirementPolicies": [],
        "authenticationRequirement": ("singleFactorAuthentication" if mfa == "none" else "multiFactorAuthentication"),
        "servicePrincipalId": "",
        "userType": "Guest" if user.home_tenant else "Member",
        "flaggedForReview": False,
        "isTenantRestricted": False,
        "autonomousSystemNumber": address.asn,
        "crossTenantAccessType": cross_tenant_access(user),
        "uniqueTokenIdentifier": draw.word(22),
        "incomingTokenType": "none" if interactive else "refreshToken",
        "authenticationProtocol": protocol,
        "originalTransferMethod": "deviceCodeFlow" if protocol == "deviceCode" else "none",
        "isThroughGlobalSecureAccess": False,
        "sessionId": session_id or draw.guid(),
    }
    category = "SignInLogs" if interactive else "NonInteractiveUserSignInLogs"
    result = {
        "resultType": str(error),
        "resultSignature": "None" if interactive else signature_of(error),
        **({"resultDescription": SIGN_IN_ERRORS[error]} if error else {}),
    }
    write_record(estate, customer, time, category, result, address, correlation, {"identity": user.name}, properties)


def write_record(estate, customer, time, category, result, address, correlation, identity, properties):
    record = {
        "time": timestamp(time),
        "resourceId": f"/tenants/{customer.tenant_id}/providers/Microsoft.aadiam",
        "operationName": "Sign-in activity",
        "operationVersion": "1.0",
        "category": category,
        "tenantId": customer.tenant_id,
        **result,
        "durationMs": 0,
        "callerIpAddress": address.ip,
        "correlationId": correlation,
        **identity,
        "Level": 4,
        "location": address.country,
        "properties": properties,
    }
    estate.sign_ins[category].append((time, compact_json(record)))
    estate.counts["sign_in"] += 1
    estate.counts[category] += 1


def signature_of(error):
    return "FAILURE" if error else "SUCCESS"


def authentication_steps(draw, customer, time, mfa, error, method):
    """The password or key, then the second factor, of an interactive sign-in."""
    steps = []
    if method or mfa != "claim" or error in WRONG_CREDENTIALS:
        correct = error not in WRONG_CREDENTIALS
        steps.append(
            {
                "authenticationStepDateTime": iso_time(time - 6),
                "authenticationMethod": method or "Password",
                "authenticationMethodDetail": (
                    "Federated authentication" if customer.federation else "Password in the cloud"
                ),
                "succeeded": correct,
                "authenticationStepResultDetail": "Correct password" if correct else "Incorrect password",
                "authenticationStepRequirement": "Primary authentication",
                "StatusSequence": 0,
                "RequestSequence": 1,
            }
        )
    if mfa == "fresh":
        steps.append(notification_step(time, True, "MFA completed in Azure AD"))
    elif mfa == "denied":
        detail = draw.choice(
            [
                "MFA denied; user declined the authentication",
                "MFA denied; user did not respond to mobile app notification",
            ]
        )
        steps.append(notification_step(time, False, detail))
    elif mfa == "claim":
        steps.append(
            {
                "authenticationStepDateTime": iso_time(time),
                "authenticationMethod": "Previously satisfied",
                "authenticationMethodDetail": "",
                "succeeded": True,
                "authenticationStepResultDetail": SATISFIED_BY_CLAIM,
                "authenticationStepRequirement": "Primary authentication",
                "StatusSequence": 0,
                "RequestSequence": 0,
            }
        )
    return steps


def notification_step(time, succeeded, detail):
    return {
        "authenticationStepDateTime": iso_time(time - 2),
        "authenticationMethod": "Mobile app notification",
        "authenticationMethodDetail": "",
        "succeeded": succeeded,
        "authenticationStepResultDetail": detail,
        "authenticationStepRequirement": "Multifactor authentication",
        "StatusSequence": 1,
        "RequestSequence": 2,
    }


def status_of(error, mfa):
    if error:
        return {"errorCode": error, "failureReason": SIGN_IN_ERRORS[error]}
    if mfa == "none":
        return {"errorCode": 0}
    return {"errorCode": 0, "additionalDetails": SATISFIED_BY_CLAIM if mfa == "claim" else "MFA completed in Azure AD"}


def device_detail(device, agent):
    """A device that the directory knows, or only what the browser tells."""
    system, browser = SYSTEMS[agent]
    known = device if device and device.id else None
    return {
        "deviceId": known.id if known else "",
        "displayName": known.name if known else "",
        "operatingSystem": known.os if known else system,
        "browser": browser,
        "isCompliant": known.compliant if known else None,
        "isManaged": known.managed if known else None,
        "trustType": known.trust if known else "",
    }


def location_of(address):
    return {
        "city": address.city,
        "state": address.state,
        "countryOrRegion": address.country,
        "geoCoordinates": {"latitude": address.latitude, "longitude": address.longitude},
    }


def risk_of(customer, risk):
    """Risk is hidden from tenants without the licence for it."""
    if not customer.has_risk_levels:
        return {
            "riskDetail": "hidden",
            "riskLevelAggregated": "hidden",
            "riskLevelDuringSignIn": "hidden",
            "riskState": "none",
        }
    level = risk or "none"
    return {
        "riskDetail": "none",
        "riskLevelAggregated": level,
        "riskLevelDuringSignIn": level,
        "riskState": "none" if level == "none" else "atRisk",
    }


def home_tenant_of(user, customer):
    if user.home_tenant and user.home_tenant != PERSONAL_ACCOUNT:
        return user.home_tenant
    return customer.tenant_id


def cross_tenant_access(user):
    if user.partner_group:
        return "serviceProvider"
    return "b2bCollaboration" if user.home_tenant else "none"


def sign_in_principal(estate, customer, time, principal, address):
    """One successful sign-in of a service principal to Azure Resource Manager."""
    if not START <= time < END:
        return
    if not customer.has_entra_logs or time < customer.born:
        return
    draw = estate.draw
    estate.see(time, None, principal.label_name)
    resource_id, resource_name = RESOURCES["arm"]
    request_id = draw.guid()
    correlation = draw.guid()
    thumbprint = principal.key_id.replace("-", "").upper()[:40] if principal.credential == "cert" else ""
    properties = {
        "id": request_id,
        "createdDateTime": short_timestamp(time),
        "appId": principal.app_id,
        "ipAddress": address.ip,
        "status": {"errorCode": 0},
        "deviceDetail": {"deviceId": "", "operatingSystem": "", "browser": ""},
        "location": location_of(address),
        "correlationId": correlation,
        "conditionalAccessStatus": "notApplied",
        "appliedConditionalAccessPolicies": [],
        "authenticationContextClassReferences": [],
        "isInteractive": False,
        "tokenIssuerName": "",
        "tokenIssuerType": "AzureAD",
        "authenticationProcessingDetails": [],
        "processingTimeInMilliseconds": draw.randint(20, 200),
        "riskDetail": "none",
        "riskLevelAggregated": "none",
        "riskLevelDuringSignIn": "none",
        "riskState": "none",
        "riskEventTypes": [],
        "resourceDisplayName": resource_name,
        "resourceId": resource_id,
        "servicePrincipalName": principal.name,
        "servicePrincipalId": principal.id,
        "servicePrincipalCredentialKeyId": principal.key_id,
        "servicePrincipalCredentialThumbprint": thumbprint,
        "clientCredentialType": CREDENTIAL_TYPES[principal.credential],
        "flaggedForReview": False,
        "isTenantRestricted": False,
        "autonomousSystemNumber": address.asn,
        "crossTenantAccessType": "none",
        "uniqueTokenIdentifier": draw.word(22),
        "incomingTokenType": "none",
        "authenticationProtocol": "none",
        "managedIdentityType": "none",
        "homeTenantId": customer.tenant_id,
        "resourceTenantId": customer.tenant_id,
        "federatedCredentialId": principal.key_id if principal.credential == "oidc" else "",
    }
    result = {"resultType": "0", "resultSignature": "SUCCESS"}
    write_record(estate, customer, time, "ServicePrincipalSignInLogs", result, address, correlation, {}, properties)
