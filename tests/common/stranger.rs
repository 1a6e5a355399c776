//! A server that is not ours: answers every request with the bytes it was given.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A listener on loopback that lives as long as the test's process.
pub struct Stranger {
    pub url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Stranger {
    /// Answers with `answer`, whatever it is asked.
    pub fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::serving("http", move |stream, requests| {
            exchange(stream, &answer, requests)
        })
    }

    /// Answers each request as `answer` says.
    pub fn answering_by(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        Self::serving("http", move |mut stream, requests| {
            let request = read_request(&mut stream);
            requests.lock().unwrap().push(request.clone());
            // The client may have hung up.
            let _ = stream.write_all(answer(&request).as_bytes());
        })
    }

    /// Answers the first requests with `answers` one after the other, and all later ones with the last.
    pub fn answering_in_turn(answers: Vec<String>) -> Self {
        let turn = AtomicUsize::new(0);
        Self::serving("http", move |stream, requests| {
            let turn = turn.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1);
            exchange(stream, answers[turn].as_bytes(), requests);
        })
    }

    /// Answers one request with `answer`, and is gone.
    pub fn once(answer: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self::at("http", &listener);
        let (answer, seen) = (answer.to_owned(), Arc::clone(&server.requests));
        thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            drop(listener);
            exchange(stream, answer.as_bytes(), &seen);
        });
        server
    }

    /// Never answers the first request, and all later ones with `answer`.
    pub fn silent_then(answer: String) -> Self {
        let is_first = AtomicBool::new(true);
        Self::serving("http", move |mut stream, requests| {
            if is_first.swap(false, Ordering::SeqCst) {
                requests.lock().unwrap().push(read_request(&mut stream));
                thread::park();
            }
            exchange(stream, answer.as_bytes(), requests);
        })
    }

    /// Answers over TLS with a certificate for `name` that nobody signed; returned in PEM.
    pub fn with_own_certificate(name: &str, answer: impl Into<Vec<u8>>) -> (Self, String) {
        Self::with_certificate(
            CertificateParams::new([name.to_owned()]).unwrap(),
            answer.into(),
        )
    }

    pub fn with_certificate(parameters: CertificateParams, answer: Vec<u8>) -> (Self, String) {
        let (config, pem) = tls(parameters);
        let server = Self::serving("https", move |stream, requests| {
            exchange(secured(stream, &config), &answer, requests);
        });
        (server, pem)
    }

    /// Answers over TLS with these certificates, its own first, whose key this is.
    pub fn with_chain(chain: Vec<CertificateDer<'static>>, key: &KeyPair, answer: String) -> Self {
        let config = tls_with(chain, key);
        Self::serving("https", move |stream, requests| {
            exchange(secured(stream, &config), answer.as_bytes(), requests);
        })
    }

    /// Agrees on HTTP/2 with the first who connects and never says a word of it; answers all later
    /// ones.
    pub fn silent_over_http2_then(answer: String) -> (Self, String) {
        let (config, pem) = tls(CertificateParams::new(["localhost".to_owned()]).unwrap());
        let mut http2 = config.clone();
        http2.alpn_protocols = vec![b"h2".to_vec()];
        let is_first = AtomicBool::new(true);
        let server = Self::serving("https", move |stream, requests| {
            if is_first.swap(false, Ordering::SeqCst) {
                let mut stream = secured(stream, &http2);
                let mut buffer = [0; 4096];
                while stream.read(&mut buffer).is_ok_and(|read| read > 0) {
                    assert_eq!(stream.conn.alpn_protocol(), Some(&b"h2"[..]));
                    requests.lock().unwrap().push("HTTP/2".to_owned());
                }
            } else {
                exchange(secured(stream, &config), answer.as_bytes(), requests);
            }
        });
        (server, pem)
    }

    /// A proxy that connects everyone to the server at `url`, whatever they ask for.
    pub fn proxy_to(url: &str) -> Self {
        let to = url.rsplit_once('/').unwrap().1.to_owned();
        Self::serving("http", move |mut client, requests| {
            requests.lock().unwrap().push(read_request(&mut client));
            let _ = client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n");
            let mut server = TcpStream::connect(&to).unwrap();
            let (mut from, mut back) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            thread::spawn(move || io::copy(&mut from, &mut server));
            let _ = io::copy(&mut back, &mut client);
        })
    }

    /// Lets each connection be served so.
    pub fn serving(
        scheme: &str,
        serve: impl Fn(TcpStream, &Mutex<Vec<String>>) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self::at(scheme, &listener);
        let (serve, seen) = (Arc::new(serve), Arc::clone(&server.requests));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (serve, seen) = (Arc::clone(&serve), Arc::clone(&seen));
                thread::spawn(move || serve(stream, &seen));
            }
        });
        server
    }

    fn at(scheme: &str, listener: &TcpListener) -> Self {
        let port = listener.local_addr().unwrap().port();
        Self {
            url: format!("{scheme}://localhost:{port}"),
            requests: Arc::default(),
        }
    }

    /// The requests so far, head and body.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// An answer with its headers in place.
