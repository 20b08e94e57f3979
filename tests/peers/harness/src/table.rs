//! Writes the tables in Markdown.

use std::fmt::Write;

use serde_json::Value;

use crate::plan::{Language, PEERS, WORKS};
use crate::summary::{Figure, Summary, summary};

/// The whole page `docs/benchmarks/peers.md`.
pub(crate) fn page(session: &Value) -> String {
    let runs = runs(session);
    let about = &session["about"];
    let said = |name: &str| about[name].as_str().unwrap_or("–").to_owned();
    let mut page = String::from("# chatcore beside its peers\n\n");
    let _ = writeln!(
        page,
        "Made by `{}` on {}; do not edit. {}, {} cores, {} GiB, {}; {}, Node {}, {}; commit {}; \
         the machine's load before: {}.\n",
        said("command"),
        said("date"),
        said("cpu"),
        about["cores"],
        about["memory_gib"],
        said("kernel"),
        said("rustc"),
        said("node"),
        said("python"),
        said("commit"),
        said("load_before"),
    );
    page.push_str(HOW);
    for work in WORKS {
        let _ = writeln!(page, "## ({}) {}\n", work.name, work.title);
        page.push_str(&load_table(runs, work.name));
        let _ = writeln!(page, "\n![]({}.svg)\n", work.name);
    }
    page.push_str("## (f) start-up to the first answer\n\n");
    page.push_str("| client | ms | least to most |\n|---|---:|---:|\n");
    for peer in PEERS.iter().filter(|peer| peer.once) {
        let found = summary(runs, "f", peer.name, None);
        if let Some(figure) = found.start_up {
            let _ = writeln!(
                page,
                "| {} | {} | {} |",
                peer.name,
                short(figure.median),
                range(&figure)
            );
        }
    }
    page.push_str("\n![](f.svg)\n\n## (g) a program that chats once\n\n");
    page.push_str(&size_table(session));
    page.push_str(
        "\n## (h) what a page loads\n\nBundled and minified by esbuild, compressed by gzip -9.\n\n",
    );
    page.push_str(&bundle_table(session));
    page.push_str(&failures(runs));
    page.push_str("\n## Versions\n\n");
    if let Some(versions) = about["versions"].as_object() {
        for (name, version) in versions {
            let _ = writeln!(page, "- {name}: {}", version.as_str().unwrap_or("–"));
        }
    }
    page
}

const HOW: &str = "\
Client and server have a core each, and each run is a process of its own. The peers take turns \
within each round; a cell is the median of the rounds. `CPU` is user and system time of the client \
process for each answer (of streams: for each event that the server sent). `added` is what comes on \
top of the bare client of the same transport in the same round: `bare-http1` is chatcore's own \
HTTP/1.1, `bare-ureq`, `bare-reqwest`, `bare-fetch` and `bare-httpx` are the others; `raw-socket` \
only writes prepared bytes and scans for the end. `KiB each` is what resident memory grew by at its \
peak, for each in flight; below 2,000 in flight it says little. `server idle` is the least that was \
seen: near 0 % the rate is the server's, and only `CPU` compares. All have the same prompts, \
connections that are kept, the same profile of release (lto thin, codegen-units 1), and the \
system's allocator; what is asynchronous runs on one thread. `chatcore-smol` runs by `smol::block_on`; \
the rows behind it are the same client by `SmolExecutor::block_on`, on a `smol::Executor` of two \
threads, and on tokio, measured at chats alone.\n\n";

fn load_table(runs: &[Value], work: &str) -> String {
    let unit = if work.starts_with('d') {
        "events/s"
    } else {
        "answers/s"
    };
    let mut table = format!(
        "| client | {unit} | CPU µs | least to most | CPU µs added | p50 µs | p50 added | p99 µs | p99 added | KiB each | errors | server idle |\n\
         |---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n"
    );
    for peer in PEERS {
        let found = summary(runs, work, peer.name, peer.bare);
        if found.runs == 0 {
            continue;
        }
        let _ = writeln!(
            table,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            peer.name,
            median(&found.rate),
            median(&found.cpu),
            found.cpu.as_ref().map_or("–".to_owned(), range),
            median(&found.added_cpu),
            median(&found.p50),
            median(&found.added_p50),
            median(&found.p99),
            median(&found.added_p99),
            median(&found.memory),
            found.errors,
            found
                .server_idle
                .map_or("–".to_owned(), |idle| format!("{:.0} %", idle * 100.0)),
        );
    }
    table
}

fn size_table(session: &Value) -> String {
    let mut table =
        String::from("| client | stripped MB | crates | clean build s |\n|---|---:|---:|---:|\n");
    for size in session["sizes"].as_array().into_iter().flatten() {
        let build = size["clean_build_s"].as_f64();
        let _ = writeln!(
            table,
            "| {} | {:.2} | {} | {} |",
            size["peer"].as_str().unwrap_or_default(),
            size["stripped_bytes"].as_f64().unwrap_or_default() / 1e6,
            size["crates"],
            build.map_or("–".to_owned(), |build| format!("{build:.0}")),
        );
    }
    table
}

