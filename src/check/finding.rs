//! What a check has found.

use serde::Serialize;
use tokio::sync::mpsc::UnboundedSender;

use crate::agent::AgentError;
use crate::causes;

/// A check. Its name never changes its meaning; they stand in the order in which one needs another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Id {
    /// Room on the vault's file system, and whether it can be written and is kept.
    FileSystem,
    /// Who may read and write the vault's folder and files.
    Permissions,
    /// The vault's key.
    KeyHome,
    /// The vault.
    Vault,
    /// Whether this is the hardware that the vault is bound to.
    Hardware,
    /// Whether `gatehand run` runs.
    Daemon,
    /// When the server last answered.
    LastContact,
    /// The proxy on the way.
    Proxy,
    /// The addresses of the server's name, or the proxy's.
    Dns,
    /// A connection there.
    Route,
    /// The server's certificate.
    Tls,
    /// This device's clock.
    Clock,
    /// What the server answers.
    Server,
    /// Whether it takes this device's key.
    Key,
    /// The device's security profile.
    Profile,
    /// Its gate.
    Gate,
    /// What it should scan for.
    Event,
}

impl Id {
    /// Every check.
    pub const ALL: [Self; 17] = [
        Self::FileSystem,
        Self::Permissions,
        Self::KeyHome,
        Self::Vault,
        Self::Hardware,
        Self::Daemon,
        Self::LastContact,
        Self::Proxy,
        Self::Dns,
        Self::Route,
        Self::Tls,
        Self::Clock,
        Self::Server,
        Self::Key,
        Self::Profile,
        Self::Gate,
        Self::Event,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FileSystem => "file-system",
            Self::Permissions => "permissions",
            Self::KeyHome => "key-home",
            Self::Vault => "vault",
            Self::Hardware => "hardware",
            Self::Daemon => "daemon",
            Self::LastContact => "last-contact",
            Self::Proxy => "proxy",
            Self::Dns => "dns",
            Self::Route => "route",
            Self::Tls => "tls",
            Self::Clock => "clock",
            Self::Server => "server",
            Self::Key => "key",
            Self::Profile => "profile",
            Self::Gate => "gate",
            Self::Event => "event",
        }
    }
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// All is well.
    Ok,
    /// What it needs is not there: see the check that is named.
    Skipped,
    /// It works, and somebody should see to it.
    Warning,
    /// It does not work.
    Failed,
}

impl Verdict {
    /// The same as a word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Skipped => "skipped",
            Self::Warning => "warning",
            Self::Failed => "failed",
        }
    }
}

/// What can be done about a finding.
#[derive(Debug)]
pub enum Help {
    /// This.
    Words(String),
    /// What is advised on this error.
    Of(Box<AgentError>),
}

/// What a check has found.
#[derive(Debug)]
pub struct Finding {
    /// Which check.
    pub id: Id,
    /// How it ended.
    pub verdict: Verdict,
    /// What was found.
    pub words: String,
    /// What can be done about it.
    pub help: Option<Help>,
    /// The check that failed, because of which this one was skipped.
    pub because: Option<Id>,
}

impl Finding {
    fn new(id: Id, verdict: Verdict, words: impl Into<String>) -> Self {
        Self {
            id,
            verdict,
            words: words.into(),
            help: None,
            because: None,
        }
    }

    pub(super) fn ok(id: Id, words: impl Into<String>) -> Self {
        Self::new(id, Verdict::Ok, words)
    }

    pub(super) fn warning(id: Id, words: impl Into<String>) -> Self {
        Self::new(id, Verdict::Warning, words)
    }

    pub(super) fn failed(id: Id, words: impl Into<String>) -> Self {
        Self::new(id, Verdict::Failed, words)
    }

    pub(super) fn skipped(id: Id, because: Id) -> Self {
        Self {
            because: Some(because),
            ..Self::new(
                id,
                Verdict::Skipped,
                format!("not looked at, as {} failed", because.name()),
            )
        }
    }

    /// The same with what to do.
    pub(super) fn advising(self, help: impl Into<String>) -> Self {
        Self {
            help: Some(Help::Words(help.into())),
            ..self
        }
    }

    /// Of an error, with what is advised on it.
    pub(super) fn of(id: Id, error: impl Into<AgentError>) -> Self {
        let error = error.into();
        Self {
            help: Some(Help::Of(Box::new(error))),
            ..Self::failed(id, String::new())
        }
        .told()
    }

    fn told(mut self) -> Self {
        if let Some(Help::Of(error)) = &self.help {
            let words = std::iter::once(error.to_string()).chain(causes::of(&**error));
            self.words = words.collect::<Vec<_>>().join(": ");
        }
        self
    }
}

/// What all checks have found so far.
#[derive(Default)]
pub(super) struct Findings {
    all: Vec<Finding>,
    /// Who is told of each as soon as it is there, and so knows which one did not end.
    listener: Option<UnboundedSender<Finding>>,
}

impl Findings {
    /// Tells each one, and keeps which there are.
    pub(super) fn telling(listener: UnboundedSender<Finding>) -> Self {
        Self {
            listener: Some(listener),
            ..Self::default()
        }
    }

    pub(super) fn add(&mut self, finding: Finding) {
        self.all.retain(|known| known.id != finding.id);
        let kept = match &self.listener {
            Some(listener) => {
                let kept = Finding::new(finding.id, finding.verdict, "");
                // With nobody there any more, it is of no use.
                let _ = listener.send(finding);
                kept
            }
            None => finding,
        };
        self.all.push(kept);
    }

    pub(super) fn skip(&mut self, ids: &[Id], because: Id) {
        for id in ids {
            if !self.has(*id) {
                self.add(Finding::skipped(*id, because));
            }
        }
    }

    pub(super) fn has(&self, id: Id) -> bool {
        self.all.iter().any(|known| known.id == id)
    }

    pub(super) fn has_failed(&self, id: Id) -> bool {
        let mut all = self.all.iter();
        all.any(|known| known.id == id && known.verdict == Verdict::Failed)
    }

    /// All of them in their order.
    pub(super) fn into_all(mut self) -> Vec<Finding> {
        self.all.sort_by_key(|finding| finding.id);
        self.all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_has_its_place_and_its_name() {
        for (place, id) in Id::ALL.into_iter().enumerate() {
            assert_eq!(id as usize, place, "{id:?}");
            assert_eq!(serde_json::to_value(id).unwrap(), id.name());
        }
        assert_eq!(Id::ALL.last(), Some(&Id::Event));
    }
}
