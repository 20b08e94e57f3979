//! Reads the host of a URL, once for both purposes: to decide where a key may go, and to connect.
//!
//! ```text
//!  base URL ──► Host ──► may a key go there unencrypted?     (core)
//!  request  ──► Target ► Host ──► which addresses it has     (transport)
//! ```
//!
//! Two parsers that disagree on a URL send a key to the wrong place: `http://evil.com:[].localhost`
//! ends in `.localhost` for one of them and names `evil.com` for the other. So there is only one
//! parser, and it is strict: anything that another parser could read differently is an error.

use std::fmt::{self, Display};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use http::Uri;

use crate::transport::{TransportError, TransportErrorKind};

/// The base URL of [`Provider::demo`](crate::Provider::demo). No network transport knows its
/// scheme, so nothing is sent if such a transport is used with that provider by mistake.
pub(crate) const DEMO_URL: &str = "demo://offline/v1";

/// The maximum length of a DNS name, and of one of its labels.
const MAX_NAME: usize = 253;
const MAX_LABEL: usize = 63;

/// A host: an IP address or a name.
///
/// ```
/// use chatcore::Host;
///
/// assert!(Host::parse("127.0.0.1")?.is_loopback());
/// assert!(Host::parse("api.LOCALHOST")?.is_loopback());
/// assert!(!Host::parse("localhost.example.com")?.is_loopback());
/// // Some readers take this for 127.0.0.1, others for a name.
/// assert!(Host::parse("127.1").is_err());
/// # Ok::<(), chatcore::HostError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// An IP address. An IPv4 address that is written as an IPv6 one (`::ffff:127.0.0.1`) becomes
    /// the IPv4 address.
    Ip(IpAddr),
    /// A name in lower case: labels of letters, digits, `-` and `_`, with an optional dot at the
    /// end.
    Name(String),
}

/// Why a text is not a valid host, or host and port.
///
/// ```
/// use chatcore::{Host, HostError};
///
/// assert_eq!(Host::parse("127.1"), Err(HostError::Number));
/// assert_eq!(Host::parse(""), Err(HostError::Missing));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HostError {
    /// There is no host.
    Missing,
    /// A character, a label or a length is not allowed in a host name.
    Name,
    /// The host ends in a number and is not an IPv4 address of four decimal numbers.
    Number,
    /// The text in brackets is no IPv6 address.
    Ipv6,
    /// The port is not a number from 1 to 65535.
    Port,
}

impl HostError {
    /// The error as one stable word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Missing => "no_host",
            Self::Name => "host_name",
            Self::Number => "host_number",
            Self::Ipv6 => "host_ipv6",
            Self::Port => "port",
        }
    }

    /// What is wrong, as the end of a sentence.
    pub(crate) fn why(self) -> &'static str {
        match self {
            Self::Missing => "has no host",
            Self::Name => {
                "has a host that is neither a name nor an address; an international name is \
                 written in its ASCII form (xn--…)"
            }
            Self::Number => {
                "has a host that ends in a number and is not an address in full, such as 127.0.0.1"
            }
            Self::Ipv6 => "has no IPv6 address in its brackets",
            Self::Port => "has no valid port: a number from 1 to 65535",
        }
    }
}

impl Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.why())
    }
}

impl std::error::Error for HostError {}

