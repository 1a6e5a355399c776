//! Which certificate authorities a device trusts, told once and kept with its identity.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use base64::prelude::{BASE64_STANDARD, Engine};
use jiff::Timestamp;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use x509_cert::Certificate;
use x509_cert::der::Decode;

use super::device::Device;
use super::identity::Identity;
use super::intent::Sent;
use super::journal::{self, BegunEnrolment};
use super::{Agent, AgentError, Client, ClientError};
use crate::enrolment::ServerUrl;
use crate::regular_file;
use crate::shown;
use crate::vault::{Change, Vault, VaultError};

const ENTRY: &str = "trust";
/// Largest file of certificates that is read, in bytes: most of it may be remarks.
const FILE_LIMIT: u64 = 8 * 1024 * 1024;
/// Certificates that are kept at most, in bytes; those of a whole system are some 150,000.
pub(super) const KEPT_LIMIT: usize = 256 * 1024;

/// Which authorities are trusted: always Mozilla's, which are built in since those of an old handheld
/// are stale, and besides them these.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trust {
    #[serde(default, serialize_with = "code", deserialize_with = "decode")]
    certificates: Vec<CertificateDer<'static>>,
    #[serde(default)]
    system: bool,
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
        let certificates = read_file(path)?;
        Ok(Self {
            certificates,
            ..self
        })
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

    pub(super) fn certificates(&self) -> impl Iterator<Item = CertificateDer<'static>> {
        self.certificates.iter().cloned()
    }

    pub(super) fn is_built_in_only(&self) -> bool {
        *self == Self::default()
    }

    /// Bytes that it takes up in the vault, and some.
    pub(super) fn size(&self) -> usize {
        let coded = |certificate: &CertificateDer<'_>| certificate.len() / 3 * 4 + 16;
        self.certificates.iter().map(coded).sum()
    }

    /// What is kept with this identity. An entry that does not open is that of another one, which an
    /// older version has left: without it less is trusted, never more.
    pub(super) fn load(vault: &Vault, identity: &Identity) -> Result<Self, AgentError> {
        match super::device::sealed_entry(vault, ENTRY, &identity.context()) {
            Err(AgentError::Vault(VaultError::Seal { .. })) => Ok(Self::default()),
            trust => Ok(trust?.unwrap_or_default()),
        }
    }

    /// Sealed like the key, so that whoever can write into the file adds nobody who is trusted.
    pub(super) fn store(&self, change: &Change<'_>, identity: &Identity) -> Result<(), AgentError> {
        match self.is_built_in_only() {
            true => Ok(change.remove(ENTRY)?),
            false => journal::seal(change, ENTRY, &identity.context(), self),
        }
    }
}

fn read_file(path: &Path) -> Result<Vec<CertificateDer<'static>>, ClientError> {
    let failed = |source| ClientError::CaFile {
        path: path.to_owned(),
        source,
    };
    let file =
        regular_file::read(path, FILE_LIMIT).map_err(|source| failed(pem::Error::Io(source)))?;
    let mut usable = RootCertStore::empty();
    let mut certificates: Vec<CertificateDer<'static>> = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(&file) {
        let certificate = certificate.map_err(failed)?;
        usable
            .add(certificate.clone())
            .map_err(|source| ClientError::BadCertificate {
                path: path.to_owned(),
                source,
            })?;
        if !certificates.contains(&certificate) {
            certificates.push(certificate);
        }
    }
    let path = || PathBuf::from(path);
    if certificates.is_empty() {
        return Err(ClientError::NoCertificate { path: path() });
    }
    if certificates.iter().map(|one| one.len()).sum::<usize>() > KEPT_LIMIT {
        return Err(ClientError::TooManyCertificates {
            path: path(),
            limit: KEPT_LIMIT,
        });
    }
    Ok(certificates)
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

/// The client that was last made for a trust that was kept, so that its connections are used again.
#[derive(Default)]
pub(super) struct KeptClient(Mutex<Option<(Trust, Client)>>);

impl Agent {
    /// What was given now, or else what was kept.
    pub(super) fn given_or<'a>(&'a self, kept: &'a Trust) -> &'a Trust {
        self.client.given_trust().unwrap_or(kept)
    }

