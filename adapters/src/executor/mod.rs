//! Native executors: one feature, one file.
