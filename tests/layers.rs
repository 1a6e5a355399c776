//! Who knows whom among the files of `src`: no circles, and no arrow up between the rooms of
//! docs/ARCHITECTURE.md.
//!
//! A file knows another if it names something of it, in a `use` or in place. Neither `mod` nor a
//! re-export is knowing, and unit tests know whom they need.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// A module's path from the crate's root, and the path of a name in it.
type Names = Vec<String>;

/// A file that is a module.
#[derive(Default)]
struct Module {
    file: String,
    /// Modules within, in files of their own.
    children: HashSet<String>,
    /// Paths that are named in it, as they are written.
    named: Vec<Names>,
    /// What it re-exports: the name, and what it stands for.
    exported: HashMap<String, Names>,
    /// Modules all of whose names it re-exports.
    exported_whole: Vec<Names>,
    /// Every word of it that is outside of re-exports.
    words: HashSet<String>,
    /// Types of other files that it gives methods to.
    extended: Vec<String>,
}

/// All files of the crate, by their module's path.
struct Crate(BTreeMap<Names, Module>);

impl Crate {
    fn read() -> Self {
        let mut modules = BTreeMap::new();
        let source = root().join("src");
        read_module(&source, &source.join("lib.rs"), &[], &mut modules);
        Self(modules)
    }

    /// The files that each file knows.
    fn arrows(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut arrows = BTreeMap::new();
        for (path, module) in &self.0 {
            let used = module.exported.iter();
            let used = used.filter(|(name, _)| module.words.contains(*name));
            let named = module.named.iter().chain(used.map(|(_, target)| target));
            let known = named.filter_map(|named| self.file(path, named));
            let known = known.filter(|file| *file != module.file);
            arrows.insert(module.file.as_str(), known.collect());
        }
        arrows
    }

    /// The file in which what is named so in a module is defined, if it is of this crate.
    fn file(&self, at: &[String], named: &[String]) -> Option<&str> {
        let absolute = self.absolute(at, named)?;
        self.defined(&absolute, &mut HashSet::new())
            .map(|module| module.file.as_str())
    }

    fn absolute(&self, at: &[String], named: &[String]) -> Option<Names> {
        let (mut from, rest) = match named.first()?.as_str() {
            "crate" => (Vec::new(), &named[1..]),
            "self" | "super" => (at.to_vec(), named),
            child if self.0[at].children.contains(child) => (at.to_vec(), named),
            _ => return None,
        };
        for name in rest {
            match name.as_str() {
                "self" => {}
                "super" => drop(from.pop()),
                name => from.push(name.to_owned()),
            }
        }
        Some(from)
    }

