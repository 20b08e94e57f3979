//! Proxies and the list of hosts that bypass them: no password is shown, whatever is refused.
#![no_main]

use chatcore_adapters::transport::{Proxies, Proxy};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str, &str)| {
    let (url, bypass, host) = input;
    // Two passwords are shown alike. A search for one password would also find a host of that name.
    assert_eq!(shown("pa55-word", url), shown("s3cret-no", url));
    let proxies = Proxies::from_vars(|name| match name {
        "https_proxy" => Some(url.to_owned()),
        "no_proxy" => Some(bypass.to_owned()),
        _ => None,
    });
    if let Ok(uri) = format!("https://{host}/").parse() {
        let _ = proxies.for_uri(&uri);
    }
});

fn shown(password: &str, url: &str) -> String {
    match Proxy::parse(&format!("http://user:{password}{url}")) {
        Ok(proxy) => format!("{proxy:?}"),
        Err(error) => format!("{error} {error:?}"),
    }
}
