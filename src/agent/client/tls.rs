//! Which certificates are trusted.

use std::env;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::{ClientConfig as TlsConfig, RootCertStore};

use super::ClientError;
use super::certificate::ExplainingVerifier;
use super::trust::Trust;
use crate::regular_file;

/// TLS that trusts these authorities.
pub(super) fn config(trust: &Trust) -> Result<TlsConfig, ClientError> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    // They could be used when they were read.
    roots.add_parsable_certificates(trust.certificates());
    if trust.includes_system() {
        add_system(&mut roots)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let own = trust.own_authorities().into_iter();
    let own = own.filter_map(|authority| authority.name).collect();
    let verifier = ExplainingVerifier::new(roots, own, &provider).map_err(ClientError::Verifier)?;
    let mut tls = TlsConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(ClientError::Tls)?
        .dangerous() // Only to name it: it verifies as the one that would be made of the roots.
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(tls)
}

/// A system's store may hold a certificate of a form that is not supported any more: what can be
/// used is, and only a store without any is an error.
fn add_system(roots: &mut RootCertStore) -> Result<(), ClientError> {
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
