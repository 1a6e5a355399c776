//! Keys under which a server repeats an answer that was lost.

use zeroize::Zeroizing;

use crate::secret::Secret;

/// Random bytes in an idempotency key.
const LENGTH: usize = 24;

/// A new one.
pub(crate) fn make() -> Result<Secret, getrandom::Error> {
    let mut random = Zeroizing::new([0; LENGTH]);
    getrandom::fill(&mut *random)?;
    Ok(Secret::new(base16ct::lower::encode_string(&*random)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idempotency_keys_have_192_random_bits_in_hexadecimal() {
        let [one, other] = [(); 2].map(|()| make().ok().unwrap());
        assert_ne!(one.expose(), other.expose());
        assert_eq!(one.expose().len(), 48);
        assert!(one.expose().bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
}
