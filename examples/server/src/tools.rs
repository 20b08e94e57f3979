//! The tools of `/api/chat/tools`: functions of the server that the model may call.

use std::time::Duration;

use chatcore::schemars::{self, JsonSchema};
use chatcore::{Error, FunctionTool, ToolError, Toolbox};
use serde::Deserialize;
use smol::Timer;

/// How many times the model is asked for one answer.
pub(crate) const MAX_TURNS: u32 = 5;
/// The time limit for one call.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);
/// The longest that `wait` waits, in seconds.
const LONGEST_WAIT: f64 = 5.0;

#[derive(Deserialize, JsonSchema)]
struct Convert {
    degrees: f64,
    /// The scale of the result.
    to: Scale,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Scale {
    Celsius,
    Fahrenheit,
}

#[derive(Deserialize, JsonSchema)]
struct Wait {
    /// At most 5.
    seconds: f64,
}

/// The tools. None of them reads or changes anything of the server.
pub(crate) fn toolbox() -> Result<Toolbox, Error> {
    let mut tools = Toolbox::new();
    tools.add(FunctionTool::of(
        "convert_temperature",
        "Converts degrees Fahrenheit to Celsius, or Celsius to Fahrenheit.",
        |Convert { degrees, to }| async move {
            match to {
                Scale::Celsius => format!("{:.1} °C", (degrees - 32.0) / 1.8),
                Scale::Fahrenheit => format!("{:.1} °F", degrees * 1.8 + 32.0),
            }
        },
    ))?;
    tools.add(FunctionTool::of(
        "wait",
        "Waits for some seconds.",
        |Wait { seconds }| async move {
            if !(0.0..=LONGEST_WAIT).contains(&seconds) {
                return Err(ToolError::new("`seconds` must be 0 to 5"));
            }
            Timer::after(Duration::from_secs_f64(seconds)).await;
            Ok(format!("{seconds} seconds have passed"))
        },
    ))?;
    Ok(tools)
}
