//! The server's settings: one table, read from the command line and the environment.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// One setting. `--flag` on the command line overrides the variable.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The option's name, without its hyphens.
    pub flag: &'static str,
    /// The environment variable.
    pub var: &'static str,
    /// What the value is, as help shows it.
    pub value: &'static str,
    /// The value if neither is set; empty where there is none.
    pub default: &'static str,
    /// What it does.
    pub doc: &'static str,
}

/// Every setting of the server. The provider and the queue are set by the variables in
/// [`chatcore::SETTINGS`].
#[rustfmt::skip]
pub const SETTINGS: &[Setting] = &[
    row("addr", "CHATCORE_ADDR", "ADDRESS", "127.0.0.1:8080", "The address to listen on. An address beyond loopback requires a token or CHATCORE_OPEN."),
    row("token", "CHATCORE_TOKEN", "TOKEN", "", "The access token; set it with the variable, because other users of the machine see the options of a program in its list of processes. If it is set, every request except those for /, /healthz and the page's files needs `Authorization: Bearer TOKEN`."),
    row("open", "CHATCORE_OPEN", "true|false", "false", "true: listens beyond loopback without a token. Anyone who reaches the server can use the key."),
    row("models", "CHATCORE_MODELS", "MODELS", "", "The models that clients may request, separated by commas; the first is the default. If it is not set, only the provider's model."),
    row("max-body", "CHATCORE_MAX_BODY", "BYTES", "1048576", "Maximum size of a request's body or a WebSocket message, in bytes."),
    row("max-messages", "CHATCORE_MAX_MESSAGES", "N", "200", "Maximum number of messages in a conversation."),
    row("max-prompts", "CHATCORE_MAX_PROMPTS", "N", "100", "Maximum number of prompts in a batch."),
    row("max-tokens", "CHATCORE_MAX_TOKENS", "N", "4096", "Maximum number of tokens in an answer; also the default of the OpenAI-compatible front for a request without a limit."),
    row("max-chats", "CHATCORE_MAX_CHATS", "N", "32", "Maximum number of concurrent chats on one WebSocket."),
    row("requests-per-minute", "CHATCORE_REQUESTS_PER_MINUTE", "N", "600", "Chats that one client address may start in a minute, possibly all at once; each turn of /api/chat/tools counts as a chat. 0 means no limit."),
    row("trust-proxy", "CHATCORE_TRUST_PROXY", "true|false", "false", "true: the server is behind a proxy, so the client's address is the last one in X-Forwarded-For."),
    row("hosts", "CHATCORE_HOSTS", "HOSTS", "", "The host names by which clients reach the server, separated by commas. If it is not set: on loopback, localhost and loopback addresses; otherwise any name."),
    row("max-connections", "CHATCORE_MAX_CONNECTIONS", "N", "4096", "Maximum number of concurrent connections; further ones get 503."),
    row("max-connections-per-address", "CHATCORE_MAX_CONNECTIONS_PER_ADDRESS", "N", "1024", "Maximum number of concurrent connections from one client address; further ones get 429. 0 means no limit. It is not applied behind a proxy (trust-proxy), because all connections have the proxy's address there."),
    row("header-timeout", "CHATCORE_HEADER_TIMEOUT", "SECONDS", "10", "Time limit for a request's head, in seconds from its first byte."),
    row("body-timeout", "CHATCORE_BODY_TIMEOUT", "SECONDS", "30", "Time limit for a request's body, in seconds."),
    row("write-timeout", "CHATCORE_WRITE_TIMEOUT", "SECONDS", "30", "Seconds after which a client that reads nothing of what is written to it is disconnected."),
    row("idle-timeout", "CHATCORE_IDLE_TIMEOUT", "SECONDS", "75", "Seconds that an idle connection is kept open between two requests, or a WebSocket without a running chat after the client's last message or ping."),
    row("grace", "CHATCORE_GRACE", "SECONDS", "30", "Seconds that running chats have to finish after SIGTERM."),
    row("web", "CHATCORE_WEB", "FOLDER", "", "A folder to serve the page from. If it is not set, the built-in page is served."),
    row("npm", "CHATCORE_NPM", "FOLDER", "", "The folder of the npm package's build, such as wasm/dist, whose JavaScript the page then runs. The page holds the access token, so name only a folder that you trust. If it is not set, the page uses a small client of its own."),
];

const fn row(
    flag: &'static str,
    var: &'static str,
    value: &'static str,
    default: &'static str,
    doc: &'static str,
) -> Setting {
    Setting {
        flag,
        var,
        value,
        default,
        doc,
    }
}

