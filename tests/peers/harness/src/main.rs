//! Measures chatcore and its peers. `tests/peers/run` builds and installs everything and calls this
//! program.
//!
//! ```text
//! --short        a few requests each: whether everything works; writes to target/short
//! --long         as many requests for Node and Python as for Rust, and 10,000 at once for Python
//! --runs N       rounds; 5 by default
//! --only X,Y     only these works (a, b, c2k, c10k, d, d-paced, e, f)
//! --peers X,Y    only these peers
//! --no-builds    leaves out how long a clean build takes
//! --redraw       only writes tables and plots anew, from the JSON of the last session
//! ```

mod machine;
mod paths;
mod plan;
mod plot;
mod run;
mod server;
mod size;
mod summary;
mod table;

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use plan::{Form, PEERS, Peer, WORKS, sized};
use run::Runner;
use server::Server;

pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

struct Options {
    form: Form,
    runs: usize,
    only: Option<Vec<String>>,
    peers: Option<Vec<String>>,
    builds: bool,
    redraw: bool,
    command: String,
}

fn main() -> Result<()> {
    let options = Options::from_args()?;
    let folder = match options.form {
        Form::Short => paths::peers().join("target/short"),
        // A partial measurement must not overwrite a complete one.
        _ if options.only.is_some() || options.peers.is_some() => {
            paths::peers().join("target/part")
        }
        _ => paths::repository().join("docs/benchmarks"),
    };
    fs::create_dir_all(&folder)?;
    let raw = folder.join("peers.json");
    let session = match options.redraw {
        true => serde_json::from_str(&fs::read_to_string(&raw)?)?,
        false => measure(&options)?,
    };
    let text = serde_json::to_string(&session)?;
    // One run per line, so that the file can be read and compared.
    fs::write(&raw, text.replace("},{", "},\n{") + "\n")?;
    fs::write(folder.join("peers.md"), table::page(&session))?;
    let runs = table::runs(&session);
    for work in WORKS {
        let svg = plot::bars(runs, work.name, work.title);
        fs::write(folder.join(format!("{}.svg", work.name)), svg)?;
    }
    let svg = plot::bars(runs, "f", "start-up to the first answer");
    fs::write(folder.join("f.svg"), svg)?;
    if folder.ends_with("docs/benchmarks") {
        into_readme(&table::overview(&session))?;
    }
    println!("written to {}", folder.display());

    let failed: Vec<String> = runs
        .iter()
        .filter(|run| run["errors"] != 0)
        .map(|run| {
            format!(
                "{} at ({}): {}",
                run["peer"], run["work"], run["first_error"]
            )
        })
        .collect();
    for failure in &failed {
        eprintln!("error: {failure}");
    }
    match options.form == Form::Short && !failed.is_empty() {
        true => Err("not everything works".into()),
        false => Ok(()),
    }
}

fn measure(options: &Options) -> Result<Value> {
    let about = machine::about(&options.command);
    let cores = std::thread::available_parallelism()?.get();
    if cores < 2 {
        eprintln!("client and server share one core: the figures say nothing");
    }
    let server = Server::start(0)?;
    let runner = Runner {
        server: &server,
        core: 1.min(cores - 1),
        form: options.form,
    };
    let chosen = |list: &Option<Vec<String>>, name: &str| {
        list.as_ref()
            .is_none_or(|list| list.iter().any(|chosen| chosen == name))
    };
    let peers: Vec<&Peer> = PEERS
        .iter()
        .filter(|peer| chosen(&options.peers, peer.name))
        .collect();
    let mut runs = Vec::new();
    for round in 0..options.runs {
        println!("round {} of {}", round + 1, options.runs);
        // Each round starts with a different peer, so that no peer is always first on a warm core.
        let turn = |step: usize| peers[(step + round) % peers.len()];
        for work in WORKS.iter().filter(|work| chosen(&options.only, work.name)) {
            for peer in (0..peers.len()).map(turn) {
                if let Some(work) = sized(*work, peer, options.form) {
                    runs.push(kept(runner.load(peer, &work)?, round));
                }
            }
        }
        if chosen(&options.only, "f") {
            for peer in (0..peers.len()).map(turn).filter(|peer| peer.once) {
                runs.push(kept(runner.once(peer)?, round));
            }
        }
    }
    drop(server);
    let whole = options.only.is_none() && options.peers.is_none();
    Ok(json!({
        "about": about,
        "runs": runs,
        "sizes": match whole {
            true => size::programs(options.builds)?,
            false => Vec::new(),
        },
        "bundles": match whole {
            true => size::bundles()?,
            false => Value::Null,
        },
    }))
}

