//! The lists of cases. Each list is a macro, from which both the tables here and the names of
//! generated tests are made.
//!
//! A case is a plain `async fn` over an executor, or over a [`Pair`] of executor and transport with
//! its own [`Server`](crate::server::Server). It returns a sentence about what does not hold. An
//! event that must come has a limit that only a hang exceeds. An event that must not come yet is
//! held back by a gate of the server, not by the clock.
//!
//! A suite for another trait needs a file with its cases, a list and a table here, its promises in
//! `promises.rs`, a macro in `stamp.rs` and a function in `report.rs`.

use std::sync::Arc;

use chatcore::{BoxFuture, Executor};

use crate::{Keeper, Outcome, Pair, Subject};

/// Calls `$then!` with the content of the brackets and the list of all executor cases.
#[macro_export]
macro_rules! executor_cases {
    ($($then:ident)::+ ! [$($with:tt)*]) => {
        $($then)::+! { [$($with)*]
            executor: sleeps_end_in_order, a_sleep_lasts_its_time, no_sleep_is_too_short,
                no_sleep_is_too_long, a_dropped_sleep_lets_go_of_its_waker,
                spawned_tasks_run_detached, spawned_tasks_run_side_by_side,
                tasks_spawn_tasks, a_panic_stays_in_its_task, now_never_goes_back,
                now_keeps_pace_with_the_system, works_from_foreign_threads,
        }
    };
}

/// Calls `$then!` with the content of the brackets and the list of all transport cases.
#[macro_export]
macro_rules! transport_cases {
    ($($then:ident)::+ ! [$($with:tt)*]) => {
        $($then)::+! { [$($with)*]
            heads: status_and_headers_arrive, an_error_status_is_a_response,
                unregistered_statuses_are_responses, the_request_arrives_whole,
                a_large_request_arrives_whole, the_head_comes_before_the_body,
                interim_answers_are_skipped, a_continue_is_skipped,
                a_continue_with_headers_is_skipped, no_content_has_no_body, an_empty_body_is_empty,
                redirects_are_not_followed, ordinary_heads_are_not_too_large,
                a_huge_header_is_an_error, endless_headers_are_an_error,
                a_dribbled_head_is_reassembled;
            bodies: chunks_stream, bodies_with_a_length_stream, bodies_without_a_length_stream,
                a_body_ends_with_its_connection, dribbled_bodies_are_reassembled,
                large_bodies_are_whole, a_slow_reader_loses_nothing,
                a_chat_is_answered_in_both_dialects;
            faults: a_body_short_of_its_length_is_truncated,
                a_body_without_its_last_chunk_is_truncated,
                a_body_cut_inside_a_chunk_is_truncated, a_body_that_never_comes_is_truncated,
                a_reset_before_the_head_is_a_reset, a_reset_inside_the_head_is_a_reset,
                a_reset_after_the_head_is_an_error, a_reset_inside_the_body_is_an_error,
                a_reset_does_not_end_a_body_without_a_length,
                an_end_before_the_head_is_a_reset, an_end_inside_the_head_is_an_error,
                garbage_is_no_http, a_garbled_chunk_is_no_http;
            connections: connections_are_reused, a_stream_hands_its_connection_back,
                an_error_status_hands_its_connection_back,
                announced_closes_are_believed, answers_do_not_mix,
                an_unread_body_blocks_nobody, an_answer_nobody_asked_for_goes_to_nobody,
                a_closed_idle_connection_is_replaced, a_reset_idle_connection_is_replaced,
                a_post_is_not_sent_again_after_a_byte, a_failed_post_is_sent_once,
                a_refused_connection_is_a_connect_error, connecting_has_a_time_limit,
                an_unknown_host_is_a_dns_error, an_unknown_host_is_named,
                an_unknown_scheme_is_refused,
                works_inside_a_task;
            cancelling: dropping_a_waiting_send_closes, dropping_an_unread_body_closes,
                dropping_a_half_read_body_closes, dropping_a_held_body_closes,
                dropping_while_connecting_is_clean, a_cancelled_answer_goes_to_nobody,
        }
    };
}

/// Calls `$then!` with the content of the brackets and the list of all cases over the whole client.
#[macro_export]
macro_rules! chat_cases {
    ($($then:ident)::+ ! [$($with:tt)*]) => {
        $($then)::+! { [$($with)*]
            chat: whole_answers, streams, answers_survive_any_delivery, answers_survive_any_framing,
                answers_belong_to_their_questions, streams_share_a_connection,
                a_terminal_event_ends_a_stream;
            chat_failures: error_statuses_are_typed, errors_in_a_stream_are_typed,
                broken_answers_are_errors, redirects_are_errors, caps_hold, time_limits_fire,
                dropping_a_call_closes, dropping_a_stream_closes;
            chat_retries: what_passes_is_retried, what_does_not_pass_is_not,
                a_stream_is_retried_only_before_its_first_content,
                dropping_a_backoff_sends_nothing_more,
        }
    };
}

