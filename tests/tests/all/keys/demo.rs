//! The demo model's provider sends nothing, even if it is used with a network transport by mistake.

use std::sync::Arc;

use chatcore::{Config, ErrorKind, LlmClient, Transport};
use chatcore_adapters::BlockingCall;
use chatcore_adapters::executor::{SmolExecutor, ThreadPool};
use chatcore_adapters::transport::{Http1Transport, SurfTransport, UreqTransport};

#[test]
fn no_transport_for_a_network_sends_for_the_demo() {
    let config = Config::from_vars(|name| (name == "USE_MOCK_LLM").then(|| "true".to_owned()));
    let config = config.unwrap();
    let smol = Arc::new(SmolExecutor::new());
    let transports: [Arc<dyn Transport>; 3] = [
        Arc::new(Http1Transport::new(smol.clone())),
        Arc::new(UreqTransport::new(ThreadPool::new(1).unwrap())),
        Arc::new(SurfTransport::new()),
    ];
    for transport in transports {
        let client = LlmClient::builder(smol.clone(), transport)
            .config(config.clone())
            .build()
            .unwrap();
        let error = client.chat_async("hi").wait().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert_eq!(error.attempts(), 1);
        assert!(error.to_string().contains("nothing was sent"), "{error}");
    }
}
