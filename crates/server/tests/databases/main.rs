//! The protocol over databases: every case on every database.

#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod cases;
mod faults;
mod findings;
mod kills;
mod place;
mod postgres;
#[allow(dead_code, reason = "other tests use more of it")]
#[path = "../postgres/server.rs"]
mod server;
mod sqlite;
mod tls;

/// Runs each case on a database.
macro_rules! on {
    ($place:ty: $($case:ident),* $(,)?) => {
        $(
            #[test]
            fn $case() {
                #[allow(unused_imports, reason = "a case is in one of the two")]
                use $crate::{cases::*, kills::*};
                $crate::place::block_on($case::<$place>());
            }
        )*
    };
}
pub(crate) use on;

/// The cases, for a database's own module.
macro_rules! every_case {
    ($place:ty) => {
        $crate::on! { $place:
            rows_go_up_and_come_down_with_what_was_written_since,
            a_record_that_fits_no_step_leaves_everything_as_it_was,
            rows_that_others_write_meanwhile_are_moved_too,
            a_row_that_cannot_go_turns_everything_back_and_keeps_what_others_wrote,
            a_run_that_was_stopped_goes_on_where_it_was,
            a_second_run_changes_nothing,
            one_runner_at_a_time,
            a_deleted_row_takes_its_residue_with_it,
            a_backup_that_was_tampered_with_is_not_taken,
            restoring_a_backup_brings_everything_back,
            the_log_tells_what_happened_and_cannot_be_changed,
            an_unknown_table_or_column_is_named,
            a_migration_in_sql_runs_once_and_whole_or_not_at_all,
            a_migration_in_sql_that_loses_what_was_there_runs_only_where_that_is_allowed,
            a_run_whose_way_is_unknown_waits_for_whoever_knows_it,
            a_backup_of_half_moved_rows_brings_back_the_run_with_them,
            what_is_saved_half_way_is_not_called_what_was_before,
            what_refused_runs_saved_pushes_no_backup_out,
            a_row_whose_document_was_cleared_is_a_new_record_afterwards,
            rows_that_something_keeps_from_being_moved_forbid_the_run,
            a_key_column_that_is_not_there_is_refused_by_its_name,
            of_eight_processes_at_once_one_moves_the_data,
            whatever_is_killed_ends_in_the_new_data_and_back_in_the_old,
        }
    };
}
pub(crate) use every_case;
