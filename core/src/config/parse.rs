//! Parses the values of variables, with helpful errors.

use std::time::Duration;

use super::table::{Named, SettingKind};
use crate::error::Error;
use crate::json;
use crate::quote::Quoted;
use crate::time;
use crate::unquote::unquoted;

/// The longest time limit that a variable may set, in seconds: about 31 years.
const MAX_SECONDS: f64 = 1e9;

/// The process's environment, for [`Config::from_vars`](super::Config::from_vars). Bytes that are
/// not Unicode become replacement characters, which fail when the value is parsed.
pub(super) fn env(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

/// A source of variables.
pub(super) struct Vars<'a>(&'a dyn Fn(&str) -> Option<String>);

impl<'a> Vars<'a> {
    pub(super) fn new(get: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self(get)
    }

    /// The value without white space and quotes around it. `None` if nothing is left. Tools that
    /// pass on an `.env` file unchanged leave the quotes in the value.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let value = (self.0)(name)?;
        match unquoted(&value) {
            "" => None,
            inner if inner.len() == value.len() => Some(value),
            inner => Some(inner.to_owned()),
        }
    }

    /// A whole number that is at least the setting's `least`.
    pub(super) fn count(&self, setting: Named) -> Result<usize, Error> {
        let least = match setting.kind {
            SettingKind::Count { least } => least,
            _ => 0,
        };
        self.parse(
            setting,
            &format!("a whole number of at least {least}"),
            |value| value.parse().ok().filter(|&count| count >= least),
        )
    }

    /// Seconds, more than 0. `None` if the variable is not set.
    pub(super) fn seconds_if_set(&self, setting: Named) -> Result<Option<Duration>, Error> {
        if self.text(setting.var).is_none() {
            return Ok(None);
        }
        let seconds = self.parse(
            setting,
            "a number of seconds, more than 0 and at most \
                                           1e9",
            |value| {
                let seconds = json::decimal(value)?;
                let allowed = seconds > 0.0 && seconds <= MAX_SECONDS;
                allowed.then(|| time::seconds(seconds))
            },
        )?;
        Ok(Some(seconds))
    }

    /// A boolean.
    pub(super) fn boolean(&self, setting: Named) -> Result<bool, Error> {
        self.parse(
            setting,
            "true or false (1/0, yes/no, on/off)",
            |value| match value.to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" | "on" => Some(true),
                "false" | "0" | "no" | "off" => Some(false),
                _ => None,
            },
        )
    }

    fn parse<T>(
        &self,
        setting: Named,
        allowed: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<T, Error> {
        let text = self.text(setting.var);
        let value = text.as_deref().unwrap_or(setting.default);
        parse(value).ok_or_else(|| {
            Error::config(format!(
                "{} is {}; it must be {allowed}",
                setting.var,
                Quoted(value)
            ))
        })
    }
}
