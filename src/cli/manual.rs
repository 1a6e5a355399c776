//! Manual pages of the commands.

use std::io;

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

/// The pages of a command and all below it, with their names.
pub(super) fn pages(root: &Command) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut pages = Vec::new();
    collect(root, &[], &mut pages)?;
    Ok(pages)
}

fn collect(
    command: &Command,
    above: &[String],
    pages: &mut Vec<(String, Vec<u8>)>,
) -> io::Result<()> {
    let name = name(command);
    let below = command.get_subcommands().map(self::name);
    let others: Vec<_> = above.iter().cloned().chain(below).collect();
    pages.push((name.clone(), page(command, &others)?));
    let above = [above, &[name]].concat();
    for one in command.get_subcommands() {
        collect(one, &above, pages)?;
    }
    Ok(())
}

fn name(command: &Command) -> String {
    let name = command.get_display_name();
    name.unwrap_or(command.get_name()).to_owned()
}

/// The command that these words, or the title of its page, name.
pub(super) fn find<'a>(root: &'a Command, words: &[String]) -> Option<&'a Command> {
    let by_words = words
        .iter()
        .try_fold(root, |command, word| command.find_subcommand(word));
    let program = format!("{}-", name(root));
    by_words.or_else(|| {
        let title = words.first().filter(|_| words.len() == 1)?;
        by_title(root, title, &program)
    })
}

/// The title may be without the program's name.
fn by_title<'a>(command: &'a Command, title: &str, program: &str) -> Option<&'a Command> {
    let name = name(command);
    if name == title || name.strip_prefix(program) == Some(title) {
        return Some(command);
    }
    let mut below = command.get_subcommands();
    below.find_map(|one| by_title(one, title, program))
}

/// The page of a command, which names these other pages that come with it.
pub(super) fn page(command: &Command, others: &[String]) -> io::Result<Vec<u8>> {
    let arguments = command
        .clone()
        .mut_args(|argument| match argument.is_positional() {
            true => argument.help_heading("Arguments"),
            false => argument.hide(true),
        });
    let options = command.clone().mut_args(|argument| {
        let is_positional = argument.is_positional();
        argument.hide(is_positional)
    });
    let of_command = Man::new(command.clone().subcommand_value_name("command"))
        // An empty one would be left out, and what follows would take its place.
        .date(" ")
        .source(format!("gatehand {}", env!("CARGO_PKG_VERSION")))
        .manual("gatehand");

    let mut page = Vec::new();
    of_command.render_title(&mut page)?;
    of_command.render_name_section(&mut page)?;
    of_command.render_synopsis_section(&mut page)?;
    of_command.render_description_section(&mut page)?;
    if command.get_positionals().next().is_some() {
        Man::new(arguments).render_options_section(&mut page)?;
    }
    Man::new(options).render_options_section(&mut page)?;
    rest(command, others).to_writer(&mut page)?;
    Ok(page)
}

/// What is below the options: subcommands, what follows the help, other pages.
fn rest(command: &Command, others: &[String]) -> Roff {
    let mut roff = Roff::new();
    if command.has_subcommands() {
        roff.control("SH", ["COMMANDS"]);
    }
    for one in command.get_subcommands() {
        roff.control("TP", []);
        roff.text([bold(one.get_bin_name().unwrap_or(one.get_name()))]);
        let about = one.get_about().map(ToString::to_string);
        roff.text([roman(about.unwrap_or_default())]);
    }
    if let Some(text) = command.get_after_help() {
        after_help(&mut roff, &text.to_string());
    }
    if !others.is_empty() {
        roff.control("SH", ["SEE ALSO"]);
        let pages = others.iter().map(|name| format!("{name}(1)"));
        roff.text([roman(pages.collect::<Vec<_>>().join(", "))]);
    }
    roff
}

/// A line that ends with a colon begins a section if indented lines follow it. Those stay as they are.
fn after_help(roff: &mut Roff, text: &str) {
    let mut is_verbatim = false;
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let is_indented = line.starts_with("  ");
        match (is_verbatim, is_indented) {
            (false, true) => roff.control("nf", []),
            (true, false) => roff.control("fi", []),
            _ => roff,
        };
        is_verbatim = is_indented;
        let is_followed = lines.peek().is_some_and(|next| next.starts_with("  "));
        match SECTIONS.iter().find(|(begin, _)| line.starts_with(begin)) {
            Some((_, title)) if is_followed => roff.control("SH", [*title]),
            _ if line.is_empty() => roff.control("PP", []),
            _ => roff.text([roman(line)]),
        };
    }
    if is_verbatim {
        roff.control("fi", []);
    }
}

/// How parts of the text after the help begin, and what they are called in manual pages.
const SECTIONS: [(&str, &str); 3] = [
    ("Examples:", "EXAMPLES"),
    ("Exit codes", "EXIT STATUS"),
    ("Environment:", "ENVIRONMENT"),
];
