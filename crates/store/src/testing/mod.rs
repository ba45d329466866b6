//! What every store is held to.
//!
//! [`suite`] is a list of tests for any implementation, run with [`crate::store_suite`].
//! [`evaluate()`] and [`in_order`] answer filters and orders over the JSON of an alert; they are the
//! specification that a database must agree with. [`generate`] makes alerts, filters and orders for
//! property tests; [`properties`] states what must hold of them, and [`paging`] what holds while others
//! write. [`common_questions`] must be served by indexes. [`postgres`] starts the server that tests of
//! [`PostgresStore`](crate::PostgresStore) need.

mod build;
mod evaluate;
pub mod generate;
pub mod paging;
pub mod postgres;
pub mod properties;
mod questions;
mod search;
pub mod suite;

use std::sync::Arc;

pub use build::{
    AlertBuilder, checked, collection, compare, finding, literal, of_item, operand, path, sort_key, text,
    time, value,
};
pub use evaluate::{evaluate, in_order};
pub use questions::{Question, common_questions};
pub use search::{finds, search, term, term_in};

use crate::SqliteStore;

/// A store in a folder that goes away with the first of the two.
///
/// # Panics
///
/// If the machine gives no temporary folder, or the store cannot be opened in it.
#[must_use]
pub fn temporary_sqlite() -> (tempfile::TempDir, Arc<SqliteStore>) {
    let folder = tempfile::tempdir().expect("a test machine has a temporary folder");
    let store = SqliteStore::open(&folder.path().join("tenantwatch.db")).expect("a new file can be opened");
    (folder, Arc::new(store))
}

/// Runs every test of [`suite`] as a test of its own, on a store of its own.
///
/// Takes an expression that gives a guard, kept until the test ends, and an `Arc` of the store. The
/// crate that uses it needs `tokio` with its macros and threads.
#[macro_export]
macro_rules! store_suite {
    ($fresh:expr) => {
        $crate::store_suite! { @tests $fresh;
            a_scope_sees_its_own_alerts_and_no_others,
            a_scope_changes_only_its_own_alerts,
            an_alert_is_served_to_the_letter,
            filters_leave_what_they_say,
            filters_of_users_leave_what_they_say,
            texts_are_alike_only_to_the_letter,
            a_filter_by_nul_is_refused,
            deep_filters_are_answered,
            orders_go_by_meaning_and_put_null_lowest,
            pages_follow_each_other,
            a_filter_that_leaves_all_leaves_their_order,
            detectors_that_details_name_are_compared_as_any_open_member,
            what_makes_no_page_is_refused,
            a_change_of_status_is_logged_with_it,
            a_change_that_says_nothing_new_changes_nothing,
            a_change_meant_for_another_version_changes_nothing,
            a_change_that_contradicts_itself_changes_nothing,
            changes_at_the_same_time_are_all_logged,
            findings_raise_continue_and_raise_again,
            findings_in_one_call_are_told_once,
            findings_take_their_owner_from_the_directory,
            findings_of_another_scope_change_nothing,
            an_imported_alert_is_taken_up_by_its_finding,
            an_import_can_be_repeated,
            an_import_keeps_where_an_alert_came_from,
            an_import_takes_nothing_from_another_scope,
            an_import_of_what_cannot_be_kept_is_refused,
            every_change_is_logged_once_in_order,
            findings_are_logged_with_their_alerts,
            a_scope_follows_its_own_changes_and_no_others,
            what_is_pruned_is_gone_and_said_to_be,
            a_follower_misses_nothing_while_others_write,
            a_search_finds_words_and_phrases,
            a_search_for_what_thousands_have_finds_the_same,
            a_search_stays_within_scope_and_filter,
            a_search_finds_what_an_alert_says_now,
            the_directory_keeps_what_records_leave_out,
            the_directory_shows_a_scope_its_own,
            a_run_that_failed_keeps_the_watermark,
            the_last_success_and_the_last_failure_are_both_kept,
            events_that_came_in_since_the_last_run_are_its_backlog,
            runs_are_seen_by_the_whole_partner_alone,
            one_server_at_a_time_reads_a_source,
            positions_of_a_source_are_kept_and_forgotten,
            a_source_tells_how_it_fares,
            what_comes_in_adds_up,
            coverage_is_shown_to_whom_it_is_of,
            imported_customers_win_over_records,
            imported_subscriptions_win_over_records,
            customers_without_records_are_found,
            an_ingest_key_is_found_by_its_hash_alone,
            a_notice_is_open_until_it_is_cleared,
            a_number_of_a_detector_is_chosen_and_taken_back,
            a_tuning_rule_is_kept_as_it_was_made_and_ended_once,
            what_is_silenced_is_one_entry_for_each_incident_and_rule,
            alerts_are_listed_by_their_money_within_a_scope,
            what_an_alert_costs_is_shown_to_whom_it_is_of,
            alerts_are_due_by_their_age_and_when_they_change,
            prices_are_observed_and_imported,
            facts_take_the_place_of_those_before,
            facts_are_shown_to_the_scopes_they_tell_of,
            response_times_are_those_of_the_scope,
            the_history_grows_with_each_change_of_the_score,
            a_partner_has_one_webhook_registration,
            changes_become_webhook_deliveries_once,
            webhook_deliveries_of_an_event_are_limited,
            a_webhook_delivery_is_leased_tried_and_settled,
            a_subscriber_sees_its_own_subscriptions_and_no_others,
            a_subscription_is_changed_where_asked,
            an_application_has_so_many_subscriptions_and_no_more,
            a_subscription_is_told_of_its_changes_once,
            notifications_of_one_alert_wait_for_each_other,
            what_is_leased_is_left_alone_until_the_lease_ends,
            what_is_given_up_is_told_as_missed_once,
            a_subscription_is_told_of_its_end,
            servers_that_share_a_store_send_each_notification_once_and_in_order,
            a_secret_is_kept_as_it_was_first
        }
    };
    (@tests $fresh:expr; $($name:ident),+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let (_guard, store) = $fresh;
                $crate::testing::suite::$name(store).await;
            }
        )+
    };
}