    /// The module that defines a name: the one that its path leads to, or where a re-export leads.
    fn defined(&self, absolute: &[String], seen: &mut HashSet<Names>) -> Option<&Module> {
        if !seen.insert(absolute.to_vec()) {
            return None;
        }
        let mut length = absolute.len();
        while !self.0.contains_key(&absolute[..length]) {
            length -= 1;
        }
        let (path, rest) = absolute.split_at(length);
        let module = &self.0[path];
        let Some((name, after)) = rest.split_first() else {
            return Some(module);
        };
        if let Some(target) = module.exported.get(name) {
            let mut target = self.absolute(path, target)?;
            target.extend_from_slice(after);
            return self.defined(&target, seen);
        }
        for whole in &module.exported_whole {
            let mut target = self.absolute(path, whole)?;
            if !self.0.contains_key(&target) || !self.0[&target].words.contains(name) {
                continue;
            }
            target.extend_from_slice(rest);
            return self.defined(&target, seen);
        }
        Some(module)
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read_module(source: &Path, file: &Path, path: &[String], modules: &mut BTreeMap<Names, Module>) {
    let text = fs::read_to_string(file).unwrap();
    let tokens: TokenStream = text.parse().unwrap();
    let mut module = Module {
        file: file.strip_prefix(source).unwrap().display().to_string(),
        extended: extended(&tokens.clone().into_iter().collect::<Vec<_>>()),
        ..Module::default()
    };
    let mut children = Vec::new();
    Reader {
        module: &mut module,
        children: &mut children,
    }
    .read(tokens, 0);
    module.children = children.iter().cloned().collect();
    let folder = match file.file_stem().and_then(|stem| stem.to_str()) {
        Some("lib" | "mod") => file.parent().unwrap().to_owned(),
        _ => file.with_extension(""),
    };
    for child in children {
        let files = [format!("{child}.rs"), format!("{child}/mod.rs")];
        let files: Vec<PathBuf> = files.iter().map(|file| folder.join(file)).collect();
        let file = files.iter().find(|file| file.exists());
        let file = file.unwrap_or_else(|| panic!("{child} of {}", module.file));
        let path = [path, &[child]].concat();
        read_module(source, file, &path, modules);
    }
    modules.insert(path.to_vec(), module);
}

struct Reader<'m> {
    module: &'m mut Module,
    children: &'m mut Vec<String>,
}

impl Reader<'_> {
    /// Reads tokens that stand in so many modules within the file.
    fn read(&mut self, tokens: TokenStream, depth: usize) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        let mut is_test = false;
        let mut is_public = false;
        while let Some(token) = tokens.get(at) {
            let rest = &tokens[at + 1..];
            at += 1;
            match (token, rest) {
                (TokenTree::Punct(hash), [TokenTree::Group(attribute), ..])
                    if hash.as_char() == '#' =>
                {
                    is_test |= attribute.stream().to_string() == "cfg (test)";
                    self.read(attribute.stream(), depth);
                    at += 1;
                }
                (TokenTree::Ident(word), [TokenTree::Group(group), ..]) if word == "pub" => {
                    is_public = true;
                    if group.delimiter() == Delimiter::Parenthesis {
                        at += 1;
                    }
                }
                (TokenTree::Ident(word), _) if word == "pub" => is_public = true,
                (TokenTree::Ident(word), [TokenTree::Ident(name), after, ..]) if word == "mod" => {
                    match after {
                        TokenTree::Group(within) if !is_test => {
                            self.read(within.stream(), depth + 1);
                        }
                        TokenTree::Punct(_) if !is_test => self.children.push(name.to_string()),
                        _ => {}
                    }
                    at += 2;
                    (is_test, is_public) = (false, false);
                }
                // What follows is a path, or the lifetimes that a type captures.
                (TokenTree::Ident(word), [TokenTree::Ident(_), ..]) if word == "use" => {
                    let end = rest.iter().position(|token| is_punct(token, ';')).unwrap();
                    if !is_test {
                        self.take_use(&rest[..end], is_public, depth);
                    }
                    at += end + 1;
                    (is_test, is_public) = (false, false);
                }
                (TokenTree::Ident(word), _) => {
                    self.module.words.insert(word.to_string());
                    (is_test, is_public) = (false, false);
                    // After one colon stands a type, after two the rest of a path.
                    let is_first = at < 3
                        || !(is_punct(&tokens[at - 2], ':') && is_punct(&tokens[at - 3], ':'));
                    let (names, length) = path(&tokens[at - 1..]);
                    if is_first && names.len() > 1 {
                        self.module.words.extend(names.iter().cloned());
                        at += length - 1;
                        self.name(names, depth);
                    }
                }
                (TokenTree::Group(group), _) => self.read(group.stream(), depth),
                _ => {}
            }
        }
    }

    fn take_use(&mut self, tree: &[TokenTree], is_public: bool, depth: usize) {
        let mut leaves = Vec::new();
        leaves_of(tree, &[], &mut leaves);
        for (names, alias) in leaves {
            let Some(names) = within_file(names, depth) else {
                continue;
            };
            match names.split_last() {
                Some((last, whole)) if last == "*" && is_public => {
                    self.module.exported_whole.push(whole.to_vec());
                }
                Some((last, whole)) if last == "*" => self.module.named.push(whole.to_vec()),
                Some(_) if is_public => drop(self.module.exported.insert(alias, names)),
                _ => self.module.named.push(names),
            }
        }
    }

    fn name(&mut self, names: Names, depth: usize) {
        self.module.named.extend(within_file(names, depth));
    }
}

