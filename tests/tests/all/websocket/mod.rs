//! OpenAI's Responses over WebSocket: sockets that are cut, in the simulator and for real.

mod cuts;
mod real;
mod wires;
