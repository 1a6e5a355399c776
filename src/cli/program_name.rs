//! Which of the two programs this process is, for what it tells people to type.

use std::sync::OnceLock;

/// A program of this package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProgramName {
    /// `gatehand`, which has all commands or starts the other program for some.
    Gatehand,
    /// `gatehand-server`, with the commands of a server alone.
    #[cfg_attr(
        not(feature = "server"),
        expect(dead_code, reason = "a build without the server is the other one")
    )]
    Server,
}

static THIS: OnceLock<ProgramName> = OnceLock::new();

impl ProgramName {
    /// That of this process, from now on.
    pub(super) fn is_of_this_process(self) {
        // It is said once, at the start.
        let _ = THIS.set(self);
    }

    /// That of this process.
    pub(super) fn of_this_process() -> Self {
        THIS.get().copied().unwrap_or(Self::Gatehand)
    }

    /// As it is typed.
    pub(super) fn typed(self) -> &'static str {
        match self {
            Self::Gatehand => "gatehand",
            Self::Server => "gatehand-server",
        }
    }
}