pub fn answer(status: &str, content_type: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// A JSON answer with one more header.
pub fn answer_with(status: &str, header: &str, body: &str) -> String {
    answer(status, &format!("application/json\r\n{header}"), body)
}

/// An identity as a server sends it, with `key` as the API key.
pub fn identity(key: &str) -> String {
    answer("200 OK", "application/json", &device(key).to_string())
}

/// The same device in an answer of `device/info`.
pub fn info(key: &str) -> String {
    let version =
        serde_json::json!({"pretix": "2026.8.0", "pretix_numeric": 20_260_080_005_000_u64});
    let body = serde_json::json!({
        "device": device(key), "server": {"version": version}, "medium_key_sets": [],
    });
    answer("200 OK", "application/json", &body.to_string())
}

fn device(key: &str) -> serde_json::Value {
    serde_json::json!({
        "organizer": "bigevents", "device_id": 7, "unique_serial": "ABCDEFGH12345678",
        "api_token": key, "name": "Lane 7", "security_profile": "full", "gate": null,
    })
}

/// A server's side of TLS with a certificate that nobody signed, and that in PEM.
fn tls(parameters: CertificateParams) -> (ServerConfig, String) {
    let key = KeyPair::generate().unwrap();
    let certificate = parameters.self_signed(&key).unwrap();
    let config = tls_with(vec![certificate.der().clone()], &key);
    (config, certificate.pem())
}

/// A server's side of TLS with these certificates, its own first, whose key this is.
pub fn tls_with(chain: Vec<CertificateDer<'static>>, key: &KeyPair) -> ServerConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let key = provider.key_provider.load_private_key(key).unwrap();
    // Takes certificates of any form, as other libraries do.
    let resolver = SingleCertAndKey::from(CertifiedKey::new(chain, key));
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(resolver))
}

pub fn secured(
    stream: TcpStream,
    config: &ServerConfig,
) -> StreamOwned<ServerConnection, TcpStream> {
    let connection = ServerConnection::new(Arc::new(config.clone())).unwrap();
    StreamOwned::new(connection, stream)
}

fn exchange(mut stream: impl Read + Write, answer: &[u8], requests: &Mutex<Vec<String>>) {
    let request = read_request(&mut stream);
    if !request.is_empty() {
        requests.lock().unwrap().push(request);
        // The client may have hung up, as it does when the answer is too large.
        let _ = stream.write_all(answer).and_then(|()| stream.flush());
    }
}

/// A request with its body; what came before the connection ended.
pub fn read_request(stream: &mut impl Read) -> String {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .map_or(0, |(_, length)| length.trim().parse().unwrap());
            if body.len() >= length {
                return text.into_owned();
            }
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return text.into_owned(),
            Ok(read) => bytes.extend_from_slice(&buffer[..read]),
        }
    }
}
