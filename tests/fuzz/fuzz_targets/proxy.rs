//! Proxies and the list of hosts that bypass them: no password is shown, whatever is refused.
#![no_main]

use chatcore_adapters::transport::{Proxies, Proxy};
use libfuzzer_sys::fuzz_target;

const PASSWORD: &str = "pa55-word";

fuzz_target!(|input: (&str, &str, &str)| {
    let (url, bypass, host) = input;
    // A host may have the password's text as its name, and is shown.
    if !url.contains(PASSWORD) {
        let shown = match Proxy::parse(&format!("http://user:{PASSWORD}{url}")) {
            Ok(proxy) => format!("{proxy:?}"),
            Err(error) => format!("{error} {error:?}"),
        };
        assert!(!shown.contains(PASSWORD), "shows the password: {shown}");
    }
    let proxies = Proxies::from_vars(|name| match name {
        "https_proxy" => Some(url.to_owned()),
        "no_proxy" => Some(bypass.to_owned()),
        _ => None,
    });
    if let Ok(uri) = format!("https://{host}/").parse() {
        let _ = proxies.for_uri(&uri);
    }
});
