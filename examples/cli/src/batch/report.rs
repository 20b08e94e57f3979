//! `--report`: writes the run as one HTML page that needs no network.

use std::fmt::Write;
use std::path::Path;

use hdrhistogram::Histogram;

use super::run::Ended;
use super::stats::Stats;
use crate::say;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 160.0;
/// The space for the numbers of the vertical axis.
const MARGIN: f64 = 64.0;
const BARS: usize = 40;

const STYLE: &str = "\
:root{color-scheme:light dark;--ground:#fff;--ink:#1c2024;--soft:#60646c;--line:#e0e2e6;--bar:#12876f;--bad:#c62a2f}\
@media(prefers-color-scheme:dark){:root{--ground:#121416;--ink:#edeef0;--soft:#a0a6ae;--line:#2e3236;--bar:#2fbf9b;--bad:#ff6369}}\
body{font:15px/1.5 system-ui,sans-serif;max-width:42rem;margin:2rem auto;padding:0 1rem;background:var(--ground);color:var(--ink)}\
h1{font-size:1.4rem;margin:0;overflow-wrap:anywhere}h2{font-size:1.05rem;margin:2rem 0 .5rem}p{margin:.3rem 0;color:var(--soft)}\
dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(9.5rem,1fr));gap:.6rem;margin:1.2rem 0}\
dl div{border:1px solid var(--line);border-radius:.5rem;padding:.5rem .8rem}dt{color:var(--soft);font-size:.8rem}\
dd{margin:0;font-size:1.2rem;font-variant-numeric:tabular-nums}\
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}\
th,td{padding:.2rem .4rem;text-align:right;border-bottom:1px solid var(--line)}th{color:var(--soft);font-weight:normal;font-size:.85rem}\
th:first-child,td:first-child{text-align:left}\
svg{display:block;width:100%;height:auto}rect{fill:var(--bar)}.bad rect{fill:var(--bad)}\
polyline{fill:none;stroke:var(--bar);stroke-width:2}text{font-size:11px;fill:var(--soft)}.bad text{fill:var(--ink)}\
line{stroke:var(--line)}";

/// How each report begins.
pub(super) const BEGINNING: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
     <meta name=\"viewport\" content=\"width=device-width\"><title>Batch ";

/// The shares of answers whose times are told.
const SHARES: [(&str, f64); 5] = [
    ("half", 0.5),
    ("90 %", 0.9),
    ("95 %", 0.95),
    ("99 %", 0.99),
    ("all", 1.0),
];

/// The page. `first` are the times to first content, in milliseconds.
pub(super) fn page(
    stats: &Stats,
    first: Option<&Histogram<u64>>,
    ended: &Ended,
    output: &Path,
) -> String {
    let how = match ended {
        Ended::All => "Complete.".to_owned(),
        Ended::Stopped(why) => format!("Before its end: {why}."),
        Ended::Cancelled => "Before its end: cancelled.".to_owned(),
        Ended::Failed(error) => format!("Failed: {error}."),
    };
    let mut page = format!(
        "{BEGINNING}{0}</title><style>{STYLE}</style><h1>Batch {0}</h1><p>{1}</p>",
        escaped(&output.display().to_string()),
        escaped(&how),
    );
    page.push_str(&numbers(stats));
    page.push_str(
        "<p>Items, answers, errors, tokens and cost are those of the whole run. All else is of the \
         program's last start, and a resumed run has several.</p>\
         <h2>Items finished since this start, over time</h2>",
    );
    page.push_str(&course(stats));
    let times = [
        (
            "Time to the answer, waits and attempts included",
            Some(&stats.latency),
        ),
        ("Time to first content, from the request on", first),
    ];
    let times = times.map(|(name, times)| (name, times.filter(|times| !times.is_empty())));
    page.push_str("<h2>Times</h2>");
    page.push_str(&percentiles(&times));
    for (name, times) in times {
        if let Some(times) = times {
            let _ = write!(page, "<h2>{name}</h2>{}", distribution(times));
        }
    }
    if !stats.errors.is_empty() {
        page.push_str("<h2>Errors by kind</h2>");
        page.push_str(&errors(stats));
    }
    page.push_str("</html>\n");
    page
}

