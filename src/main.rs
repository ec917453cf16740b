//! Parses, runs, turns failure into an exit code.

fn main() {}
