//! Hosts that are connected to without a proxy.

use std::net::IpAddr;

use chatcore::Host;

use super::unbracketed;

/// The hosts that are connected to directly.
#[derive(Clone, Debug, Default)]
pub(super) struct Bypass {
    /// Whether loopback is connected to directly, even if it is not listed.
    pub(super) loopback: bool,
    pub(super) hosts: Vec<Listed>,
}

#[derive(Clone, Debug)]
pub(super) enum Listed {
    Any,
    /// This name and all its subdomains.
    Name(String),
    /// Addresses that share this many leading bits with this address.
    Network(IpAddr, u8),
}

impl Listed {
    pub(super) fn list(list: &str) -> Vec<Self> {
        list.split([',', ' ', '\t'])
            .filter(|entry| !entry.is_empty())
            .map(Self::read)
            .collect()
    }

    fn read(entry: &str) -> Self {
        if entry == "*" {
            return Self::Any;
        }
        let (address, bits) = match entry.split_once('/') {
            Some((address, bits)) => (address, bits.parse().ok()),
            None => (entry, Some(u8::MAX)),
        };
        if let (Ok(address), Some(bits)) = (unbracketed(address).parse(), bits) {
            return Self::Network(address, bits);
        }
        let name = entry.trim_start_matches("*.").trim_matches('.');
        Self::Name(name.to_ascii_lowercase())
    }
}

impl Bypass {
    pub(super) fn covers(&self, host: &str) -> bool {
        // An invalid host matches no entry. The connection to it is refused later.
        let Ok(host) = Host::parse(host) else {
            return false;
        };
        let loopback = host.is_loopback();
        let (name, address) = match &host {
            Host::Ip(address) => ("", Some(*address)),
            Host::Name(name) => (name.trim_end_matches('.'), None),
        };
        (self.loopback && loopback)
            || self.hosts.iter().any(|host| match (host, address) {
                (Listed::Any, _) => true,
                (Listed::Name(suffix), None) => name
                    .strip_suffix(suffix.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.ends_with('.')),
                (Listed::Network(network, bits), Some(address)) => within(address, *network, *bits),
                _ => false,
            })
    }
}

/// Whether two addresses of the same family share their first `bits` bits.
fn within(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(b)) => {
            let differing = a.to_bits() ^ b.to_bits();
            differing.leading_zeros() >= u32::from(bits).min(32)
        }
        (IpAddr::V6(a), IpAddr::V6(b)) => {
            let differing = a.to_bits() ^ b.to_bits();
            differing.leading_zeros() >= u32::from(bits).min(128)
        }
        _ => false,
    }
}
