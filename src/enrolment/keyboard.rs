//! Text that a hand scanner typed under another keyboard layout than this system's, or under caps lock.
//!
//! A hand scanner sends keys, not characters: those on which the layout that it is set to has the
//! characters. The system's layout then makes characters of them.

use std::fmt;

use zeroize::Zeroizing;

/// A keyboard layout that scanners or the systems they are plugged into are set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "they are named after their countries")]
pub enum Layout {
    Us,
    German,
    SwissGerman,
    SwissFrench,
    French,
    Belgian,
    Italian,
    Spanish,
    Swedish,
    Norwegian,
    Danish,
    British,
}

/// All but [`Layout::Us`], in the order in which they are thought of.
const OTHERS: [Layout; 11] = [
    Layout::German,
    Layout::SwissGerman,
    Layout::SwissFrench,
    Layout::French,
    Layout::Belgian,
    Layout::Italian,
    Layout::Spanish,
    Layout::Swedish,
    Layout::Norwegian,
    Layout::Danish,
    Layout::British,
];

/// What the keys of a layout give. Dead keys are there as the accent alone.
struct Keys {
    /// Alone, and with shift: the row of digits, then the rows of letters.
    plain: &'static str,
    shifted: &'static str,
    /// With AltGr: the key, as it is on a US keyboard, and what it gives. Those in ASCII only.
    alt_gr: &'static str,
    /// Keys of these two levels that are dead.
    dead: &'static str,
}

const US: Keys = Keys {
    plain: r"`1234567890-=qwertyuiop[]asdfghjkl;'\zxcvbnm,./",
    shifted: r#"~!@#$%^&*()_+QWERTYUIOP{}ASDFGHJKL:"|ZXCVBNM<>?"#,
    alt_gr: "",
    dead: "",
};

