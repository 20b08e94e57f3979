//! Recorded complete answers.

use chatcore::Mode;

use super::decode::decode;
use super::rows::{each, name};
use super::split::Random;
use super::streams::assert_told;

#[test]
#[cfg_attr(not(has_corpus), ignore = "no recordings: set CHATCORE_CORPUS")]
fn whole_answers() {
    let mut random = Random::new();
    each("nonstream.jsonl", |row, dialect| {
        let name = name(row);
        let input = row["input"].as_str().unwrap().as_bytes();
        let status = u16::try_from(row["status"].as_u64().unwrap()).unwrap();
        for pieces in [
            vec![input],
            input.chunks(1).collect(),
            random.pieces(input, 100),
        ] {
            match decode(dialect, status, Mode::Whole, pieces) {
                Ok(answer) => assert_told(&answer, row),
                Err(error) => panic!("{name}: {error:?}"),
            }
        }
    });
}
