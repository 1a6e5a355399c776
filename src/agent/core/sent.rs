//! Whether an operation was sent before, and whether it is what was asked for now.

/// Whether the server may have seen an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::agent) enum Sent {
    Never,
    /// No, and what was asked for now is something else, which is not to wait long.
    NeverInPassing,
    /// By a command before this one.
    Before,
    /// The same, in passing.
    BeforeInPassing,
}

impl Sent {
    pub(super) fn is_in_passing(self) -> bool {
        matches!(self, Self::NeverInPassing | Self::BeforeInPassing)
    }

    /// The same of an operation of which it is known that its server has not seen it.
    pub(in crate::agent) fn never(self) -> Self {
        match self {
            Self::Never | Self::Before => Self::Never,
            Self::NeverInPassing | Self::BeforeInPassing => Self::NeverInPassing,
        }
    }

    pub(in crate::agent) fn before(self) -> bool {
        matches!(self, Self::Before | Self::BeforeInPassing)
    }
}
