//! TLS on a listener: the certificate that is shown, which may change while it is served.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem};
use tokio_rustls::TlsAcceptor;

use super::channel::{self, Channel, Later, Secures};
use super::paced::Paced;
use super::stream::Stream;
use crate::{causes, regular_file};

/// How often it is looked whether the files have changed.
const INTERVAL: Duration = Duration::from_secs(5);
/// Longer than any chain of certificates.
const LENGTH_LIMIT: u64 = 1024 * 1024;
/// Part of a mode: what those may do who are neither the owner nor of the group. Some distributions have a group that
/// may read keys.
const STRANGERS: u32 = 0o007;
/// What is spoken inside.
const HTTP: &[u8] = b"http/1.1";

/// Where a server's certificate and its key are.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The certificate in PEM, followed by those that lead to a root.
    pub certificate: PathBuf,
    /// Its key in PEM.
    pub key: PathBuf,
}

/// A certificate with its key, read anew when its files change.
pub struct Tls {
    files: TlsFiles,
    shown: RwLock<Arc<ServerConfig>>,
    /// As what the files were last read, whether they were fit or not.
    read: Mutex<Stamp>,
}

/// Why a certificate and its key can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can't be read.
    #[error("can't read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What failed.
        source: io::Error,
    },
    /// A file is no PEM.
    #[error("{} holds no {what} in PEM", path.display())]
    NoPem {
        /// The file.
        path: PathBuf,
        /// What should be there.
        what: &'static str,
        /// What is wrong with it.
        source: pem::Error,
    },
    /// They don't belong together, or are of a kind that is not supported.
    #[error(
        "the certificate in {} and the key in {} can't be used together",
        certificate.display(),
        key.display()
    )]
    Unfit {
        /// The file with the certificate.
        certificate: PathBuf,
        /// The file with the key.
        key: PathBuf,
        /// What is wrong with them.
        source: rustls::Error,
    },
    /// The listener is a Unix socket.
    #[error(
        "TLS is for an IP address: listen on one, or have the proxy before the Unix socket show the certificate"
    )]
    UnixSocket,
}

impl TlsError {
    /// What to do about it, where the words don't say it.
    pub fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Unreadable { .. } => Some("let whoever runs the server read it, and nobody else"),
            Self::NoPem { .. } => Some(
                "give --tls-cert the certificate followed by those that signed it, and --tls-key its key without a passphrase",
            ),
            Self::Unfit { .. } => Some("give the key that the certificate was made for"),
            Self::UnixSocket => None,
        }
    }
}

/// Which contents of the two files these are.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp([Option<FileStamp>; 2]);

/// Device, inode, length, and when contents and inode were changed.
type FileStamp = (u64, u64, u64, (i64, i64), (i64, i64));

impl Stamp {
    fn of(files: &TlsFiles) -> Self {
        Self([&files.certificate, &files.key].map(|path| {
            let found = fs::metadata(path).ok()?;
            let (changed, moved) = (
                (found.mtime(), found.mtime_nsec()),
                (found.ctime(), found.ctime_nsec()),
            );
            Some((found.dev(), found.ino(), found.len(), changed, moved))
        }))
    }
}

impl Tls {
    /// Reads the files. A key that strangers may read is warned of.
    pub fn read(files: TlsFiles) -> Result<Self, TlsError> {
        // Before they are read: what changes meanwhile is seen at the next look.
        let stamp = Stamp::of(&files);
        let config = config(&files)?;
        Ok(Self {
            files,
            shown: RwLock::new(Arc::new(config)),
            read: Mutex::new(stamp),
        })
    }

    /// What new connections are shown.
    fn shown(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.shown.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the files anew, changed or not. New connections are shown what they hold, or what they were shown before
    /// if that is not fit, as while one of the files is written.
    pub fn read_again(&self) {
        self.renew(Stamp::of(&self.files));
    }

    fn read_if_changed(&self) {
        let stamp = Stamp::of(&self.files);
        if *self.read.lock().unwrap_or_else(PoisonError::into_inner) != stamp {
            self.renew(stamp);
        }
    }

    fn renew(&self, stamp: Stamp) {
        // One at a time: the last to read is the one that is shown.
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        *read = stamp;
        match config(&self.files) {
            Ok(config) => {
                *self.shown.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
                tracing::info!(
                    certificate = %self.files.certificate.display(),
                    "the certificate was read anew"
                );
            }
            Err(error) => tracing::warn!(
                %error,
                causes = ?causes::of(&error),
                advice = error.advice(),
                "the certificate stays the one that was read before"
            ),
        }
    }
}

impl Secures for Tls {
    fn secure(&self, stream: Paced<Stream>) -> Later<io::Result<Channel>> {
        let acceptor = TlsAcceptor::from(self.shown());
        Box::pin(async move {
            let stream = acceptor.accept(stream).await?;
            Ok(channel::secured(stream))
        })
    }

