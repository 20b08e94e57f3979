//! Searches for answers that cost a decoder more per byte than any known answer.
//!
//! `tests/fuzz/run cost [ROUNDS]` builds the decoders so that each basic block counts itself;
//! allocations are counted with their sizes. So the cost of an input is the same on every machine,
//! however busy it is. An answer is a beginning, a repeated unit and an end. The search changes
//! answers piece by piece, and continues with those that cost more. It fails if an input costs more
//! than ten times the median of the known cases per byte, or if doubling the input costs more than
//! 2.2 times as much.

mod count;
mod genome;
mod search;
// The known cases, which benchmarks and tests use too.
#[path = "../../../src/worst/mod.rs"]
#[allow(dead_code, reason = "the fuzzer names its dialects itself")]
mod worst;

use bytes::Bytes;
use chatcore::Dialect;
use chatcore::dialect::{Anthropic, Gemini, OpenAiChat, OpenAiResponses};

/// The size at which inputs are compared.
const SIZE: usize = 32 << 10;

/// How many times the median of the known cases an input may cost.
const TIMES: f64 = 10.0;

fn main() {
    let rounds = std::env::args()
        .nth(1)
        .map_or(20_000, |rounds| rounds.parse().unwrap());
    let openai = OpenAiChat::default();
    assert!(
        cost(&openai, 200, "data: {}\n\n") > 100,
        "nothing is counted: use tests/fuzz/run"
    );

    let mut beyond = 0;
    let known = worst::cases().map(|case| {
        let [one, two] = [SIZE, 2 * SIZE].map(|size| {
            let body = (case.make)(size);
            let cost = cost(&*case.dialect(), case.status, &body);
            cost as f64 / body.len() as f64
        });
        if two > one * 1.1 {
            println!(
                "{}: {one:.1} for each byte, and {two:.1} where there are twice as many",
                case.name
            );
            beyond += 1;
        }
        (one, case.name)
    });
    let mut known: Vec<_> = known.collect();
    known.sort_by(|left, right| left.0.total_cmp(&right.0));
    let median = known[known.len() / 2].0;
    println!("known cases: median {median:.1} for each byte; the most:");
    for (cost, name) in known.iter().rev().take(5) {
        println!("{cost:8.1}  {name}");
    }

    let (responses, anthropic) = (OpenAiResponses::default(), Anthropic::default());
    let gemini = Gemini::default();
    for dialect in [&openai as &dyn Dialect, &responses, &anthropic, &gemini] {
        let found = search::worst(dialect, rounds);
        println!(
            "{}: the most after {rounds} rounds:",
            dialect.facts().name()
        );
        for (genome, cost) in &found {
            let (one, two) = (genome.build(SIZE), genome.build(2 * SIZE));
            let twice =
                self::cost(dialect, 200, &two) as f64 / self::cost(dialect, 200, &one) as f64;
            let slope = twice / (two.len() as f64 / one.len() as f64) * 2.0;
            println!("{cost:8.1}  {slope:.2}  {:?}", genome.shown());
            beyond += usize::from(*cost > TIMES * median || slope > 2.2);
        }
    }
    assert_eq!(beyond, 0, "inputs that cost too much");
}

/// The cost of reading an answer.
fn cost(dialect: &dyn Dialect, status: u16, body: &str) -> u64 {
    let body = Bytes::copy_from_slice(body.as_bytes());
    let before = count::now();
    let told = worst::decode(dialect, status, [body]);
    let cost = count::now() - before;
    drop(told);
    cost
}
