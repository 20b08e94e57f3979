//! OpenAI's Responses over WebSocket with sockets that are cut, both simulated and real.

mod cuts;
mod real;
mod wires;
