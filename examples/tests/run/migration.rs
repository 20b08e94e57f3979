//! `migration`: the snippets of the old documentation, in their new form.

use super::{MIGRATION, assert_in_order, printed};

#[test]
fn migration_runs_every_snippet() {
    let printed = printed(MIGRATION, &[]);
    assert_in_order(
        &printed,
        &[
            "No API key is set",
            "Blocking",
            "2+2 = 4.",
            "Hybrid",
            "one",
            "three",
            "two",
            "Async",
            "With context",
            "Your name is Ada",
            "Errors",
            "failed: ",
            "temperature",
            "too slow: ",
            "Retries",
            "2+2 = 4. (after 3 attempts)",
            "You said: “One try”",
            "gather(…, return_exceptions=True)",
            "a\nfailed: ",
            "c\n",
            "gather_with_limit",
            "1 * 1 = 1.",
            "5 * 5 = 25.",
            "run_with_timeout",
            "too slow",
            "Pool status",
            "5 workers, 0 active, 0 queued; ",
            "cleanup()",
            "as it should: ",
            "async with",
            "gone",
        ],
    );
}
