//! The one requirement that Tenantwatch itself can judge: alerts are resolved in time.

use chrono::{DateTime, TimeDelta, Utc};

use super::{ComplianceStatus, RequirementDetails, RequirementState, RequirementType, SecurityRequirement};

/// Microsoft's page on the dashboard.
const HELP_URL: &str = "https://learn.microsoft.com/partner-center/security/security-alerts-dashboard";

/// What is asked of a partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResponseTimeTarget {
    /// How long resolving an alert may take on average. Microsoft's overview of the API says 24 hours.
    pub response_time: TimeDelta,
    /// The points for reaching it. Microsoft publishes none, so the weight among the requirements is
    /// the operator's to choose.
    pub max_score: u32,
}

impl Default for ResponseTimeTarget {
    fn default() -> Self {
        Self { response_time: TimeDelta::hours(24), max_score: 20 }
    }
}

/// How fast alerts were resolved. Test alerts do not count.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ResponseTimes {
    /// The alerts resolved in the period; `None` if there were none.
    pub resolved: Option<ResolvedAlerts>,
    /// Whether some alert is not resolved and was detected longer ago than the target allows.
    pub some_overdue: bool,
}

/// The alerts resolved in a period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ResolvedAlerts {
    /// Mean time from detection to resolution, in microseconds.
    pub mean_microseconds: f64,
    /// When the last of them was resolved.
    pub last_resolved_at: DateTime<Utc>,
}

impl ResponseTimes {
    /// How far back Graph's `averageResponseTimeInHours` looks.
    #[must_use]
    pub fn period() -> TimeDelta {
        TimeDelta::days(30)
    }

    /// Graph's requirement; `None` if no alert was resolved in the period, as there is no average then.
    ///
    /// It is met if the average is within the target and no alert waits longer than that: whoever
    /// resolves one alert at once and leaves the others is not prompt. Points are all or none.
    #[must_use]
    pub fn requirement(&self, target: &ResponseTimeTarget, action_url: &str) -> Option<SecurityRequirement> {
        let resolved = self.resolved?;
        let hours = resolved.mean_microseconds / 3_600_000_000.0;
        #[expect(clippy::cast_precision_loss, reason = "a target is far below 2^52 microseconds")]
        let target_hours = target.response_time.num_seconds() as f64 / 3_600.0;
        let is_compliant = hours <= target_hours && !self.some_overdue;
        Some(SecurityRequirement {
            id: RequirementType::SecurityAlertsPromptlyResolved.as_str().to_owned(),
            action_url: action_url.to_owned(),
            help_url: HELP_URL.to_owned(),
            compliance_status: match is_compliant {
                true => ComplianceStatus::Compliant,
                false => ComplianceStatus::Noncomplaint,
            },
            max_score: target.max_score,
            score: if is_compliant { target.max_score } else { 0 },
            requirement_type: RequirementType::SecurityAlertsPromptlyResolved,
            state: RequirementState::Active,
            updated_date_time: resolved.last_resolved_at,
            details: RequirementDetails::ResponseTime {
                average_response_time_in_hours: (hours * 100.0).round() / 100.0,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partner_is_prompt_on_average_and_leaves_nothing_behind() {
        let at: DateTime<Utc> = "2031-02-03T04:05:06Z".parse().unwrap();
        let check = |mean_hours: Option<f64>,
                     some_overdue: bool,
                     expected: Option<(f64, ComplianceStatus, u32)>| {
            let resolved = mean_hours.map(|hours| ResolvedAlerts {
                mean_microseconds: hours * 3_600_000_000.0,
                last_resolved_at: at,
            });
            let found =
                ResponseTimes { resolved, some_overdue }.requirement(&ResponseTimeTarget::default(), "");
            let found = found.map(|requirement| {
                let RequirementDetails::ResponseTime { average_response_time_in_hours } = requirement.details
                else {
                    panic!("{requirement:?}")
                };
                assert_eq!(requirement.updated_date_time, at);
                (average_response_time_in_hours, requirement.compliance_status, requirement.score)
            });
            assert_eq!(found, expected, "{mean_hours:?} {some_overdue}");
        };
        check(None, false, None);
        check(None, true, None);
        check(Some(1.2345), false, Some((1.23, ComplianceStatus::Compliant, 20)));
        check(Some(24.0), false, Some((24.0, ComplianceStatus::Compliant, 20)));
        check(Some(24.1), false, Some((24.1, ComplianceStatus::Noncomplaint, 0)));
        check(Some(1.0), true, Some((1.0, ComplianceStatus::Noncomplaint, 0)));
        check(Some(0.0), false, Some((0.0, ComplianceStatus::Compliant, 20)));
    }
}