fn kept(mut run: Value, round: usize) -> Value {
    run["round"] = round.into();
    println!(
        "  ({}) {}: {} errors, {:.1} ms",
        run["work"].as_str().unwrap_or_default(),
        run["peer"].as_str().unwrap_or_default(),
        run["errors"],
        run["wall_us"].as_f64().unwrap_or_default() / 1e3,
    );
    run
}

/// Puts the table between the two markers in the page on benchmarks.
fn into_readme(table: &str) -> Result<()> {
    let path = paths::repository().join("docs/benchmarks/README.md");
    let readme = fs::read_to_string(&path)?;
    fs::write(&path, replaced(&readme, table)?)?;
    Ok(())
}

fn replaced(readme: &str, table: &str) -> Result<String> {
    const BEGIN: &str = "<!-- peers: made by tests/peers/run -->\n";
    const END: &str = "<!-- /peers -->";
    let (before, rest) = readme
        .split_once(BEGIN)
        .ok_or("docs/benchmarks/README.md has no mark")?;
    let (_, after) = rest
        .split_once(END)
        .ok_or("docs/benchmarks/README.md has no second mark")?;
    Ok(format!("{before}{BEGIN}{table}{END}{after}"))
}

impl Options {
    fn from_args() -> Result<Self> {
        let mut options = Self {
            form: Form::Full,
            runs: 5,
            only: None,
            peers: None,
            builds: true,
            redraw: false,
            command: "tests/peers/run".to_owned(),
        };
        let mut runs = None;
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            options.command.push(' ');
            options.command.push_str(&arg);
            let mut value = || {
                let value = args.next().ok_or(format!("{arg} needs a value"))?;
                options.command.push(' ');
                options.command.push_str(&value);
                Ok::<_, String>(value)
            };
            let list = |value: String| Some(value.split(',').map(str::to_owned).collect());
            match arg.as_str() {
                "--short" => options.form = Form::Short,
                "--long" => options.form = Form::Long,
                "--runs" => runs = Some(value()?.parse()?),
                "--only" => options.only = list(value()?),
                "--peers" => options.peers = list(value()?),
                "--no-builds" => options.builds = false,
                "--redraw" => options.redraw = true,
                other => {
                    return Err(format!("`{other}` is no option; see harness/src/main.rs").into());
                }
            }
        }
        if options.form == Form::Short {
            options.builds = false;
        }
        options.runs = runs.unwrap_or(match options.form {
            Form::Short => 1,
            Form::Full | Form::Long => 5,
        });
        if options.runs == 0 {
            return Err("--runs must be at least 1".into());
        }
        if !options.redraw && !Path::new(&paths::program("peers-server")).exists() {
            return Err("nothing is built: call tests/peers/run".into());
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_put_between_its_marks() {
        let readme = "a\n<!-- peers: made by tests/peers/run -->\nold\n<!-- /peers -->\nb\n";
        let replaced = replaced(readme, "new\n").unwrap();
        assert!(replaced.contains("run -->\nnew\n<!-- /peers -->\nb"));
        assert!(super::replaced("nothing", "new").is_err());
    }
}
