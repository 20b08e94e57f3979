//! What models cost, as data in one table.

/// What a provider asks for a model's tokens, in US dollars per million.
///
/// List prices without discounts: prompts that the provider has in its cache, and its Batch API, cost
/// less. Where a price depends on the hour, it is the higher one.
///
/// ```
/// use chatcore::Provider;
///
/// let price = Provider::deepseek().price().unwrap();
/// println!("${:.2}, as of {} ({})", price.of(1_000_000, 200_000), price.date, price.source);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct ModelPrice {
    /// The names of the providers that ask this price, separated by spaces.
    pub providers: &'static str,
    /// The model's name.
    pub model: &'static str,
    /// Per million tokens of prompts.
    pub input: f64,
    /// Per million tokens of answers, reasoning included.
    pub output: f64,
    /// The price of requests with a long prompt, if it differs.
    pub long: Option<LongPrice>,
    /// The last day of this price (`2026-12-31`), if the provider has announced one.
    pub until: Option<&'static str>,
    /// The page where the provider says so.
    pub source: &'static str,
    /// When the page was read.
    pub date: &'static str,
}

/// The price of a request whose prompt is long. It applies to all of the request's tokens.
///
/// ```
/// let long = chatcore::MODEL_PRICES.iter().find_map(|price| price.long);
/// println!("above {:?} tokens", long.map(|long| long.above));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct LongPrice {
    /// A prompt with more tokens than this is long.
    pub above: u64,
    /// Per million tokens of prompts.
    pub input: f64,
    /// Per million tokens of answers.
    pub output: f64,
}

impl ModelPrice {
    /// What these tokens cost in dollars, with prompts that are not long.
    pub fn of(&self, input_tokens: u64, output_tokens: u64) -> f64 {
        dollars(self.input, self.output, input_tokens, output_tokens)
    }

    /// What one request costs in dollars.
    pub fn of_request(&self, input_tokens: u64, output_tokens: u64) -> f64 {
        match self.long.filter(|long| input_tokens > long.above) {
            Some(long) => dollars(long.input, long.output, input_tokens, output_tokens),
            None => self.of(input_tokens, output_tokens),
        }
    }

    /// The row of a provider's model. A date after the name (`-2026-09-22`, `-20261007`) names a
    /// version of it.
    pub(crate) fn find(provider: &str, model: &str) -> Option<&'static Self> {
        let is_version = |rest: &str| {
            let digits = rest.bytes().filter(u8::is_ascii_digit).count();
            let date = rest.strip_prefix('-');
            date.is_some_and(|date| {
                digits == 8
                    && date
                        .bytes()
                        .all(|byte| byte == b'-' || byte.is_ascii_digit())
            })
        };
        MODEL_PRICES.iter().find(|row| {
            let rest = model.strip_prefix(row.model);
            row.providers.split(' ').any(|name| name == provider)
                && rest.is_some_and(|rest| rest.is_empty() || is_version(rest))
        })
    }
}

fn dollars(input: f64, output: f64, input_tokens: u64, output_tokens: u64) -> f64 {
    (input * input_tokens as f64 + output * output_tokens as f64) / 1e6
}

const OPENAI: &str = "openai openai_chat openai_responses";
const GPT_6_LUNA: &str = "https://developers.openai.com/api/docs/models/gpt-6-luna";
const GPT_56_LUNA: &str = "https://developers.openai.com/api/docs/models/gpt-5.6-luna";
const CLAUDE: &str = "https://platform.claude.com/docs/en/models/haiku-5-5/overview";
const DEEPSEEK: &str = "https://api-docs.deepseek.com/quick_start/pricing";
const GEMINI: &str = "https://ai.google.dev/gemini-api/docs/pricing";
const MISTRAL: &str = "https://docs.mistral.ai/inference/pricing";

const fn row(
    providers: &'static str,
    model: &'static str,
    (input, output): (f64, f64),
    (source, date): (&'static str, &'static str),
) -> ModelPrice {
    ModelPrice {
        providers,
        model,
        input,
        output,
        long: None,
        until: None,
        source,
        date,
    }
}

impl ModelPrice {
    const fn long(mut self, above: u64, (input, output): (f64, f64)) -> Self {
        self.long = Some(LongPrice {
            above,
            input,
            output,
        });
        self
    }

