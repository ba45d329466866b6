//! What is wrong with a detector, told before it runs.

use chrono::{DateTime, TimeDelta};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, LogicalPlan, Volatility};

use crate::cases::{self, Case, CaseError};
use crate::detector::Detector;
use crate::window::Window;

/// The fewest cases that a detector must fire on.
pub const FIRING_CASES_MIN: usize = 2;

/// The fewest near misses, on which it must not.
pub const NEAR_MISSES_MIN: usize = 3;

/// What is wrong with a detector, in words that say how to mend it; empty if nothing is.
///
/// The manifest has been checked when it was read. Here the query is planned against the tables of its
/// inputs, and its columns and the number of its cases are looked at; nothing runs.
pub async fn lint(detector: &Detector) -> Vec<String> {
    let mut problems = number_of_cases(detector);
    match planned(detector).await {
        Ok(plans) => plans.iter().for_each(|plan| problems.extend(restless(plan))),
        Err(error) => problems.push(in_full(&error)),
    }
    problems
}

/// The plans of its queries, on tables without rows.
async fn planned(detector: &Detector) -> Result<Vec<LogicalPlan>, CaseError> {
    let session = Case::empty_session()?;
    let hour = Window::new(DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH + TimeDelta::hours(1));
    let partner = cases::partner();
    let mut queries = vec![detector.planned(&session, &hour, &partner, None).await?];
    for sql in detector.candidate_queries()? {
        queries.push(detector.planned_candidates(&session, &hour, &partner, &sql, None).await?);
    }
    Ok(queries.into_iter().map(|query| query.into_unoptimized_plan()).collect())
}

fn number_of_cases(detector: &Detector) -> Vec<String> {
    let cases = match Case::of(detector) {
        Ok(cases) => cases,
        Err(error) => return vec![in_full(&error)],
    };
    let firing = cases.iter().filter(|case| case.fires).count();
    let near_misses = cases.len() - firing;
    let mut problems = Vec::new();
    if firing < FIRING_CASES_MIN {
        problems.push(format!("it has {firing} cases that fire; write at least {FIRING_CASES_MIN}"));
    }
    if near_misses < NEAR_MISSES_MIN {
        problems.push(format!("it has {near_misses} near misses; write at least {NEAR_MISSES_MIN}"));
    }
    problems
}

/// Functions of the query that give something else each time. A run must be repeatable, so the only clock is
/// `$until`.
fn restless(plan: &LogicalPlan) -> Vec<String> {
    let mut problems = Vec::new();
    let mut look = |expression: &Expr| {
        if let Expr::ScalarFunction(call) = expression
            && call.func.signature().volatility != Volatility::Immutable
        {
            let problem = format!(
                "the query calls {}(), which gives something else in each run; use $since and $until",
                call.func.name()
            );
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    };
    // Neither closure fails, so the walk does not.
    let _ =
        plan.apply_with_subqueries(|node| node.apply_expressions(|expression| expression.apply(&mut look)));
    problems
}

/// An error with its causes.
fn in_full(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}
