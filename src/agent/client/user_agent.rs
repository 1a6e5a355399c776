//! What a server's log shows of us.

/// The app on top of gatehand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    /// As `pretixSCAN`.
    pub name: String,
    /// As `2.1`.
    pub version: String,
}

/// `gatehand/0.1.0`, and the app after it, as `gatehand/0.1.0 pretixSCAN/2.1`.
pub(super) fn user_agent(app: Option<&App>) -> String {
    let mut agent = concat!("gatehand/", env!("CARGO_PKG_VERSION")).to_owned();
    if let Some(app) = app.filter(|app| !app.name.is_empty()) {
        agent = format!("{agent} {}", token(&app.name));
        if !app.version.is_empty() {
            agent = format!("{agent}/{}", token(&app.version));
        }
    }
    agent
}

/// An app's name may have blanks and umlauts, for which a header has no room.
fn token(text: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    text.chars()
        .map(|c| if fits(c) { c } else { '-' })
        .collect()
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn the_app_follows_in_characters_that_fit() {
        let us = user_agent(None);
        for (name, version, expected) in [
            ("pretixSCAN", "2.1", " pretixSCAN/2.1"),
            ("Gate App", "1.0 (beta)", " Gate-App/1.0--beta-"),
            ("Türsteher", "1/2\r\nX: y", " T-rsteher/1-2--X--y"),
            ("App", "", " App"),
            ("", "1", ""),
        ] {
            let app = App {
                name: name.to_owned(),
                version: version.to_owned(),
            };
            let agent = user_agent(Some(&app));
            assert_eq!(agent, format!("{us}{expected}"));
            HeaderValue::from_str(&agent).unwrap();
        }
    }
}
