use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chatcore::TransportErrorKind;

use super::*;

fn proxies(vars: &[(&str, &str)]) -> Proxies {
    Proxies::from_vars(|name| {
        let found = vars.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| value.to_string())
    })
}

/// The host of the proxy for `uri`, `direct`, or the error's message.
fn route(proxies: &Proxies, uri: &str) -> String {
    match proxies.for_uri(&uri.parse().unwrap()) {
        Ok(Some(proxy)) => proxy.host().to_owned(),
        Ok(None) => "direct".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn each_scheme_has_its_variable_and_lower_case_comes_first() {
    let some = proxies(&[
        ("http_proxy", "low"),
        ("HTTP_PROXY", "high"),
        ("HTTPS_PROXY", "https://secure:8443"),
        ("all_proxy", "rest"),
    ]);
    assert_eq!(route(&some, "http://a.test/"), "low");
    assert_eq!(route(&some, "https://a.test/"), "secure");
    let rest = proxies(&[("http_proxy", " "), ("ALL_PROXY", "rest")]);
    assert_eq!(route(&rest, "http://a.test/"), "rest");
    assert_eq!(route(&rest, "https://a.test/"), "rest");
    assert_eq!(route(&proxies(&[]), "https://a.test/"), "direct");
}

#[test]
fn a_cgi_program_does_not_believe_the_upper_case_http_proxy() {
    let cgi = proxies(&[("HTTP_PROXY", "evil"), ("REQUEST_METHOD", "GET")]);
    assert_eq!(route(&cgi, "http://a.test/"), "direct");
}

#[test]
fn no_proxy_lists_names_addresses_and_networks() {
    let list = "Example.com, .dot.test\t*.star.test,10.0.0.0/8 192.168.1.7,[fd00::]/8,2001:db8::1";
    let some = proxies(&[("all_proxy", "p"), ("NO_PROXY", list)]);
    for direct in [
        "example.com",
        "www.EXAMPLE.com",
        "example.com.",
        "dot.test",
        "a.dot.test",
        "b.star.test",
        "10.200.3.4",
        "192.168.1.7",
        "[2001:db8::1]",
    ] {
        assert_eq!(
            route(&some, &format!("http://{direct}/")),
            "direct",
            "{direct}"
        );
    }
    for through in [
        "notexample.com",
        "example.com.evil.test",
        "11.0.0.1",
        "192.168.1.8",
        "[2001:db8::2]",
    ] {
        assert_eq!(
            route(&some, &format!("http://{through}/")),
            "p",
            "{through}"
        );
    }
    let all = proxies(&[("all_proxy", "p"), ("no_proxy", "*")]);
    assert_eq!(route(&all, "http://a.test/"), "direct");
}

#[test]
fn loopback_is_reached_directly_unless_the_application_named_the_proxy() {
    let env = proxies(&[("all_proxy", "p")]);
    let own = Proxies::all(Proxy::parse("p").unwrap());
    for host in [
        "localhost",
        "api.localhost",
        "127.0.0.1",
        "127.8.9.1",
        "[::1]",
    ] {
        assert_eq!(
            route(&env, &format!("http://{host}:1/")),
            "direct",
            "{host}"
        );
        assert_eq!(route(&own, &format!("http://{host}:1/")), "p", "{host}");
    }
    assert_eq!(route(&env, "http://localhost.test/"), "p");
}

#[test]
fn a_proxy_url_is_read_as_curl_reads_it() {
    let proxy = Proxy::parse("HTTP://me:p%40ss:word@Proxy.test:3128/x").unwrap();
    assert_eq!((proxy.host(), proxy.port()), ("proxy.test", 3128));
    assert_eq!(proxy.credentials(), Some(("me", "p@ss:word")));
    assert_eq!(
        proxy.authorization().unwrap(),
        &format!("Basic {}", BASE64_STANDARD.encode("me:p@ss:word"))
    );
    assert_eq!(Proxy::parse("p").unwrap().port(), 1080);
    assert_eq!(Proxy::parse("https://[::1]").unwrap().port(), 443);
    assert_eq!(Proxy::parse("https://[::1]").unwrap().host(), "[::1]");
}

#[test]
fn no_piece_of_a_password_becomes_a_host_and_no_wrong_port_another() {
    for url in [
        "http://me:hunt/ter2@h:1",
        "http://me:hunt?ter2@h:1",
        "http://me:hunt#ter2@h:1",
        "http://me:hunt/ter2@",
        "http://me:hunter2@h:99999",
        "http://me:hunter2@h:0",
        "http://me:hunter2@h:",
        "http://me:hunter2@h:12x",
        "http://me:hunter2@:3128",
        "http://me:hunter2@",
        "http://me:hunter2@::1",
        "http://me:hunter2@[::1",
        "http://me:hunter2@[::1]x",
        "http://me:hunter2@127.1:3128",
        "http://me:hunter2@h h:3128",
        "me:hunter2@h:99999",
        "http://",
        "",
    ] {
        let error = Proxy::parse(url).unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::ProxyRefused, "{url}");
        let error = format!("{error} {error:?}");
        assert!(
            !error.contains("hunt") && !error.contains("ter2"),
            "{error}"
        );
    }
    // The host begins after the last `@`, as in browsers.
    let proxy = Proxy::parse("http://user:p@ss@h:1").unwrap();
    assert_eq!((proxy.host(), proxy.port()), ("h", 1));
    assert_eq!(proxy.credentials(), Some(("user", "p@ss")));
    let proxy = Proxy::parse("me:hunter2@[::1]:8080").unwrap();
    assert_eq!((proxy.host(), proxy.port()), ("[::1]", 8080));
}

#[test]
fn a_bad_variable_is_an_error_of_its_requests_and_shows_no_secret() {
    let bad = proxies(&[
        ("https_proxy", "socks4://me:secret@p:1"),
        ("no_proxy", "b.test"),
    ]);
    let why = route(&bad, "https://a.test/");
    assert!(
        why.contains("https_proxy") && !why.contains("secret"),
        "{why}"
    );
    assert_eq!(route(&bad, "http://a.test/"), "direct");
    assert_eq!(route(&bad, "https://b.test/"), "direct");
    let good = Proxy::parse("http://me:secret@p:1").unwrap();
    let shown = format!("{good:?} {:?}", Proxies::all(good.clone()));
    assert!(
        !shown.contains("secret") && !shown.contains("me:"),
        "{shown}"
    );
}

#[test]
fn socks_proxies_are_read_and_say_who_looks_names_up() {
    let read = |url: &str| Proxy::parse(url).unwrap();
    let proxy = read("SOCKS5H://me:p%40ss@[::1]");
    assert_eq!(proxy.scheme(), ProxyScheme::Socks5h);
    assert_eq!((proxy.host(), proxy.port()), ("[::1]", 1080));
    assert_eq!(proxy.credentials(), Some(("me", "p@ss")));
    assert_eq!(read("socks5://h:9050").scheme(), ProxyScheme::Socks5);
    assert_eq!(format!("{proxy:?}"), "Proxy(socks5h://…@[::1]:1080)");
    let some = proxies(&[("all_proxy", "socks5h://tor.test:9050")]);
    assert_eq!(route(&some, "https://a.test/"), "tor.test");
    assert_eq!(route(&some, "http://localhost/"), "direct");
    for (bad, advice) in [
        ("socks://h", "socks5h://"),
        ("socks4a://h", "socks5://"),
        ("socks5://:secret@h", "1 to 255 bytes"),
        (
            &format!("socks5://me:{}@h", "x".repeat(256)),
            "1 to 255 bytes",
        ),
    ] {
        let error = Proxy::parse(bad).unwrap_err().to_string();
        assert!(
            error.contains(advice) && !error.contains("secret"),
            "{error}"
        );
    }
}
