//! What all commands have in common.

use clap::CommandFactory;

use super::server_program::ServerArguments;
use super::*;

/// Commands that are not about the device this program runs on, or print something for other programs.
const OTHERS: [&str; 6] = ["serve", "admin", "fleet", "demo", "completions", "man"];
/// It has commands of its own, which have what others have.
const PARENT: &str = "vault";
/// They print nothing but their log, or what a service's step leaves for it.
const SILENT: [&str; 2] = ["run", "hardware"];

fn commands() -> Vec<clap::Command> {
    Arguments::command().get_subcommands().cloned().collect()
}

/// Both programs, by their names.
fn programs() -> [(&'static str, clap::Command); 2] {
    [
        ("gatehand", Arguments::command()),
        ("gatehand-server", ServerArguments::command()),
    ]
}

fn help_after(command: &clap::Command) -> String {
    command
        .get_after_help()
        .map_or_else(String::new, ToString::to_string)
}

/// The words of a command line as a shell makes them, as far as examples need it.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, ' ') => words.push(String::new()),
            (_, c) => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn the_arguments_are_sound() {
    for (_, program) in programs() {
        program.debug_assert();
    }
}

#[test]
fn a_server_has_the_commands_of_a_server_as_the_whole_program_has_them() {
    let (of_all, of_server) = (
        leaves_of(Arguments::command()),
        leaves_of(ServerArguments::command()),
    );
    let arguments = |command: &clap::Command| -> Vec<String> {
        let ids = command.get_arguments().map(|one| one.get_id().to_string());
        ids.collect()
    };
    for (name, command) in &of_server {
        let (_, same) = of_all.iter().find(|(other, _)| other == name).unwrap();
        assert_eq!(arguments(command), arguments(same), "{name}");
    }
    let is_a_servers = |name: &str| OTHERS.contains(&name.split(' ').next().unwrap());
    let expected = of_all.iter().filter(|(name, _)| is_a_servers(name)).count();
    // The settings of the whole program are an agent's.
    let shared = of_server.iter().filter(|(name, _)| name != "config");
    assert_eq!(shared.count(), expected);
}

#[test]
fn every_command_for_devices_speaks_json_and_explains_itself() {
    let commands = commands();
    let of_vault = commands.iter().filter(|one| one.get_name() == PARENT);
    let of_vault = of_vault.flat_map(clap::Command::get_subcommands);
    let mut for_devices = 0;
    for command in commands.iter().chain(of_vault) {
        let name = command.get_name();
        assert!(command.get_about().is_some(), "{name}");
        if OTHERS.contains(&name) || name == PARENT {
            continue;
        }
        for_devices += 1;
        let json = command.get_arguments().find(|one| one.get_id() == "json");
        assert_eq!(json.is_some(), !SILENT.contains(&name), "{name} and --json");
        assert!(help_after(command).contains("Examples:"), "{name}");
        for argument in command.get_arguments() {
            let id = argument.get_id();
            assert!(
                argument.get_help().is_some(),
                "{name} does not explain {id}"
            );
        }
    }
    assert_eq!(for_devices, 18);
    for name in ["admin", "fleet", "completions", "man"] {
        let command = commands.iter().find(|one| one.get_name() == name);
        assert!(help_after(command.unwrap()).contains("Examples:"), "{name}");
    }
}

/// The commands that do something, by their words from `gatehand` on.
fn leaves(command: &clap::Command, name: &str, leaves: &mut Vec<(String, clap::Command)>) {
    for one in command.get_subcommands() {
        let name = format!("{name} {}", one.get_name()).trim().to_owned();
        match one.has_subcommands() {
            true => self::leaves(one, &name, leaves),
            false => leaves.push((name, one.clone())),
        }
    }
}

fn all_leaves() -> Vec<(String, clap::Command)> {
    leaves_of(Arguments::command())
}

fn leaves_of(program: clap::Command) -> Vec<(String, clap::Command)> {
    let mut root = program.disable_help_subcommand(true);
    root.build();
    let mut found = Vec::new();
    leaves(&root, "", &mut found);
    found
}

#[test]
fn every_command_with_json_has_a_schema_and_every_schema_a_command() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schemas");
    let files = std::fs::read_dir(folder).unwrap();
    let mut schemas: Vec<_> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    let speak_json = all_leaves().into_iter().filter(|(_, command)| {
        command
            .get_arguments()
            .any(|argument| argument.get_id() == "json")
    });
    let mut expected: Vec<_> = speak_json
        .map(|(name, _)| match name.as_str() {
            // It prints what is a document of its own, with --json and without.
            "admin export" => "organizers-file.json".to_owned(),
            name => format!("{}.json", name.replace(' ', "-")),
        })
        .chain(
            [
                "definitions.json",
                "door-status.json",
                "error.json",
                "notice.json",
                // Of a server's program alone.
                "server-config.json",
            ]
            .map(str::to_owned),
        )
        .collect();
    schemas.sort();
    expected.sort();
    assert_eq!(schemas, expected);
}