/// The settings, parsed and checked.
#[derive(Clone)]
pub struct Settings {
    pub(crate) addr: SocketAddr,
    pub(crate) token: Option<String>,
    pub(crate) models: Vec<String>,
    pub(crate) max_body: usize,
    pub(crate) max_messages: usize,
    pub(crate) max_prompts: usize,
    pub(crate) max_tokens: u32,
    pub(crate) max_chats: usize,
    pub(crate) requests_per_minute: u32,
    pub(crate) trust_proxy: bool,
    pub(crate) hosts: Vec<String>,
    pub(crate) max_connections: usize,
    /// 0 means any number.
    pub(crate) max_connections_per_address: usize,
    pub(crate) header_timeout: Duration,
    pub(crate) body_timeout: Duration,
    pub(crate) write_timeout: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) grace: Duration,
    pub(crate) web: Option<PathBuf>,
    pub(crate) npm: Option<PathBuf>,
}

/// What the command line asks for.
#[derive(Debug)]
pub enum Asked {
    /// Serve with these settings.
    Serve(Box<Settings>),
    /// Print this text and exit.
    Print(String),
}

/// Reads the settings from the program's arguments and from the variables that `var` returns.
///
/// # Errors
/// A sentence that names the setting, its value and what is allowed.
pub fn read(
    args: impl IntoIterator<Item = String>,
    var: impl Fn(&str) -> Option<String>,
) -> Result<Asked, String> {
    let mut given = Vec::new();
    let mut args = args.into_iter();
    while let Some(arg) = args.next() {
        if arg == "--help" || arg == "-h" {
            return Ok(Asked::Print(help()));
        }
        let (flag, value) = match arg.split_once('=') {
            Some((flag, value)) => (flag.to_owned(), Some(value.to_owned())),
            None => (arg, None),
        };
        let known = |setting: &&Setting| flag.strip_prefix("--") == Some(setting.flag);
        let setting = SETTINGS
            .iter()
            .find(known)
            .ok_or_else(|| format!("unknown option {flag}; --help lists all options"))?;
        let value = value
            .or_else(|| args.next())
            .ok_or_else(|| format!("{flag} needs a value"))?;
        given.push((setting.flag, value));
    }
    Settings::of(given, var).map(|settings| Asked::Serve(Box::new(settings)))
}

impl Settings {
    /// Checks the settings that were given, each with its [`flag`](Setting::flag). The others are
    /// read from the variables that `var` returns.
    ///
    /// # Errors
    /// A sentence that names the setting, its value and what is allowed.
    pub fn of(
        given: Vec<(&'static str, String)>,
        var: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        Values { given, var: &var }.settings()
    }
}

/// Without the token.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("addr", &self.addr)
            .field("models", &self.models)
            .finish_non_exhaustive()
    }
}

fn help() -> String {
    let mut text = String::from(
        "A chat server: JSON, SSE, WebSocket, batches, an OpenAI-compatible front, metrics.\n\n\
         Each option can also be set by its environment variable. The provider, its key, the\n\
         queue and the retries are set by chatcore's variables LLM_…; without a key and a\n\
         provider, the offline demo model answers.\n",
    );
    for setting in SETTINGS {
        let default = match setting.default {
            "" => "none",
            default => default,
        };
        text.push_str(&format!(
            "\n  --{} {}, {} (default: {default})\n      {}\n",
            setting.flag, setting.value, setting.var, setting.doc
        ));
    }
    text
}

struct Values<'a> {
    given: Vec<(&'static str, String)>,
    var: &'a dyn Fn(&str) -> Option<String>,
}

