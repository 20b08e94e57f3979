mod contexts;
mod errors;
mod lanes;
mod real;
mod support;