impl Layout {
    const fn keys(self) -> Keys {
        match self {
            Self::Us => US,
            Self::German => Keys {
                plain: "^1234567890ß´qwertzuiopü+asdfghjklöä#yxcvbnm,.-",
                shifted: "°!\"§$%&/()=?`QWERTZUIOPÜ*ASDFGHJKLÖÄ'YXCVBNM;:_",
                alt_gr: r"7{8[9]0}-\q@]~",
                dead: "^´`",
            },
            Self::SwissGerman => Keys {
                plain: "§1234567890'^qwertzuiopü¨asdfghjklöä$yxcvbnm,.-",
                shifted: "°+\"*ç%&/()=?`QWERTZUIOPè!ASDFGHJKLéà£YXCVBNM;:_",
                alt_gr: r"1|2@3#=~[[]]'{\}",
                dead: "^`¨",
            },
            Self::SwissFrench => Keys {
                plain: "§1234567890'^qwertzuiopè¨asdfghjkléà$yxcvbnm,.-",
                shifted: "°+\"*ç%&/()=?`QWERTZUIOPü!ASDFGHJKLöä£YXCVBNM;:_",
                alt_gr: r"1|2@3#=~[[]]'{\}",
                dead: "^`¨",
            },
            Self::French => Keys {
                plain: "²&é\"'(-è_çà)=azertyuiop^$qsdfghjklmù*wxcvbn,;:!",
                shifted: "~1234567890°+AZERTYUIOP¨£QSDFGHJKLM%µWXCVBN?./§",
                alt_gr: r"2~3#4{5[6|7`8\9^0@-]=}",
                dead: "^¨",
            },
            Self::Belgian => Keys {
                plain: "²&é\"'(§è!çà)-azertyuiop^$qsdfghjklmùµwxcvbn,;:=",
                shifted: "³1234567890°_AZERTYUIOP¨*QSDFGHJKLM%£WXCVBN?./+",
                alt_gr: r"1|2@3#6^9{0}[[]]\`/~",
                dead: "^¨",
            },
            Self::Italian => Keys {
                plain: r"\1234567890'ìqwertyuiopè+asdfghjklòàùzxcvbnm,.-",
                shifted: "|!\"£$%&/()=?^QWERTYUIOPé*ASDFGHJKLç°§ZXCVBNM;:_",
                alt_gr: "[[]]{{}};@'#",
                dead: "",
            },
            Self::Spanish => Keys {
                plain: "º1234567890'¡qwertyuiop`+asdfghjklñ´çzxcvbnm,.-",
                shifted: "ª!\"·$%&/()=?¿QWERTYUIOP^*ASDFGHJKLÑ¨ÇZXCVBNM;:_",
                alt_gr: r"`\1|2@3#4~[[]]'{\}",
                dead: "`^´¨",
            },
            Self::Swedish => Keys {
                plain: "§1234567890+´qwertyuiopå¨asdfghjklöä'zxcvbnm,.-",
                shifted: "½!\"#¤%&/()=?`QWERTYUIOPÅ^ASDFGHJKLÖÄ*ZXCVBNM;:_",
                alt_gr: r"2@4$7{8[9]0}-\]~",
                dead: "´`¨^",
            },
            Self::Norwegian => Keys {
                plain: r"|1234567890+\qwertyuiopå¨asdfghjkløæ'zxcvbnm,.-",
                shifted: "§!\"#¤%&/()=?`QWERTYUIOPÅ^ASDFGHJKLØÆ*ZXCVBNM;:_",
                alt_gr: "2@4$7{8[9]0}]~",
                dead: "`¨^",
            },
            Self::Danish => Keys {
                plain: "½1234567890+´qwertyuiopå¨asdfghjklæø'zxcvbnm,.-",
                shifted: "§!\"#¤%&/()=?`QWERTYUIOPÅ^ASDFGHJKLÆØ*ZXCVBNM;:_",
                alt_gr: "2@4$7{8[9]0}=|]~",
                dead: "´`¨^",
            },
            Self::British => Keys {
                plain: "`1234567890-=qwertyuiop[]asdfghjkl;'#zxcvbnm,./",
                shifted: "¬!\"£$%^&*()_+QWERTYUIOP{}ASDFGHJKL:@~ZXCVBNM<>?",
                alt_gr: "",
                dead: "",
            },
        }
    }

    /// The layout that a Linux system calls by this name, as `de` or `de-latin1-nodeadkeys`.
    pub fn of_name(name: &str) -> Option<Self> {
        let end = name.find(|c: char| !c.is_ascii_alphanumeric());
        let (country, variant) = name.split_at(end.unwrap_or(name.len()));
        Some(match country {
            "us" => Self::Us,
            "de" | "at" => Self::German,
            "ch" if variant.contains("fr") => Self::SwissFrench,
            "ch" | "sg" => Self::SwissGerman,
            "fr" | "azerty" => Self::French,
            "be" => Self::Belgian,
            "it" => Self::Italian,
            "es" => Self::Spanish,
            "se" | "fi" | "sv" => Self::Swedish,
            "no" => Self::Norwegian,
            "dk" => Self::Danish,
            "gb" | "uk" => Self::British,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Us => "US",
            Self::German => "German",
            Self::SwissGerman => "Swiss German",
            Self::SwissFrench => "Swiss French",
            Self::French => "French",
            Self::Belgian => "Belgian",
            Self::Italian => "Italian",
            Self::Spanish => "Spanish",
            Self::Swedish => "Swedish or Finnish",
            Self::Norwegian => "Norwegian",
            Self::Danish => "Danish",
            Self::British => "British",
        }
    }
}

impl Keys {
    /// All keys with and without shift, each with what a US keyboard gives for it.
    fn beside_us(&self) -> impl Iterator<Item = (char, char)> {
        let own = self.plain.chars().chain(self.shifted.chars());
        own.zip(US.plain.chars().chain(US.shifted.chars()))
    }

