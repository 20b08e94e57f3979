//! `--report`: writes the run as one HTML page that needs no network.

use std::fmt::Write;
use std::path::Path;

use super::run::Ended;
use super::stats::Stats;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 160.0;
const BARS: usize = 40;

const STYLE: &str = "\
:root{color-scheme:light dark;--bar:#2a7;--bad:#c33}\
body{font:15px/1.5 system-ui,sans-serif;max-width:42rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.4rem}h2{font-size:1.05rem;margin-top:2rem}\
table{border-collapse:collapse}td{padding:.15rem 1.5rem .15rem 0}td+td{text-align:right}\
svg{width:100%;height:auto}rect{fill:var(--bar)}.bad rect{fill:var(--bad)}\
polyline{fill:none;stroke:var(--bar);stroke-width:2}text{font-size:11px;fill:currentColor}\
line{stroke:currentColor;stroke-width:.5}";

/// The page.
pub(super) fn page(stats: &Stats, ended: &Ended, output: &Path) -> String {
    let how = match ended {
        Ended::All => "Complete.".to_owned(),
        Ended::Stopped(why) => format!("Before its end: {why}."),
        Ended::Failed(error) => format!("Failed: {error}."),
    };
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <title>Batch {0}</title><style>{STYLE}</style><h1>Batch {0}</h1><p>{1}</p>",
        escaped(&output.display().to_string()),
        escaped(&how),
    );
    page.push_str(&numbers(stats));
    page.push_str("<h2>Items finished over time</h2>");
    page.push_str(&course(stats));
    page.push_str("<h2>Latency of answers</h2>");
    page.push_str(&latency(stats));
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
    let mut rows = vec![
        ("Items", stats.total().to_string()),
        ("Answers", stats.done().to_string()),
        ("Errors", stats.failed().to_string()),
        ("Items in this run of the program", now.to_string()),
        ("Time of this run of the program", format!("{seconds:.1} s")),
        (
            "Items a second",
            format!("{:.1}", now as f64 / seconds.max(1e-3)),
        ),
        ("Tokens of prompts", input.to_string()),
        ("Tokens of answers", output.to_string()),
    ];
    if let Some(cost) = stats.cost() {
        rows.push(("Cost", format!("${cost:.4}")));
    }
    for (name, share) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)] {
        let millis = stats.latency.value_at_quantile(share);
        if !stats.latency.is_empty() {
            rows.push((name, format!("{millis} ms")));
        }
    }
    let rows = rows
        .iter()
        .map(|(name, value)| format!("<tr><td>{name}</td><td>{}</td></tr>", escaped(value)));
    format!("<table>{}</table>", rows.collect::<String>())
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
        "0 s",
        &format!("{end:.1} s, {most} items"),
    )
}

/// A histogram of latencies with a logarithmic time scale.
fn latency(stats: &Stats) -> String {
    let histogram = &stats.latency;
    if histogram.is_empty() {
        return "<p>No answers.</p>".to_owned();
    }
    let (least, most) = (histogram.min().max(1) as f64, histogram.max().max(2) as f64);
    let step = (most / least).max(1.01).powf(1.0 / BARS as f64);
    let mut counts = [0_u64; BARS];
    for value in histogram.iter_recorded() {
        let place = (value.value_iterated_to() as f64 / least).ln() / step.ln();
        counts[(place.max(0.0) as usize).min(BARS - 1)] += value.count_since_last_iteration();
    }
    let highest = counts.iter().copied().max().unwrap_or(1).max(1) as f64;
    let width = WIDTH / BARS as f64;
    let mut bars = String::new();
    for (place, &count) in counts.iter().enumerate() {
        let height = count as f64 / highest * HEIGHT;
        let low = least * step.powi(place as i32);
        let _ = write!(
            bars,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\">\
             <title>from {low:.0} ms: {count}</title></rect>",
            place as f64 * width,
            HEIGHT - height,
            width - 1.0,
        );
    }
    svg(&bars, &format!("{least} ms"), &format!("{most} ms"))
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

/// A plot with its horizontal axis and the labels at both ends of the axis.
fn svg(plot: &str, left: &str, right: &str) -> String {
    format!(
        "<svg viewBox=\"0 -4 {WIDTH} {0}\">{plot}<line x1=\"0\" y1=\"{HEIGHT}\" x2=\"{WIDTH}\" \
         y2=\"{HEIGHT}\"/><text x=\"0\" y=\"{1}\">{left}</text>\
         <text x=\"{WIDTH}\" y=\"{1}\" text-anchor=\"end\">{right}</text></svg>",
        HEIGHT + 24.0,
        HEIGHT + 14.0,
    )
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
        let page = page(&stats, &Ended::Failed(error), Path::new("a<b>.jsonl"));
        assert!(
            !page.contains("<script") && !page.contains("a<b>"),
            "{page}"
        );
        assert!(page.contains("No answers."));
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
        let page = page(&stats, &Ended::All, Path::new("out"));
        let bars = page.matches("ms: 1</title>").count();
        assert_eq!(bars, 3, "{page}");
        assert!(page.contains(">server</text>"));
        assert!(!page.contains("http://") && !page.contains("https://"));
    }
}
