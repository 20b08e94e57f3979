//! Recorded whole answers.

use chatcore::Mode;

use crate::decode::decode;
use crate::rows::{each, name};
use crate::split::Random;
use crate::streams::assert_told;

#[test]
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