/// Calls `$then!` with the content of the brackets and the list of the cases that also run over
/// TLS. The other cases are about what happens below TLS.
#[macro_export]
macro_rules! https_cases {
    ($($then:ident)::+ ! [$($with:tt)*]) => {
        $($then)::+! { [$($with)*]
            heads: the_head_comes_before_the_body, a_large_request_arrives_whole;
            bodies: chunks_stream, large_bodies_are_whole;
            connections: connections_are_reused, answers_do_not_mix;
            cancelling: dropping_a_waiting_send_closes, dropping_a_half_read_body_closes;
            chat: whole_answers, streams, answers_belong_to_their_questions,
                streams_share_a_connection,
        }
    };
}

/// Calls `$then!` with the content of the brackets and the list of all dialect cases.
#[macro_export]
macro_rules! dialect_cases {
    ($($then:ident)::+ ! [$($with:tt)*]) => {
        $($then)::+! { [$($with)*]
            dialect: recordings_are_read, bytes_may_be_split_anywhere, a_cut_answer_is_no_answer,
                an_answer_finishes_once, nothing_follows_the_end, caps_are_kept,
                damaged_bytes_are_no_panic, a_decoder_is_of_one_answer,
                requests_go_below_the_base_url, the_same_request_is_written_the_same,
                facts_are_plain_names,
        }
    };
}

/// Calls `$then!` with what stands in the brackets, and the list of all journal cases.
#[macro_export]
macro_rules! journal_cases {
    ($($then:ident)::+ ! [$($with:tt)*]) => {
        $($then)::+! { [$($with)*]
            journal: every_item_is_handed_out_once, the_first_result_stays, what_is_recorded_stays,
                what_is_released_comes_again, counts_add_up, a_dropped_claim_loses_nothing,
                results_come_together, a_batch_comes_to_its_end,
        }
    };
}

/// An executor case and its name.
#[derive(Clone, Copy, Debug)]
pub struct ExecutorCase {
    /// The function's name.
    pub name: &'static str,
    /// The case.
    pub run: fn(Arc<dyn Executor>) -> BoxFuture<'static, Outcome>,
}

/// A transport case and its name.
#[derive(Clone, Copy, Debug)]
pub struct TransportCase {
    /// The function's name.
    pub name: &'static str,
    /// The case.
    pub run: for<'a> fn(&'a Pair) -> BoxFuture<'a, Outcome>,
}

macro_rules! executor_table {
    ([] $($module:ident: $($name:ident),+ $(,)?);+) => {
        /// Every executor case.
        pub const EXECUTOR_CASES: &[ExecutorCase] = &[$($(ExecutorCase {
            name: stringify!($name),
            run: |executor| Box::pin(crate::$module::$name(executor)),
        }),+),+];
    };
}
executor_cases!(executor_table![]);

macro_rules! transport_table {
    ([] $($module:ident: $($name:ident),+ $(,)?);+) => {
        /// Every transport case.
        pub const TRANSPORT_CASES: &[TransportCase] = &[$($(TransportCase {
            name: stringify!($name),
            run: |pair| Box::pin(crate::$module::$name(pair)),
        }),+),+];
    };
}
transport_cases!(transport_table![]);

macro_rules! chat_table {
    ([] $($module:ident: $($name:ident),+ $(,)?);+) => {
        /// Every case over the whole client.
        pub const CHAT_CASES: &[TransportCase] = &[$($(TransportCase {
            name: stringify!($name),
            run: |pair| Box::pin(crate::$module::$name(pair)),
        }),+),+];
    };
}
chat_cases!(chat_table![]);

/// A dialect case and its name.
#[derive(Clone, Copy, Debug)]
pub struct DialectCase {
    /// The function's name.
    pub name: &'static str,
    /// The case.
    pub run: fn(&Subject) -> Outcome,
}

macro_rules! dialect_table {
    ([] $($module:ident: $($name:ident),+ $(,)?);+) => {
        /// Every dialect case.
        pub const DIALECT_CASES: &[DialectCase] = &[$($(DialectCase {
            name: stringify!($name),
            run: crate::$module::$name,
        }),+),+];
    };
}
dialect_cases!(dialect_table![]);

/// A journal case by its name.
#[derive(Clone, Copy, Debug)]
pub struct JournalCase {
    /// The function's name.
    pub name: &'static str,
    /// The case.
    pub run: for<'a> fn(&'a Keeper, Arc<dyn Executor>) -> BoxFuture<'a, Outcome>,
}

macro_rules! journal_table {
    ([] $($module:ident: $($name:ident),+ $(,)?);+) => {
        /// Every journal case.
        pub const JOURNAL_CASES: &[JournalCase] = &[$($(JournalCase {
            name: stringify!($name),
            run: |keeper, executor| Box::pin(crate::$module::$name(keeper, executor)),
        }),+),+];
    };
}
journal_cases!(journal_table![]);