fn bundle_table(session: &Value) -> String {
    let mut table = String::from("| client | KB of gzip |\n|---|---:|\n");
    for (name, bytes) in session["bundles"].as_object().into_iter().flatten() {
        let kb = bytes.as_f64().unwrap_or_default() / 1e3;
        let _ = writeln!(table, "| {name} | {kb:.1} |");
    }
    table
}

fn failures(runs: &[Value]) -> String {
    let mut said = String::new();
    for peer in PEERS {
        for work in WORKS.iter().map(|work| work.name).chain(["f"]) {
            let found = summary(runs, work, peer.name, None);
            if let Some(error) = found.first_error {
                let _ = writeln!(
                    said,
                    "- {} at ({work}), {} in all: {error}",
                    peer.name, found.errors
                );
            }
        }
    }
    match said.is_empty() {
        true => "\nThere were no errors.\n".to_owned(),
        false => format!("\n## Errors\n\n{said}"),
    }
}

/// The table in docs/benchmarks/README.md: CPU for each kind of work, memory with 10,000 calls in
/// flight, start-up and size.
pub(crate) fn overview(session: &Value) -> String {
    let runs = runs(session);
    let about = &session["about"];
    let said = |name: &str| about[name].as_str().unwrap_or("–").to_owned();
    let mut table = format!(
        "{}, {} cores, {}, by `{}`. CPU microseconds of the client for each answer (of streams: \
         each event), and KiB of memory for each in flight:\n\n",
        said("cpu"),
        about["cores"],
        said("date"),
        said("command"),
    );
    table.push_str(
        "| client | one by one | 64 at once | 10,000 at once | KiB each | streams | batch | start-up ms | MB | crates |\n\
         |---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    for peer in PEERS {
        let found = |work: &str| -> Summary { summary(runs, work, peer.name, peer.bare) };
        let size = session["sizes"]
            .as_array()
            .and_then(|sizes| sizes.iter().find(|size| size["peer"] == peer.name));
        let megabytes = size.and_then(|size| size["stripped_bytes"].as_f64());
        let name = match peer.language {
            Language::Rust => peer.name.to_owned(),
            Language::Node => format!("{} (Node)", peer.name),
            Language::Python => format!("{} (Python)", peer.name),
        };
        let _ = writeln!(
            table,
            "| {name} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            median(&found("a").cpu),
            median(&found("b").cpu),
            median(&found("c10k").cpu),
            median(&found("c10k").memory),
            median(&found("d").cpu),
            median(&found("e").cpu),
            median(&found("f").start_up),
            megabytes.map_or("–".to_owned(), |bytes| format!("{:.1}", bytes / 1e6)),
            size.map_or("–".to_owned(), |size| size["crates"].to_string()),
        );
    }
    table.push_str(
        "\n[All tables](docs/benchmarks/peers.md), with latency, spread and errors; their \
         [raw figures](docs/benchmarks/peers.json).\n",
    );
    for (plot, what) in [
        ("b", "CPU for each chat, 64 at once"),
        ("c10k", "CPU for each chat, 10,000 at once"),
        ("d", "CPU for each event of 32 streams"),
    ] {
        let _ = writeln!(table, "\n![{what}](docs/benchmarks/{plot}.svg)");
    }
    table.push('\n');
    table
}

pub(crate) fn runs(session: &Value) -> &[Value] {
    session["runs"].as_array().map_or(&[], Vec::as_slice)
}

fn median(figure: &Option<Figure>) -> String {
    figure
        .as_ref()
        .map_or("–".to_owned(), |figure| short(figure.median))
}

fn range(figure: &Figure) -> String {
    format!("{}–{}", short(figure.least), short(figure.most))
}

/// Three digits, because the runs do not agree on more.
fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 1000.0 => grouped(&format!("{value:.0}")),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// A whole number with commas between groups of three digits.
fn grouped(number: &str) -> String {
    let digits = number.trim_start_matches('-').len();
    let mut text = String::with_capacity(number.len() + digits / 3);
    for (place, character) in number.char_indices() {
        let left = number.len() - place;
        if left < digits && left.is_multiple_of(3) {
            text.push(',');
        }
        text.push(character);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn numbers_are_grouped_by_three_digits() {
        for (value, text) in [
            (0.5, "0.50"),
            (99.94, "99.9"),
            (999.4, "999"),
            (1000.0, "1,000"),
            (-1234.0, "-1,234"),
            (13_670_499.0, "13,670,499"),
            (-926_944.0, "-926,944"),
            (1e9, "1,000,000,000"),
        ] {
            assert_eq!(short(value), text);
        }
    }
}