    /// Looks time and again whether the files have changed.
    fn keep_current(self: Arc<Self>) -> Later<()> {
        Box::pin(async move {
            loop {
                tokio::time::sleep(INTERVAL).await;
                let tls = Arc::clone(&self);
                // It reads files.
                let _ = tokio::task::spawn_blocking(move || tls.read_if_changed()).await;
            }
        })
    }
}

fn config(files: &TlsFiles) -> Result<ServerConfig, TlsError> {
    let chain = certificates(&files.certificate)?;
    let key = key(&files.key)?;
    let unfit = |source| TlsError::Unfit {
        certificate: files.certificate.clone(),
        key: files.key.clone(),
        source,
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(unfit)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(unfit)?;
    config.alpn_protocols = vec![HTTP.to_vec()];
    Ok(config)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let no_pem = |source| TlsError::NoPem {
        path: path.to_owned(),
        what: "certificate",
        source,
    };
    let bytes = read(path)?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<_, _>>()
        .map_err(no_pem)?;
    match chain.is_empty() {
        true => Err(no_pem(pem::Error::NoItemsFound)),
        false => Ok(chain),
    }
}

fn key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let bytes = read(path)?;
    let key = PrivateKeyDer::from_pem_slice(&bytes).map_err(|source| TlsError::NoPem {
        path: path.to_owned(),
        what: "private key",
        source,
    })?;
    if fs::metadata(path).is_ok_and(|found| found.mode() & STRANGERS != 0) {
        tracing::warn!(
            key = %path.display(),
            "anybody on this machine may read the key of the certificate: chmod 600 keeps it from them"
        );
    }
    Ok(key)
}

fn read(path: &Path) -> Result<zeroize::Zeroizing<Vec<u8>>, TlsError> {
    regular_file::read(path, LENGTH_LIMIT).map_err(|source| TlsError::Unreadable {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    fn pair() -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let own = CertificateParams::new(["localhost".to_owned()]).unwrap();
        (own.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    #[test]
    fn what_is_not_fit_is_told_and_what_was_shown_before_stays_until_both_files_fit() {
        let folder = tempfile::tempdir().unwrap();
        let files = TlsFiles {
            certificate: folder.path().join("cert.pem"),
            key: folder.path().join("key.pem"),
        };
        let write = |certificate: &str, key: &str| {
            fs::write(&files.certificate, certificate).unwrap();
            fs::write(&files.key, key).unwrap();
        };
        assert!(matches!(
            Tls::read(files.clone()),
            Err(TlsError::Unreadable { .. })
        ));
        let ((first, first_key), (second, second_key)) = (pair(), pair());
        for (certificate, key) in [("", &*first_key), (&*first, ""), ("hello", "hello")] {
            write(certificate, key);
            assert!(matches!(
                Tls::read(files.clone()),
                Err(TlsError::NoPem { .. })
            ));
        }
        write(&first, &second_key);
        assert!(matches!(
            Tls::read(files.clone()),
            Err(TlsError::Unfit { .. })
        ));
        write(&first, &first_key);
        let tls = Tls::read(files.clone()).unwrap();
        let before = tls.shown();
        tls.read_if_changed();
        assert!(Arc::ptr_eq(&before, &tls.shown()), "nothing has changed");
        // The second certificate is there before its key, and half of it before.
        let half = second.get(..second.len() / 2).unwrap();
        for certificate in [half, &second] {
            fs::write(&files.certificate, certificate).unwrap();
            tls.read_if_changed();
            assert!(Arc::ptr_eq(&before, &tls.shown()));
        }
        fs::write(&files.key, &second_key).unwrap();
        tls.read_if_changed();
        assert!(!Arc::ptr_eq(&before, &tls.shown()));
    }
}
