//! A TLS front for a server: it decrypts what clients send, and encrypts what the server sends.

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

/// The self-signed certificate of this process, for `localhost` and 127.0.0.1.
struct Certificate {
    pem: String,
    config: Arc<ServerConfig>,
}

impl Certificate {
    /// Created once per process, because generating a key takes longer than a test.
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

/// A running TLS front. Dropping it closes its connections.
#[derive(Debug)]
pub struct Secured {
    address: SocketAddr,
    _serving: Serving,
}

impl Secured {
    /// Starts a front on a free port of 127.0.0.1, for the server at `behind`.
    ///
    /// # Errors
    /// If no port is free, or the certificate cannot be created.
    pub fn start(behind: SocketAddr) -> io::Result<Self> {
        let acceptor = TlsAcceptor::from(Arc::clone(&Certificate::get()?.config));
        let (address, serving) = listener::serve_each(0, move |stream, _| {
            let acceptor = acceptor.clone();
            async move {
                // On an error the connection is closed, which the client notices.
                let _ = relay(stream, acceptor, behind).await;
            }
        })?;
        Ok(Self {
            address,
            _serving: serving,
        })
    }

    /// The certificate to trust, as PEM. It is the same for the whole process.
    ///
    /// # Errors
    /// If the certificate cannot be created.
    pub fn roots() -> io::Result<&'static str> {
        Ok(&Certificate::get()?.pem)
    }

    /// The URL of `path` on this front. `path` begins with a slash.
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
        // Sends a close_notify, so that the end is not taken for a truncation.
        to_client.close().await?;
        copied
    };
    // The end of one direction ends both, as for the server itself.
    up.or(down).await
}

/// Copies from `from` to `to`. Flushes after each piece, because TLS may hold bytes back.
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
