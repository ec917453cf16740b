//! Parses, runs, turns failure into an exit code.

use std::process::ExitCode;

use proofline::cli::host::Host;

fn main() -> ExitCode {
    ExitCode::from(proofline::cli::run(std::env::args_os(), Host::real()).code())
}
