//! The options of a run through the provider's Batch API.

use std::time::Duration;

use clap::{Args, ValueEnum};

const HEADING: &str = "The provider's Batch API";

/// The options of a run through the provider's Batch API.
#[derive(Debug, Args)]
#[command(next_help_heading = HEADING)]
pub(crate) struct ViaArgs {
    /// How to send the requests
    #[arg(long, value_enum, default_value_t = Via::Chats)]
    pub(crate) via: Via,
    /// Maximum number of batches at the provider at once [default: 8]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_batches: Option<u32>,
    /// Maximum number of requests in a batch [default: the provider's limit]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) batch_size: Option<u32>,
    /// Longest wait between two questions about the state of the batches, for example `5m`
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = humantime::parse_duration)]
    pub(crate) poll: Duration,
    /// How long the provider may take to list a batch whose creation failed, for example `30m`; only
    /// then is the batch created again
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = humantime::parse_duration)]
    pub(crate) settle: Duration,
    /// Cancel the batches that are at the provider, keep what is done, and stop
    #[arg(long)]
    pub(crate) cancel: bool,
}

/// How requests are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Via {
    /// Each as a chat, answered at once
    Chats,
    /// In batches that the provider answers within a day, at half the price
    Provider,
}
