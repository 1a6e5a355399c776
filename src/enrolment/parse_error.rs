//! Why a text is no enrolment.

use std::borrow::Cow;

use super::{ServerUrlError, TokenError, TokenSlip};

/// Why a text is no enrolment. No message repeats any of the text, for it may hold a token.
#[derive(Debug, thiserror::Error)]
pub enum ParseError {
    /// Nothing but blanks.
    #[error("there is nothing to read: the enrolment code is empty")]
    Empty,
    /// More than [`TEXT_LIMIT`](super::TEXT_LIMIT) bytes.
    #[error("the text is far too long for an enrolment code")]
    TooLong,
    /// The address of a page or server.
    #[error("this is a web address without a token, not an enrolment code")]
    WebAddress,
    /// The address of a server, and in it a token.
    #[error("this is a web address with a token in it, not an enrolment code")]
    AddressWithToken,
    /// A setup link that was not copied from its beginning.
    #[error("the beginning of this link is cut off")]
    NoBeginning,
    /// A token, and the address of a server that lacks its scheme.
    #[error("the server's address beside this token lacks its beginning")]
    NoScheme,
    /// An address, and what is a token but for a slip.
    #[error("{0}")]
    Slip(TokenSlip),
    /// Looks like an initialization token.
    #[error("this looks like an initialization token alone")]
    TokenAlone,
    /// An address and a token, but more than one of either.
    #[error("this holds several addresses or tokens")]
    Ambiguous,
    /// A word or number, such as a ticket's secret.
    #[error("this is a single word or number, as on a ticket, not an enrolment code")]
    TicketLike,
    /// Any other text.
    #[error("this is a code of something else, not an enrolment code")]
    SomethingElse,
    /// A link of the scanner app that is not `pretixscan://setup`.
    #[error("this link is for the scanner app, but not the one that sets a device up")]
    OtherLink,
    /// An enrolment code that was typed under another keyboard layout, and can't be told from it.
    #[error(
        "this is an enrolment code, but the scanner and this system are set to different keyboard layouts, or caps lock is on"
    )]
    KeyboardLayout,
    /// An enrolment code that was typed under caps lock, and can't be told from it.
    #[error("caps lock was on while this enrolment code was typed")]
    CapsLock,
    /// Keyboard layouts under which the text is for different servers.
    #[error(
        "the scanner and this system are set to different keyboard layouts, so this code may be for {}",
        .0.join(" or ")
    )]
    DifferentServers(Vec<String>),
    /// Codes of different devices or servers in one text.
    #[error("these are different enrolment codes")]
    DifferentCodes,
    /// Begins as JSON but is damaged.
    #[error("the enrolment code is damaged")]
    BrokenJson(#[source] serde_json::Error),
    /// JSON, but a list or a value of its own; named by its kind.
    #[error("an enrolment code is a JSON object, but this is {0}")]
    NotAnObject(&'static str),
    /// `version` instead of `handshake_version`.
    #[error("this code was made for the predecessor app")]
    Predecessor,
    /// A handshake version that only later programs know.
    #[error("this code has handshake version {0}, which is newer than this app")]
    UpdateNeeded(u64),
    /// A handshake version below 1.
    #[error("this code has a handshake version that never existed, so it was not read as it is")]
    UnknownVersion,
    /// A field that is not there.
    #[error("the enrolment code lacks {0}")]
    Missing(&'static str),
    /// A field that is there twice.
    #[error("the enrolment code has {0} more than once, so it can't be trusted")]
    Duplicate(&'static str),
    /// A field without content.
    #[error("the enrolment code has an empty {0}")]
    EmptyField(&'static str),
    /// A field of the wrong kind.
    #[error("the enrolment code's {field} should be {expected}, but is {found}")]
    WrongKind {
        /// Name of the field.
        field: &'static str,
        /// The kind that it should be, as `text`.
        expected: &'static str,
        /// The kind that it is, as `a list`.
        found: &'static str,
    },
    /// A server that can't be one.
    #[error("the enrolment code's url is not that of a server")]
    Url(#[source] ServerUrlError),
    /// A token that can't be one.
    #[error("the enrolment code's token can't be used")]
    Token(#[source] TokenError),
}

impl ParseError {
    /// What to do about it, where that is known.
    pub fn advice(&self) -> Option<Cow<'static, str>> {
        let advice = match self {
            Self::Url(error) => return error.advice(),
            Self::Token(error) => error.advice(),
            Self::WebAddress => {
                "scan the device's code as the server shows it, or, if it is the server's own address, give the token with it"
            }
            Self::AddressWithToken => {
                "give the server's address and the token each for itself, or scan the device's code as the server shows it"
            }
            Self::NoBeginning => "copy the whole link, from pretixscan:// on",
            Self::NoScheme => "write https:// before it",
            Self::Slip(_) => {
                "copy the token again, or scan the device's code as the server shows it"
            }
            Self::TokenAlone => {
                "give the server's address with it, or scan the device's code as the server shows it"
            }
            Self::Ambiguous => "give the one address and the one token that are meant",
            Self::TicketLike | Self::SomethingElse => {
                "scan the device's code as the server shows it"
            }
            Self::KeyboardLayout | Self::DifferentServers(_) => {
                "set both to the same layout and scan the code again: it is still good"
            }
            Self::CapsLock => "turn it off and scan the code again: it is still good",
            Self::DifferentCodes => "scan or copy only the one that is meant",
            Self::BrokenJson(_) => "show or copy the whole code again",
            Self::Predecessor => {
                "make a device for the current app on the server and scan its code"
            }
            Self::UpdateNeeded(_) => "update this app",
            Self::UnknownVersion => "scan or copy it again",
            Self::Missing(_) | Self::EmptyField(_) => "scan or copy the whole code again",
            Self::Empty
            | Self::TooLong
            | Self::OtherLink
            | Self::NotAnObject(_)
            | Self::Duplicate(_)
            | Self::WrongKind { .. } => return None,
        };
        Some(advice.into())
    }

    /// Whether nothing of an enrolment code is in the text, be it damaged, twice or of another version.
    pub fn is_no_code(&self) -> bool {
        matches!(
            self,
            Self::Empty
                | Self::WebAddress
                | Self::AddressWithToken
                | Self::NoScheme
                | Self::Slip(_)
                | Self::TokenAlone
                | Self::TicketLike
                | Self::SomethingElse
                | Self::NotAnObject(_)
        )
    }
}
