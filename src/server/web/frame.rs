//! What stands around every page: its language, where it is, and who is signed in.

use std::borrow::Cow;
use std::fmt::Display;
use std::sync::Arc;

use hyper::Uri;
use hyper::header::HeaderMap;

use super::assets;
use super::language::Language;
use super::session::Who;
use super::state::State;
use super::texts::{self, alone, named};

/// What stands around a page.
#[derive(Clone)]
pub(super) struct Frame {
    pub(super) language: Language,
    /// The path of the public address, without a slash at the end.
    prefix: Arc<str>,
    /// The path that was asked for with its query, below the public address.
    here: String,
    /// Whether a part of a page is asked for, by a script of it.
    pub(super) is_part: bool,
    pub(super) who: Option<Arc<Who>>,
}

impl Frame {
    pub(super) fn of(state: &State, uri: &Uri, headers: &HeaderMap) -> Self {
        let here = uri.path_and_query().map_or("/", |here| here.as_str());
        Self {
            language: Language::of(headers),
            prefix: state.prefix().into(),
            here: here.to_owned(),
            is_part: headers.contains_key("hx-request"),
            who: None,
        }
    }

    /// The same at the page's root.
    pub(super) fn at_root(self) -> Self {
        Self {
            here: "/".to_owned(),
            ..self
        }
    }

    /// The text of this name.
    pub(super) fn say(&self, name: &'static str) -> &'static str {
        texts::say(self.language, name)
    }

    /// The same with something in its place.
    pub(super) fn fill(&self, name: &'static str, place: &str, with: impl Display) -> String {
        texts::fill(self.language, name, place, with)
    }

    /// A path of the page as a browser asks for it.
    pub(super) fn to(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    /// Where an asset is, as a browser asks for it.
    pub(super) fn asset(&self, name: &str) -> String {
        self.to(&assets::path(name))
    }

    /// Where it is, below the public address.
    pub(super) fn here(&self) -> &str {
        &self.here
    }

    /// Whether it is below this path.
    pub(super) fn is_at(&self, path: &str) -> bool {
        let rest = self.here.strip_prefix(path);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
    }

    /// What a form sends to show that it is one of ours.
    pub(super) fn csrf(&self) -> &str {
        self.who.as_ref().map_or("", |who| who.csrf.as_str())
    }

    /// Whether who is signed in may change devices.
    pub(super) fn may_write(&self) -> bool {
        self.who.as_ref().is_some_and(|who| who.may_write())
    }

    /// The organizer's name, as it may be shown.
    pub(super) fn organizer(&self) -> Cow<'_, str> {
        let who = self.who.as_ref();
        who.map_or_else(Cow::default, |who| alone(&who.session.organizer_name))
    }

    /// The same for the middle of a text.
    pub(super) fn organizer_named(&self) -> String {
        let who = self.who.as_ref();
        who.map_or_else(String::new, |who| named(&who.session.organizer_name))
    }

    /// The team's name, as it may be shown.
    pub(super) fn team(&self) -> Cow<'_, str> {
        let who = self.who.as_ref();
        who.map_or_else(Cow::default, |who| alone(&who.session.team_name))
    }

    /// The other languages.
    pub(super) fn other_languages(&self) -> impl Iterator<Item = Language> {
        let own = self.language;
        Language::ALL
            .into_iter()
            .filter(move |language| *language != own)
    }
}
