//! Cases over the whole client, on any pair: they join when the client does.
