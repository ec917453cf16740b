//! Commands of a script that fetch whatever is newest and run it: an installer from the network, or a package without a version.
//!
//! Pure. Left out: what a file of requirements or a lock file says, which is another file; scripts that lie in the repository.

/// Versions that are another one tomorrow.
const MOVING: [&str; 4] = ["latest", "main", "master", "head"];

/// The commands of a script that install what is not fixed, in its order.
pub(super) fn unpinned(script: &str) -> Vec<String> {
    let joined = script.replace("\\\r\n", " ").replace("\\\n", " ");
    let lines = joined.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let statements = lines.flat_map(|line| line.split("&&").flat_map(|part| part.split("||")).flat_map(|part| part.split(';')));
    statements.map(str::trim).filter(|statement| runs_what_it_fetches(statement) || installs(statement)).map(ToOwned::to_owned).collect()
}

/// `curl … | sh`, `bash <(curl …)`, `sh -c "$(curl …)"`.
fn runs_what_it_fetches(statement: &str) -> bool {
    let fetches = |text: &str| text.split(|c: char| !c.is_alphanumeric()).any(|word| matches!(word, "curl" | "wget"));
    let shell = |text: &str| {
        let mut words = text.split_whitespace().skip_while(|word| *word == "sudo" || word.starts_with('-') || word.contains('='));
        words.next().is_some_and(|word| matches!(word.rsplit('/').next(), Some("sh" | "bash" | "zsh" | "dash")))
    };
    let mut piped = statement.split('|');
    let first = piped.next().unwrap_or_default();
    (fetches(first) && piped.any(shell))
        || (shell(first) && ["<(", "$(", "`"].iter().any(|opens| first.split_once(opens).is_some_and(|(_, inner)| fetches(inner))))
}

fn installs(statement: &str) -> bool {
    let words: Vec<&str> = statement.split_whitespace().skip_while(|word| *word == "sudo").collect();
    let words = match words.as_slice() {
        ["python" | "python3", "-m", rest @ ..] => rest,
        rest => rest,
    };
    let versioned = |package: &str| package.rsplit_once('@').is_some_and(|(name, version)| !name.is_empty() && is_fixed(version));
    match words {
        // Without a name it takes what package.json allows, whatever the lock file says.
        ["npm", "install" | "i" | "add", rest @ ..] => packages(rest).is_empty() || !packages(rest).into_iter().all(versioned),
        ["pip" | "pip3", "install", rest @ ..] => !is_pip_fixed(rest),
        ["go", "install" | "get", rest @ ..] => !packages(rest).into_iter().all(|package| package.starts_with('.') || versioned(package)),
        _ => false,
    }
}

/// The words that are no options.
fn packages<'w>(words: &[&'w str]) -> Vec<&'w str> {
    words.iter().filter(|word| !word.starts_with('-')).map(|word| word.trim_matches(['"', '\''])).collect()
}

fn is_fixed(version: &str) -> bool {
    let version = version.to_ascii_lowercase();
    !version.is_empty() && !MOVING.contains(&version.as_str()) && !version.starts_with(['^', '~', '>', '<', '*'])
}

/// A file of requirements may fix versions, and hashes do; what lies in the repository changes with it.
fn is_pip_fixed(words: &[&str]) -> bool {
    let by_file = words
        .iter()
        .any(|word| matches!(*word, "-r" | "--requirement" | "-c" | "--constraint") || word.starts_with("--require-hashes") || word.starts_with("-r"));
    by_file || packages(words).into_iter().all(|package| package.starts_with(['.', '/']) || package.contains("==") || package.ends_with(".whl"))
}

#[cfg(test)]
mod tests {
    use super::unpinned;

    #[test]
    fn what_is_newest_is_not_fixed() {
        for script in [
            "curl -sSfL https://install.example | sh",
            "curl https://install.example | sudo -E bash -s -- -y",
            "wget -qO- https://install.example \\\n  | /bin/bash",
            "bash <(curl -s https://install.example)",
            "sh -c \"$(curl -fsSL https://install.example)\"",
            "npm install",
            "sudo npm i -g typescript",
            "npm install left-pad@latest",
            "npm install @acme/tool",
            "npm install tool@^1.2.0",
            "cd x && pip install ansible",
            "python -m pip install --upgrade pip",
            "go install example.com/tool@latest",
            "go get example.com/tool",
        ] {
            assert_eq!(unpinned(script).len(), 1, "{script}");
        }
    }

    #[test]
    fn what_is_fixed_or_cannot_be_told_is_not_named() {
        for script in [
            "npm ci",
            "npm install -g typescript@5.4.2",
            "npm install @acme/tool@1.0.0",
            "pip install -r requirements.txt",
            "pip install --require-hashes -r requirements.txt",
            "pip install ansible==9.1.0 'jmespath==1.0.1'",
            "pip install .",
            "go install example.com/tool@v1.2.3",
            "go install ./cmd/tool",
            "curl -o tool https://install.example; sha256sum -c tool.sha256",
            "# curl https://install.example | sh",
            "echo curl | grep bashful",
            "curl https://api.example | jq .",
            "make install",
        ] {
            assert!(unpinned(script).is_empty(), "{script}: {:?}", unpinned(script));
        }
    }
}
