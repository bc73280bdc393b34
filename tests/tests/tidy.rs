//! What a reviewer would otherwise say again and again.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Past this a file has more than one idea.
const RUST_LINES_MAX: usize = 600;

/// Kinds of text that people write here.
const WRITTEN: [&str; 14] = [
    "rs", "toml", "md", "sql", "py", "sh", "js", "mjs", "ts", "tsx", "yml", "yaml", "ldif", "json",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every written file: path relative to the workspace, and text.
fn files() -> Vec<(String, String)> {
    let mut found = Vec::new();
    collect(&root(), &mut found);
    assert!(found.len() > 40, "the files were not found");
    found
}

fn collect(folder: &Path, found: &mut Vec<(String, String)>) {
    const SKIPPED: [&str; 8] = [
        "target",
        // A file, where the checkout is a worktree of another.
        ".git",
        "node_modules",
        "dist",
        "data",
        "__pycache__",
        ".venv",
        "corpus",
    ];
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if SKIPPED.contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            collect(&path, found);
            continue;
        }
        let extension = path
            .extension()
            .map(|e| e.to_string_lossy().into_owned())
            .unwrap_or_default();
        let is_lock = name.ends_with(".lock") || name == "package-lock.json";
        let is_script = extension.is_empty() && name != "LICENSE";
        if is_lock || !(is_script || WRITTEN.contains(&extension.as_str())) {
            continue;
        }
        if let Ok(text) = std::fs::read_to_string(&path) {
            found.push((path.strip_prefix(root()).unwrap().display().to_string(), text));
        }
    }
}

fn refuse_lines(reason: &str, is_fault: impl Fn(&str, &str) -> bool) {
    let mut faults = Vec::new();
    for (path, text) in files() {
        for (number, line) in text.lines().enumerate() {
            if is_fault(&path, line) {
                faults.push(format!("{path}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    assert!(faults.is_empty(), "{reason}:\n{}", faults.join("\n"));
}

#[test]
fn no_file_has_grown_past_its_idea() {
    let long: Vec<String> = files()
        .into_iter()
        .filter(|(path, text)| path.ends_with(".rs") && text.lines().count() > RUST_LINES_MAX)
        .map(|(path, text)| format!("{path}: {} lines", text.lines().count()))
        .collect();
    assert!(long.is_empty(), "split these by idea:\n{}", long.join("\n"));
}

#[test]
fn lines_end_where_their_text_ends() {
    refuse_lines("blanks at the end of a line", |_, line| {
        line.ends_with([' ', '\t'])
    });
    refuse_lines("tabs", |path, line| {
        !path.ends_with("Makefile") && line.contains('\t')
    });
}

#[test]
fn nothing_is_left_for_later() {
    // Put together here, so that this file does not hold them.
    let marks = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X:"),
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
    ];
    refuse_lines("do it, or open an issue", |_, line| {
        marks.iter().any(|mark| line.contains(mark))
    });
}

#[test]
fn nothing_depends_on_one_machine() {
    let places = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
    ];
    refuse_lines("a path of somebody's machine", |_, line| {
        places.iter().any(|place| line.contains(place))
    });
}

#[test]
fn the_map_names_every_crate() {
    let map = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let members = manifest
        .split("members = [")
        .nth(1)
        .unwrap()
        .split(']')
        .next()
        .unwrap();
    for member in members
        .split(',')
        .map(|text| text.trim().trim_matches('"'))
        .filter(|text| !text.is_empty())
    {
        assert!(
            map.contains(&format!("`{member}/`")),
            "ARCHITECTURE.md does not name `{member}/`"
        );
    }
}

#[test]
fn migrations_come_in_pairs() {
    let names = |folder: &str| -> BTreeSet<String> {
        let entries = std::fs::read_dir(root().join("migrations").join(folder)).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect()
    };
    let (sqlite, postgres) = (names("sqlite"), names("postgres"));
    assert_eq!(sqlite, postgres);
    let numbers: Vec<u32> = sqlite
        .iter()
        .map(|name| name.split('_').next().unwrap().parse().unwrap())
        .collect();
    let expected: Vec<u32> = (1..).take(numbers.len()).collect();
    assert_eq!(numbers, expected, "the numbers have a gap or a double");
}

#[test]
fn the_handbook_names_every_setting() {
    let handbook = std::fs::read_to_string(root().join("docs/configuration.md")).unwrap();
    let documented = std::fs::read_to_string(root().join("config/echorift.toml")).unwrap();
    let mut section = String::new();
    let mut missing = Vec::new();
    for line in documented.lines() {
        let line = line
            .strip_prefix('#')
            .filter(|rest| !rest.starts_with(' '))
            .unwrap_or(line)
            .trim();
        if line.starts_with('[') {
            section = line.trim_matches(['[', ']']).to_owned();
        } else if let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) {
            let name = format!("`{section}.{key}`");
            if !handbook.contains(&name) {
                missing.push(name);
            }
        }
    }
    assert!(
        missing.is_empty(),
        "docs/configuration.md does not name {}",
        missing.join(", ")
    );
}

#[test]
fn generated_pages_are_as_generated() {
    for script in ["tests/configuration.py", "tests/conformance.py"] {
        let output = std::process::Command::new("python3")
            .arg(root().join(script))
            .arg("--check")
            .output()
            .expect("python3 is missing: install it and try again");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
