//! Tests of chatcore through its public APIs.

#[cfg(test)]
mod asking;
#[cfg(test)]
mod backend;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod content;
#[cfg(test)]
mod conversations;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod defaults;
#[cfg(test)]
mod engine;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod headers;
#[cfg(test)]
mod heads;
#[cfg(test)]
mod jobs;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod layers;
#[cfg(test)]
mod load;
#[cfg(test)]
mod mcp;
#[cfg(test)]
#[cfg(test)]
mod mutations;
#[cfg(test)]
mod postgres;
#[cfg(test)]
mod providers;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod replies;
#[cfg(test)]
mod server;
#[cfg(test)]
mod setters;
#[cfg(test)]
mod spans;
#[cfg(test)]
mod stranger;
#[cfg(test)]
mod toolbox;
#[cfg(test)]
mod typed;
#[cfg(test)]
mod websocket;
#[cfg(test)]
mod worst;