    /// The key that gives `own` here, named by what it gives on a US keyboard.
    fn on_us(&self, own: char) -> Option<char> {
        self.beside_us()
            .find_map(|(here, us)| (here == own).then_some(us))
    }

    /// What a key gives here that gives `us` on a US keyboard.
    fn here(&self, us: char) -> Option<char> {
        self.beside_us()
            .find_map(|(here, there)| (there == us).then_some(here))
    }

    /// What it gives here with AltGr.
    fn here_with_alt_gr(&self, us: char) -> Option<char> {
        let mut pairs = self.alt_gr.chars();
        std::iter::from_fn(|| pairs.next().zip(pairs.next()))
            .find_map(|(key, here)| (key == us).then_some(here))
    }
}

/// Accents of dead keys, what the Linux console writes for them, and letters that they become one
/// with: each letter followed by both together.
const ACCENTS: [(char, char, &str); 4] = [
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
fn decomposed(composed: char) -> Option<(char, char)> {
    ACCENTS.iter().find_map(|(accent, _, letters)| {
        let mut letters = letters.chars();
        std::iter::from_fn(|| letters.next().zip(letters.next()))
            .find_map(|(letter, both)| (both == composed).then_some((*accent, letter)))
    })
}

/// The accent of a dead key that the Linux console writes as this character.
fn accent_on_console(written: char) -> Option<char> {
    let mut accents = ACCENTS.iter();
    accents.find_map(|(accent, console, _)| (*console == written).then_some(*accent))
}

/// What a text may have gone through before it was read: layouts that differ, caps lock, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mapping {
    scanner: Layout,
    system: Layout,
    caps_lock: bool,
}

/// What was undone to read a code: one mapping, or several that can't be told apart by the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undone(Vec<Mapping>);

/// Layouts that are named at most where it may be any of them.
const NAMED: usize = 3;

impl Undone {
    /// Of mappings under each of which the text is a code. Those of the layout that the system is known to
    /// be set to rule out the others.
    pub(super) fn of(mut candidates: Vec<Mapping>, system: Option<Layout>) -> Self {
        let is_systems = |mapping: &Mapping| Some(mapping.system) == system;
        if candidates.iter().any(is_systems) {
            candidates.retain(is_systems);
        }
        Self(candidates)
    }

    /// The layouts on one side, each once.
    fn layouts(&self, side: impl Fn(&Mapping) -> Layout) -> Vec<Layout> {
        let mut layouts: Vec<Layout> = Vec::new();
        for layout in self.0.iter().map(side) {
            if !layouts.contains(&layout) {
                layouts.push(layout);
            }
        }
        layouts
    }
}

impl fmt::Display for Undone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const CAPS_LOCK: &str = "caps lock is on";
        if self
            .0
            .iter()
            .all(|mapping| mapping.scanner == mapping.system)
        {
            return formatter.write_str(CAPS_LOCK);
        }
        let scanners = self.layouts(|mapping| mapping.scanner);
        let systems = self.layouts(|mapping| mapping.system);
        match (scanners.len(), systems.len()) {
            (1, 1..=NAMED) | (1..=NAMED, 1) => write!(
                formatter,
                "the scanner is set to {} keyboard and this system to {} one",
                named(&scanners),
                named(&systems)
            )?,
            _ => formatter
                .write_str("the scanner and this system are set to different keyboard layouts")?,
        }
        match self.0.iter().all(|mapping| mapping.caps_lock) {
            true => write!(formatter, ", and {CAPS_LOCK}"),
            false => Ok(()),
        }
    }
}

/// The layouts with an article, as `an Italian or Spanish`.
fn named(layouts: &[Layout]) -> String {
    let names: Vec<&str> = layouts.iter().map(|layout| layout.name()).collect();
    // It is said as you-ess.
    let is_vowel = names
        .first()
        .is_some_and(|name| name.starts_with(['A', 'E', 'I', 'O']));
    let article = if is_vowel { "an" } else { "a" };
    format!("{article} {}", names.join(" or "))
}

