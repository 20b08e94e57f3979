//! A SOCKS 5 proxy on loopback, for the transports' tests.

use std::io::{Read, Write, copy};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

/// What a client requested from the proxy.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// User and password, if the client sent them.
    pub(crate) user: Option<(String, String)>,
    /// A name or an address, and the port.
    pub(crate) destination: (String, u16),
}

/// How the proxy behaves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manners {
    /// The authentication method that the proxy chooses: 0 for none, 2 for user and password, 255
    /// to refuse.
    pub(crate) method: u8,
    /// Whether the proxy accepts the user and password.
    pub(crate) admits: bool,
    /// The code of the reply to a request; 0 means that the proxy connects.
    pub(crate) code: u8,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            method: 0,
            admits: true,
            code: 0,
        }
    }
}

/// A proxy that connects to `server` whatever destination is requested, and reports the request.
pub(crate) fn socks(manners: Manners, server: SocketAddr) -> (SocketAddr, Receiver<Asked>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (report, asked) = channel();
    thread::spawn(move || {
        for client in listener.incoming() {
            let report = report.clone();
            thread::spawn(move || {
                // A client that disconnects is not an error of the proxy.
                serve(client.unwrap(), manners, server, &report).ok();
            });
        }
    });
    (address, asked)
}

fn read<const COUNT: usize>(client: &mut TcpStream) -> std::io::Result<[u8; COUNT]> {
    let mut bytes = [0; COUNT];
    client.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn text(client: &mut TcpStream) -> std::io::Result<String> {
    let [length] = read(client)?;
    let mut bytes = vec![0; length.into()];
    client.read_exact(&mut bytes)?;
    Ok(String::from_utf8(bytes).unwrap())
}

fn serve(
    mut client: TcpStream,
    manners: Manners,
    server: SocketAddr,
    report: &Sender<Asked>,
) -> std::io::Result<()> {
    let [version, count] = read(&mut client)?;
    assert_eq!(version, 5);
    let mut methods = vec![0; count.into()];
    client.read_exact(&mut methods)?;
    client.write_all(&[5, manners.method])?;
    let mut user = None;
    if manners.method == 2 && methods.contains(&2) {
        assert_eq!(read(&mut client)?, [1]);
        user = Some((text(&mut client)?, text(&mut client)?));
        client.write_all(&[1, u8::from(!manners.admits)])?;
    }
    let [version, command, _, kind] = read(&mut client)?;
    assert_eq!((version, command), (5, 1));
    let host = match kind {
        1 => Ipv4Addr::from(read::<4>(&mut client)?).to_string(),
        3 => text(&mut client)?,
        _ => Ipv6Addr::from(read::<16>(&mut client)?).to_string(),
    };
    let port = u16::from_be_bytes(read(&mut client)?);
    let destination = (host, port);
    // The test may have dropped the receiver.
    report.send(Asked { user, destination }).ok();
    // Replies with a name as the bound address, which is allowed but rare.
    client.write_all(&[5, manners.code, 0, 3, 2, b'h', b'i', 0, 80])?;
    if manners.code != 0 {
        return Ok(());
    }
    let mut server = TcpStream::connect(server)?;
    let (mut up, mut down) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || copy(&mut up, &mut down));
    copy(&mut server, &mut client)?;
    Ok(())
}