fn numbers(stats: &Stats) -> String {
    let (input, output) = stats.tokens();
    let seconds = stats.elapsed().as_secs_f64();
    let now = stats.done_now + stats.failed_now;
    let pace = |count: u64| format!("{:.1}", count as f64 / seconds.max(1e-3));
    let mut tiles = vec![
        ("Items", grouped(stats.total())),
        ("Answers", grouped(stats.done())),
        ("Errors", grouped(stats.failed())),
        ("Tokens of prompts", grouped(input)),
        ("Tokens of answers", grouped(output)),
    ];
    if let Some(cost) = stats.cost() {
        tiles.push(("Cost", say::dollars(cost)));
        if stats.done() > 0 {
            let each = say::dollars(cost / stats.done() as f64 * 1e3);
            tiles.push(("Cost of 1,000 answers", each));
        }
    }
    tiles.push(("Items since this start", grouped(now)));
    tiles.push(("Time since this start", took(seconds * 1e3)));
    tiles.push(("Items a second since this start", pace(now)));
    let (input, output) = stats.tokens_now();
    tiles.push(("Tokens a second since this start", pace(input + output)));
    let tiles = tiles.iter().map(|(name, value)| {
        let value = escaped(value);
        format!("<div><dt>{name}</dt><dd>{value}</dd></div>")
    });
    format!("<dl>{}</dl>", tiles.collect::<String>())
}

/// A table of how long the given shares of answers took at most.
fn percentiles(times: &[(&str, Option<&Histogram<u64>>)]) -> String {
    let heads = SHARES.iter().map(|(name, _)| format!("<th>{name}</th>"));
    let rows = times.iter().map(|(name, times)| {
        let cell = |(_, share): &(&str, f64)| match times {
            Some(times) => format!("<td>{}</td>", took(times.value_at_quantile(*share) as f64)),
            None => "<td>–</td>".to_owned(),
        };
        let cells = SHARES.iter().map(cell).collect::<String>();
        let (name, _) = name.split_once(',').unwrap_or((name, ""));
        format!("<tr><td>{name}</td>{cells}</tr>")
    });
    format!(
        "<table><tr><th>latency at most, for this share of the answers</th>{}</tr>{}</table>",
        heads.collect::<String>(),
        rows.collect::<String>()
    )
}

/// A plot of finished items over time.
fn course(stats: &Stats) -> String {
    let end = stats.elapsed().as_secs_f64().max(1e-3);
    let most = (stats.done_now + stats.failed_now).max(1) as f64;
    let mut line = String::from("0,160 ");
    let points = stats.course.points.iter();
    let points = points.map(|(at, finished)| (at.as_secs_f64(), *finished as f64));
    for (at, finished) in points.chain([(end, most)]) {
        let (x, y) = (at / end * WIDTH, HEIGHT - finished / most * HEIGHT);
        // Writing to a string does not fail.
        let _ = write!(line, "{x:.1},{y:.1} ");
    }
    svg(
        &format!("<polyline points=\"{}\"/>", line.trim_end()),
        most as u64,
        "0 s",
        &format!("{}, {} items", took(end * 1e3), grouped(most as u64)),
    )
}

/// A plot of how many answers took how long, with a logarithmic time scale.
fn distribution(times: &Histogram<u64>) -> String {
    let (least, most) = (times.min().max(1) as f64, times.max().max(2) as f64);
    let step = (most / least).max(1.01).powf(1.0 / BARS as f64);
    let mut counts = [0_u64; BARS];
    for value in times.iter_recorded() {
        let place = (value.value_iterated_to() as f64 / least).ln() / step.ln();
        counts[(place.max(0.0) as usize).min(BARS - 1)] += value.count_since_last_iteration();
    }
    let highest = counts.iter().copied().max().unwrap_or(1).max(1) as f64;
    let width = WIDTH / BARS as f64;
    let mut bars = String::new();
    for (place, &count) in counts.iter().enumerate() {
        let height = count as f64 / highest * HEIGHT;
        let low = least * step.powi(place as i32);
        // Writing to a string does not fail.
        let _ = write!(
            bars,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\">\
             <title>from {low:.0} ms: {count}</title></rect>",
            place as f64 * width,
            HEIGHT - height,
            width - 1.0,
        );
    }
    svg(&bars, highest as u64, &took(least), &took(most))
}

fn errors(stats: &Stats) -> String {
    let most = stats.errors.values().copied().max().unwrap_or(1) as f64;
    let height = 20.0 * stats.errors.len() as f64;
    let mut bars = String::new();
    for (row, (kind, &count)) in stats.errors.iter().enumerate() {
        let y = row as f64 * 20.0;
        let width = count as f64 / most * 400.0;
        let _ = write!(
            bars,
            "<rect x=\"140\" y=\"{y}\" width=\"{width:.1}\" height=\"14\"/>\
             <text x=\"0\" y=\"{0}\">{kind}</text><text x=\"{1:.1}\" y=\"{0}\">{count}</text>",
            y + 11.0,
            148.0 + width,
        );
    }
    format!("<svg class=\"bad\" viewBox=\"0 0 {WIDTH} {height}\">{bars}</svg>")
}

