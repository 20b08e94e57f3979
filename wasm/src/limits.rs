//! Reads a client's rate limits, its adaptive limit and its hedging from JSON.

use chatcore::{Adaptive, Hedging, LlmClientBuilder, RateLimits};

use crate::config::duration;
use crate::object::Object;

/// What holds a client's requests back, or sends one twice.
pub(crate) struct ClientLimits {
    rate: RateLimits,
    adaptive: Option<Adaptive>,
    hedging: Option<Hedging>,
}

impl ClientLimits {
    pub(crate) fn read(from: &mut Object<'_>) -> Self {
        let mut granted = from.object("rate");
        let mut rate = RateLimits::default();
        rate.requests_per_minute = granted.small_count("requestsPerMinute");
        rate.tokens_per_minute = granted.count("tokensPerMinute");
        rate.request_burst = granted.small_count("requestBurst");
        rate.token_burst = granted.count("tokenBurst");
        Self {
            rate,
            adaptive: adaptive(from),
            hedging: hedging(from.object("hedging")),
        }
    }

    pub(crate) fn apply(self, mut to: LlmClientBuilder) -> LlmClientBuilder {
        to = to.rate_limits(self.rate);
        if let Some(adaptive) = self.adaptive {
            to = to.adaptive(adaptive);
        }
        if let Some(hedging) = self.hedging {
            to = to.hedging(hedging);
        }
        to
    }
}

fn adaptive(from: &mut Object<'_>) -> Option<Adaptive> {
    let given = from.take("adaptive")?;
    let mut given = Object::new("adaptive", given, from.faults());
    let mut adaptive = Adaptive::default();
    for (name, number) in [
        ("start", &mut adaptive.start),
        ("min", &mut adaptive.min),
        ("max", &mut adaptive.max),
    ] {
        let count = given.small_count(name);
        *number = count.map_or(*number, |count| count as usize);
    }
    Some(adaptive)
}

fn hedging(mut given: Object<'_>) -> Option<Hedging> {
    let (delay, quantile) = (given.number("afterMs"), given.number("quantile"));
    match delay {
        Some(delay) => Some(Hedging::after(duration("afterMs", delay, given.faults()))),
        None => quantile.map(Hedging::at_quantile),
    }
}
