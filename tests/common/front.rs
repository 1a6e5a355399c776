//! The encrypted front of a server of ours, as a proxy with a certificate is.

use std::io::{self, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use rcgen::KeyPair;
use rustls::ServerConfig;

use super::authority::{Authority, server_parameters};
use super::stranger::{Stranger, read_request, secured, tls_with};

/// Hands every request over TLS on to a server, and its answer back.
pub struct Front {
    pub url: String,
    stranger: Stranger,
    certificate: Arc<Mutex<ServerConfig>>,
    is_losing_answers: Arc<AtomicBool>,
    instead: Arc<Mutex<Option<String>>>,
}

impl Front {
    /// Before the server at `url`, with a certificate for localhost that `authority` has signed.
    pub fn of(url: &str, authority: &Authority) -> Self {
        let to = url.trim_start_matches("http://").to_owned();
        let certificate = Arc::new(Mutex::new(signed_by(authority)));
        let is_losing_answers = Arc::new(AtomicBool::new(false));
        let (shown, losing) = (Arc::clone(&certificate), Arc::clone(&is_losing_answers));
        let instead = Arc::new(Mutex::new(None::<String>));
        let answer = Arc::clone(&instead);
        let stranger = Stranger::serving("https", move |stream, requests| {
            let config = shown.lock().unwrap().clone();
            let mut client = secured(stream, &config);
            let request = read_request(&mut client);
            if request.is_empty() {
                return;
            }
            requests.lock().unwrap().push(request.clone());
            if let Some(answer) = &*answer.lock().unwrap() {
                let _ = client.write_all(answer.as_bytes());
                return;
            }
            let mut server = TcpStream::connect(&to).unwrap();
            let alone = request.replacen("\r\n", "\r\nConnection: close\r\n", 1);
            server.write_all(alone.as_bytes()).unwrap();
            if losing.load(Ordering::SeqCst) {
                let _ = io::copy(&mut server, &mut io::sink());
            } else {
                // The client may have hung up.
                let _ = io::copy(&mut server, &mut client);
            }
        });
        Self {
            url: stranger.url.clone(),
            stranger,
            certificate,
            is_losing_answers,
            instead,
        }
    }

    /// How many requests came through.
    pub fn requests(&self) -> usize {
        self.stranger.requests().len()
    }

    /// Shows a certificate that `authority` has signed from now on.
    pub fn shows_one_of(&self, authority: &Authority) {
        *self.certificate.lock().unwrap() = signed_by(authority);
    }

    /// Answers so itself from now on, as a login page on the way does, or lets the server answer again.
    pub fn answers_itself(&self, answer: Option<&str>) {
        *self.instead.lock().unwrap() = answer.map(str::to_owned);
    }

    /// Whether it hangs up in place of handing answers back.
    pub fn loses_answers(&self, whether: bool) {
        self.is_losing_answers.store(whether, Ordering::SeqCst);
    }
}

fn signed_by(authority: &Authority) -> ServerConfig {
    let key = KeyPair::generate().unwrap();
    let own = server_parameters("localhost").signed_by(&key, authority);
    tls_with(vec![own.unwrap().der().clone()], &key)
}
