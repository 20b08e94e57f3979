//! What the example programs share: a client or the demo model, and how a program exits.

#![allow(clippy::print_stdout, clippy::print_stderr)] // example programs talk to people

use std::fmt;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use chatcore::{Config, Error, ErrorKind, Executor, KNOWN_PROVIDERS, LlmClient, Provider};
use chatcore_adapters::demo::DemoTransport;
use chatcore_adapters::executor::SmolExecutor;
use chatcore_adapters::transport::Http1Transport;

/// Prints a line. Unlike `println!`, it ends the program without a panic when nobody reads the output
/// any more, as behind `| head`.
#[macro_export]
macro_rules! say {
    ($($text:tt)*) => {
        $crate::put(format_args!("{}\n", format_args!($($text)*)))
    };
}

/// Prints text at once, without an end of line. It ends the program when nobody reads the output any
/// more.
pub fn put(text: fmt::Arguments<'_>) {
    let mut out = std::io::stdout().lock();
    if out.write_fmt(text).and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}

/// The demo model's delay before the first word.
const FIRST: Duration = Duration::from_millis(120);
/// The demo model's delay before each further word.
const PER_WORD: Duration = Duration::from_millis(12);

/// A client with the settings from the environment. The offline demo model is used if
/// `USE_MOCK_LLM` is set, or if no provider is named and no key is set. The program prints which
/// model answers.
///
/// # Errors
/// If a setting does not parse or cannot be used, or if the named provider has no key.
pub fn client_or_demo() -> Result<LlmClient, Error> {
    client_or_demo_on(Arc::new(SmolExecutor::new()))
}

/// Like [`client_or_demo`], on an executor of the program's own. HTTP runs on it too.
///
/// # Errors
/// Those of [`client_or_demo`].
pub fn client_or_demo_on(executor: Arc<dyn Executor>) -> Result<LlmClient, Error> {
    let config = Config::from_env()?;
    if config.mock {
        say!("USE_MOCK_LLM is set, so the offline demo model answers.");
        return demo_client(executor, config);
    }
    let (provider, model) = (config.provider.name(), config.provider.model());
    let asked = format!("{model} of {provider} answers.");
    let http = Http1Transport::new(Arc::clone(&executor));
    let client = LlmClient::builder(Arc::clone(&executor), Arc::new(http));
    match client.config(config.clone()).build() {
        Ok(client) => {
            say!("{asked}");
            Ok(client)
        }
        Err(error) => match instead_of(&error) {
            Some(how) => {
                say!("No API key is set for {provider}, so the offline demo model answers. {how}");
                demo_client(executor, config)
            }
            None => Err(error),
        },
    }
}

/// How to get a real model, if the demo model answers because no key is set. `None` for any other
/// error, and if the environment names a provider or an address, because then no other model may
/// answer.
pub fn instead_of(error: &Error) -> Option<String> {
    let is_missing_key =
        error.kind() == ErrorKind::Config && error.code() == Some("missing_api_key");
    if !is_missing_key || is_set("LLM_PROVIDER") || is_set("LLM_BASE_URL") {
        return None;
    }
    let other = KNOWN_PROVIDERS.iter().find_map(|known| {
        let var = known.key_vars.iter().find(|var| is_set(var))?;
        Some(format!(
            "{var} is set: LLM_PROVIDER={} uses it.",
            known.name
        ))
    });
    Some(other.unwrap_or_else(|| {
        "With DEEPSEEK_API_KEY (or LLM_PROVIDER and LLM_API_KEY) a real one does.".to_owned()
    }))
}

/// Whether a variable is set; a blank value counts as not set.
fn is_set(var: &str) -> bool {
    std::env::var(var).is_ok_and(|value| !value.trim().is_empty())
}

/// A client of the demo model, which answers at the speed of a real one.
fn demo_client(executor: Arc<dyn Executor>, mut config: Config) -> Result<LlmClient, Error> {
    config.provider = Provider::demo();
    let transport = DemoTransport::new().latency(Arc::clone(&executor), FIRST, PER_WORD);
    LlmClient::builder(executor, Arc::new(transport))
        .config(config)
        .build()
}

/// Ends a program: prints an error as one line, and exits with status 2 for a wrong setting or 1
/// for any other error.
pub fn exit(result: Result<(), Error>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            match error.kind() {
                ErrorKind::Config => ExitCode::from(2),
                _ => ExitCode::FAILURE,
            }
        }
    }
}
