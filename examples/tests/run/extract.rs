//! `extract`: a type from each line of a file.

use std::path::Path;

use super::{assert_in_order, command, text};

const EXTRACT: &str = env!("CARGO_BIN_EXE_extract");

#[test]
fn a_type_is_read_from_each_line_and_a_second_run_reads_none() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("extract");
    std::fs::remove_dir_all(&folder).ok();
    std::fs::create_dir_all(&folder).unwrap();
    let [input, output] = ["in.txt", "out.jsonl"].map(|name| folder.join(name));
    let messages = "I would like 3 of the blue mugs.\n\
                    A question: do you ship 2 lamps to Norway?\n";
    std::fs::write(&input, messages).unwrap();
    let run = || {
        let output = command(EXTRACT, &[])
            .args([&input, &output])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        text(&output.stdout).to_owned()
    };
    let printed = run();
    assert!(
        printed.contains("the offline demo model answers"),
        "{printed}"
    );
    // The messages are read at once, in any order.
    for expected in [
        "> I would like 3 of the blue mugs.\n  Order: mugs\n  pieces: 3",
        "> A question: do you ship 2 lamps to Norway?\n  Question: Norway\n  pieces: 2",
        "2 messages were read now. ",
        " has 2 results.",
    ] {
        assert!(printed.contains(expected), "{printed}");
    }
    let results = std::fs::read_to_string(&output).unwrap();
    assert_eq!(results.lines().count(), 2);
    assert!(results.contains(r#"\"subject\":\"Norway\""#), "{results}");
    assert!(!printed.contains("not read again"), "{printed}");
    let again = [
        "already has 2 results; their messages are not read again.",
        "0 messages were read now. ",
        " has 2 results.",
    ];
    assert_in_order(&run(), &again);
    // A line that is added is read by the next run.
    std::fs::write(&input, format!("{messages}A complaint: my kettle leaks!\n")).unwrap();
    assert_in_order(
        &run(),
        &[
            "already has 2",
            "Complaint: ",
            "1 messages were read now. ",
            " has 3 ",
        ],
    );
}
