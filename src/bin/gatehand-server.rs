//! The `gatehand-server` command.

fn main() -> std::process::ExitCode {
    gatehand::cli::server_main()
}
