//! What one method of an endpoint does, for people and programs that read the description of the API.

use super::parameters::Parameter;

/// What one method of an endpoint does.
#[derive(Clone, Copy)]
pub(super) struct Operation {
    pub(super) summary: &'static str,
    /// The status of its answer.
    pub(super) status: u16,
    /// The schema of its answer, by name; none for any JSON.
    pub(super) answer: Option<&'static str>,
    /// The schema of what it takes, where that is more than a list of fields.
    pub(super) takes: Option<&'static str>,
    /// What may stand in the address.
    pub(super) query: &'static [&'static [Parameter]],
    /// Whether it looks at `If-Match`.
    pub(super) conditional: bool,
    /// Other answers, which have no body.
    pub(super) silent: &'static [u16],
    /// Whether it may have any answer of another operation.
    pub(super) repeats: bool,
}

/// An operation that answers with any JSON.
pub(super) const fn does(summary: &'static str) -> Operation {
    Operation {
        summary,
        status: 200,
        answer: None,
        takes: None,
        query: &[],
        conditional: false,
        silent: &[],
        repeats: false,
    }
}

impl Operation {
    pub(super) const fn answers(self, schema: &'static str) -> Self {
        Self {
            answer: Some(schema),
            ..self
        }
    }

    pub(super) const fn creates(self, schema: &'static str) -> Self {
        Self {
            status: 201,
            answer: Some(schema),
            ..self
        }
    }

    pub(super) const fn takes(self, schema: &'static str) -> Self {
        Self {
            takes: Some(schema),
            ..self
        }
    }

    pub(super) const fn with(self, query: &'static [&'static [Parameter]]) -> Self {
        Self { query, ..self }
    }

    pub(super) const fn conditional(self) -> Self {
        Self {
            conditional: true,
            ..self
        }
    }

    pub(super) const fn or_any(self) -> Self {
        Self {
            repeats: true,
            ..self
        }
    }

    pub(super) const fn or_silent(self, silent: &'static [u16]) -> Self {
        Self { silent, ..self }
    }
}
