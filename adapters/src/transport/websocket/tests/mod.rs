mod contexts;
mod errors;
mod lanes;
mod limits;
mod real;
mod support;