/// A path named in a module within a file, as the file's own module would say it; nothing if it stays
/// among those within.
fn within_file(mut names: Names, depth: usize) -> Option<Names> {
    if depth == 0 || names.first().is_some_and(|name| name == "crate") {
        return Some(names);
    }
    let up = names.iter().take_while(|name| *name == "super").count();
    if up < depth {
        return None;
    }
    names.drain(..depth);
    if names.first().is_some_and(|name| name != "super") {
        names.insert(0, "self".to_owned());
    }
    Some(names)
}

fn is_punct(token: &TokenTree, is: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == is)
}

/// The names that a path starts with, and how many tokens they are.
fn path(tokens: &[TokenTree]) -> (Names, usize) {
    let mut names = Vec::new();
    let mut at = 0;
    while let Some(TokenTree::Ident(name)) = tokens.get(at) {
        names.push(name.to_string());
        match tokens.get(at + 1..at + 3) {
            Some([one, other]) if is_punct(one, ':') && is_punct(other, ':') => at += 3,
            _ => return (names, at + 1),
        }
    }
    (names, at)
}

/// The paths that a `use` names, and the name that each has then.
fn leaves_of(tree: &[TokenTree], before: &[String], leaves: &mut Vec<(Names, String)>) {
    for branch in tree.split(|token| is_punct(token, ',')) {
        let (names, length) = path(branch);
        let mut names = [before, &names].concat();
        match &branch[length.min(branch.len())..] {
            [TokenTree::Group(group), ..] => leaves_of(&within(group), &names, leaves),
            [star] if is_punct(star, '*') => {
                names.push("*".to_owned());
                leaves.push((names, "*".to_owned()));
            }
            [TokenTree::Ident(_), TokenTree::Ident(alias)] => {
                leaves.push((names, alias.to_string()));
            }
            _ if branch.is_empty() => {}
            _ => {
                let alias = names.iter().rfind(|name| *name != "self").unwrap().clone();
                leaves.push((names, alias));
            }
        }
    }
}

fn within(group: &Group) -> Vec<TokenTree> {
    group.stream().into_iter().collect()
}

/// The types that are given methods here and are declared elsewhere.
fn extended(tokens: &[TokenTree]) -> Vec<String> {
    let is_word = |token: &TokenTree, words: &[&str]| match token {
        TokenTree::Ident(word) => words.iter().any(|known| word == known),
        _ => false,
    };
    let declared: HashSet<String> = tokens
        .windows(2)
        .filter(|pair| is_word(&pair[0], &["struct", "enum", "union", "trait"]))
        .map(|pair| pair[1].to_string())
        .collect();
    let mut extended = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let is_item = match at.checked_sub(1).map(|before| &tokens[before]) {
            Some(before) => matches!(before, TokenTree::Group(_)) || is_punct(before, ';'),
            None => true,
        };
        if !(is_item && is_word(token, &["impl"])) {
            continue;
        }
        let head = &tokens[at + 1..];
        let head = head.iter().take_while(|token| {
            !is_word(token, &["where"])
                && !matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
        });
        // What stands in angle brackets is neither the type nor the `for` after a trait.
        let (mut depth, mut after_dash) = (0, false);
        let outer = head.filter(|token| {
            let before = depth;
            depth +=
                i32::from(is_punct(token, '<')) - i32::from(is_punct(token, '>') && !after_dash);
            after_dash = is_punct(token, '-');
            before == 0 && depth == 0
        });
        let outer: Vec<&TokenTree> = outer.collect();
        if outer.iter().any(|token| is_word(token, &["for"])) {
            continue;
        }
        // As it is named, with the path to it; a trait object's lifetime comes after a plus.
        let name = outer.iter().take_while(|token| !is_punct(token, '+'));
        let name = name.filter(|token| !is_word(token, &["dyn"]));
        let name: String = name.map(ToString::to_string).collect();
        if !declared.contains(&name) {
            extended.push(name);
        }
    }
    extended
}