impl Values<'_> {
    fn settings(&self) -> Result<Settings, String> {
        let settings = Settings {
            addr: self.parse("addr", "an address and a port, such as 127.0.0.1:8080")?,
            token: self.text("token").filter(|token| !token.is_empty()),
            models: self.list("models"),
            max_body: self.parse("max-body", "a number of bytes")?,
            max_messages: self.parse("max-messages", "a whole number")?,
            max_prompts: self.parse("max-prompts", "a whole number")?,
            max_tokens: self.parse("max-tokens", "a whole number")?,
            max_chats: self.parse("max-chats", "a whole number")?,
            requests_per_minute: self.parse("requests-per-minute", "a whole number")?,
            trust_proxy: self.parse("trust-proxy", "true or false")?,
            hosts: self.list("hosts"),
            max_connections: self.parse("max-connections", "a whole number")?,
            max_connections_per_address: self
                .parse("max-connections-per-address", "a whole number")?,
            header_timeout: self.seconds("header-timeout")?,
            body_timeout: self.seconds("body-timeout")?,
            write_timeout: self.seconds("write-timeout")?,
            idle_timeout: self.seconds("idle-timeout")?,
            grace: self.seconds("grace")?,
            web: self.folder("web"),
            npm: self.folder("npm"),
        };
        let open: bool = self.parse("open", "true or false")?;
        if !settings.addr.ip().is_loopback() && settings.token.is_none() && !open {
            return Err(format!(
                "{} is beyond loopback, and there is no access token, so anyone who reaches the \
                 server could use the key. Set CHATCORE_TOKEN, or CHATCORE_OPEN=true to \
                 allow it",
                settings.addr
            ));
        }
        Ok(settings)
    }

    fn text(&self, flag: &str) -> Option<String> {
        let given = self.given.iter().rev().find(|(known, _)| *known == flag);
        let setting = SETTINGS.iter().find(|setting| setting.flag == flag)?;
        let value = match given {
            Some((_, value)) => Some(value.clone()),
            None => (self.var)(setting.var),
        };
        let value = value.map(|value| value.trim().to_owned());
        Some(
            value
                .filter(|value| !value.is_empty())
                .unwrap_or_else(|| setting.default.to_owned()),
        )
    }

    fn folder(&self, flag: &str) -> Option<PathBuf> {
        let path = self.text(flag).filter(|path| !path.is_empty());
        path.map(PathBuf::from)
    }

    fn list(&self, flag: &str) -> Vec<String> {
        let text = self.text(flag).unwrap_or_default();
        let words = text.split(',').map(str::trim);
        words
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    }

    fn parse<T: std::str::FromStr>(&self, flag: &str, allowed: &str) -> Result<T, String> {
        let value = self.text(flag).unwrap_or_default();
        let value_of = |value: &str| value.to_ascii_lowercase().parse().ok();
        value_of(&value).ok_or_else(|| {
            let var = SETTINGS
                .iter()
                .find(|setting| setting.flag == flag)
                .map_or("", |s| s.var);
            format!("--{flag} ({var}) is {value:?}; it must be {allowed}")
        })
    }

    fn seconds(&self, flag: &str) -> Result<Duration, String> {
        let allowed = "a number of seconds from 0.001 to 86400";
        let seconds: f64 = self.parse(flag, allowed)?;
        match (0.001..=86_400.0).contains(&seconds) {
            true => Ok(Duration::from_secs_f64(seconds)),
            false => Err(format!("--{flag} is {seconds}; it must be {allowed}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(args: &[&str], vars: &[(&str, &str)]) -> Result<Settings, String> {
        let var = |name: &str| {
            let found = vars.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        match read(args.iter().map(|&arg| arg.to_owned()), var)? {
            Asked::Serve(settings) => Ok(*settings),
            Asked::Print(text) => Err(text),
        }
    }

    #[test]
    fn the_command_line_stands_above_the_environment() {
        let vars = [
            ("CHATCORE_ADDR", "127.0.0.1:1"),
            ("CHATCORE_MODELS", "a, b,"),
        ];
        let settings = read_all(&["--addr", "127.0.0.1:2", "--grace=1.5"], &vars).unwrap();
        assert_eq!(settings.addr.port(), 2);
        assert_eq!(settings.models, ["a", "b"]);
        assert_eq!(settings.grace, Duration::from_millis(1500));
        assert_eq!(settings.max_body, 1 << 20);
    }

    /// A folder of the current directory may belong to a foreign project.
    #[test]
    fn the_page_runs_no_files_unless_their_folder_is_named() {
        let settings = read_all(&[], &[]).unwrap();
        assert_eq!((settings.web, settings.npm), (None, None));
        let settings = read_all(&["--npm", "wasm/dist"], &[]).unwrap();
        assert_eq!(settings.npm, Some(PathBuf::from("wasm/dist")));
    }

    #[test]
    fn beyond_loopback_a_token_is_needed() {
        let error = read_all(&["--addr", "0.0.0.0:8080"], &[]).err().unwrap();
        assert!(error.contains("CHATCORE_TOKEN"), "{error}");
        assert!(read_all(&["--addr", "0.0.0.0:1", "--token", "t"], &[]).is_ok());
        assert!(read_all(&["--addr", "[::]:1", "--open=TRUE"], &[]).is_ok());
    }

    #[test]
    fn what_does_not_parse_is_named() {
        for (args, part) in [
            (&["--max-body", "big"][..], "a number of bytes"),
            (&["--grace", "0"], "0.001"),
            (&["--addr", "here"], "CHATCORE_ADDR"),
            (&["--colour", "red"], "--help"),
            (&["--addr"], "needs a value"),
            (&["--help"], "--requests-per-minute"),
        ] {
            let error = read_all(args, &[]).err().unwrap();
            assert!(error.contains(part), "{args:?}: {error}");
        }
    }
}
