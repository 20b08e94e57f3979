//! `chatcore serve`: runs the example server. Its options come from the server's own table.

use chatcore_server::{SETTINGS, Settings};
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

use crate::args::Who;
use crate::failure::{Failure, WRONG};
use crate::setup;

/// The options that were given, each with its name in [`SETTINGS`].
#[derive(Debug)]
pub(crate) struct ServeArgs {
    given: Vec<(&'static str, String)>,
}

impl Args for ServeArgs {
    fn augment_args(command: Command) -> Command {
        SETTINGS.iter().fold(command, |command, setting| {
            let default = match setting.default {
                "" => "none",
                default => default,
            };
            let help = format!("{} [default: {default}; {}]", setting.doc, setting.var);
            let arg = Arg::new(setting.flag).long(setting.flag);
            command.arg(arg.value_name(setting.value).help(help))
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for ServeArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = SETTINGS.iter().filter_map(|setting| {
            let value = matches.get_one::<String>(setting.flag)?;
            Some((setting.flag, value.clone()))
        });
        Ok(Self {
            given: given.collect(),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

pub(crate) async fn run(who: &Who, args: ServeArgs) -> Result<u8, Failure> {
    let var = |name: &str| std::env::var(name).ok();
    let settings = Settings::of(args.given, var).map_err(|message| Failure {
        status: WRONG,
        message,
    })?;
    let served = chatcore_server::serve(settings, setup::vars(who)).await;
    served.map(|()| 0).map_err(|failure| Failure {
        status: failure.status,
        message: failure.message,
    })
}
