//! The `gatehand` command.

fn main() {}