impl Mapping {
    /// All that are thought of. Those of the layout that the system is set to come first, then German.
    pub(super) fn all(system: Option<Layout>) -> Vec<Self> {
        let mut all = Vec::new();
        for caps_lock in [false, true] {
            let mut push = |scanner, system| {
                all.push(Self {
                    scanner,
                    system,
                    caps_lock,
                });
            };
            if caps_lock {
                push(Layout::Us, Layout::Us);
            }
            for other in OTHERS {
                push(Layout::Us, other);
                push(other, Layout::Us);
            }
        }
        all.sort_by_key(|mapping| {
            let is = |layout| mapping.scanner == layout || mapping.system == layout;
            let is_systems = system.is_some_and(|system| system != Layout::Us && is(system));
            (!is_systems, !is(Layout::German))
        });
        all
    }

    /// The text as the scanner meant it.
    pub(super) fn undone(&self, typed: &str) -> Zeroizing<String> {
        let typed = self.possibilities(typed);
        let mut meant = Zeroizing::new(String::with_capacity(typed.len() * 2));
        let mut place = Place::default();
        for (index, &[first, second]) in typed.iter().enumerate() {
            let wanted = match place.wants_structure() {
                true => "{}[]\":,",
                false => {
                    "\"-._~:/?#&=%+abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                }
            };
            let opens = [first, second].contains(&'{') && {
                let mut after = typed.iter().skip(index + 1);
                let next = after.find(|[first, _]| !first.is_whitespace());
                next.is_some_and(|next| next.contains(&'"'))
            };
            let c = match place.depth {
                0 if opens => '{',
                _ if !wanted.contains(first) && wanted.contains(second) => second,
                _ => first,
            };
            place.after(c);
            meant.push(c);
        }
        meant
    }

    /// For each character the one or two that may have been meant.
    fn possibilities(&self, typed: &str) -> Zeroizing<Vec<[char; 2]>> {
        let mut all = Zeroizing::new(Vec::with_capacity(typed.len() * 2));
        let (scanner, system) = (self.scanner.keys(), self.system.keys());
        for c in typed.chars() {
            let c = if self.caps_lock { swapped(c) } else { c };
            if self.system == Layout::Us {
                let plain = scanner.here(c);
                let alt_gr = scanner.here_with_alt_gr(c);
                let first = plain.or(alt_gr).unwrap_or(c);
                all.push([first, alt_gr.unwrap_or(first)]);
                continue;
            }
            let is_dead = |accent: &char| system.dead.contains(*accent);
            let on_console = accent_on_console(c)
                .filter(is_dead)
                .and_then(|accent| system.on_us(accent));
            let key = system.on_us(c);
            if let Some(first) = key.or(on_console) {
                all.push([first, on_console.unwrap_or(first)]);
            } else if let Some((accent, letter)) = decomposed(c).filter(|(one, _)| is_dead(one)) {
                for c in [accent, letter] {
                    all.push([system.on_us(c).unwrap_or(c); 2]);
                }
            } else {
                all.push([c; 2]);
            }
        }
        all
    }
}

/// Where in a code something stands: what it may be depends on that.
#[derive(Default)]
struct Place {
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Place {
    fn wants_structure(&self) -> bool {
        self.depth > 0 && !self.in_string
    }

    fn after(&mut self, c: char) {
        match c {
            _ if self.escaped => self.escaped = false,
            '\\' if self.in_string => self.escaped = true,
            '"' if self.depth > 0 => self.in_string = !self.in_string,
            '{' | '[' if self.depth == 0 && c == '{' || self.wants_structure() => self.depth += 1,
            '}' | ']' if self.wants_structure() => self.depth -= 1,
            _ => {}
        }
    }
}

/// As caps lock changes it.
fn swapped(c: char) -> char {
    let (mut upper, mut lower) = (c.to_uppercase(), c.to_lowercase());
    let other = match (c.is_lowercase(), upper.len(), lower.len()) {
        (true, 1, _) => upper.next(),
        (false, _, 1) => lower.next(),
        _ => None,
    };
    other.unwrap_or(c)
}

/// What every enrolment code holds. No character of it is by AltGr or a dead key in any layout.
const MARKS: [&str; 2] = ["andshake_version", "retixscan://setup"];

/// A code's characters became others on their way.
pub(super) struct Change {
    /// What became of one of [`MARKS`].
    mark: String,
    /// Whether it was by caps lock alone.
    pub(super) is_of_case: bool,
}

impl Change {
    /// What is in a text if it is an enrolment code each of whose characters became another one, whatever
    /// the layout, known or not.
    pub(super) fn find(text: &str) -> Option<Self> {
        // Between a US and a British keyboard no other character of a code changes.
        const BRITISH: &str = "@handshake_version@";
        if text.contains(BRITISH) {
            return Some(Self {
                mark: BRITISH.to_owned(),
                is_of_case: false,
            });
        }
        let typed = Zeroizing::new(text.chars().collect::<Vec<char>>());
        MARKS.iter().find_map(|mark| {
            let mark: Vec<char> = mark.chars().collect();
            let mut windows = typed.windows(mark.len());
            let window = windows.find(|window| *window != mark && is_renamed(window, &mark))?;
            Some(Self {
                mark: window.iter().collect(),
                is_of_case: window.iter().zip(&mark).all(|(c, m)| *c == swapped(*m)),
            })
        })
    }

