//! Native HTTP transports: one feature, one folder.
