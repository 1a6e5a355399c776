//! The `gatehand` command.

fn main() -> std::process::ExitCode {
    gatehand::cli::main()
}
