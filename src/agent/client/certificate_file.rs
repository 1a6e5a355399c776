//! Reading a file with certificates, and telling what else it is.

use std::path::Path;

use memchr::memmem;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};

use super::client_error::ClientError;
use crate::regular_file;

/// Largest file of certificates that is read, in bytes: most of it may be remarks.
const FILE_LIMIT: u64 = 8 * 1024 * 1024;

/// The certificates in a file, each once, of `limit` bytes together at most.
pub(super) fn read(path: &Path, limit: usize) -> Result<Vec<CertificateDer<'static>>, ClientError> {
    let path = || path.to_owned();
    let file = regular_file::read(&path(), FILE_LIMIT).map_err(|source| ClientError::CaFile {
        path: path(),
        source,
    })?;
    if let Some(kind) = other_in_der(&file) {
        return Err(ClientError::NotCertificate { path: path(), kind });
    }
    let mut usable = RootCertStore::empty();
    let mut certificates: Vec<CertificateDer<'static>> = Vec::new();
    for certificate in in_file(&file) {
        let certificate = certificate.map_err(|error| ClientError::DamagedFile {
            path: path(),
            damage: damage(&error),
        })?;
        usable
            .add(certificate.clone())
            .map_err(|source| ClientError::BadCertificate {
                path: path(),
                source,
            })?;
        if !certificates.contains(&certificate) {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() {
        return Err(match other_in_pem(&file) {
            Some(kind) => ClientError::NotCertificate { path: path(), kind },
            None => ClientError::NoCertificate { path: path() },
        });
    }
    if certificates.iter().map(|one| one.len()).sum::<usize>() > limit {
        return Err(ClientError::TooManyCertificates {
            path: path(),
            limit,
        });
    }
    Ok(certificates)
}

/// The certificates of a PEM file, or the one of a file in DER form, as Windows exports it.
fn in_file(
    file: &[u8],
) -> Box<dyn Iterator<Item = Result<CertificateDer<'static>, pem::Error>> + '_> {
    const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
    // A sequence whose length takes two bytes.
    const DER: &[u8] = b"\x30\x82";
    match file.starts_with(DER) {
        true => Box::new(std::iter::once(Ok(file.to_owned().into()))),
        false => {
            let text = file.strip_prefix(BYTE_ORDER_MARK).unwrap_or(file);
            Box::new(CertificateDer::pem_slice_iter(text))
        }
    }
}

/// What is wrong with a file in PEM form; the library says it in bytes.
fn damage(error: &pem::Error) -> &'static str {
    match error {
        pem::Error::MissingSectionEnd { .. } => {
            "it is cut off: a line -----END …----- that belongs to a -----BEGIN …----- is missing"
        }
        pem::Error::IllegalSectionStart { .. } => {
            "a line that begins with -----BEGIN does not end with -----"
        }
        pem::Error::Base64Decode(_) => "what stands between its BEGIN and END is not Base64",
        _ => "it can't be read as PEM",
    }
}

const PRIVATE_KEY: &str = "a private key";
const PKCS_7: &str = "certificates in a .p7b file (PKCS #7)";

/// What a file in DER form is that begins as none with a certificate does.
fn other_in_der(file: &[u8]) -> Option<&'static str> {
    const SIGNED_DATA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
    const PKCS_12_VERSION: &[u8] = b"\x02\x01\x03";
    let (tag, rest) = file.split_first()?;
    let (length, rest) = rest.split_first()?;
    // A longer length stands in as many bytes as the first one's other bits say.
    let more = if *length > 0x80 { length & 0x7f } else { 0 };
    let inner = rest.get(usize::from(more)..)?;
    let begins = |with: &[u8]| *tag == 0x30 && inner.starts_with(with);
    if begins(SIGNED_DATA) {
        Some(PKCS_7)
    } else if begins(PKCS_12_VERSION) {
        Some("a .p12 or .pfx file (PKCS #12)")
    } else if begins(b"\x02\x01\x00") || begins(b"\x02\x01\x01\x04") {
        Some(PRIVATE_KEY)
    } else {
        None
    }
}

/// What a file in PEM form is that holds no certificate.
fn other_in_pem(file: &[u8]) -> Option<&'static str> {
    let kinds = [
        ("PRIVATE KEY-----", PRIVATE_KEY),
        ("-----BEGIN PKCS7-----", PKCS_7),
        ("-----BEGIN CMS-----", PKCS_7),
        ("CERTIFICATE REQUEST-----", "a request for a certificate"),
        ("PUBLIC KEY-----", "a public key"),
    ];
    let mut kinds = kinds.into_iter();
    kinds.find_map(|(mark, kind)| memmem::find(file, mark.as_bytes()).map(|_| kind))
}
