//! Letting findings raise and continue alerts.

use std::collections::HashMap;

use ::alerts::{Alert, AlertId, Decision, Finding, Origin, PartnerTenantId, Scope, decide};
use chrono::{DateTime, Utc};

use super::{alerts, directory, out_of_scope};
use crate::session::Session;
use crate::sql::alerts as statements;
use crate::sql::row::StoredAlert;
use crate::{Recorded, StoreError};

pub(crate) async fn record(
    session: &mut impl Session,
    scope: &Scope,
    findings: &[Finding],
    now: DateTime<Utc>,
) -> Result<Recorded, StoreError> {
    let modified_at = session.change_time(scope.partner(), now).await?;
    let mut outcome = Outcome::default();
    for finding in findings {
        let finding = with_owner(session, scope, finding.clone()).await?;
        let (decision, before) = settle(session, scope, &finding, now).await?;
        match decision {
            Decision::Raise(alert) => {
                alerts::put(session, &alert, None, modified_at).await?;
                outcome.raised.push(alert);
            }
            Decision::Continue(alert) => {
                alerts::put(session, &alert, before.as_ref(), modified_at).await?;
                outcome.went_on(alert);
            }
            Decision::Nothing => outcome.unchanged += 1,
        }
    }
    Ok(Recorded {
        raised: outcome.raised.alerts,
        continued: outcome.continued.alerts,
        unchanged: outcome.unchanged,
    })
}

/// Fills in the customer and the reseller from the directory, and checks that the scope covers them.
async fn with_owner(
    session: &mut impl Session,
    scope: &Scope,
    mut finding: Finding,
) -> Result<Finding, StoreError> {
    let partner = &finding.partner_tenant_id;
    if scope.partner() != partner {
        return Err(out_of_scope(partner));
    }
    if finding.customer_tenant_id.is_none() || finding.reseller_tenant_id.is_none() {
        let whole = Scope::Partner(partner.clone());
        if let Some(known) = directory::subscription(session, &whole, &finding.subscription_id).await? {
            finding.customer_tenant_id = finding.customer_tenant_id.or(known.customer_tenant_id);
            finding.reseller_tenant_id = finding.reseller_tenant_id.or(known.reseller_tenant_id);
        }
    }
    let covered = match scope {
        Scope::Partner(_) => true,
        Scope::Reseller(_, reseller) => finding.reseller_tenant_id.as_ref() == Some(reseller),
        Scope::Customer(_, customer) => finding.customer_tenant_id.as_ref() == Some(customer),
    };
    if covered { Ok(finding) } else { Err(out_of_scope(&finding.partner_tenant_id)) }
}

/// Decides what the finding does, and to which alert.
///
/// An alert that this store raised once may have come back as an import, into another store too, and
/// then no longer be known by its incident. It still has the id that the finding would give, so it
/// is taken up again instead of being overwritten. Each turn looks at a later alert of the incident.
async fn settle(
    session: &mut impl Session,
    scope: &Scope,
    finding: &Finding,
    now: DateTime<Utc>,
) -> Result<(Decision, Option<Alert>), StoreError> {
    let partner = &finding.partner_tenant_id;
    let mut latest = latest_of_incident(session, partner, finding).await?;
    loop {
        if let Some(known) = &latest
            && !scope.covers(known)
        {
            return Err(out_of_scope(partner));
        }
        let raised = match decide(latest.as_ref(), finding, now) {
            Decision::Raise(alert) => alert,
            decision @ (Decision::Continue(_) | Decision::Nothing) => return Ok((decision, latest)),
        };
        match alerts::in_partner(session, partner, &raised.body.id).await? {
            None => return Ok((Decision::Raise(raised), None)),
            Some((_, known)) => latest = Some(Alert { origin: origin(finding), ..known }),
        }
    }
}

async fn latest_of_incident(
    session: &mut impl Session,
    partner: &PartnerTenantId,
    finding: &Finding,
) -> Result<Option<Alert>, StoreError> {
    let select = statements::latest_of_incident(
        &Scope::Partner(partner.clone()),
        &finding.detector_id,
        finding.subscription_id.as_str(),
        &finding.grouping_key,
    );
    let found = session.optional(session.dialect().statement(select.into())).await?;
    found.map(|row| StoredAlert::read(row)?.alert(partner)).transpose()
}

fn origin(finding: &Finding) -> Origin {
    Origin::Detector { detector_id: finding.detector_id.clone(), grouping_key: finding.grouping_key.clone() }
}

#[derive(Default)]
struct Outcome {
    raised: LatestForms,
    continued: LatestForms,
    unchanged: usize,
}

impl Outcome {
    /// An alert that was raised in the same call and went on was raised as it reads now.
    fn went_on(&mut self, alert: Alert) {
        if self.raised.places.contains_key(&alert.body.id) {
            self.raised.push(alert);
        } else {
            self.continued.push(alert);
        }
    }
}

/// Alerts in the order of their first mention, each as it reads last.
#[derive(Default)]
struct LatestForms {
    alerts: Vec<Alert>,
    places: HashMap<AlertId, usize>,
}

impl LatestForms {
    fn push(&mut self, alert: Alert) {
        let place = *self.places.entry(alert.body.id.clone()).or_insert(self.alerts.len());
        if place == self.alerts.len() {
            self.alerts.push(alert);
        } else {
            self.alerts[place] = alert;
        }
    }
}
