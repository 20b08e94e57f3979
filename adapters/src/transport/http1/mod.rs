#[derive(Debug)] pub struct Http1Transport;
