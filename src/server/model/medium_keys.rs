//! Keys for NFC media.

use zeroize::Zeroizing;

/// A pair of keys for NFC media.
pub struct MediumKeys {
    /// Number on the medium, unique in the installation.
    pub public_id: i64,
    /// Whether new media are written with it.
    pub active: bool,
    /// Kind of medium.
    pub media_type: String,
    /// Key that reads a medium's number.
    pub uid_key: Zeroizing<Vec<u8>>,
    /// Key from which each medium's own is derived.
    pub diversification_key: Zeroizing<Vec<u8>>,
}