impl Host {
    /// Reads a host. An IPv6 address may be in brackets, as in a URL.
    ///
    /// # Errors
    /// [`HostError`] for everything that URL parsers read differently: addresses that are not
    /// written in full (`127.1`, `0x7f.0.0.1`, `2130706433`), percent signs, and letters that are
    /// not ASCII.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        let address = match text.strip_prefix('[') {
            Some(rest) => Some(rest.strip_suffix(']').ok_or(HostError::Ipv6)?),
            None if text.contains(':') => Some(text),
            None => None,
        };
        match address {
            Some(address) => match address.parse::<Ipv6Addr>() {
                Ok(address) => Ok(Self::Ip(IpAddr::V6(address).to_canonical())),
                Err(_) => Err(HostError::Ipv6),
            },
            None => parse_name(text),
        }
    }

    /// Reads `host` or `host:port`. An IPv6 address must be in brackets.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), and [`HostError::Port`].
    pub fn parse_with_port(text: &str) -> Result<(Self, Option<u16>), HostError> {
        let host = match text.starts_with('[') {
            true => text.split_inclusive(']').next(),
            false => text.split(':').next(),
        };
        let host = host.unwrap_or_default();
        let port = match &text[host.len()..] {
            "" => None,
            rest => Some(parse_port(rest.strip_prefix(':').ok_or(HostError::Ipv6)?)?),
        };
        Ok((Self::parse(host)?, port))
    }

    /// Whether data sent to this host stays on this machine: `127.0.0.0/8`, `::1`, `localhost` and
    /// the names below it. These names count because [`addresses`](Self::addresses) returns
    /// loopback addresses for them, whatever a resolver would say.
    pub fn is_loopback(&self) -> bool {
        match self {
            Self::Ip(address) => address.is_loopback(),
            Self::Name(name) => {
                let name = name.strip_suffix('.').unwrap_or(name);
                name == "localhost" || name.ends_with(".localhost")
            }
        }
    }

    /// The addresses to connect to, if they are known without a lookup: an IP address itself, or
    /// the two loopback addresses for `localhost` and the names below it. `None` for every other
    /// name.
    pub fn addresses(&self, port: u16) -> Option<Vec<SocketAddr>> {
        let of = |address: IpAddr| SocketAddr::new(address, port);
        match self {
            Self::Ip(address) => Some(vec![of(*address)]),
            Self::Name(_) if self.is_loopback() => Some(vec![
                of(Ipv4Addr::LOCALHOST.into()),
                of(Ipv6Addr::LOCALHOST.into()),
            ]),
            Self::Name(_) => None,
        }
    }

    /// The host without brackets, as resolvers and certificates expect it.
    pub fn into_bare_string(self) -> String {
        match self {
            Self::Ip(address) => address.to_string(),
            Self::Name(name) => name,
        }
    }
}

impl Display for Host {
    /// Writes the host as in a URL: an IPv6 address in brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Self::Ip(address) => write!(f, "{address}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// Where a request goes: what a transport connects to.
///
/// ```
/// use chatcore::Target;
///
/// let target = Target::of(&"https://api.deepseek.com/models".parse()?)?;
/// assert_eq!((target.tls, target.host.to_string(), target.port), (true, "api.deepseek.com".into(), 443));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Target {
    /// Whether the scheme is `https`.
    pub tls: bool,
    /// The host.
    pub host: Host,
    /// The port; 443 or 80 if the URL names none.
    pub port: u16,
}

impl Target {
    /// Reads the target of `uri`. Ignores user and password.
    ///
    /// # Errors
    /// [`InvalidInput`](TransportErrorKind::InvalidInput) for a scheme other than `http` and
    /// `https`, and for what [`Host::parse_with_port`] refuses.
    pub fn of(uri: &Uri) -> Result<Self, TransportError> {
        let invalid = |why: &str| TransportError::new(TransportErrorKind::InvalidInput, why);
        let tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            Some(scheme) if DEMO_URL.starts_with(scheme) => {
                return Err(invalid(
                    "the provider is the offline demo model (USE_MOCK_LLM is true, or \
                     Provider::demo was given), which answers only through the demo transport; \
                     nothing was sent: use DemoTransport, unset USE_MOCK_LLM, or choose another \
                     Provider",
                ));
            }
            _ => return Err(invalid("the URL must begin with http:// or https://")),
        };
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let host = authority
            .rsplit_once('@')
            .map_or(authority, |(_, host)| host);
        let (host, port) = Host::parse_with_port(host)
            .map_err(|error| invalid(&format!("the URL {error}")).with_source(error))?;
        Ok(Self {
            tls,
            host,
            port: port.unwrap_or(if tls { 443 } else { 80 }),
        })
    }
}

