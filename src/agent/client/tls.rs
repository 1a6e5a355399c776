//! Which certificates are trusted.

use std::env;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig as TlsConfig, RootCertStore};

use super::ClientError;
use super::certificate::ExplainingVerifier;
use super::pinned::PinnedVerifier;
use super::trust::Trust;
use crate::regular_file;

/// This system's certificates in DER, where it is not for this library to find them.
pub(super) type SystemStore = Option<Arc<Vec<CertificateDer<'static>>>>;

/// TLS that trusts these authorities, or this one server.
pub(super) fn config(trust: &Trust, system: &SystemStore) -> Result<TlsConfig, ClientError> {
    config_with(trust, system, |verifier| verifier)
}

/// The same, with what `wrap` makes of whoever verifies.
pub(super) fn config_with(
    trust: &Trust,
    system: &SystemStore,
    wrap: impl FnOnce(Arc<dyn ServerCertVerifier>) -> Arc<dyn ServerCertVerifier>,
) -> Result<TlsConfig, ClientError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = match trust.pin() {
        Some(pin) => Arc::new(PinnedVerifier::new(pin.clone(), &provider)),
        None => Arc::new(verifier(trust, system, &provider)?),
    };
    let verifier = wrap(verifier);
    let mut tls = TlsConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(ClientError::Tls)?
        .dangerous() // The one verifies as the library's own and names what it finds; the other knows one server.
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(tls)
}

fn verifier(
    trust: &Trust,
    system: &SystemStore,
    provider: &Arc<CryptoProvider>,
) -> Result<ExplainingVerifier, ClientError> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    // They could be used when they were read.
    roots.add_parsable_certificates(trust.certificates());
    if trust.includes_system() {
        add_system(&mut roots, system)?;
    }
    let own = trust.own_authorities().into_iter();
    let own = own.filter_map(|authority| authority.name).collect();
    ExplainingVerifier::new(roots, own, provider).map_err(ClientError::Verifier)
}

/// A system's store may hold a certificate of a form that is not supported any more: what can be
/// used is, and only a store without any is an error.
fn add_system(roots: &mut RootCertStore, system: &SystemStore) -> Result<(), ClientError> {
    if let Some(given) = system {
        let (added, _) = roots.add_parsable_certificates(given.iter().cloned());
        return match added {
            0 => Err(ClientError::NoSystemCertificates),
            _ => Ok(()),
        };
    }
    // The library would read it to its end.
    if let Some(path) = env::var_os("SSL_CERT_FILE").map(PathBuf::from)
        && let Err(error) = regular_file::open(&path)
        && error.kind() == ErrorKind::InvalidInput
    {
        return Err(ClientError::CaFile {
            path,
            source: error,
        });
    }
    let found = rustls_native_certs::load_native_certs();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    match found.errors.into_iter().next() {
        Some(error) if added == 0 => Err(ClientError::SystemCertificates(error)),
        None if added == 0 => Err(ClientError::NoSystemCertificates),
        Some(error) => {
            tracing::warn!("some of this system's certificates can't be read: {error}");
            Ok(())
        }
        None => Ok(()),
    }
}
