//! Programs by others. Where one is not there a test says so and returns; with `CI=true` it fails.
#![cfg(test)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The Python that `tests/setup.sh` made.
pub(crate) fn python() -> Option<PathBuf> {
    tool("bin/python")
}

/// A program that `tests/setup.sh` installed, by its path below `target/tools/python`.
pub(crate) fn tool(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/python").join(name);
    present(Some(path).filter(|path| path.is_file()), name)
}

/// True where the command line `openssl` can be run.
pub(crate) fn openssl() -> bool {
    present(Command::new("openssl").arg("version").output().ok().filter(|output| output.status.success()), "openssl").is_some()
}

/// True where a program of the system can be run.
pub(crate) fn program(name: &str) -> bool {
    present(Command::new(name).arg("--version").output().ok().filter(|output| output.status.success()), name).is_some()
}

/// The folder with puppeteer-core and axe-core, and the browser; there is Node where npm is.
pub(crate) fn browser() -> Option<(PathBuf, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/browser");
    let folder = present(Some(folder).filter(|folder| folder.join("stamp").is_file()), "target/tools/browser")?;
    #[expect(clippy::disallowed_methods, reason = "where programs are, and nothing else")]
    let path = std::env::var_os("PATH").unwrap_or_default();
    let chromium = std::env::split_paths(&path).map(|folder| folder.join("chromium")).find(|path| path.is_file());
    let chromium = present(chromium, "chromium")?;
    program("node").then_some((folder, chromium))
}

fn present<T>(found: Option<T>, name: &str) -> Option<T> {
    #[expect(clippy::disallowed_methods, reason = "the one setting that makes a missing program a failure")]
    let required = std::env::var("CI").is_ok_and(|value| value == "true");
    assert!(found.is_some() || !required, "{name} is not there: run tests/setup.sh");
    if found.is_none() {
        println!("skipped: {name} is not there; tests/setup.sh installs it");
    }
    found
}

/// Runs a program in a folder, away from the settings of this machine.
pub(crate) fn run(folder: &Path, program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> Output {
    #[expect(clippy::disallowed_methods, reason = "where programs are, and nothing else")]
    let path = std::env::var_os("PATH").unwrap_or_default();
    Command::new(program).args(arguments).current_dir(folder).env_clear().env("PATH", path).output().unwrap()
}

/// The same, and it has to end well.
pub(crate) fn must(folder: &Path, program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> Vec<u8> {
    let output = run(folder, program, arguments);
    assert!(output.status.success(), "{arguments:?}: {}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Compiles a Go program that uses nothing but the packages that `tests/setup.sh` installed; into `folder`, with everything that this leaves behind.
pub(crate) fn go_build(source: &Path, folder: &Path) -> Option<PathBuf> {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/go");
    let root = home.join("root");
    let go = present(Some(root.join("bin/go")).filter(|path| path.is_file()), "go")?;
    let program = folder.join("program");
    let output = Command::new(go)
        .args(["build", "-o"])
        .arg(&program)
        .arg(source)
        .current_dir(folder)
        .env_clear()
        .env("GO111MODULE", "off")
        .env("CGO_ENABLED", "0")
        .env("GOROOT", root)
        .env("GOPATH", home.join("path"))
        .env("GOCACHE", folder.join("cache"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(program)
}
