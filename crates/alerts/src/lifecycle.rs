//! The lifecycle of an alert as one pure state machine.
//!
//! Microsoft documents the three states but no table of transitions, so all are allowed, reopening
//! included: a partner who resolved the wrong alert must be able to take it back. What always holds:
//!
//! - every accepted change adds one entry to the activity log, and nothing else does;
//! - `resolvedBy`, `resolvedOnDateTime` and `resolvedReason` are null unless the status is resolved;
//! - saying again what is already so changes nothing, so that a client may retry.
//!
//! Microsoft documents `resolvedReason` as optional, so an alert can be resolved without one.

use chrono::{DateTime, Utc};

use crate::{ActivityLog, PartnerSecurityAlert, ResolvedReason, Status};

/// What a caller wants of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusChange {
    /// The status to move to.
    pub to: Status,
    /// Why, if it is to be resolved.
    pub reason: Option<ResolvedReason>,
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeOutcome {
    /// The alert was changed and the change is in its activity log.
    Changed,
    /// The alert was so already; nothing changed.
    Unchanged,
}

/// Why a change was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LifecycleError {
    /// A reason was given for a status that has none.
    #[error("resolvedReason '{reason}' goes only with status 'resolved', not with '{to}'")]
    ReasonWithoutResolution {
        /// The status that was asked for.
        to: Status,
        /// The reason that came with it.
        reason: ResolvedReason,
    },
    /// The sentinel is no status to move to.
    #[error("status 'unknownFutureValue' cannot be set")]
    UnknownStatus,
    /// The sentinel is no reason.
    #[error("resolvedReason 'unknownFutureValue' cannot be set")]
    UnknownReason,
}

impl PartnerSecurityAlert {
    /// Moves the alert to another status, in the name of `by`, at `at`.
    ///
    /// A resolved alert that is resolved again without a reason keeps the one it has.
    ///
    /// # Errors
    ///
    /// [`LifecycleError`] if the change contradicts itself; the alert is then as it was.
    pub fn change_status(
        &mut self,
        change: StatusChange,
        by: &str,
        at: DateTime<Utc>,
    ) -> Result<ChangeOutcome, LifecycleError> {
        change.check()?;
        let same_reason = change.reason.is_none() || change.reason == self.resolved_reason;
        if change.to == self.status && same_reason {
            return Ok(ChangeOutcome::Unchanged);
        }
        self.activity_logs.push(ActivityLog {
            status_from: self.status,
            status_to: change.to,
            updated_by: by.to_owned(),
            updated_date_time: at,
        });
        self.status = change.to;
        let resolved = change.to == Status::Resolved;
        self.resolved_reason = change.reason;
        self.resolved_by = resolved.then(|| by.to_owned());
        self.resolved_on_date_time = resolved.then_some(at);
        Ok(ChangeOutcome::Changed)
    }

    /// Whether somebody still has to deal with the alert.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.status != Status::Resolved
    }
}

impl StatusChange {
    fn check(self) -> Result<(), LifecycleError> {
        match (self.to, self.reason) {
            (Status::UnknownFutureValue, _) => Err(LifecycleError::UnknownStatus),
            (_, Some(ResolvedReason::UnknownFutureValue)) => Err(LifecycleError::UnknownReason),
            (Status::Active | Status::Investigating, Some(reason)) => {
                Err(LifecycleError::ReasonWithoutResolution { to: self.to, reason })
            }
            (Status::Active | Status::Investigating, None) | (Status::Resolved, _) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::alert::sample;

    fn at(minute: u32) -> DateTime<Utc> {
        format!("2031-02-03T05:{minute:02}:00Z").parse().unwrap()
    }

    /// Applies changes one minute apart and writes what is left, one line a change.
    fn run(changes: &[(Status, Option<ResolvedReason>)]) -> Vec<String> {
        let mut alert = sample().body;
        let mut lines = Vec::new();
        for (minute, (to, reason)) in (0..).zip(changes) {
            let outcome = alert.change_status(
                StatusChange { to: *to, reason: *reason },
                "ann@partner.example",
                at(minute),
            );
            lines.push(match outcome {
                Ok(outcome) => format!(
                    "{outcome:?} {} reason={} by={} log={}",
                    alert.status,
                    alert.resolved_reason.map_or("-", ResolvedReason::as_str),
                    alert.resolved_by.as_deref().unwrap_or("-"),
                    alert.activity_logs.len()
                ),
                Err(error) => error.to_string(),
            });
        }
        lines
    }

    #[test]
    fn an_alert_moves_through_its_states() {
        use ResolvedReason::{Fraud, Legitimate};
        use Status::{Active, Investigating, Resolved};
        let by = "ann@partner.example";
        assert_eq!(
            run(&[
                (Investigating, None),
                (Resolved, Some(Fraud)),
                (Resolved, Some(Fraud)),
                (Resolved, None),
                (Resolved, Some(Legitimate)),
                (Active, None),
                (Active, None),
                (Resolved, None)
            ]),
            [
                "Changed investigating reason=- by=- log=1".to_owned(),
                format!("Changed resolved reason=fraud by={by} log=2"),
                format!("Unchanged resolved reason=fraud by={by} log=2"),
                format!("Unchanged resolved reason=fraud by={by} log=2"),
                format!("Changed resolved reason=legitimate by={by} log=3"),
                "Changed active reason=- by=- log=4".to_owned(),
                "Unchanged active reason=- by=- log=4".to_owned(),
                format!("Changed resolved reason=- by={by} log=5"),
            ]
        );
    }

    #[test]
    fn a_change_that_contradicts_itself_is_refused() {
        use ResolvedReason::Fraud;
        assert_eq!(
            run(&[
                (Status::Investigating, Some(Fraud)),
                (Status::UnknownFutureValue, None),
                (Status::Resolved, Some(ResolvedReason::UnknownFutureValue))
            ]),
            [
                "resolvedReason 'fraud' goes only with status 'resolved', not with 'investigating'",
                "status 'unknownFutureValue' cannot be set",
                "resolvedReason 'unknownFutureValue' cannot be set",
            ]
        );
    }

    fn any_change() -> impl Strategy<Value = StatusChange> {
        let status = prop::sample::select(Status::ALL);
        let reason = prop::option::of(prop::sample::select(ResolvedReason::ALL));
        (status, reason).prop_map(|(to, reason)| StatusChange { to, reason })
    }

    proptest! {
        #[test]
        fn resolution_and_log_agree_with_the_status(changes in prop::collection::vec(any_change(), 0..12)) {
            let mut alert = sample().body;
            for (minute, change) in (0..).zip(changes) {
                let before = alert.clone();
                match alert.change_status(change, "ann", at(minute)) {
                    Ok(ChangeOutcome::Changed) => {
                        prop_assert_eq!(alert.activity_logs.len(), before.activity_logs.len() + 1);
                        let entry = alert.activity_logs.last().expect("just added");
                        prop_assert_eq!(entry.status_from, before.status);
                        prop_assert_eq!(entry.status_to, alert.status);
                    }
                    Ok(ChangeOutcome::Unchanged) | Err(_) => prop_assert_eq!(&alert, &before),
                }
                let resolved = alert.status == Status::Resolved;
                prop_assert_eq!(alert.resolved_by.is_some(), resolved);
                prop_assert_eq!(alert.resolved_on_date_time.is_some(), resolved);
                prop_assert!(resolved || alert.resolved_reason.is_none());
                prop_assert_eq!(alert.is_open(), !resolved);
            }
        }
    }
}