    const fn until(mut self, day: &'static str) -> Self {
        self.until = Some(day);
        self
    }
}

/// The prices that are known: those of the default models of the main providers, and a few others.
/// Each row names the page and the day on which it was read. Prices change; for any other model, and
/// where the money matters, say the price yourself.
///
/// ```
/// for price in chatcore::MODEL_PRICES {
///     println!("{}: ${} and ${}", price.model, price.input, price.output);
/// }
/// ```
#[rustfmt::skip]
pub const MODEL_PRICES: &[ModelPrice] = &[
    row(OPENAI, "gpt-6-luna", (0.10, 0.50), (GPT_6_LUNA, "2026-11-29")).long(272_000, (0.20, 0.75)),
    row(OPENAI, "gpt-5.6-luna", (0.20, 1.20), (GPT_56_LUNA, "2026-11-29")).long(272_000, (0.40, 1.80)),

    row("anthropic", "claude-haiku-5-5", (0.10, 0.50), (CLAUDE, "2026-11-29")).long(100_000, (0.50, 2.50)),
    row("anthropic", "claude-sonnet-5-5", (2.0, 10.0), (CLAUDE, "2026-11-29")),
    row("anthropic", "claude-opus-5-5", (4.0, 20.0), (CLAUDE, "2026-11-29")),
    row("anthropic", "claude-fable-5-1", (10.0, 50.0), (CLAUDE, "2026-11-29")),

    // The price of peak hours; at other times it is half as much.
    row("deepseek", "deepseek-flash", (0.30, 1.20), (DEEPSEEK, "2026-11-29")),
    row("deepseek", "deepseek-v4-pro", (1.32, 3.96), (DEEPSEEK, "2026-11-29")),

    row("gemini", "gemini-3.8-flash", (0.75, 3.75), (GEMINI, "2026-10-07")).until("2026-12-31"),
    row("gemini", "gemini-3.5-flash", (1.50, 9.0), (GEMINI, "2026-10-07")),
    row("gemini", "gemini-3.5-flash-lite", (0.30, 2.50), (GEMINI, "2026-10-07")),

    row("mistral", "mistral-medium-latest", (1.50, 7.50), (MISTRAL, "2026-09-29")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_found_by_provider_and_model() {
        let find = |provider, model| ModelPrice::find(provider, model).map(|row| row.model);
        assert_eq!(find("openai", "gpt-6-luna"), Some("gpt-6-luna"));
        assert_eq!(
            find("openai_chat", "gpt-6-luna-2026-09-22"),
            Some("gpt-6-luna")
        );
        assert_eq!(
            find("anthropic", "claude-haiku-5-5-20261007"),
            Some("claude-haiku-5-5")
        );
        assert_eq!(
            find("gemini", "gemini-3.5-flash-lite"),
            Some("gemini-3.5-flash-lite")
        );
        for (provider, model) in [
            ("openrouter", "gpt-6-luna"),
            ("openai", "gpt-6-luna-fast"),
            ("openai", "gpt-6"),
            ("openai", ""),
            ("openai open", "gpt-6-luna"),
        ] {
            assert_eq!(find(provider, model), None, "{provider} {model}");
        }
    }

    #[test]
    fn every_row_is_sourced_and_plausible() {
        for row in MODEL_PRICES {
            assert!(row.source.starts_with("https://"), "{row:?}");
            assert_eq!(row.date.len(), 10, "{row:?}");
            assert!(0.0 < row.input && row.input < row.output, "{row:?}");
            assert!(
                row.long.is_none_or(|long| long.input > row.input),
                "{row:?}"
            );
            for name in row.providers.split(' ') {
                assert_eq!(ModelPrice::find(name, row.model), Some(row));
            }
        }
    }

    #[test]
    fn a_long_prompt_costs_more() {
        let row = ModelPrice::find("openai", "gpt-6-luna").unwrap();
        assert!((row.of(1_000_000, 1_000_000) - 0.60).abs() < 1e-9);
        assert!((row.of_request(100_000, 0) - 0.01).abs() < 1e-9);
        assert!((row.of_request(300_000, 100_000) - (0.06 + 0.075)).abs() < 1e-9);
    }
}