#[test]
fn every_argument_of_every_command_is_explained() {
    for (name, command) in all_leaves() {
        assert!(command.get_about().is_some(), "{name}");
        for argument in command.get_arguments() {
            let id = argument.get_id();
            assert!(
                argument.get_help().is_some(),
                "{name} does not explain {id}"
            );
        }
    }
}

#[test]
fn every_command_of_an_administrator_has_an_example() {
    let of_admin = |name: &str| name.starts_with("admin ") || name.starts_with("fleet ");
    for (name, command) in all_leaves().iter().filter(|(name, _)| of_admin(name)) {
        let help = help_after(command);
        assert!(help.contains(&format!("gatehand {name}")), "{name}: {help}");
    }
}

/// Columns of a terminal that cuts or wraps no line of an example.
const COLUMNS: usize = 80;

#[test]
fn every_example_is_understood_and_fits_a_terminal() {
    for (name, program) in programs() {
        let examples = understood_examples(name, &program);
        assert!(examples > 20, "{name}: {examples}");
    }
}

/// How many examples a program has, all of which it understands.
fn understood_examples(name: &str, program: &clap::Command) -> u32 {
    let mut examples = 0;
    let commands = program.get_subcommands().cloned();
    for (_, command) in commands
        .map(|one| (String::new(), one))
        .chain(leaves_of(program.clone()))
    {
        let help = help_after(&command);
        for line in help.lines().filter(|line| line.starts_with("  ")) {
            assert!(line.chars().count() <= COLUMNS, "{line}");
        }
        let help = help.replace("\\\n", "");
        for line in help.lines().filter(|line| line.starts_with("  ")) {
            let Some((_, example)) = line.split_once(&format!("{name} ")) else {
                continue;
            };
            // Without a remark, and what the shell does with the output.
            let example = example.split("   (").next().unwrap();
            let example = example.split(['|', '>']).next().unwrap();
            let words = words(example);
            let words_with_name = [&[name.to_owned()][..], &words].concat();
            let parsed = program.clone().try_get_matches_from(words_with_name);
            assert!(parsed.is_ok(), "{line}: {}", parsed.err().unwrap());
            assert!(
                words.iter().any(|word| word == command.get_name()),
                "{line}"
            );
            examples += 1;
        }
    }
    examples
}

#[test]
fn who_asks_for_json_gets_errors_in_json_too() {
    for (arguments, expected) in [
        (&["status", "--json"][..], true),
        (&["init", "--json"], true),
        (&["adopt", "--json"], true),
        (&["info", "--json"], true),
        (&["update", "--json"], true),
        (&["roll", "--json"], true),
        (&["revoke", "--json"], true),
        (&["event-selection", "--json"], true),
        (&["vault", "rekey", "--json"], true),
        (&["vault", "export", "x", "--json"], true),
        (&["vault", "rekey"], false),
        (&["request", "GET", "x", "--json"], true),
        (&["request", "GET", "x"], false),
        (&["status"], false),
        (&["man"], false),
    ] {
        let parsed = Arguments::try_parse_from([&["gatehand"], arguments].concat()).unwrap();
        assert_eq!(parsed.command.is_for_scripts(), expected, "{arguments:?}");
    }
}

#[test]
fn each_setting_of_a_kiosk_is_a_variable_that_some_command_takes_and_each_of_run_is_a_setting() {
    let of = |command: &clap::Command| -> Vec<String> {
        let variables = command.get_arguments().filter_map(clap::Arg::get_env);
        variables
            .map(|variable| variable.to_string_lossy().into_owned())
            .collect()
    };
    let all: Vec<String> = commands()
        .iter()
        .flat_map(of)
        .chain(of(&Arguments::command()))
        .collect();
    for key in &super::settings::KEYS {
        let is_known = all.iter().any(|variable| variable == key.variable)
            || ENVIRONMENT.contains(key.variable);
        assert!(is_known, "{} is {}", key.name, key.variable);
    }
    // A door is a table of its own.
    let settings: Vec<&str> = super::settings::KEYS
        .iter()
        .map(|key| key.variable)
        .collect();
    let run = commands()
        .into_iter()
        .find(|command| command.get_name() == "run")
        .unwrap();
    for variable in of(&run) {
        assert!(
            settings.contains(&variable.as_str()) || variable == "GATEHAND_SOCKET",
            "{variable}"
        );
    }
}
