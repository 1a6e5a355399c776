//! The layouts, and what their keys give.

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
pub(super) const OTHERS: [Layout; 11] = [
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
pub(super) struct Keys {
    /// Alone, and with shift: the row of digits, then the rows of letters.
    pub(super) plain: &'static str,
    pub(super) shifted: &'static str,
    /// With AltGr: the key, as it is on a US keyboard, and what it gives. Those in ASCII only.
    pub(super) alt_gr: &'static str,
    /// Keys of these two levels that are dead.
    pub(super) dead: &'static str,
}

pub(super) const US: Keys = Keys {
    plain: r"`1234567890-=qwertyuiop[]asdfghjkl;'\zxcvbnm,./",
    shifted: r#"~!@#$%^&*()_+QWERTYUIOP{}ASDFGHJKL:"|ZXCVBNM<>?"#,
    alt_gr: "",
    dead: "",
};

impl Layout {
    pub(super) const fn keys(self) -> Keys {
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

    pub(super) fn name(self) -> &'static str {
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
    pub(super) fn on_us(&self, own: char) -> Option<char> {
        self.beside_us()
            .find_map(|(here, us)| (here == own).then_some(us))
    }

    /// What a key gives here that gives `us` on a US keyboard.
    pub(super) fn here(&self, us: char) -> Option<char> {
        self.beside_us()
            .find_map(|(here, there)| (there == us).then_some(here))
    }

    /// What it gives here with AltGr.
    pub(super) fn here_with_alt_gr(&self, us: char) -> Option<char> {
        let mut pairs = self.alt_gr.chars();
        std::iter::from_fn(|| pairs.next().zip(pairs.next()))
            .find_map(|(key, here)| (key == us).then_some(here))
    }
}
