//! What an agent that makes many calls remembers of its vault, as long as nobody changes that.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use url::Url;

use crate::agent::client::Trust;
use crate::agent::record::Identity;
use crate::agent::state::State;
use crate::mask::Mask;
use crate::secret::Secret;
use crate::vault::Watch;

/// Who the device is, and its key.
pub(in crate::agent) struct Known {
    pub(in crate::agent) identity: Identity,
    pub(in crate::agent) key: Secret,
    /// Keeps the key out of what is handed on.
    pub(in crate::agent) mask: Arc<Mask>,
    pub(in crate::agent) state: State,
    pub(in crate::agent) trust: Trust,
    /// In PEM, if the device has an RSA key.
    pub(in crate::agent) rsa_pubkey: Option<String>,
    pub(in crate::agent) last: Last,
    pub(in crate::agent) reported: Reported,
}

/// Of which description the server was found to know all.
#[derive(Default)]
pub(in crate::agent) struct Reported(Mutex<Option<u64>>);

impl Reported {
    /// Whether nothing has to be reported, which `find` finds out for a description of another version, or of none.
    pub(in crate::agent) fn is_all<E>(
        &self,
        version: Option<u64>,
        find: impl FnOnce() -> Result<bool, E>,
    ) -> Result<bool, E> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if version.is_some() && *known == version {
            return Ok(true);
        }
        let is_all = find()?;
        *known = version.filter(|_| is_all);
        Ok(is_all)
    }
}

/// Where the last call went: the next one mostly goes there again.
#[derive(Default)]
pub(in crate::agent) struct Last(Mutex<Option<(String, Url)>>);

impl Last {
    /// Where a path leads, which was allowed if it is remembered.
    pub(in crate::agent) fn address<E>(
        &self,
        path: &str,
        find: impl FnOnce() -> Result<Url, E>,
    ) -> Result<Url, E> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some((known, url)) if known == path => Ok(url.clone()),
            _ => {
                let url = find()?;
                *last = Some((path.to_owned(), url.clone()));
                Ok(url)
            }
        }
    }
}

/// The device as the vault has it. The vault's own key is in memory as well, so that the device's is
/// no less safe there.
#[derive(Default)]
pub(in crate::agent) struct Memory(Mutex<Option<Kept>>);

struct Kept {
    watch: Watch,
    known: Arc<Known>,
}

impl Memory {
    fn kept(&self) -> MutexGuard<'_, Option<Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was remembered, if it is still so: the vault is looked at each time, so that no key is used that another
    /// process has replaced before.
    pub(super) fn recall(&self) -> Option<Arc<Known>> {
        let mut kept = self.kept();
        if let Some(kept) = &mut *kept
            && kept.watch.is_unchanged()
        {
            return Some(Arc::clone(&kept.known));
        }
        *kept = None;
        None
    }

    /// Remembers what was read after `watch` had begun.
    pub(in crate::agent) fn remember(&self, watch: Watch, known: &Arc<Known>) {
        *self.kept() = Some(Kept {
            watch,
            known: Arc::clone(known),
        });
    }

    /// Closes the vault, for a change that is to come.
    pub(super) fn forget(&self) {
        *self.kept() = None;
    }
}