    /// Whether it is undone by a mapping.
    pub(super) fn is_by(&self, mapping: &Mapping) -> bool {
        let meant = mapping.undone(&self.mark);
        MARKS.iter().any(|mark| meant.contains(mark))
    }
}

/// Whether a text becomes another by giving each of its characters another name.
fn is_renamed(text: &[char], other: &[char]) -> bool {
    let pairs = || text.iter().zip(other);
    pairs()
        .enumerate()
        .all(|(index, (c, d))| pairs().take(index).all(|(e, f)| (c == e) == (d == f)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Enrolment, ParseError, Reading};
    use super::*;
    use crate::secret::Secret;

    /// What a system gets from a scanner.
    fn typed(text: &str, mapping: Mapping, composed: bool) -> String {
        let (scanner, system) = (mapping.scanner.keys(), mapping.system.keys());
        let mut typed = String::new();
        let mut accent = None;
        for c in text.chars() {
            let with_alt_gr = || {
                let pairs: Vec<char> = scanner.alt_gr.chars().collect();
                pairs
                    .chunks(2)
                    .find_map(|pair| (pair[1] == c).then_some(pair[0]))
            };
            let key = match mapping.scanner {
                Layout::Us => Some(c),
                _ => scanner.on_us(c).or_else(with_alt_gr),
            };
            let here = key.and_then(|key| system.here(key)).unwrap_or(c);
            let here = if mapping.caps_lock {
                swapped(here)
            } else {
                here
            };
            let both = accent.take().and_then(|accent| {
                let (.., letters) = ACCENTS.iter().find(|(one, ..)| *one == accent)?;
                let letters: Vec<char> = letters.chars().collect();
                letters
                    .chunks(2)
                    .find_map(|pair| (pair[0] == here).then_some(pair[1]))
            });
            if let Some(both) = both.filter(|_| composed) {
                typed.pop();
                typed.push(both);
                continue;
            }
            accent = Some(here).filter(|c| system.dead.contains(*c));
            typed.push(here);
        }
        typed
    }

    fn mapping() -> impl Strategy<Value = Mapping> {
        proptest::sample::select(Mapping::all(None))
    }

    fn error(text: &str) -> ParseError {
        Reading::of(text, None).err().unwrap()
    }

    #[test]
    fn a_layout_has_every_key_once_and_all_characters_of_a_code() {
        for layout in OTHERS {
            let keys = layout.keys();
            assert_eq!(keys.plain.chars().count(), 47, "{layout:?}");
            assert_eq!(keys.shifted.chars().count(), 47, "{layout:?}");
            assert_eq!(keys.alt_gr.chars().count() % 2, 0, "{layout:?}");
            let is_there = |c: char| keys.on_us(c).is_some() || keys.alt_gr.contains(c);
            for c in "abcdefghijklmnopqrstuvwxyz0123456789{}\":,/._-?=&%".chars() {
                assert!(is_there(c), "{layout:?} {c}");
            }
        }
    }

    #[test]
    fn caps_lock_of_a_code_that_is_not_whole_is_named() {
        let json = r#"{"HANDSHAKE_VERSION": 1, "URL": "HTTPS://PRETIX.EU""#;
        assert!(matches!(error(json), ParseError::CapsLock));
        let link = "PRETIXSCAN://SETUP?URL=HTTPS%3a%2f%2fPRETIX.EU";
        assert!(matches!(error(link), ParseError::CapsLock));
    }

    #[test]
    fn a_layout_that_is_not_known_is_named() {
        for text in [
            // Czech, Russian.
            "/!handshake%version!\" +, !url!\" !httpsš--pretix:eu!, !token!\" !kpp4jn8g2zny6!(",
            "Х\"рфтвырфлу_мукышщт\"Ж 1б \"гкд\"Ж \"реезыЖ..зкуешчюуг\"б \"ещлут\"Ж \"лзз4от8п2нтящтз6\"Ъ",
            "зкуешчысфтЖ..ыуегз,гкдэреез",
        ] {
            assert!(
                matches!(error(text), ParseError::KeyboardLayout),
                "{}",
                error(text)
            );
        }
    }

    #[test]
    fn servers_that_layouts_do_not_agree_on_are_named() {
        // A German scanner at a US system: y or z?
        let typed = "7@handshake?version@> 1, @url@> @https>&&tickets.bazern@, @token@> @t@0";
        let ParseError::DifferentServers(servers) = error(typed) else {
            panic!("{}", error(typed));
        };
        assert_eq!(
            servers,
            ["https://tickets.bayern", "https://tickets.bazern"]
        );
    }

    #[test]
    fn of_tokens_that_differ_that_of_the_system_goes_first() {
        let typed = "7@handshake?version@> 1, @url@> @https>&&pretix.eu@, @token@> @y@0";
        let tokens = |system| {
            let reading = Reading::of(typed, system).ok().unwrap();
            let all = [reading.enrolment()].into_iter().chain(reading.others());
            all.map(|one| one.token().expose().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(tokens(None), ["z", "y"]);
        assert_eq!(tokens(Some(Layout::Us)), ["z", "y"]);
        assert_eq!(tokens(Some(Layout::Danish)), ["y", "z"]);
    }

    #[test]
    fn layouts_are_named_that_the_text_tells_and_no_others() {
        use Layout::{British, German, Italian, Spanish, SwissGerman, Us};
        let code = r#"{"handshake_version": 1, "url": "https://pretix.eu", "token": "kpp4jn8g2"}"#;
        let words = |scanner, system, caps_lock, known| {
            let mapping = Mapping {
                scanner,
                system,
                caps_lock,
            };
            let reading = Reading::of(&typed(code, mapping, false), known)
                .ok()
                .unwrap();
            reading.mapping().unwrap().to_string()
        };
        let different = "the scanner and this system are set to different keyboard layouts";
        for (scanner, system, caps_lock, known, expected) in [
            (Us, Us, true, None, "caps lock is on"),
            (
                Us,
                German,
                false,
                None,
                "the scanner is set to a US keyboard and this system to a German one",
            ),
            (
                Us,
                Italian,
                false,
                None,
                "the scanner is set to a US keyboard and this system to an Italian one",
            ),
            (
                Us,
                Italian,
                true,
                None,
                "the scanner is set to a US keyboard and this system to an Italian one, and caps lock is on",
            ),
            (Us, British, false, None, different),
            (British, Us, false, None, different),
            (
                British,
                Us,
                false,
                Some(Us),
                "the scanner is set to a British keyboard and this system to a US one",
            ),
            (
                Us,
                British,
                false,
                Some(British),
                "the scanner is set to a US keyboard and this system to a British one",
            ),
        ] {
            assert_eq!(words(scanner, system, caps_lock, known), expected);
        }
        for scanner in [Spanish, SwissGerman] {
            let words = words(scanner, Us, false, None);
            assert!(words.contains("Spanish") || words == different, "{words}");
        }
    }

    #[test]
    fn the_console_writes_dead_keys_as_other_characters() {
        for typed in [
            "pretixscanÖ--setup_url'http%3A%2F%2F127.0.0.1/token'p4",
            "^\"handshake?version\"Ñ 1, \"url\"Ñ \"httpÑ--127.0.0.1\", \"token\"Ñ \"p4\"*",
            "\"%hqndshqke°version%M &; %url%M %httpM!!&éè:à:à:&%; %token%M %p'%£",
        ] {
            let reading = Reading::of(typed, None).map_err(|error| format!("{error}: {typed}"));
            let enrolment = reading.unwrap().into_enrolment();
            assert_eq!(enrolment.url().to_string(), "http://127.0.0.1");
            assert_eq!(enrolment.token().expose(), "p4");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn a_code_is_read_through_any_layout_and_caps_lock(
            mapping in mapping(),
            // What no two of the layouts have elsewhere.
            host in "[bcdefghijklnoprstuvx]{1,9}(\\.[bcdefghijklnoprstuvx]{2,5}){1,2}(:[1-9][0-9]{0,3})?",
            token in "[a-z0-9]{16}",
            form in 0..3,
            prefix in proptest::sample::select(vec!["", "]Q1", "\u{2}", "\u{1d}"]),
            suffix in proptest::sample::select(vec!["", "\r", "\n", "\t", "\r\n", "\u{3}"]),
            composed in any::<bool>(),
            times in 1..3_usize,
        ) {
            let url = format!("https://{host}").parse();
            prop_assume!(url.is_ok());
            let enrolment = Enrolment::new(url.unwrap(), Secret::new(token.clone())).ok().unwrap();
            let code = match form {
                0 => enrolment.to_payload(),
                1 => enrolment.to_link(),
                _ => Secret::new(format!(
                    r#"{{"handshake_version": 1, "url": "{}", "token": "{token}"}}"#, enrolment.url()
                )),
            };
            let code = format!("{prefix}{}{suffix}", code.expose()).repeat(times);
            prop_assume!(times == 1 || !suffix.is_empty());
            let text = typed(&code, mapping, composed);
            let reading = Reading::of(&text, None);
            let reading = reading.map_err(|error| TestCaseError::fail(format!("{error}: {text:?}")))?;
            prop_assert_eq!(reading.enrolment().url(), enrolment.url());
            let mut all = [reading.enrolment()].into_iter().chain(reading.others());
            prop_assert!(all.any(|one| one.is(&enrolment)), "{}", text);
            // Which it was is named among others, or none is.
            let words = reading.mapping().map(ToString::to_string).unwrap_or_default();
            if mapping.scanner != mapping.system && words.contains("set to a") {
                for layout in [mapping.scanner, mapping.system] {
                    prop_assert!(words.contains(layout.name()), "{}: {:?}", words, mapping);
                }
            }
        }

        #[test]
        fn any_text_is_mapped_without_a_panic(text in "(?s)[ -~´¨ßöÖ\u{0}]{0,60}", mapping in mapping()) {
            let _ = mapping.undone(&text);
            let _ = Reading::of(&format!("{text}hqndshqkeXversion{text}"), None);
        }
    }
}
