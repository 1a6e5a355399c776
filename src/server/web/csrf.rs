//! What a form holds to show that it is one of ours: it follows from the session's secret, which it does not tell.
//!
//! Pages are sent compressed, and say what their address says: from how short they become, others who make a browser
//! ask for them and watch could tell, letter by letter, what stands in each. So it looks otherwise on each page.

use crate::secret::Secret;
use crate::server::installation_keys::hash_of;

/// Bytes of it, and of what covers them.
const LENGTH: usize = 16;

/// One that looks as no other does: what covers it, and what it is then.
pub(super) fn draw(session: &Secret) -> Result<String, getrandom::Error> {
    let mut cover = [0; LENGTH];
    getrandom::fill(&mut cover)?;
    let cover = u128::from_be_bytes(cover);
    Ok(format!("{cover:032x}{:032x}", cover ^ of(session)))
}

/// Whether this is one of a session's.
pub(super) fn is_of(session: &Secret, sent: &str) -> bool {
    let halves = sent.split_at_checked(2 * LENGTH);
    let halves = halves.and_then(|(cover, covered)| Some((read(cover)?, read(covered)?)));
    halves.is_some_and(|(cover, covered)| {
        // How long it takes to compare hashes tells nothing of what they are of.
        let hash = |bytes: u128| hash_of(&format!("{bytes:032x}"));
        hash(cover ^ covered) == hash(of(session))
    })
}

fn read(digits: &str) -> Option<u128> {
    let is_plain =
        digits.len() == 2 * LENGTH && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_plain.then(|| u128::from_str_radix(digits, 16).ok())?
}

fn of(session: &Secret) -> u128 {
    let hash = hash_of(&format!("form {}", session.expose()));
    hash.first_chunk()
        .map_or(0, |half| u128::from_be_bytes(*half))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_looks_otherwise_each_time_and_is_known_by_its_session_alone() {
        let [one, other] = ["a", "b"].map(|secret| Secret::new(secret.repeat(64)));
        let [first, second] = [draw(&one).unwrap(), draw(&one).unwrap()];
        assert_ne!(first, second);
        assert_ne!(first[2 * LENGTH..], second[2 * LENGTH..]);
        assert!(is_of(&one, &first) && is_of(&one, &second));
        for sent in [
            draw(&other).unwrap().as_str(),
            "",
            &first[1..],
            &first[..2 * LENGTH],
            &format!("{first}0"),
            &"0".repeat(4 * LENGTH),
            &format!("+{}", &first[1..]),
            &"ü".repeat(2 * LENGTH),
        ] {
            assert!(!is_of(&one, sent), "{sent}");
        }
    }
}
