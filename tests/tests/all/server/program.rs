//! The server as a separate program.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

#[test]
fn prints_its_address_and_ends_with_its_input() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_loopback"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(program.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let address = line.trim().strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .write_all(b"GET /text/hi HTTP/1.1\r\nconnection: close\r\n\r\n")
        .unwrap();
    let mut came = String::new();
    stream.read_to_string(&mut came).unwrap();
    assert!(came.ends_with("\r\n\r\nhi"), "{came}");
    drop(program.stdin.take());
    assert!(program.wait().unwrap().success());
}

#[test]
fn says_what_it_takes() {
    let output = Command::new(env!("CARGO_BIN_EXE_loopback"))
        .arg("--prot")
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("--port N"));
}
