//! What a text went through on its way from the scanner, and undoing it.

use zeroize::Zeroizing;

use super::accents::{accent_on_console, decomposed};
use super::layout::{Layout, OTHERS};

/// What a text may have gone through before it was read: layouts that differ, caps lock, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::enrolment) struct Mapping {
    pub(super) scanner: Layout,
    pub(super) system: Layout,
    pub(super) caps_lock: bool,
}

impl Mapping {
    /// All that are thought of. Those of the layout that the system is set to come first, then German.
    pub(in crate::enrolment) fn all(system: Option<Layout>) -> Vec<Self> {
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
    pub(in crate::enrolment) fn undone(&self, typed: &str) -> Zeroizing<String> {
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
pub(super) fn swapped(c: char) -> char {
    let (mut upper, mut lower) = (c.to_uppercase(), c.to_lowercase());
    let other = match (c.is_lowercase(), upper.len(), lower.len()) {
        (true, 1, _) => upper.next(),
        (false, _, 1) => lower.next(),
        _ => None,
    };
    other.unwrap_or(c)
}
