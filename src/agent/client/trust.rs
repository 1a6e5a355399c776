//! Which certificate authorities are trusted.

use std::path::Path;

use base64::prelude::{BASE64_STANDARD, Engine};
use jiff::Timestamp;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use x509_cert::Certificate;
use x509_cert::der::Decode;

use super::certificate_file;
use super::client_error::ClientError;
use super::pinned;
use crate::shown;

/// Certificates that are kept at most, in bytes; those of a whole system are some 150,000.
pub(in crate::agent) const KEPT_LIMIT: usize = 256 * 1024;

/// Which authorities are trusted: always Mozilla's, which are built in since those of an old handheld
/// are stale, and besides them these. Or one certificate of the server alone, and no authority.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trust {
    #[serde(default, serialize_with = "code", deserialize_with = "decode")]
    certificates: Vec<CertificateDer<'static>>,
    #[serde(default)]
    system: bool,
    /// The one that the server has to show; nothing else counts then. What an older version keeps of this is
    /// less trust, never more.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "code_one",
        deserialize_with = "decode_one"
    )]
    pinned: Option<CertificateDer<'static>>,
}

/// A certificate that is trusted besides the built-in ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnAuthority {
    /// Whom it names, if it can be read.
    pub name: Option<String>,
    /// Until when it is valid, if that can be read.
    pub valid_until: Option<Timestamp>,
}

impl OwnAuthority {
    fn of(certificate: &CertificateDer<'_>) -> Self {
        let certificate = Certificate::from_der(certificate).ok();
        let certificate = certificate.as_ref().map(Certificate::tbs_certificate);
        Self {
            name: certificate.map(|it| shown::line(&it.subject().to_string())),
            valid_until: certificate.and_then(|it| {
                let end = it.validity().not_after.to_unix_duration();
                Timestamp::from_second(i64::try_from(end.as_secs()).ok()?).ok()
            }),
        }
    }
}

impl Trust {
    /// The same with the certificates of a PEM file in place of those it has.
    pub fn with_file(self, path: &Path) -> Result<Self, ClientError> {
        let certificates = certificate_file::read(path, KEPT_LIMIT)?;
        Ok(Self {
            certificates,
            ..self
        })
    }

    /// The same with these certificates, each in DER, in place of those it has.
    pub fn with_certificates(
        self,
        certificates: impl IntoIterator<Item = Vec<u8>>,
    ) -> Result<Self, ClientError> {
        let mut usable = RootCertStore::empty();
        let mut kept: Vec<CertificateDer<'static>> = Vec::new();
        for certificate in certificates {
            let certificate = CertificateDer::from(certificate);
            usable
                .add(certificate.clone())
                .map_err(ClientError::GivenCertificate)?;
            if !kept.contains(&certificate) {
                kept.push(certificate);
            }
        }
        if kept.iter().map(|one| one.len()).sum::<usize>() > KEPT_LIMIT {
            return Err(ClientError::TooManyGiven { limit: KEPT_LIMIT });
        }
        Ok(Self {
            certificates: kept,
            ..self
        })
    }

    /// Trusts a server that shows just this certificate, in DER, and has its key: whoever signed it, whatever
    /// names it is for, and whenever it ends. For a server without a name of its own, as one at a numeric
    /// address.
    pub fn pinned(certificate: Vec<u8>) -> Result<Self, ClientError> {
        let certificate = CertificateDer::from(certificate);
        pinned::check(&certificate)?;
        if certificate.len() > KEPT_LIMIT {
            return Err(ClientError::TooManyGiven { limit: KEPT_LIMIT });
        }
        Ok(Self {
            pinned: Some(certificate),
            ..Self::default()
        })
    }

    /// The certificate that the server has to show, if it is that alone which counts.
    pub fn pinned_certificate(&self) -> Option<OwnAuthority> {
        self.pinned.as_ref().map(OwnAuthority::of)
    }

    pub(super) fn pin(&self) -> Option<&CertificateDer<'static>> {
        self.pinned.as_ref()
    }

    /// The same with this system's certificates, which are read whenever a client is made, or without.
    pub fn with_system_certificates(self, system: bool) -> Self {
        Self { system, ..self }
    }

    /// Whether this system's certificates are trusted.
    pub fn includes_system(&self) -> bool {
        self.system
    }

    /// The certificates that are trusted besides the built-in ones and the system's.
    pub fn own_authorities(&self) -> Vec<OwnAuthority> {
        self.certificates.iter().map(OwnAuthority::of).collect()
    }

    pub(in crate::agent) fn certificates(&self) -> impl Iterator<Item = CertificateDer<'static>> {
        self.certificates.iter().cloned()
    }

    pub(in crate::agent) fn is_built_in_only(&self) -> bool {
        *self == Self::default()
    }

    /// Bytes that it takes up in the vault, and some.
    pub(in crate::agent) fn size(&self) -> usize {
        let coded = |certificate: &CertificateDer<'_>| certificate.len() / 3 * 4 + 16;
        let all = self.certificates.iter().chain(&self.pinned);
        all.map(coded).sum()
    }
}

fn code<S: Serializer>(
    certificates: &[CertificateDer<'static>],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(certificates.iter().map(|one| BASE64_STANDARD.encode(one)))
}

fn decode<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<CertificateDer<'static>>, D::Error> {
    let coded = Vec::<String>::deserialize(deserializer)?;
    coded
        .iter()
        .map(|one| BASE64_STANDARD.decode(one).map(CertificateDer::from))
        .collect::<Result<_, _>>()
        .map_err(de::Error::custom)
}

fn code_one<S: Serializer>(
    certificate: &Option<CertificateDer<'static>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let coded = certificate.as_ref().map(|one| BASE64_STANDARD.encode(one));
    coded.serialize(serializer)
}

fn decode_one<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<CertificateDer<'static>>, D::Error> {
    let coded = Option::<String>::deserialize(deserializer)?;
    coded
        .map(|one| BASE64_STANDARD.decode(one).map(CertificateDer::from))
        .transpose()
        .map_err(de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_takes_no_more_room_than_is_reserved_for_it() {
        for lengths in [
            vec![],
            vec![1],
            vec![2, 3],
            vec![KEPT_LIMIT],
            vec![999; 200],
        ] {
            let trust = Trust {
                certificates: lengths.iter().map(|&long| vec![7; long].into()).collect(),
                system: false,
                pinned: lengths.first().map(|&long| vec![7; long].into()),
            };
            let length = serde_json::to_vec(&trust).unwrap().len();
            assert!(length <= trust.size() + 64, "{lengths:?}");
        }
    }

    #[test]
    fn a_certificate_that_cannot_be_read_has_no_name() {
        let strange = OwnAuthority::of(&vec![1, 2, 3].into());
        let expected = OwnAuthority {
            name: None,
            valid_until: None,
        };
        assert_eq!(strange, expected);
    }
}
