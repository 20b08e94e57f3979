//! The promises in the traits' documentation, with the cases that check each.

/// A sentence from a trait's documentation, and the cases that check it.
#[derive(Clone, Copy, Debug)]
pub struct Promise {
    /// The item of `chatcore` whose documentation has the sentence.
    pub of: &'static str,
    /// The sentence.
    pub says: &'static str,
    /// The cases' names.
    pub cases: &'static [&'static str],
}

/// The promise that the case `name` checks. The cases over the whole client check none: look at the
/// transport cases first.
pub fn promise(name: &str) -> Option<&'static Promise> {
    PROMISES
        .iter()
        .find(|promise| promise.cases.contains(&name))
}

const EXECUTOR_SPAWN: &str = "Executor::spawn";
const EXECUTOR_SLEEP: &str = "Executor::sleep";
const EXECUTOR_NOW: &str = "Executor::now";
const TRANSPORT: &str = "Transport";
const DECODER: &str = "Decoder";
const JOURNAL: &str = "Journal";

/// All promises. A test in chatcore compares the sentences with the documentation.
pub const PROMISES: &[Promise] = &[
    Promise {
        of: EXECUTOR_SPAWN,
        says: "Runs `task` in the background, detached: it runs to its end, and nobody waits for \
               it.",
        cases: &[
            "spawned_tasks_run_detached",
            "spawned_tasks_run_side_by_side",
            "tasks_spawn_tasks",
        ],
    },
    Promise {
        of: EXECUTOR_SPAWN,
        says: "A panic in the task must not reach anything else.",
        cases: &["a_panic_stays_in_its_task"],
    },
    Promise {
        of: EXECUTOR_SLEEP,
        says: "Completes once `duration` has passed since this call, measured by `now`: on \
               completion, `now` has advanced by at least `duration`.",
        cases: &[
            "sleeps_end_in_order",
            "a_sleep_lasts_its_time",
            "no_sleep_is_too_short",
            "no_sleep_is_too_long",
        ],
    },
    Promise {
        of: EXECUTOR_SLEEP,
        says: "Dropping the future cancels the timer.",
        cases: &["a_dropped_sleep_lets_go_of_its_waker"],
    },
    Promise {
        of: EXECUTOR_NOW,
        says: "Monotonic time: a duration since an epoch of the executor's choosing, which must \
               not change while the executor lives.",
        cases: &["now_never_goes_back", "now_keeps_pace_with_the_system"],
    },
    Promise {
        of: "Executor",
        says: "The core calls `sleep` and `now` from any task or thread that drives a chat, so \
               both must work outside the executor's own threads.",
        cases: &["works_from_foreign_threads"],
    },
    Promise {
        of: TRANSPORT,
        says: "`send` completes as soon as the response's status and headers have come. An error \
               status is a response like any other.",
        cases: &[
            "status_and_headers_arrive",
            "an_error_status_is_a_response",
            "unregistered_statuses_are_responses",
            "the_head_comes_before_the_body",
            "interim_answers_are_skipped",
            "a_continue_is_skipped",
            "a_continue_with_headers_is_skipped",
            "ordinary_heads_are_not_too_large",
            "a_dribbled_head_is_reassembled",
            "works_inside_a_task",
        ],
    },
    Promise {
        of: TRANSPORT,
        says: "What the core needs from an HTTP client: send one request, and stream one body \
               back.",
        cases: &[
            "the_request_arrives_whole",
            "a_large_request_arrives_whole",
            "a_chat_is_answered_in_both_dialects",
        ],
    },
    Promise {
        of: "TransportErrorKind::TooLarge",
        says: "The response's headers, or a line of them, are larger than the transport allows.",
        cases: &["a_huge_header_is_an_error", "endless_headers_are_an_error"],
    },
    Promise {
        of: TRANSPORT,
        says: "The body streams in the pieces in which it arrives.",
        cases: &[
            "chunks_stream",
            "bodies_with_a_length_stream",
            "bodies_without_a_length_stream",
            "dribbled_bodies_are_reassembled",
            "large_bodies_are_whole",
            "a_slow_reader_loses_nothing",
        ],
    },
    Promise {
        of: TRANSPORT,
        says: "It ends cleanly only where HTTP says so. A body that ends before its length or its \
               last chunk, or with a lost connection, ends in `TransportErrorKind::Truncated`.",
        cases: &[
            "a_body_ends_with_its_connection",
            "no_content_has_no_body",
            "an_empty_body_is_empty",
            "a_body_short_of_its_length_is_truncated",
            "a_body_without_its_last_chunk_is_truncated",
            "a_body_cut_inside_a_chunk_is_truncated",
            "a_body_that_never_comes_is_truncated",
            "a_reset_after_the_head_is_an_error",
            "a_reset_inside_the_body_is_an_error",
            "a_reset_does_not_end_a_body_without_a_length",
        ],
    },
    Promise {
        of: "TransportErrorKind::Reset",
        says: "The connection was lost before the response's headers had come.",
        cases: &[
            "a_reset_before_the_head_is_a_reset",
            "a_reset_inside_the_head_is_a_reset",
            "an_end_before_the_head_is_a_reset",
            "an_end_inside_the_head_is_an_error",
        ],
    },
    Promise {
        of: "TransportErrorKind::Protocol",
        says: "The response is not HTTP.",
        cases: &["garbage_is_no_http", "a_garbled_chunk_is_no_http"],
    },
    Promise {
        of: TRANSPORT,
        says: "Dropping the future, or a body before its end, closes the connection at once. A \
               body that has ended returns the connection to the pool.",
        cases: &[
            "connections_are_reused",
            "a_stream_hands_its_connection_back",
            "an_error_status_hands_its_connection_back",
            "dropping_a_waiting_send_closes",
            "dropping_an_unread_body_closes",
            "dropping_a_half_read_body_closes",
            "dropping_a_held_body_closes",
            "dropping_while_connecting_is_clean",
        ],
    },
    Promise {
        of: TRANSPORT,
        says: "Requests run concurrently, and each gets its own response. Extra bytes on a \
               connection are never taken for the response to the next request.",
        cases: &[
            "announced_closes_are_believed",
            "answers_do_not_mix",
            "an_unread_body_blocks_nobody",
            "an_answer_nobody_asked_for_goes_to_nobody",
            "a_cancelled_answer_goes_to_nobody",
        ],
    },
    Promise {
        of: TRANSPORT,
        says: "Redirects are not followed, and the request is sent once, because retries belong to \
               the core.",
        cases: &[
            "redirects_are_not_followed",
            "a_post_is_not_sent_again_after_a_byte",
            "a_failed_post_is_sent_once",
        ],
    },
    Promise {
        of: TRANSPORT,
        says: "A reused connection that turns out to be dead may be replaced as long as no byte of \
               a response has come.",
        cases: &[
            "a_closed_idle_connection_is_replaced",
            "a_reset_idle_connection_is_replaced",
        ],
    },
    Promise {
        of: "TransportErrorKind::Connect",
        says: "No connection could be made (refused, unreachable).",
        cases: &["a_refused_connection_is_a_connect_error"],
    },
    Promise {
        of: TRANSPORT,
        says: "Connecting takes no longer than the `ConnectTimeout` in the request's extensions.",
        cases: &["connecting_has_a_time_limit"],
    },
    Promise {
        of: "TransportErrorKind::Dns",
        says: "The host name could not be resolved.",
        cases: &["an_unknown_host_is_a_dns_error", "an_unknown_host_is_named"],
    },
    Promise {
        of: "TransportErrorKind::InvalidInput",
        says: "The request cannot be sent by this transport (an unknown scheme, a bad header).",
        cases: &["an_unknown_scheme_is_refused"],
    },
    Promise {
        of: DECODER,
        says: "Feed bytes as they come, take the events after each piece, and call `end` when no \
               more bytes will come.",
        cases: &["recordings_are_read"],
    },
    Promise {
        of: "Decoder::feed",
        says: "Takes in the next bytes, split anywhere.",
        cases: &["bytes_may_be_split_anywhere"],
    },
    Promise {
        of: "Decoder::next_event",
        says: "The provider's error, `Truncated` if the bytes ended before a terminal event, \
               `Protocol` for bytes that this dialect cannot read, `ResponseTooLarge` beyond the \
               caps.",
        cases: &[
            "a_cut_answer_is_no_answer",
            "caps_are_kept",
            "damaged_bytes_are_no_panic",
        ],
    },
    Promise {
        of: "Decoder::is_done",
        says: "Whether the terminal event was read. The answer is complete then, whatever the \
               server does with the connection.",
        cases: &["an_answer_finishes_once"],
    },
    Promise {
        of: DECODER,
        says: "After an error or a terminal event there is nothing more to take.",
        cases: &["nothing_follows_the_end"],
    },
    Promise {
        of: "dialect",
        says: "A dialect does no I/O and keeps no state between requests. A `Decoder` is the state \
               of one answer.",
        cases: &[
            "a_decoder_is_of_one_answer",
            "the_same_request_is_written_the_same",
        ],
    },
    Promise {
        of: "Dialect::encode",
        says: "`mode` says whether it asks for a stream. Its URI is below the endpoint's base URL.",
        cases: &["requests_go_below_the_base_url"],
    },
    Promise {
        of: "Dialect::facts",
        says: "What this dialect states about itself: its name, the header that carries the key, \
               and the response headers that it reads.",
        cases: &["facts_are_plain_names"],
    },
    Promise {
        of: JOURNAL,
        says: "An item is in one lease at a time; a lease that has run out, or was released, is \
               nobody's, and its items without a result are handed out again.",
        cases: &[
            "every_item_is_handed_out_once",
            "what_is_released_comes_again",
            "a_batch_comes_to_its_end",
        ],
    },
    Promise {
        of: JOURNAL,
        says: "The first result that is recorded for an item stays.",
        cases: &["the_first_result_stays"],
    },
    Promise {
        of: JOURNAL,
        says: "Records the result of an item, and completes when the record outlives this process",
        cases: &["what_is_recorded_stays", "results_come_together"],
    },
    Promise {
        of: JOURNAL,
        says: "How far the run is, over all its workers and all its lives.",
        cases: &["counts_add_up"],
    },
    Promise {
        of: JOURNAL,
        says: "where leases do not run out, it has taken none.",
        cases: &["a_dropped_claim_loses_nothing"],
    },
];
