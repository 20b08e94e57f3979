//! Parses base URLs, and refuses those that are not safe or not complete.

use bytes::Bytes;
use http::uri::{Authority, PathAndQuery, Scheme};

use super::table::ROWS;
use crate::dialect::Base;
use crate::error::Error;
use crate::host::{DEMO_URL, Host, HostError};
use crate::quote::Quoted;
use crate::unquote::unquoted;

/// The paths of endpoints. A base URL may end in one if the address of an endpoint was copied. It
/// is removed, because the dialect adds it.
const ENDPOINTS: [&str; 4] = [
    "/chat/completions",
    "/completions",
    "/messages",
    "/responses",
];

/// The parts of a valid base URL.
#[derive(Debug)]
pub(crate) struct BaseUrl {
    pub(crate) base: Base,
    /// Whether requests to the URL could be read on the way: `http` to another machine.
    pub(crate) is_open: bool,
    pub(crate) host: Host,
}

/// Why a base URL is refused.
enum Wrong {
    User,
    NoScheme,
    NoUrl,
    NotAbsolute,
    Scheme,
    Fragment,
    Host(HostError),
    /// A placeholder from the table of providers that the user has not replaced.
    Placeholder(&'static str),
}

impl Wrong {
    /// The error's [code](Error::code).
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
            // The URL is not shown, because it may contain a password.
            Self::User => {
                return "the base URL has a user name or password in it; put the key in \
                        LLM_API_KEY and leave only the host"
                    .to_owned();
            }
            Self::NoScheme => "does not begin with https:// or http://",
            Self::NoUrl => "is not a URL",
            Self::NotAbsolute => "is not absolute",
            Self::Scheme => "is neither https nor http",
            Self::Fragment => "has a fragment (#…) in it",
            Self::Host(error) => error.why(),
            Self::Placeholder(word) => {
                return format!(
                    "the base URL{} has a placeholder in it: replace {word} with your own value",
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
    /// Parses a base URL. White space and quotes around it are ignored, because they may come from
    /// an `.env` file.
    ///
    /// # Errors
    /// [`Config`](crate::ErrorKind::Config) with the reason as its code. The message contains
    /// neither a password nor the query.
    pub(crate) fn parse(url: &str) -> Result<Self, Error> {
        let url = unquoted(url);
        split(url).map_err(|wrong| {
            Error::config(wrong.message(url)).with_code(Some(wrong.word().to_owned()))
        })
    }
}

/// The URL in the form for error messages.
fn shown(url: &str) -> String {
    match without_query(url) {
        // It may be a key in the wrong variable.
        shown if !shown.contains(['.', '/', ':']) => String::new(),
        shown => format!(" {}", Quoted(shown)),
    }
}

/// The URL without its query and fragment, because a query may contain a key.
pub(super) fn without_query(url: &str) -> &str {
    until(url, b"?#")
}

/// Adds the probable scheme to a base URL without one: `http` for this machine, `https` for others.
fn with_scheme(rest: &str) -> Option<String> {
    let (host, _) = Host::parse_with_port(until(rest, b"/")).ok()?;
    let scheme = if host.is_loopback() { "http" } else { "https" };
    let url = format!("{scheme}://{rest}");
    split(&url).ok()?;
    Some(url)
}

/// The host of a base URL, if it can be read.
pub(crate) fn host_of(url: &str) -> Option<Host> {
    Some(split(unquoted(url)).ok()?.host)
}

fn split(url: &str) -> Result<BaseUrl, Wrong> {
    let (name, rest) = url.split_once("://").unwrap_or(("", url));
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
    // Placeholders are in upper case, and `host` below is in lower case.
    let name_of_host = until(authority, b":");
    let (host, port) = Host::parse_with_port(authority).map_err(Wrong::Host)?;
    // The authority is built from the parsed host, so that every later parser reads the same host.
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

/// A placeholder in a host or a path: a word in capitals that is also in an address of the
/// table of providers.
fn placeholder(host: &str, path: &str) -> Option<&'static str> {
    let in_host = |word: &str| host.split(['.', '-']).any(|part| part == word);
    let in_path = |word: &str| path.split('/').any(|part| part == word);
    for row in ROWS {
        for word in row.base_url_form.split(['.', '-', '/', '?']) {
            let is_placeholder =
                !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase());
            if is_placeholder && (in_host(word) || in_path(word)) {
                return Some(word);
            }
        }
    }
    None
}

/// Removes the path of an endpoint from the end of a path.
fn without_endpoint(path: &str) -> &str {
    let found = ENDPOINTS.iter().find_map(|end| path.strip_suffix(end));
    found.map_or(path, |path| path.trim_end_matches('/'))
}

/// The part of `text` before the first of `ends`, which are ASCII.
fn until<'a>(text: &'a str, ends: &[u8]) -> &'a str {
    let end = text.bytes().position(|byte| ends.contains(&byte));
    &text[..end.unwrap_or(text.len())]
}
