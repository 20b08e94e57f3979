//! Runs the suite on adapters that are broken on purpose, because every case must be able to fail.

mod asking;
mod clockwork;
mod dialects;
mod naive;
mod wrapped;

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use chatcore::{Executor, Transport};
use chatcore_adapters::executor::SmolExecutor;
use chatcore_conformance::hosts::{frame_loop, lateness};
use chatcore_conformance::server::Process;
use chatcore_conformance::{
    CASE_CAP, EXECUTOR_CASES, Host, Scheme, TRANSPORT_CASES, run_executor_case, run_transport_case,
};

use self::asking::Asking;
use self::clockwork::Clockwork;
use self::naive::Naive;
use self::wrapped::Wrapped;

/// A broken adapter that hangs is abandoned after this time.
const CAP: Duration = Duration::from_secs(4);

/// A flaw, the cases that must find it, and a case that must still pass.
struct Mutant<Flaw> {
    flaw: Flaw,
    finds: &'static [&'static str],
    holds: &'static str,
}

const TRANSPORTS: &[Mutant<wrapped::Flaw>] = {
    use wrapped::Flaw::*;
    &[
        Mutant {
            flaw: LosesHeaders,
            finds: &[
                "status_and_headers_arrive",
                "a_dribbled_head_is_reassembled",
            ],
            holds: "large_bodies_are_whole",
        },
        Mutant {
            flaw: FailsOnErrorStatus,
            finds: &[
                "an_error_status_is_a_response",
                "unregistered_statuses_are_responses",
            ],
            holds: "status_and_headers_arrive",
        },
        Mutant {
            flaw: LosesQuery,
            finds: &["the_request_arrives_whole"],
            holds: "status_and_headers_arrive",
        },
        Mutant {
            flaw: LosesBytes,
            finds: &[
                "a_large_request_arrives_whole",
                "a_body_ends_with_its_connection",
                "dribbled_bodies_are_reassembled",
                "large_bodies_are_whole",
                "a_slow_reader_loses_nothing",
                "a_chat_is_answered_in_both_dialects",
                "works_inside_a_task",
            ],
            holds: "an_empty_body_is_empty",
        },
        Mutant {
            flaw: Buffers,
            finds: &[
                "the_head_comes_before_the_body",
                "chunks_stream",
                "bodies_with_a_length_stream",
                "bodies_without_a_length_stream",
                "an_unread_body_blocks_nobody",
            ],
            holds: "large_bodies_are_whole",
        },
        Mutant {
            flaw: WantsABody,
            finds: &["an_empty_body_is_empty", "no_content_has_no_body"],
            holds: "large_bodies_are_whole",
        },
        Mutant {
            flaw: FollowsRedirects,
            finds: &["redirects_are_not_followed"],
            holds: "an_error_status_is_a_response",
        },
        Mutant {
            flaw: SmallHeads,
            finds: &["ordinary_heads_are_not_too_large"],
            holds: "status_and_headers_arrive",
        },
        Mutant {
            flaw: LargeHeads,
            finds: &["a_huge_header_is_an_error"],
            holds: "status_and_headers_arrive",
        },
        Mutant {
            flaw: NamesNoKind,
            finds: &[
                "endless_headers_are_an_error",
                "a_reset_before_the_head_is_a_reset",
                "a_reset_inside_the_head_is_a_reset",
                "an_end_before_the_head_is_a_reset",
                "an_end_inside_the_head_is_an_error",
                "garbage_is_no_http",
                "a_refused_connection_is_a_connect_error",
                "an_unknown_host_is_a_dns_error",
                "an_unknown_host_is_named",
                "an_unknown_scheme_is_refused",
            ],
            holds: "status_and_headers_arrive",
        },
        Mutant {
            flaw: HidesBreaks,
            finds: &[
                "a_body_short_of_its_length_is_truncated",
                "a_body_without_its_last_chunk_is_truncated",
                "a_body_cut_inside_a_chunk_is_truncated",
                "a_body_that_never_comes_is_truncated",
                "a_reset_after_the_head_is_an_error",
                "a_reset_inside_the_body_is_an_error",
                "a_reset_does_not_end_a_body_without_a_length",
                "a_garbled_chunk_is_no_http",
            ],
            holds: "large_bodies_are_whole",
        },
        Mutant {
            flaw: NeverReuses,
            finds: &[
                "connections_are_reused",
                "a_stream_hands_its_connection_back",
                "an_error_status_hands_its_connection_back",
            ],
            holds: "answers_do_not_mix",
        },
        Mutant {
            flaw: TriesAgain,
            finds: &[
                "a_failed_post_is_sent_once",
                "a_post_is_not_sent_again_after_a_byte",
            ],
            holds: "connections_are_reused",
        },
        Mutant {
            flaw: MixesAnswers,
            finds: &["answers_do_not_mix", "a_cancelled_answer_goes_to_nobody"],
            holds: "connections_are_reused",
        },
        Mutant {
            flaw: NoConnectLimit,
            finds: &["connecting_has_a_time_limit"],
            holds: "a_refused_connection_is_a_connect_error",
        },
        Mutant {
            flaw: GoesOnAfterDrop,
            finds: &[
                "dropping_a_waiting_send_closes",
                "dropping_an_unread_body_closes",
                "dropping_a_half_read_body_closes",
                "dropping_a_held_body_closes",
            ],
            holds: "connections_are_reused",
        },
        Mutant {
            flaw: OneAtATime,
            finds: &["dropping_while_connecting_is_clean"],
            holds: "connections_are_reused",
        },
    ]
};

