//! TLS in front of a server: what comes in is decrypted and handed on, and the other way round.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, OnceLock};

use futures_lite::io::split;
use futures_lite::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, FutureExt};
use futures_rustls::TlsAcceptor;
use futures_rustls::pki_types::PrivateKeyDer;
use futures_rustls::rustls::ServerConfig;
use futures_rustls::rustls::crypto::ring::default_provider;
use smol::Async;

use super::listener::{self, Serving};

/// The certificate of this process, for `localhost` and 127.0.0.1. Nobody else signed it.
struct Certificate {
    pem: String,
    config: Arc<ServerConfig>,
}

impl Certificate {
    /// Made once for the process: making a key takes longer than a test.
    fn get() -> io::Result<&'static Self> {
        static MADE: OnceLock<Result<Certificate, String>> = OnceLock::new();
        let made = MADE.get_or_init(|| Self::make().map_err(|error| error.to_string()));
        made.as_ref().map_err(|why| io::Error::other(why.clone()))
    }

    fn make() -> Result<Self, Box<dyn std::error::Error>> {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names)?;
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der())?;
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)?;
        Ok(Self {
            pem: made.cert.pem(),
            config: Arc::new(config),
        })
    }
}

/// A running front with TLS. Dropping it closes its connections.
#[derive(Debug)]
pub struct Secured {
    address: SocketAddr,
    _serving: Serving,
}

impl Secured {
    /// Starts on a free port of 127.0.0.1, before the server at `behind`.
    ///
    /// # Errors
    /// No port is free, or the certificate cannot be made.
    pub fn start(behind: SocketAddr) -> io::Result<Self> {
        let acceptor = TlsAcceptor::from(Arc::clone(&Certificate::get()?.config));
        let (address, serving) = listener::serve_each(0, move |stream, _| {
            let acceptor = acceptor.clone();
            async move {
                // An error is the client's to notice: its connection is closed.
                let _ = relay(stream, acceptor, behind).await;
            }
        })?;
        Ok(Self {
            address,
            _serving: serving,
        })
    }

    /// The certificate to trust, as PEM: the same for all of this process.
    ///
    /// # Errors
    /// The certificate cannot be made.
    pub fn roots() -> io::Result<&'static str> {
        Ok(&Certificate::get()?.pem)
    }

    /// `path` on this front; it begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.address)
    }
}

async fn relay(
    stream: Async<TcpStream>,
    acceptor: TlsAcceptor,
    behind: SocketAddr,
) -> io::Result<()> {
    stream.get_ref().set_nodelay(true)?;
    let secured = acceptor.accept(stream).await?;
    let plain = Async::<TcpStream>::connect(behind).await?;
    plain.get_ref().set_nodelay(true)?;
    let (from_client, mut to_client) = split(secured);
    let (from_server, to_server) = (&plain, &plain);
    let up = copy(from_client, to_server);
    let down = async {
        let copied = copy(from_server, &mut to_client).await;
        // Says that nothing more will come, so that the end is not taken for a cut.
        to_client.close().await?;
        copied
    };
    // The end of either direction ends both, as with the server itself.
    up.or(down).await
}

/// Hands on what `from` brings, each piece to its last byte: what TLS holds back is flushed.
async fn copy(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) -> io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = from.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        to.write_all(&buffer[..count]).await?;
        to.flush().await?;
    }
}