/// The groups of files each of which leads to all others of its group.
fn circles(arrows: &BTreeMap<&str, BTreeSet<&str>>) -> BTreeSet<Vec<String>> {
    let reached: BTreeMap<&str, BTreeSet<&str>> = arrows
        .keys()
        .map(|file| {
            let mut reached = BTreeSet::new();
            let mut next = vec![*file];
            while let Some(file) = next.pop() {
                next.extend(arrows[file].iter().filter(|known| reached.insert(**known)));
            }
            (*file, reached)
        })
        .collect();
    let circles = reached.iter().map(|(file, onward)| {
        let back = onward
            .iter()
            .filter(|other| reached[**other].contains(file));
        back.map(|file| (*file).to_owned()).collect::<Vec<_>>()
    });
    circles.filter(|circle| !circle.is_empty()).collect()
}

#[test]
fn files_know_each_other_in_no_circle() {
    let read = Crate::read();
    let arrows = read.arrows();
    let mut faults = Vec::new();
    for circle in &circles(&arrows) {
        faults.push(format!("a circle: {circle:#?}"));
        for file in circle {
            let others = arrows[file.as_str()].iter().copied();
            let others = others.filter(|other| circle.iter().any(|file| file == other));
            let others: Vec<&str> = others.collect();
            faults.push(format!("  {file} knows {}", others.join(", ")));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// A call of a method does not name the method's file. It needs no arrow of its own as long as the
/// methods of a type stand where the type does, which whoever has a value of it knows.
#[test]
fn methods_stand_in_the_file_of_their_type() {
    let read = Crate::read();
    let modules = read.0.values();
    let found = modules.flat_map(|module| {
        let types = module.extended.iter();
        types.map(|name| (module.file.as_str(), name.as_str()))
    });
    let found: Vec<(&str, &str)> = found.collect();
    assert!(
        found.is_empty(),
        "methods of a type of another file: {found:?}"
    );
}

/// A room: a folder, or a file that stands beside them.
fn room(file: &str) -> &str {
    let (room, _) = file.split_once(['/', '.']).unwrap();
    room
}

/// The rooms that each room knows, as docs/ARCHITECTURE.md has it under a heading, where a row knows
/// rows above it only.
fn described(heading: &str) -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(root().join("docs/ARCHITECTURE.md")).unwrap();
    let (_, rooms) = text.split_once(&format!("\n{heading}\n")).unwrap();
    let rows = rooms.lines().skip_while(|line| !line.starts_with('|'));
    let rows = rows.take_while(|line| line.starts_with('|')).skip(2);
    let mut described = BTreeMap::new();
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [_, names, _, knows, _] = cells[..] else {
            panic!("three cells: {row}");
        };
        let named = |cell: &str| -> BTreeSet<String> {
            let quoted = cell.split('`').skip(1).step_by(2);
            quoted.map(str::to_owned).collect()
        };
        let names = named(names);
        if names.iter().any(|name| name.ends_with('/')) {
            continue;
        }
        let knows = named(knows);
        let below = knows.iter().find(|room| !described.contains_key(*room));
        assert!(
            below.is_none(),
            "no room above it is called {below:?}: {row}"
        );
        described.extend(names.into_iter().map(|name| (name, knows.clone())));
    }
    described
}

#[test]
fn rooms_know_each_other_as_the_architecture_says() {
    are_as_described("## Rooms", "");
    are_as_described("### Rooms of the agent", "agent/");
    are_as_described("### Rooms of the bridge", "jni/");
    are_as_described("### Rooms of the server", "server/");
    are_as_described("### Rooms of the command", "cli/");
}

#[track_caller]
fn are_as_described(heading: &str, folder: &str) {
    let read = Crate::read();
    let mut found: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut faults = Vec::new();
    let described = described(heading);
    let outside = [
        "lib.rs",
        "agent/mod.rs",
        "cli/mod.rs",
        "jni/mod.rs",
        "server/mod.rs",
    ];
    let inside = |file: &'_ str| !outside.contains(&file);
    let arrows = read.arrows();
    for (file, known) in &arrows {
        let Some(place) = file.strip_prefix(folder).filter(|_| inside(file)) else {
            continue;
        };
        let from = room(place);
        let rooms = found.entry(from).or_default();
        let others = known.iter().filter(|other| inside(other));
        let others = others.filter_map(|other| other.strip_prefix(folder));
        for other in others.filter(|other| room(other) != from) {
            rooms.insert(room(other));
            let may_know = described.get(from);
            if !may_know.is_some_and(|rooms| rooms.contains(room(other))) {
                faults.push(format!(
                    "{file} knows {folder}{other}: no such arrow in the table of rooms"
                ));
            }
        }
    }
    for (from, rooms) in &described {
        match found.get(from.as_str()) {
            None => faults.push(format!("there is no room {from}")),
            Some(found) => {
                let gone = rooms.iter().filter(|room| !found.contains(room.as_str()));
                faults.extend(gone.map(|room| format!("{from} does not know {room}")));
            }
        }
    }
    let missing = found.keys().filter(|room| !described.contains_key(**room));
    faults.extend(missing.map(|room| format!("{room} is in no row of the table of rooms")));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn methods_are_seen_whatever_their_type_is() {
    for (text, named) in [
        ("impl Agent { fn f() {} }", "Agent"),
        ("use super::Agent; impl super::Agent {}", "super::Agent"),
        (
            "#[x] impl<'a, T: Fn() -> U> Other<'a, T> where T: Copy {}",
            "Other",
        ),
        ("struct Own; impl dyn Other + '_ {}", "Other"),
    ] {
        let tokens: TokenStream = text.parse().unwrap();
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        assert_eq!(extended(&tokens), [named], "{text}");
    }
    for text in [
        "struct Own<T>(T); impl<T> Own<T> {}",
        "impl Clone for Other {}",
        "impl<T> Iterator for Other<T> where T: for<'a> Fn(&'a u8) {}",
        "fn f() -> impl Iterator<Item = u8> {}",
        "type Made = fn() -> u8; fn f(_: impl Fn()) {}",
    ] {
        let tokens: TokenStream = text.parse().unwrap();
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        assert!(extended(&tokens).is_empty(), "{text}");
    }
}

#[test]
fn a_path_is_seen_wherever_it_stands() {
    for text in [
        "use crate::cli::error::CliError;",
        "use crate::{cli::error, wire};",
        "fn f() -> crate::cli::error::CliError {}",
        "fn f(_: crate::cli::error::CliError) {}",
        "struct S { e: crate::cli::error::CliError }",
        "fn f() { let x: crate::cli::error::CliError = y; }",
        "fn f() { S { e: crate::cli::error::make() } }",
        "fn f<T: crate::cli::error::Trait>() {}",
        "const X: crate::cli::error::CliError = Y;",
        "mod within { use super::super::cli::error; }",
        "#[derive(crate::cli::error::Derive)] struct S;",
    ] {
        let mut module = Module::default();
        let mut children = Vec::new();
        let mut reader = Reader {
            module: &mut module,
            children: &mut children,
        };
        reader.read(text.parse().unwrap(), 0);
        let names = module.named.iter().map(|names| names.join("::"));
        let names: Vec<String> = names.collect();
        assert!(
            names.iter().any(|names| names.contains("cli::error")),
            "{text}: {names:?}"
        );
    }
    let mut module = Module::default();
    let mut children = Vec::new();
    let mut reader = Reader {
        module: &mut module,
        children: &mut children,
    };
    let tests = "#[cfg(test)] mod tests { use crate::cli::error; }";
    reader.read(tests.parse().unwrap(), 0);
    assert!(module.named.is_empty(), "tests may know anyone");
}
