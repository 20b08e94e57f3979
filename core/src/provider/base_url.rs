//! What a base URL must be before anything is sent to it.

use bytes::Bytes;
use http::uri::{Authority, PathAndQuery, Scheme};

use super::table::ROWS;
use crate::dialect::Base;
use crate::error::Error;
use crate::host::{DEMO_URL, Host, HostError};
use crate::quote::Quoted;
use crate::unquote::unquoted;

/// What base URLs end in when the address of a whole endpoint was copied: the dialect adds it.
const ENDPOINTS: [&str; 4] = [
    "/chat/completions",
    "/completions",
    "/messages",
    "/responses",
];

/// The parts of a base URL that passed.
#[derive(Debug)]
pub(crate) struct BaseUrl {
    pub(crate) base: Base,
    /// Whether what is sent there could be read on the way.
    pub(crate) is_open: bool,
    pub(crate) host: Host,
}

/// What is wrong with a base URL.
enum Wrong {
    User,
    NoScheme,
    NoUrl,
    NotAbsolute,
    Scheme,
    Fragment,
    Host(HostError),
    /// A word of an address in the table of providers that stands for one of the user's own.
    Placeholder(&'static str),
}

impl Wrong {
    /// The [code](Error::code) of the error.
    fn word(&self) -> &'static str {
        match self {
            Self::User => "user_info",
            Self::NoScheme => "no_scheme",
            Self::NoUrl => "no_url",
            Self::NotAbsolute => "not_absolute",
            Self::Scheme => "scheme",
            Self::Fragment => "fragment",
            Self::Host(error) => error.word(),
            Self::Placeholder(_) => "placeholder",
        }
    }

    fn message(&self, url: &str) -> String {
        let why = match self {
            // Not shown: there may be a password in it.
            Self::User => {
                return "the base URL has a user name or password in it; put the key in \
                        LLM_API_KEY and leave only the host"
                    .to_owned();
            }
            Self::NoScheme => "does not begin with https:// or http://".to_owned(),
            Self::NoUrl => "is not a URL".to_owned(),
            Self::NotAbsolute => "is not absolute".to_owned(),
            Self::Scheme => "is neither https nor http".to_owned(),
            Self::Fragment => "has a fragment (#…) in it".to_owned(),
            Self::Host(error) => error.to_string(),
            Self::Placeholder(word) => {
                return format!(
                    "the base URL{} has a placeholder in it: replace {word} by your own",
                    shown(url)
                );
            }
        };
        let shown = shown(url);
        let meant = match self {
            Self::NoScheme if !shown.is_empty() => with_scheme(without_query(url)),
            _ => None,
        };
        let meant = meant.unwrap_or_else(|| "one like https://api.deepseek.com/v1".to_owned());
        format!("the base URL{shown} {why}; set LLM_BASE_URL to {meant}")
    }
}

impl BaseUrl {
    /// Takes a base URL apart. White space and quotes around it are passed over, as they come from
    /// an `.env` file.
    ///
    /// # Errors
    /// [`Config`](crate::ErrorKind::Config) with the reason as its code. The message shows no
    /// password and no query.
    pub(crate) fn parse(url: &str) -> Result<Self, Error> {
        let url = unquoted(url);
        split(url).map_err(|wrong| {
            Error::config(wrong.message(url)).with_code(Some(wrong.word().to_owned()))
        })
    }
}

/// The URL as an error shows it.
fn shown(url: &str) -> String {
    match without_query(url) {
        // It may be a key that stands in the wrong variable.
        shown if !shown.contains(['.', '/', ':']) => String::new(),
        shown => format!(" {}", Quoted(shown)),
    }
}

/// The URL as it may be shown: a key may stand in a query.
pub(super) fn without_query(url: &str) -> &str {
    until(url, b"?#")
}

/// A base URL without its scheme, as it was meant: `http` to this machine, else `https`.
fn with_scheme(rest: &str) -> Option<String> {
    let (host, _) = Host::parse_with_port(until(rest, b"/")).ok()?;
    let scheme = if host.is_loopback() { "http" } else { "https" };
    let url = format!("{scheme}://{rest}");
    split(&url).ok()?;
    Some(url)
}

fn split(url: &str) -> Result<BaseUrl, Wrong> {
    let (name, rest) = match url.find("://") {
        Some(at) => (&url[..at], &url[at + 3..]),
        None => ("", url),
    };
    let authority = until(rest, b"/?#");
    if authority.contains('@') {
        return Err(Wrong::User);
    }
    let path = &rest[authority.len()..];
    if path.contains('#') {
        return Err(Wrong::Fragment);
    }
    let is_demo = url == DEMO_URL;
    let scheme = match name {
        _ if name.eq_ignore_ascii_case("https") => Scheme::HTTPS,
        _ if name.eq_ignore_ascii_case("http") => Scheme::HTTP,
        _ if is_demo => Scheme::try_from(name).map_err(|_| Wrong::Scheme)?,
        "" if rest.starts_with('/') => return Err(Wrong::NotAbsolute),
        "" => return Err(Wrong::NoScheme),
        _ => return Err(Wrong::Scheme),
    };
    // As it was written: the host below is in lower case.
    let name_of_host = until(authority, b":");
    let (host, port) = Host::parse_with_port(authority).map_err(Wrong::Host)?;
    // Written anew from what was read, so that the next reader reads the same.
    let authority = match port {
        Some(port) => format!("{host}:{port}"),
        None => host.to_string(),
    };
    let authority = Authority::try_from(authority).map_err(|_| Wrong::NoUrl)?;
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let path = without_endpoint(path.trim_end_matches('/')).to_owned();
    let whole = Bytes::from([&*path, "/?", query].concat());
    if PathAndQuery::from_maybe_shared(whole).is_err() {
        return Err(Wrong::NoUrl);
    }
    if let Some(word) = placeholder(name_of_host, &path) {
        return Err(Wrong::Placeholder(word));
    }
    Ok(BaseUrl {
        is_open: scheme == Scheme::HTTP && !host.is_loopback(),
        host,
        base: Base {
            scheme,
            authority,
            path,
            query: query.to_owned(),
        },
    })
}

/// The first placeholder of a host and a path: a word in capitals that an address in the table of
/// providers has, too.
fn placeholder(host: &str, path: &str) -> Option<&'static str> {
    let words = host.split(['.', '-']).chain(path.split('/'));
    let capitals = |word: &&str| word.bytes().all(|byte| byte.is_ascii_uppercase());
    words.filter(capitals).find_map(|word| {
        let mut of_table = ROWS
            .iter()
            .flat_map(|row| row.base_url_form.split(['.', '-', '/', '?']));
        of_table.find(|known| !word.is_empty() && *known == word)
    })
}

/// The path without that of an endpoint at its end.
fn without_endpoint(path: &str) -> &str {
    let found = ENDPOINTS.iter().find_map(|end| path.strip_suffix(end));
    found.map_or(path, |path| path.trim_end_matches('/'))
}

/// What stands before the first of `ends`, which are ASCII.
fn until<'a>(text: &'a str, ends: &[u8]) -> &'a str {
    let end = text.bytes().position(|byte| ends.contains(&byte));
    &text[..end.unwrap_or(text.len())]
}