fn parse_name(text: &str) -> Result<Host, HostError> {
    if text.is_empty() {
        return Err(HostError::Missing);
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    let is_label = |label: &str| {
        (1..=MAX_LABEL).contains(&label.len())
            && (label.bytes()).all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    if name.len() > MAX_NAME || !name.split('.').all(is_label) {
        return Err(HostError::Name);
    }
    // Resolvers and browsers also read numbers as octal, as hexadecimal, and in fewer than four
    // parts.
    let last = name.rsplit_once('.').map_or(name, |(_, last)| last);
    if is_number(last) {
        return match text.parse::<Ipv4Addr>() {
            Ok(address) => Ok(Host::Ip(address.into())),
            Err(_) => Err(HostError::Number),
        };
    }
    Ok(Host::Name(text.to_ascii_lowercase()))
}

/// Whether some parser reads `label` as a number.
fn is_number(label: &str) -> bool {
    match label.strip_prefix("0x").or(label.strip_prefix("0X")) {
        Some(hex) => hex.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => label.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

fn parse_port(text: &str) -> Result<u16, HostError> {
    // The standard library would accept a leading `+`.
    let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(port @ 1..) if is_digits => Ok(port),
        _ => Err(HostError::Port),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn loopback_is_what_connects_to_loopback() {
        for host in [
            "127.0.0.1",
            "127.255.255.254",
            "[::1]",
            "::1",
            "[0:0:0:0:0:0:0:1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "localhost",
            "LOCALHOST.",
            "a.b.localhost",
            "evil.com.localhost",
        ] {
            let host = Host::parse(host).unwrap();
            assert!(host.is_loopback(), "{host}");
            let addresses = host.addresses(1).unwrap();
            assert!(addresses.iter().all(|address| address.ip().is_loopback()));
        }
        for host in [
            "128.0.0.1",
            "0.0.0.0",
            "[::]",
            "[::ffff:10.0.0.1]",
            "[::127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "xlocalhost",
            "localhost.evil.com",
            "127.0.0.1.evil.com",
            "127.0.0.1.nip.io",
            "local-host",
            "ollama",
            "my_service",
            "host.docker.internal",
            "xn--bcher-kva.example",
        ] {
            assert!(!Host::parse(host).unwrap().is_loopback(), "{host}");
        }
    }

    #[test]
    fn what_readers_disagree_on_is_refused() {
        use HostError::{Ipv6, Missing, Name, Number, Port};
        for (text, why) in [
            ("", Missing),
            (":80", Missing),
            (".", Name),
            ("..", Name),
            ("a..b", Name),
            (".localhost", Name),
            ("localhost..", Name),
            ("local%68ost", Name),
            ("127.0.0.1%00.evil.com", Name),
            ("b\u{fc}cher.example", Name),
            ("\u{ff11}27.0.0.1", Name),
            ("127\u{3002}0.0.1", Name),
            ("localhost\\.evil.com", Name),
            ("local host", Name),
            ("*.localhost", Name),
            ("evil.com;localhost", Name),
            (&format!("{}.com", "a".repeat(64)), Name),
            (&"a.".repeat(128), Name),
            ("127.1", Number),
            ("127.0.1", Number),
            ("127.0.0.01", Number),
            ("0177.0.0.1", Number),
            ("0x7f.1", Number),
            ("0x7f000001", Number),
            ("evil.0x", Number),
            ("2130706433", Number),
            ("127.0.0.256", Number),
            ("127.0.0.1000", Number),
            ("127.0.0.1.", Number),
            ("127.0.0.1.1", Number),
            ("a.1", Number),
            ("[::1", Ipv6),
            ("[]", Ipv6),
            ("[127.0.0.1]", Ipv6),
            ("[::1%eth0]", Ipv6),
            ("[::1]x", Ipv6),
            ("[localhost]", Ipv6),
            ("evil.com:[].localhost:8099", Port),
            ("a:", Port),
            ("a:0", Port),
            ("a:+80", Port),
            ("a:80:80", Port),
            ("a:65536", Port),
            ("a: 80", Port),
        ] {
            assert_eq!(Host::parse_with_port(text), Err(why), "{text}");
        }
        assert_eq!(
            Host::parse_with_port("[::1]:8080"),
            Ok((Host::parse("::1").unwrap(), Some(8080)))
        );
    }

    #[test]
    fn a_target_is_read_from_the_whole_authority() {
        let target = |uri: &str| Target::of(&uri.parse().unwrap());
        let one = target("http://u:p@A.test/x").unwrap();
        assert_eq!((one.tls, one.port), (false, 80));
        assert_eq!(one.host, Host::Name("a.test".to_owned()));
        assert_eq!(target("https://[::1]").unwrap().port, 443);
        for bad in [
            "ftp://a.test/",
            "/path",
            "a.test:80",
            "http://127.1/",
            "http://a:/",
        ] {
            let error = target(bad).unwrap_err();
            assert_eq!(error.kind(), TransportErrorKind::InvalidInput, "{bad}");
        }
        let demo = target(DEMO_URL).unwrap_err().to_string();
        for part in ["nothing was sent", "use DemoTransport, unset USE_MOCK_LLM"] {
            assert!(demo.contains(part), "{demo}");
        }
    }

    proptest! {
        #[test]
        fn what_was_read_reads_as_the_same(text in "[a-c1.:%x\\[\\]@-]{0,12}|127(\\.[0-9]{1,3}){1,3}|[a-z.]{0,4}localhost\\.?") {
            if let Ok(host) = Host::parse(&text) {
                prop_assert_eq!(Host::parse(&host.to_string()), Ok(host.clone()));
                prop_assert_eq!(Host::parse(&host.clone().into_bare_string()), Ok(host));
            }
            let _ = Host::parse_with_port(&text);
        }
    }
}
