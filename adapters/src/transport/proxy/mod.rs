//! Chooses the proxy of a request, from the environment or the application's settings.
//!
//! The variables and their rules are curl's, with the two exceptions that Go makes too:
//!
//! - `https_proxy` is for `https` URLs and `http_proxy` for `http` URLs. `all_proxy` is for both if
//!   theirs is not set. Lower case is read before upper case, and an empty value counts as not set.
//! - `no_proxy` lists the hosts that are connected to directly, separated by commas or blanks: `*`
//!   for all, `example.com` (or `.example.com`) for that host and every host below it, an IP
//!   address, or a network such as `10.0.0.0/8`.
//! - Exception: `HTTP_PROXY` in upper case is read (curl does not), but not in a CGI program, where
//!   a client could set it with a `Proxy:` header. A program counts as CGI if `REQUEST_METHOD` is
//!   set.
//! - Exception: with proxies from the environment, `localhost` and loopback addresses are always
//!   connected to directly (curl would ask the proxy), because a proxy cannot reach this machine's
//!   own model server. A proxy given by the application ([`Proxies::all`]) is used for every host.
//!
//! A proxy speaks HTTP (`http://`, or `https://` with TLS to the proxy itself) or SOCKS 5
//! (`socks5://`, or `socks5h://` to let the proxy look names up): see [`Proxy::parse`].

mod bypass;
mod proxies;
#[cfg(test)]
mod tests;
mod url;
mod userinfo;

pub use self::proxies::Proxies;
pub use self::url::{Proxy, ProxyScheme};
#[cfg(feature = "http1")]
pub(crate) use self::userinfo::{basic, userinfo};

/// Removes the brackets that an IPv6 address has in a URL.
pub(crate) fn unbracketed(host: &str) -> &str {
    host.strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host)
}
