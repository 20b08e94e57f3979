//! `chatcore models`: lists the provider's models and their shutdown dates.

use std::time::{Duration, SystemTime};

use chatcore::{ModelInfo, ModelPrice, Provider};

use crate::args::Who;
use crate::failure::Failure;
use crate::say::{self, BOLD, DIM, WARN};
use crate::{price, setup};

/// The user is warned if the configured model shuts down within this time.
const SOON: Duration = Duration::from_secs(60 * 24 * 60 * 60);

pub(crate) async fn run(who: &Who, is_json: bool) -> Result<u8, Failure> {
    let config = setup::config(who)?;
    let own = config.provider.model().to_owned();
    let is_demo = config.mock;
    let provider = config.provider.clone();
    let client = setup::client(config)?;
    let mut models = match is_demo {
        true => demo(&own),
        false => client.models().await?,
    };
    models.sort_by(|one, other| one.id.cmp(&other.id));
    let mut text = String::new();
    for model in &models {
        match is_json {
            true => text.push_str(&serde_json::to_string(model).unwrap_or_default()),
            false => text.push_str(&line(model, model.id == own, price(&provider, &model.id))),
        }
        text.push('\n');
    }
    say::out(&text)?;
    if let Some(warning) = warning(&models, &own, SystemTime::now()) {
        say::warning(&warning);
    }
    Ok(0)
}

/// A list with only the demo model, because its transport has no list.
fn demo(own: &str) -> Vec<ModelInfo> {
    let mut model = ModelInfo::default();
    model.id = own.to_owned();
    vec![model]
}

/// The list price of a model, if it is known and valid today.
fn price(provider: &Provider, model: &str) -> Option<&'static ModelPrice> {
    let row = provider.price_of(model);
    row.filter(|row| !price::is_over(row, SystemTime::now()))
}

fn line(model: &ModelInfo, is_own: bool, price: Option<&ModelPrice>) -> String {
    let mut line = match is_own {
        true => format!("{BOLD}{}{BOLD:#} (configured)", model.id),
        false => model.id.clone(),
    };
    if let Some(tokens) = model.context_tokens {
        line.push_str(&format!("  {DIM}{tokens} tokens{DIM:#}"));
    }
    if let Some(row) = price {
        let (input, output) = (row.input, row.output);
        line.push_str(&format!(
            "  {DIM}${input:.2} and ${output:.2} per million tokens, as of {}{DIM:#}",
            row.date
        ));
    }
    if let Some(date) = &model.shutdown_date {
        line.push_str(&format!("  {WARN}shuts down {date}{WARN:#}"));
    }
    line
}

/// A warning if the model `own` shuts down soon or has shut down.
pub(crate) fn warning(models: &[ModelInfo], own: &str, now: SystemTime) -> Option<String> {
    let model = models.iter().find(|model| model.id == own)?;
    let date = model.shutdown_date.as_ref()?;
    let day = date.get(..10)?;
    let ends = humantime::parse_rfc3339(&format!("{day}T00:00:00Z")).ok()?;
    match ends.duration_since(now) {
        Ok(left) if left > SOON => None,
        Ok(left) => {
            let days = left.as_secs() / (24 * 60 * 60);
            Some(format!(
                "{own} shuts down on {day}, in {days} days: choose another model"
            ))
        }
        Err(_) => Some(format!(
            "{own} has shut down on {day}: choose another model"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_price_is_told() {
        let mut model = ModelInfo::default();
        model.id = "gpt-6-luna".to_owned();
        let told = line(&model, false, price(&Provider::openai(), &model.id));
        assert!(
            told.contains("$0.10 and $0.50 per million tokens"),
            "{told}"
        );
        assert_eq!(price(&Provider::openai(), "gpt-99"), None);
    }

    #[test]
    fn a_model_that_ends_soon_is_told() {
        let mut model = ModelInfo::default();
        model.id = "m".to_owned();
        let now = humantime::parse_rfc3339("2026-11-29T12:00:00Z").unwrap();
        assert_eq!(warning(&[model.clone()], "m", now), None);
        for (date, told) in [
            ("2027-03-01", None),
            ("2026-12-31", Some("in 31 days")),
            ("2026-12-31T08:00:00Z", Some("in 31 days")),
            ("2026-11-01", Some("has shut down")),
            ("soon", None),
        ] {
            model.shutdown_date = Some(date.to_owned());
            let warned = warning(&[model.clone()], "m", now);
            match told {
                Some(part) => assert!(warned.unwrap().contains(part), "{date}"),
                None => assert_eq!(warned, None, "{date}"),
            }
            assert_eq!(warning(&[model.clone()], "other", now), None);
        }
    }
}