    /// The agent's client, trusting just these.
    pub(super) fn trusting(&self, trust: &Trust) -> Result<Client, AgentError> {
        let own = self.client.given_trust();
        if own.map_or(trust.is_built_in_only(), |own| own == trust) {
            return Ok(self.client.clone());
        }
        let mut kept = self
            .kept_client
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some((its, client)) if its == trust => Ok(client.clone()),
            _ => {
                let client = self.client.trusting(trust)?;
                *kept = Some((trust.clone(), client.clone()));
                Ok(client)
            }
        }
    }

    /// The client for the device's server, with which `kept` is kept.
    pub(super) fn client_at(&self, kept: &Trust) -> Result<Client, AgentError> {
        self.trusting(self.given_or(kept))
    }

    /// Whom a new enrolment at `server` trusts: who was trusted there before, unless something was
    /// given. What one server needs is no reason to trust the same at another.
    pub(super) fn trust_at(&self, server: &ServerUrl, device: &Device) -> Trust {
        if let Some(given) = self.client.given_trust() {
            return given.clone();
        }
        let begun = device.enrolment.as_ref();
        let begun = begun.map(|begun| (&begun.server, &begun.trust));
        let enrolled = device.identity.as_ref();
        let enrolled = enrolled.map(|identity| (&identity.server, &device.trust));
        [begun, enrolled]
            .into_iter()
            .flatten()
            .find(|(there, _)| is_same_server(there, server))
            .map_or_else(Trust::default, |(_, trust)| trust.clone())
    }

    /// Whom a begun enrolment trusts now. What is given with a call of the device that is there is
    /// meant for that one's server.
    pub(super) fn trust_of_begun(
        &self,
        begun: &BegunEnrolment,
        device: &Device,
        sent: Sent,
    ) -> Trust {
        let is_beside_the_point = sent.is_in_passing()
            && device
                .identity
                .as_ref()
                .is_some_and(|identity| !is_same_server(&identity.server, &begun.server));
        match is_beside_the_point {
            true => begun.trust.clone(),
            false => self.given_or(&begun.trust).clone(),
        }
    }

    /// Keeps what was given, now that it has led to the device's server. It is not what was asked
    /// for: where it can't be stored, that is told, and the answer counts.
    pub(super) fn keep_given(&self, identity: &Identity, kept: &Trust) {
        let Some(given) = self.client.given_trust().filter(|given| *given != kept) else {
            return;
        };
        let stored = Vault::open(&self.folder)
            .map_err(AgentError::from)
            .and_then(|mut vault| {
                vault.change(|change| match identity.is_in(change)? {
                    true => given.store(change, identity),
                    false => Ok(()),
                })
            });
        if let Err(error) = stored {
            error.warn();
        }
    }
}

/// Whether a connection to one is a connection to the other.
pub(super) fn is_same_server(one: &ServerUrl, other: &ServerUrl) -> bool {
    one.exact_origin() == other.exact_origin()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::Folder;
    use crate::wire::DeviceIdentity;

    fn identity(serial: &str) -> Identity {
        let device = serde_json::json!({
            "organizer": "bigevents", "device_id": 7, "unique_serial": serial, "api_token": "k",
            "name": "Lane 7", "security_profile": "full", "gate": null,
        });
        let device: DeviceIdentity = serde_json::from_value(device).unwrap();
        Identity::new("https://tickets.example".parse().unwrap(), device)
    }

    #[test]
    fn an_entry_of_another_identity_or_none_means_the_built_in_ones() {
        let scratch = tempfile::tempdir().unwrap();
        let mut vault = Vault::open(&Folder::at(scratch.path().join("vault")).unwrap()).unwrap();
        let (this, other) = (identity("ABCDEFGH12345678"), identity("OTHERONE12345678"));
        assert_eq!(Trust::load(&vault, &this).unwrap(), Trust::default());
        let trust = Trust {
            certificates: vec![vec![0, 1, 254, 255].into()],
            system: true,
        };
        vault.change(|change| trust.store(change, &this)).unwrap();
        assert_eq!(Trust::load(&vault, &this).unwrap(), trust);
        assert_eq!(Trust::load(&vault, &other).unwrap(), Trust::default());
        let nothing = Trust::default();
        vault.change(|change| nothing.store(change, &this)).unwrap();
        assert!(!vault.has_sealed(ENTRY).unwrap());
    }

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
