//! Dead keys, and the letters that they become one with.

/// Accents of dead keys, what the Linux console writes for them, and letters that they become one
/// with: each letter followed by both together.
pub(super) const ACCENTS: [(char, char, &str); 4] = [
    (
        '´',
        '\'',
        "aácćeégǵiíkḱlĺmḿnńoópṕrŕsśuúwẃyýzźAÁCĆEÉGǴIÍKḰLĹMḾNŃOÓPṔRŔSŚUÚWẂYÝZŹ",
    ),
    ('`', '`', "aàeèiìnǹoòuùwẁyỳAÀEÈIÌNǸOÒUÙWẀYỲ"),
    (
        '^',
        '^',
        "aâcĉeêgĝhĥiîjĵoôsŝuûwŵyŷzẑAÂCĈEÊGĜHĤIÎJĴOÔSŜUÛWŴYŶZẐ",
    ),
    ('¨', '"', "aäeëhḧiïoötẗuüwẅxẍyÿAÄEËHḦIÏOÖUÜWẄXẌYŸ"),
];

/// The accent and the letter that are one character.
pub(super) fn decomposed(composed: char) -> Option<(char, char)> {
    ACCENTS.iter().find_map(|(accent, _, letters)| {
        let mut letters = letters.chars();
        std::iter::from_fn(|| letters.next().zip(letters.next()))
            .find_map(|(letter, both)| (both == composed).then_some((*accent, letter)))
    })
}

/// The accent of a dead key that the Linux console writes as this character.
pub(super) fn accent_on_console(written: char) -> Option<char> {
    let mut accents = ACCENTS.iter();
    accents.find_map(|(accent, console, _)| (*console == written).then_some(*accent))
}
