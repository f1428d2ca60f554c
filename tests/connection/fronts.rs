//! Fronts between the program and a server: TLS with a certificate of a test's own authority, and proxies.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

#[derive(Debug, Clone, Copy)]
pub enum Certificate {
    Valid,
    Expired,
}

/// Terminates TLS in front of a server that has none.
pub struct Tls {
    address: SocketAddr,
}

impl Tls {
    pub async fn start(certificate: Certificate, behind: SocketAddr) -> Self {
        let (chain, key) = match certificate {
            Certificate::Valid => (include_str!("server.pem"), include_str!("server.key")),
            Certificate::Expired => (include_str!("expired.pem"), include_str!("expired.key")),
        };
        let chain: Vec<_> = CertificateDer::pem_slice_iter(chain.as_bytes()).collect::<Result<_, _>>().unwrap();
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    // A client that doesn't trust the certificate leaves here, and any may leave while bytes are in
                    // flight.
                    let Ok(mut client) = acceptor.accept(client).await else { return };
                    let mut server = TcpStream::connect(behind).await.unwrap();
                    let _left = copy_bidirectional(&mut client, &mut server).await;
                });
            }
        });
        Self { address }
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// A SOCKS 5 proxy that connects to one server, whatever the requested target.
pub struct Socks {
    address: SocketAddr,
    targets: Arc<Mutex<Vec<String>>>,
}

impl Socks {
    pub async fn start(behind: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let targets = Arc::new(Mutex::new(Vec::new()));
        let asked = Arc::clone(&targets);
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let asked = Arc::clone(&asked);
                tokio::spawn(async move {
                    let target = target_of(&mut client).await;
                    asked.lock().unwrap().push(target);
                    let mut server = TcpStream::connect(behind).await.unwrap();
                    let _left = copy_bidirectional(&mut client, &mut server).await;
                });
            }
        });
        Self { address, targets }
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The targets requested since the last call.
    pub fn targets(&self) -> Vec<String> {
        std::mem::take(&mut self.targets.lock().unwrap())
    }
}

/// An HTTP proxy that requires a name and password, and accepts none.
pub struct Asking {
    address: SocketAddr,
}

impl Asking {
    pub async fn start() -> Self {
        const ANSWER: &[u8] =
            b"HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\ncontent-length: 0\r\n\r\n";
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut request = [0; 4096];
                    while client.read(&mut request).await.is_ok_and(|read| read > 0) {
                        // The client may leave at once.
                        let _left = client.write_all(ANSWER).await;
                    }
                });
            }
        });
        Self { address }
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }
}

/// Reads the two messages that begin a connection, without a password and to a name or an address (RFC 1928), and
/// returns the target.
async fn target_of(client: &mut TcpStream) -> String {
    const VERSION: u8 = 5;
    const CONNECT: u8 = 1;
    let mut greeting = [0; 2];
    client.read_exact(&mut greeting).await.unwrap();
    assert_eq!(greeting[0], VERSION);
    client.read_exact(&mut vec![0; greeting[1].into()]).await.unwrap();
    client.write_all(&[VERSION, 0]).await.unwrap();
    let mut request = [0; 4];
    client.read_exact(&mut request).await.unwrap();
    assert_eq!(request[..2], [VERSION, CONNECT]);
    let host = match request[3] {
        1 => {
            let mut address = [0; 4];
            client.read_exact(&mut address).await.unwrap();
            Ipv4Addr::from(address).to_string()
        }
        3 => {
            let length = client.read_u8().await.unwrap();
            let mut name = vec![0; length.into()];
            client.read_exact(&mut name).await.unwrap();
            String::from_utf8(name).unwrap()
        }
        other => unreachable!("no kind of address that is used here: {other}"),
    };
    let port = client.read_u16().await.unwrap();
    client.write_all(&[VERSION, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
    format!("{host}:{port}")
}
