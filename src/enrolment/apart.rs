//! A server's address and a token that stand in a text each for itself, and not as a code.

use super::around::{is_of_sentence, unframed};
use super::usual_token::is_usual_token;
use super::{Enrolment, ParseError, ServerUrl, ServerUrlError, TokenSlip};
use crate::secret::Secret;

/// Addresses and tokens of a text, each once.
#[derive(Default)]
pub(super) struct Apart {
    addresses: Vec<ServerUrl>,
    tokens: Vec<Secret>,
    /// Whether there is an address that lacks its scheme.
    has_bare_host: bool,
    /// What would be a token but for a slip.
    slip: Option<TokenSlip>,
}

impl Apart {
    pub(super) fn find(text: &str) -> Self {
        let mut apart = Self::default();
        for word in text.split(|c: char| c.is_whitespace() || c.is_control() || is_around(c)) {
            apart.take(unframed(word).trim_end_matches(is_of_sentence));
        }
        apart
    }

    /// Takes a word, which may have a label before it, as `Token:` or `url=`.
    fn take(&mut self, word: &str) {
        let address = ["https://", "http://"]
            .iter()
            .find_map(|scheme| word.get(word.find(scheme)?..));
        if let Some(address) = address.and_then(|address| address.parse().ok()) {
            if !self.addresses.contains(&address) {
                self.addresses.push(address);
            }
            return;
        }
        let token = word.rsplit([':', '=']).next().unwrap_or(word);
        let is_known = |known: &Secret| known.expose() == token;
        if is_usual_token(token) {
            if !self.tokens.iter().any(is_known) {
                self.tokens.push(Secret::new(token.to_owned()));
            }
            return;
        }
        self.slip = self.slip.or(TokenSlip::in_word(token));
        let unlabelled = word.split_once([':', '=']).map(|(_, word)| word);
        self.has_bare_host |= [Some(word), unlabelled]
            .into_iter()
            .flatten()
            .any(|word| matches!(word.parse::<ServerUrl>(), Err(ServerUrlError::NoScheme(_))));
    }

    /// The enrolment, if there are an address and a token, and no other ones that could be meant; what is
    /// wrong, if there nearly are.
    pub(super) fn enrolment(mut self) -> Option<Result<Enrolment, ParseError>> {
        match (self.addresses.pop(), self.tokens.pop()) {
            (Some(url), Some(token)) if self.addresses.is_empty() && self.tokens.is_empty() => {
                Some(Enrolment::new(url, token).map_err(ParseError::Token))
            }
            (Some(_), Some(_)) => Some(Err(ParseError::Ambiguous)),
            (None, Some(_)) if self.has_bare_host => Some(Err(ParseError::NoScheme)),
            (Some(_), None) => self.slip.map(|slip| Err(ParseError::Slip(slip))),
            _ => None,
        }
    }

    fn only_token(mut self) -> Option<Secret> {
        let token = self.tokens.pop();
        token.filter(|_| self.tokens.is_empty() && self.addresses.is_empty())
    }
}

/// What people and programs put around addresses and tokens.
fn is_around(c: char) -> bool {
    matches!(
        c,
        '<' | '>' | '(' | ')' | '"' | '\'' | ',' | ';' | '`' | '|' | '*'
    )
}

/// The token in a text that says that it holds one, as `Initialization token: kpp4jn8g2ynzonp6`.
pub(super) fn labelled_token(text: &str) -> Option<Secret> {
    let says_so = text.to_ascii_lowercase().contains("token");
    says_so.then(|| Apart::find(text).only_token()).flatten()
}

#[cfg(test)]
mod tests {
    use super::super::Reading;
    use super::*;

    const URL: &str = "http://127.0.0.1:8345";
    const TOKEN: &str = "r0m771huuvfcbqrd";

    #[test]
    fn an_address_and_a_token_side_by_side_are_read_and_are_no_code() {
        for text in [
            format!("{URL}\n{TOKEN}"),
            format!("{URL} {TOKEN}"),
            format!("{TOKEN}\t{URL}\r\n"),
            format!("System URL: {URL}\nToken: {TOKEN}"),
            format!("url={URL}\rtoken={TOKEN}"),
            format!("URL:{URL}/\nInitialization token:{TOKEN}."),
            format!("Go to <{URL}> and enter “{TOKEN}”, please."),
            format!("{URL} {TOKEN}\r{URL} {TOKEN}\r"),
            format!("\u{1b}[200~{URL}\n{TOKEN}\u{1b}[201~"),
        ] {
            let reading = Reading::of(&text, None).map_err(|error| format!("{error}: {text:?}"));
            let reading = reading.unwrap();
            assert!(reading.is_put_together(), "{text:?}");
            assert_eq!(reading.enrolment().url().to_string(), URL, "{text:?}");
            assert_eq!(reading.enrolment().token().expose(), TOKEN, "{text:?}");
        }
        let code = format!(r#"{{"handshake_version":1,"url":"{URL}","token":"{TOKEN}"}}"#);
        assert!(!Reading::of(&code, None).ok().unwrap().is_put_together());
    }

    #[test]
    fn what_could_be_meant_otherwise_is_not_guessed() {
        for text in [
            format!("{URL} https://pretix.eu {TOKEN}"),
            format!("{URL} {TOKEN} kpp4jn8g2ynzonp6"),
        ] {
            let error = Reading::of(&text, None).err();
            assert!(matches!(error, Some(ParseError::Ambiguous)), "{text}");
        }
        for (text, expected) in [
            (format!("Initialization token: {TOKEN}"), "TokenAlone"),
            (format!("{URL}/{TOKEN}"), "AddressWithToken"),
            (format!("{URL}/control?token={TOKEN}"), "AddressWithToken"),
            (format!("{URL}?token={TOKEN}"), "AddressWithToken"),
            (format!("pretix.eu/{TOKEN}"), "AddressWithToken"),
            (format!("{URL}/multilingualism2"), "AddressWithToken"),
            (format!("{URL}/internationalize"), "WebAddress"),
            (format!("URL: localhost:8444\nToken: {TOKEN}"), "NoScheme"),
            (format!("localhost:8444 {TOKEN}"), "NoScheme"),
            (format!("url=pretix.eu token={TOKEN}"), "NoScheme"),
            (
                format!("Enter {TOKEN} at tickets.pretix.eu/shop."),
                "NoScheme",
            ),
            (format!("{URL} {}", &TOKEN[1..]), "Slip(Length(15))"),
            (format!("{URL}\nToken: {TOKEN}a"), "Slip(Length(17))"),
            (format!("{URL}\n{}", TOKEN.to_uppercase()), "Slip(Capitals)"),
            (format!("{URL} short"), "SomethingElse"),
            (format!("about {TOKEN}"), "SomethingElse"),
        ] {
            let error = Reading::of(&text, None).err().unwrap();
            assert_eq!(format!("{error:?}"), expected, "{text}");
        }
    }
}
