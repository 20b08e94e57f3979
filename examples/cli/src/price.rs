//! What a run costs: the price that the user names, or the list price of the model.

use std::time::SystemTime;

use chatcore::{Config, LongPrice, ModelPrice, Usage};

use crate::failure::{Failure, WRONG};

/// A price in dollars per million tokens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Price {
    pub(crate) input: f64,
    pub(crate) output: f64,
    /// The row of the table, if the user has named no price.
    pub(crate) listed: Option<&'static ModelPrice>,
}

impl Price {
    /// The cost of these tokens in dollars, in requests that are not long.
    pub(crate) fn of(self, input_tokens: u64, output_tokens: u64) -> f64 {
        (self.input * input_tokens as f64 + self.output * output_tokens as f64) / 1e6
    }

    /// The price of requests through a provider's Batch API: half of the list price. A price that the
    /// user has named stays.
    pub(crate) fn in_batches(mut self) -> Self {
        if self.listed.is_some() {
            self.input /= 2.0;
            self.output /= 2.0;
        }
        self
    }

    /// What one request costs more because its prompt is long.
    pub(crate) fn more_if_long(self, usage: &Usage) -> f64 {
        let is_long = |long: LongPrice| usage.input_tokens > long.above;
        match self.listed.filter(|row| row.long.is_some_and(is_long)) {
            Some(row) => {
                let (input, output) = (usage.input_tokens, usage.output_tokens);
                // The share of the list price that this run pays.
                let share = self.input / row.input;
                share * (row.of_request(input, output) - row.of(input, output))
            }
            None => 0.0,
        }
    }

    /// Where the price comes from, if it is a list price.
    pub(crate) fn told(self, model: &str) -> Option<String> {
        let row = self.listed?;
        Some(format!(
            "the price of {model} is ${} and ${} per million tokens of prompts and answers, as of {} \
             ({}); --price sets another one",
            self.input, self.output, row.date, row.source
        ))
    }
}

/// The price of a run's model. `None` if it is unknown and `is_needed` is false.
///
/// # Errors
/// If it is unknown and needed for `option`.
pub(crate) fn of_run(
    named: Option<Price>,
    config: &Config,
    is_needed: bool,
) -> Result<Option<Price>, Failure> {
    match named {
        Some(price) => Ok(Some(price)),
        None if is_needed => needed(config).map(Some),
        None => Ok(listed(config, SystemTime::now()).ok()),
    }
}

/// The list price of the configured model, which `--max-cost` needs.
///
/// # Errors
/// If it is unknown.
pub(crate) fn needed(config: &Config) -> Result<Price, Failure> {
    listed(config, SystemTime::now()).map_err(|why| Failure {
        status: WRONG,
        message: format!(
            "--max-cost needs a price, and {why}: name it with --price IN,OUT, in dollars per million \
             tokens of prompts and of answers"
        ),
    })
}

/// The list price of the configured model, or why there is none.
fn listed(config: &Config, now: SystemTime) -> Result<Price, String> {
    let model = config.provider.model();
    let row = config.provider.price().filter(|_| !config.mock);
    let row = row.ok_or_else(|| {
        let provider = config.provider.name();
        format!("the price of {model} of {provider} is not known")
    })?;
    if is_over(row, now) {
        let until = row.until.unwrap_or_default();
        return Err(format!(
            "the known price of {model} was valid until {until}"
        ));
    }
    Ok(Price {
        input: row.input,
        output: row.output,
        listed: Some(row),
    })
}

/// Whether the last day of a price has passed, in the last of all time zones.
pub(crate) fn is_over(row: &ModelPrice, now: SystemTime) -> bool {
    let end = row.until.map(|day| format!("{day}T23:59:59Z"));
    let end = end.and_then(|end| humantime::parse_rfc3339(&end).ok());
    end.is_some_and(|end| {
        now.duration_since(end)
            .is_ok_and(|late| late.as_secs() > 12 * 3600)
    })
}

/// Reads `IN,OUT`.
pub(crate) fn price(text: &str) -> Result<Price, String> {
    let both = text.split_once(',').and_then(|(input, output)| {
        let [input, output] = [input, output].map(|part| dollars(part.trim()).ok());
        Some(Price {
            input: input?,
            output: output?,
            listed: None,
        })
    });
    both.ok_or_else(|| "two numbers with a comma between them, such as 0.27,1.10".to_owned())
}

/// Reads an amount of dollars.
pub(crate) fn dollars(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(amount) if amount.is_finite() && amount >= 0.0 => Ok(amount),
        _ => Err("a number of dollars, such as 20 or 0.5".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use chatcore::Provider;

    use super::*;

    fn config(provider: Provider) -> Config {
        let mut config = Config::from_vars(|_| None).unwrap();
        config.provider = provider;
        config
    }

    #[test]
    fn prices_are_read() {
        let parsed = price("0.27, 1.10").unwrap();
        assert!((parsed.of(1_000_000, 2_000_000) - 2.47).abs() < 1e-9);
        for wrong in ["", "1", "1,", "a,b", "-1,2", "1,inf"] {
            assert!(price(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_cap_needs_a_price_that_is_known() {
        let known = config(Provider::openai().with_model("gpt-6-luna"));
        let price = of_run(None, &known, true).unwrap().unwrap();
        assert!((price.of(1_000_000, 1_000_000) - 0.6).abs() < 1e-9);
        assert!(price.told("gpt-6-luna").unwrap().contains("--price"));
        let half = price.in_batches();
        assert!((half.of(1_000_000, 1_000_000) - 0.3).abs() < 1e-9);
        let own = self::price("1,2").unwrap().in_batches();
        let own = of_run(Some(own), &known, true).unwrap().unwrap();
        assert!((own.input - 1.0).abs() < 1e-9 && own.told("m").is_none());

        let unknown = config(Provider::openai().with_model("gpt-99"));
        assert!(of_run(None, &unknown, false).unwrap().is_none());
        let failure = of_run(None, &unknown, true).unwrap_err();
        assert_eq!(failure.status, WRONG);
        for told in ["gpt-99", "--price IN,OUT"] {
            assert!(failure.message.contains(told), "{}", failure.message);
        }
    }

    #[test]
    fn a_price_that_ends_is_no_longer_used() {
        let gemini = config(Provider::gemini().with_model("gemini-3.8-flash"));
        let at = |day: &str| humantime::parse_rfc3339(&format!("{day}T12:00:00Z")).unwrap();
        assert!(listed(&gemini, at("2026-12-31")).is_ok());
        let why = listed(&gemini, at("2027-01-02")).unwrap_err();
        assert!(why.contains("until 2026-12-31"), "{why}");
    }

    #[test]
    fn a_long_prompt_costs_more() {
        let known = config(Provider::anthropic().with_model("claude-haiku-5-5"));
        let price = of_run(None, &known, true).unwrap().unwrap();
        let usage = |input| {
            let mut usage = Usage::default();
            usage.input_tokens = input;
            usage
        };
        assert!(price.more_if_long(&usage(100_000)).abs() < 1e-12);
        assert!((price.more_if_long(&usage(200_000)) - 0.08).abs() < 1e-9);
    }
}
