//! What is submitted: formats, duplicates, bad lines, submissions that did not come to their end.

use std::io::{self, Read};

use chatcore::ErrorKind;
use chatcore::Journal;
use chatcore::journal::Claim;
use chatcore_adapters::journal::postgres::{
    BadLines, Format, Identity, PostgresJournal, Submission,
};

use super::{Setup, prompts};

#[test]
fn a_repeated_custom_id_is_refused_with_both_lines() {
    Setup::run(async |setup| {
        // More than one block, and more names than are held in memory.
        let mut input = prompts(9_000);
        input.push_str("\n{\"custom_id\":\"n7\",\"prompt\":\"again\"}\n{\"prompt\":\"x\"}\n");
        let submitted =
            setup
                .database
                .submit(&setup.run, io::Cursor::new(input), Submission::default());
        let error = submitted.await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!(error.code(), Some("duplicate_custom_id"));
        assert!(
            error
                .message()
                .contains("\"n7\" on line 8 and on line 9002"),
            "{error}"
        );
        // Nothing of it is left, and the name is free.
        let error = setup.database.status(&setup.run).await.unwrap_err();
        assert_eq!(error.code(), Some("unknown_run"));
        setup.submit(&prompts(2)).await;
    });
}

#[test]
fn bad_lines_are_errors_of_their_items_or_refused() {
    Setup::run(async |setup| {
        let input = "{\"prompt\":\"a\"}\nnonsense\n{\"promt\":\"b\"}\n";
        let refused = setup.database.submit(
            &setup.run,
            input.as_bytes(),
            Submission::default().bad_lines(BadLines::Refuse),
        );
        let error = refused.await.unwrap_err();
        assert_eq!(error.code(), Some("invalid_line"));
        assert!(error.message().contains("line 2"), "{error}");
        let found = setup.submit(input).await;
        assert_eq!((found.items, found.bad_lines), (3, 2));
        let journal = PostgresJournal::builder(setup.database.clone(), &setup.run, Identity::new());
        let journal = journal.open().await.unwrap();
        let Claim::Items(_, items) = journal.claim(1).await.unwrap() else {
            unreachable!();
        };
        assert!(items[0].request.is_ok());
        for item in &items[1..] {
            assert!(item.request.is_err(), "{item:?}");
        }
        let error = setup
            .database
            .submit("array", &b"[1]"[..], Submission::default());
        assert_eq!(error.await.unwrap_err().code(), Some("json_array"));
    });
}

#[test]
fn lines_of_text_are_prompts() {
    Setup::run(async |setup| {
        setup
            .submit_as(
                "one\n\n{\"two\"}\n",
                Submission::default().format(Format::Text),
            )
            .await;
        let journal = PostgresJournal::builder(setup.database.clone(), &setup.run, Identity::new());
        let journal = journal.open().await.unwrap();
        let Claim::Items(_, items) = journal.claim(1).await.unwrap() else {
            unreachable!();
        };
        let places: Vec<_> = items.iter().map(|item| item.place).collect();
        assert_eq!(places, [1, 3]);
        let request = items[1].request.as_ref().unwrap();
        assert_eq!(request.messages[0].text(), "{\"two\"}");
        assert_eq!(items[1].id, "request-3");
    });
}

/// An input that fails in its midst.
struct Broken(io::Cursor<String>);

impl Read for Broken {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::Error::other("the disk is broken")),
            read => Ok(read),
        }
    }
}

#[test]
fn a_submission_that_fails_has_not_begun() {
    Setup::run(async |setup| {
        let input = Broken(io::Cursor::new(prompts(20_000)));
        let submitted = setup
            .database
            .submit(&setup.run, input, Submission::default());
        let error = submitted.await.unwrap_err();
        assert!(error.message().contains("the disk is broken"), "{error}");
        assert!(setup.database.status(&setup.run).await.is_err());
        setup.submit(&prompts(3)).await;
    });
}