/// A simple client over plain sockets has several flaws.
const NAIVE: Mutant<()> = Mutant {
    flaw: (),
    finds: &[
        "interim_answers_are_skipped",
        "a_continue_is_skipped",
        "a_continue_with_headers_is_skipped",
        "announced_closes_are_believed",
        "an_answer_nobody_asked_for_goes_to_nobody",
        "a_closed_idle_connection_is_replaced",
        "a_reset_idle_connection_is_replaced",
        "chunks_stream",
        "a_body_short_of_its_length_is_truncated",
    ],
    holds: "status_and_headers_arrive",
};

const EXECUTORS: &[Mutant<clockwork::Flaw>] = {
    use clockwork::Flaw::*;
    &[
        Mutant {
            flaw: NeverSleeps,
            finds: &[
                "sleeps_end_in_order",
                "a_sleep_lasts_its_time",
                "no_sleep_is_too_long",
            ],
            holds: "spawned_tasks_run_detached",
        },
        Mutant {
            flaw: SleepsForeverOnZero,
            finds: &["no_sleep_is_too_short"],
            holds: "a_sleep_lasts_its_time",
        },
        Mutant {
            flaw: KeepsWakers,
            finds: &["a_dropped_sleep_lets_go_of_its_waker"],
            holds: "a_sleep_lasts_its_time",
        },
        Mutant {
            flaw: DropsTasks,
            finds: &[
                "spawned_tasks_run_detached",
                "spawned_tasks_run_side_by_side",
                "tasks_spawn_tasks",
                "works_from_foreign_threads",
            ],
            holds: "a_sleep_lasts_its_time",
        },
        Mutant {
            flaw: DiesOfPanics,
            finds: &["a_panic_stays_in_its_task"],
            holds: "spawned_tasks_run_detached",
        },
        Mutant {
            flaw: RunsBackwards,
            finds: &["now_never_goes_back"],
            holds: "spawned_tasks_run_detached",
        },
        Mutant {
            flaw: StandsStill,
            finds: &["now_keeps_pace_with_the_system"],
            holds: "now_never_goes_back",
        },
    ]
};

#[test]
fn every_case_is_failed_by_some_broken_adapter() {
    let names = |finds: &[&[&'static str]]| finds.concat().into_iter().collect::<BTreeSet<_>>();
    let transports: Vec<_> = TRANSPORTS.iter().map(|mutant| mutant.finds).collect();
    let found = names(&[&transports[..], &[NAIVE.finds]].concat());
    let all = TRANSPORT_CASES
        .iter()
        .map(|case| case.name)
        .collect::<BTreeSet<_>>();
    assert_eq!(found, all);
    let executors: Vec<_> = EXECUTORS.iter().map(|mutant| mutant.finds).collect();
    let all = EXECUTOR_CASES
        .iter()
        .map(|case| case.name)
        .collect::<BTreeSet<_>>();
    assert_eq!(names(&executors), all);
}

fn transport_is_found(
    mutant: &Mutant<impl std::fmt::Debug + Sync>,
    broken: impl Fn(Arc<dyn Executor>) -> Arc<dyn Transport> + Sync,
) {
    let run = |case: &str, cap| {
        let host = Host::outside(Arc::new(SmolExecutor::new()));
        let transport = broken(Arc::clone(host.executor()));
        run_transport_case(case, cap, host, Scheme::Http, transport)
    };
    found(mutant, run);
}

/// Runs all cases at once, so that those that hang wait together.
fn found(
    mutant: &Mutant<impl std::fmt::Debug + Sync>,
    run: impl Fn(&str, Duration) -> Result<(), String> + Sync,
) {
    if let Err(failure) = run(mutant.holds, CASE_CAP) {
        panic!(
            "{:?} is more broken than it is meant to be: {failure}",
            mutant.flaw
        );
    }
    std::thread::scope(|scope| {
        for case in mutant.finds {
            let run = &run;
            scope.spawn(move || match run(case, CAP) {
                Ok(()) => panic!("`{case}` does not notice {:?}", mutant.flaw),
                Err(failure) => {
                    println!(
                        "{:?}: {case}: {}",
                        mutant.flaw,
                        failure.lines().next().unwrap()
                    );
                }
            });
        }
    });
}

#[test]
fn the_naive_transport_is_found() {
    transport_is_found(&NAIVE, |_| Arc::new(Naive::default()));
}

/// The fault that made every frame loop hang. It shows only while no other task turns the reactor,
/// so run this test alone, on an idle machine:
/// `cargo test -p chatcore-tests --all-features --test all -- --ignored only_asks`.
#[test]
#[ignore = "the fault shows only where nothing else turns the reactor"]
fn a_transport_that_only_asks_is_found_by_a_frame_loop() {
    let server = Process::start(&mut Command::new(env!("CARGO_BIN_EXE_loopback"))).unwrap();
    let run = |host, cap| lateness(host, Arc::new(Asking), server.base_url(), 10, cap);
    run(Host::outside(Arc::new(SmolExecutor::new())), CASE_CAP).unwrap();
    let failure = run(frame_loop(), CAP).unwrap_err();
    assert!(failure.starts_with("hangs"), "{failure}");
}

#[test]
fn wrapped_transports_are_found() {
    std::thread::scope(|scope| {
        for mutant in TRANSPORTS {
            scope.spawn(|| {
                transport_is_found(mutant, |executor| {
                    Arc::new(Wrapped::new(executor, mutant.flaw))
                });
            });
        }
    });
}

#[test]
fn broken_executors_are_found() {
    for mutant in EXECUTORS {
        found(mutant, |case, cap| {
            let broken = Arc::new(Clockwork::new(mutant.flaw));
            run_executor_case(case, cap, Host::outside(broken))
        });
    }
}
