//! Base URLs: an accepted URL is the address of a server, and an error shows no key.
#![no_main]

use chatcore::Provider;
use libfuzzer_sys::fuzz_target;

const KEY: &str = "sk-fuzz-0123456789abcdef";

fuzz_target!(|url: &str| {
    let provider = Provider::openai_compatible(url.to_owned(), "m").with_api_key(KEY);
    match provider.endpoint() {
        Ok(_) => {
            let url = url.trim().to_ascii_lowercase();
            // The demo model's address is never connected to.
            let is_address = ["http://", "https://", "demo://"];
            assert!(
                is_address.iter().any(|scheme| url.starts_with(scheme)),
                "accepted: {url:?}"
            );
        }
        Err(error) => {
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains(KEY), "shows the key: {shown}");
        }
    }
});