/// A plot with its axes: the vertical one from 0 to `most`, the horizontal one with a label at each
/// end.
fn svg(plot: &str, most: u64, left: &str, right: &str) -> String {
    let mut axes = String::new();
    // A half is a whole number only if `most` is even.
    let half = (most > 0 && most.is_multiple_of(2)).then_some(most / 2);
    for mark in [Some(0), half, Some(most)].into_iter().flatten() {
        let y = HEIGHT - mark as f64 / most.max(1) as f64 * HEIGHT;
        // Writing to a string does not fail.
        let _ = write!(
            axes,
            "<line x1=\"0\" y1=\"{y}\" x2=\"{WIDTH}\" y2=\"{y}\"/>\
             <text x=\"-6\" y=\"{0}\" text-anchor=\"end\">{1}</text>",
            y + 4.0,
            grouped(mark),
        );
    }
    format!(
        "<svg viewBox=\"-{MARGIN} -8 {0} {1}\">{axes}{plot}<text x=\"0\" y=\"{2}\">{left}</text>\
         <text x=\"{WIDTH}\" y=\"{2}\" text-anchor=\"end\">{right}</text></svg>",
        WIDTH + MARGIN,
        HEIGHT + 28.0,
        HEIGHT + 16.0,
    )
}

/// A time in milliseconds, with its unit.
fn took(millis: f64) -> String {
    match millis {
        _ if millis < 1e3 => format!("{millis:.0} ms"),
        _ if millis < 60e3 => format!("{:.1} s", millis / 1e3),
        _ => {
            let minutes = (millis / 60e3).round() as u64;
            let (hours, minutes) = (minutes / 60, minutes % 60);
            match hours {
                0 => format!("{minutes} min"),
                _ => format!("{hours} h {minutes} min"),
            }
        }
    }
}

/// A number with a comma before each three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let (head, rest) = digits.split_at(first);
    let mut text = head.to_owned();
    for (place, digit) in rest.char_indices() {
        if place % 3 == 0 && !text.is_empty() {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chatcore::journal::{Counts, Outcome, Recorded};
    use chatcore::{ChatResponse, Error, ErrorKind};

    use super::*;

    #[test]
    fn no_text_of_a_server_is_markup() {
        let stats = Stats::new(&Counts::default(), None);
        let error = Error::new(ErrorKind::Server, "<script>alert(1)</script>");
        let page = page(&stats, None, &Ended::Failed(error), Path::new("a<b>.jsonl"));
        assert!(
            !page.contains("<script") && !page.contains("a<b>"),
            "{page}"
        );
        assert!(page.contains("<td>–</td>"), "no answers, no times");
    }

    #[test]
    fn latencies_and_errors_are_drawn() {
        // Only runs can create a `Finished`, so its parts are passed instead.
        let outcome = |result, took| Outcome {
            place: 1,
            id: "a".into(),
            tag: 0,
            result,
            took: Duration::from_millis(took),
        };
        let mut stats = Stats::new(&Counts::default(), None);
        for took in [5, 50, 500] {
            stats.add(&outcome(Ok(ChatResponse::default()), took), Recorded::First);
        }
        let error = Error::new(ErrorKind::Server, "no");
        stats.add(&outcome(Err(error), 1), Recorded::First);
        let mut first = stats.latency.clone();
        first.clear();
        first.record(7).unwrap();
        let page = page(&stats, Some(&first), &Ended::All, Path::new("out"));
        let bars = page.matches("ms: 1</title>").count();
        assert_eq!(bars, 3 + 1, "{page}");
        let row = "<td>Time to the answer</td><td>50 ms</td><td>500 ms</td>";
        assert!(page.contains(row), "{page}");
        assert!(
            page.contains("<td>Time to first content</td><td>7 ms</td>"),
            "{page}"
        );
        assert!(page.contains(">server</text>"));
        // The axis of the items goes from 0 to 4, those of the times from 0 to 1.
        let marks = |number: &str| {
            let mark = format!("text-anchor=\"end\">{number}</text>");
            page.matches(&mark).count()
        };
        assert_eq!(
            [marks("0"), marks("1"), marks("2"), marks("4")],
            [3, 2, 1, 1],
            "{page}"
        );
        assert!(!page.contains("http://") && !page.contains("https://"));
    }

    #[test]
    fn numbers_are_told_as_one_reads_them() {
        for (number, told) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (12_345_678, "12,345,678"),
        ] {
            assert_eq!(grouped(number), told);
        }
        for (millis, told) in [
            (7.0, "7 ms"),
            (1_500.0, "1.5 s"),
            (600e3, "10 min"),
            (5_400e3, "1 h 30 min"),
        ] {
            assert_eq!(took(millis), told);
        }
    }
}
