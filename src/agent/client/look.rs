//! Looks at a server that is told nothing: which certificate it shows, what that is worth, what its clock shows.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use reqwest::Method;
use reqwest::header::DATE;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, SignatureScheme};
use url::Url;
use x509_cert::Certificate;
use x509_cert::der::Decode;

use super::certificate::Distrust;
use super::headers::text;
use super::retry::Repeat;
use super::retry_after::date;
use super::tls;
use super::{Answer, Client, ClientError, SendError, Setup, Trust};
use crate::agent::clock;
use crate::shown;

/// What a server shows to anybody.
pub struct Looked {
    /// What this device's clock showed before it was asked, and once it had answered.
    pub between: (Timestamp, Timestamp),
    /// What the server's clock showed meanwhile, if it told; whole seconds.
    pub date: Option<Timestamp>,
    /// Whom this device trusts there.
    pub trust: Trust,
    /// What it has shown as its certificate; nothing without TLS.
    pub certificate: Option<ShownCertificate>,
}

/// A certificate that a server has shown.
pub struct ShownCertificate {
    /// Who signed it.
    pub issuer: String,
    /// Until when it is valid, if that can be read.
    pub valid_until: Option<Timestamp>,
    /// Why it is not valid to this device, if it is not.
    pub distrust: Option<Distrust>,
}

/// Asks at this address as anybody may, and goes on whatever the certificate is worth: nothing is said that
/// whoever answers may not know.
pub(in crate::agent) async fn look(
    client: &Client,
    trust: &Trust,
    url: Url,
    limit: usize,
) -> Result<(Looked, Answer), LookError> {
    let seen = Arc::new(Mutex::default());
    let keeper = Arc::clone(&seen);
    let setup = Setup {
        tls: tls::config_with(trust, &client.setup.system, |verifier| {
            Arc::new(Onlooker {
                verifier,
                seen: keeper,
            })
        })?,
        ..Setup::clone(&client.setup)
    };
    let onlooker = Client {
        http: setup.builder().build().map_err(ClientError::Http)?,
        ..client.clone()
    };
    let begun = clock::now();
    let request = onlooker.request(Method::GET, url);
    let ended = onlooker.send(request, limit, Repeat::No).await;
    let answer = ended.result?;
    let certificate = seen.lock().unwrap_or_else(PoisonError::into_inner).take();
    let looked = Looked {
        between: (begun, clock::now()),
        date: text(&answer.headers, DATE).and_then(date),
        trust: trust.clone(),
        certificate,
    };
    Ok((looked, answer))
}

/// Why a look led to nothing.
pub(in crate::agent) enum LookError {
    Client(ClientError),
    Send(SendError),
}

impl From<ClientError> for LookError {
    fn from(error: ClientError) -> Self {
        Self::Client(error)
    }
}

impl From<SendError> for LookError {
    fn from(error: SendError) -> Self {
        Self::Send(error)
    }
}

/// Lets every certificate pass, and notes what another makes of it. For looks only: nothing that is asked with
/// it may hold a secret.
#[derive(Debug)]
struct Onlooker {
    verifier: Arc<dyn ServerCertVerifier>,
    seen: Arc<Mutex<Option<ShownCertificate>>>,
}

impl std::fmt::Debug for ShownCertificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.issuer)
    }
}

impl ServerCertVerifier for Onlooker {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.verifier.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        let distrust = match verified {
            Ok(_) => None,
            Err(Error::InvalidCertificate(error)) => Some(Distrust::of(&error)),
            Err(error) => return Err(error),
        };
        let certificate = Certificate::from_der(end_entity).ok();
        let certificate = certificate.as_ref().map(Certificate::tbs_certificate);
        let shown = ShownCertificate {
            issuer: certificate.map_or_else(
                || "an issuer that can't be read".to_owned(),
                |it| shown::line(&it.issuer().to_string()),
            ),
            valid_until: certificate.and_then(|it| {
                let end = it.validity().not_after.to_unix_duration();
                Timestamp::from_second(i64::try_from(end.as_secs()).ok()?).ok()
            }),
            distrust,
        };
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(shown);
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier
            .verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier
            .verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}
