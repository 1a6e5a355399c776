//! What may stand in the query of an address.

/// A parameter of a query.
#[derive(Clone, Copy)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    /// For people.
    pub(super) about: &'static str,
    pub(super) kind: ParameterKind,
    pub(super) required: bool,
}

/// What a parameter holds.
#[derive(Clone, Copy)]
pub(super) enum ParameterKind {
    Text,
    Boolean,
    /// A moment, as RFC 3339.
    Time,
    /// A number above 0.
    Number,
    /// One of these.
    Choice(&'static [&'static str]),
    /// Some of these, with commas in between.
    Choices(&'static [&'static str]),
}

impl Parameter {
    const fn new(name: &'static str, about: &'static str, kind: ParameterKind) -> Self {
        Self {
            name,
            about,
            kind,
            required: false,
        }
    }

    pub(super) const fn text(name: &'static str, about: &'static str) -> Self {
        Self::new(name, about, ParameterKind::Text)
    }

    pub(super) const fn boolean(name: &'static str, about: &'static str) -> Self {
        Self::new(name, about, ParameterKind::Boolean)
    }

    pub(super) const fn time(name: &'static str, about: &'static str) -> Self {
        Self::new(name, about, ParameterKind::Time)
    }

    pub(super) const fn number(name: &'static str, about: &'static str) -> Self {
        Self::new(name, about, ParameterKind::Number)
    }

    pub(super) const fn choice(
        name: &'static str,
        about: &'static str,
        choices: &'static [&'static str],
    ) -> Self {
        Self::new(name, about, ParameterKind::Choice(choices))
    }

    pub(super) const fn choices_of(
        name: &'static str,
        about: &'static str,
        choices: &'static [&'static str],
    ) -> Self {
        Self::new(name, about, ParameterKind::Choices(choices))
    }

    pub(super) const fn required(self) -> Self {
        Self {
            required: true,
            ..self
        }
    }

    /// What it may be, if that is a choice.
    pub(super) fn choices(&self) -> &'static [&'static str] {
        match self.kind {
            ParameterKind::Choice(choices) | ParameterKind::Choices(choices) => choices,
            _ => &[],
        }
    }
}
