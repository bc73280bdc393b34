//! `echorift init`: a configuration and a signing key in a folder.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use ruma::ServerName;

use crate::cli::InitOptions;
use crate::data_dir;
use crate::error::ServerError;
use crate::signing_key;
use crate::terminal::say;

/// The documented configuration, as released.
const TEMPLATE: &str = include_str!("../../../../config/echorift.toml");

pub(super) fn run(options: &InitOptions) -> Result<(), ServerError> {
    let name = &options.server_name;
    let server = ServerName::parse(name).map_err(|_| {
        ServerError::Refused(format!(
            "{name:?} is no server name: write a host name, as in example.org."
        ))
    })?;
    std::fs::create_dir_all(&options.folder).map_err(ServerError::file(&options.folder))?;
    let folder = options
        .folder
        .canonicalize()
        .map_err(ServerError::file(&options.folder))?;
    let data_dir = folder.join("data");
    let config = folder.join("echorift.toml");

    let refuse = |path: &Path| {
        let text = format!(
            "{} exists already and is left as it is: choose another folder.",
            path.display()
        );
        ServerError::Refused(text)
    };
    if signing_key::path_in(&data_dir).exists() {
        return Err(refuse(&signing_key::path_in(&data_dir)));
    }
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o640)
        .open(&config);
    let mut file = file.map_err(|cause| match cause.kind() {
        std::io::ErrorKind::AlreadyExists => refuse(&config),
        _ => ServerError::File {
            path: config.clone(),
            cause,
        },
    })?;
    let text = fill(TEMPLATE, name, &data_dir);
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(ServerError::file(&config))?;
    data_dir::create(&data_dir)?;
    signing_key::open_or_create(&data_dir, &server)?;

    say(format_args!(
        "Wrote {} and {}.",
        config.display(),
        signing_key::path_in(&data_dir).display()
    ));
    say("Keep a copy of the key: it is the identity of this server.");
    say(format_args!(
        "Next: echorift check --config {0}, then echorift serve --config {0}",
        config.display()
    ));
    Ok(())
}

/// Replaces what depends on name and folder, and leaves out the lines whose default follows from them.
fn fill(template: &str, name: &str, data_dir: &Path) -> String {
    let data_dir = data_dir.display().to_string();
    let mut text = String::with_capacity(template.len() + data_dir.len());
    let mut section = "";
    for line in template.lines() {
        if line.starts_with('[') {
            section = line;
        }
        let key = line.split_once(" = ").map_or("", |(key, _)| key);
        match (section, key) {
            ("[server]", "name") => text.push_str(&format!("name = {name:?}")),
            ("[server]", "data_dir") => text.push_str(&format!("data_dir = {data_dir:?}")),
            ("[database]", "url") => text.push_str("#url = \"postgres://user:password@host/name\""),
            ("[server]", "public_base_url") if name != "localhost" => {
                text.push_str(&format!("public_base_url = \"https://{name}\""));
            }
            _ => text.push_str(line),
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::config::Config;

    fn init(folder: &Path) -> Result<(), ServerError> {
        run(&InitOptions {
            folder: folder.to_owned(),
            server_name: "chat.example".to_owned(),
        })
    }

    #[test]
    fn the_written_configuration_is_valid_and_stays_in_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        init(folder.path()).unwrap();
        let text = std::fs::read_to_string(folder.path().join("echorift.toml")).unwrap();
        let config = Config::parse(&text).unwrap();
        let data = folder.path().canonicalize().unwrap().join("data");
        assert_eq!(config.server.name, "chat.example");
        assert_eq!(config.server.public_base_url, "https://chat.example");
        assert_eq!(config.server.data_dir, data);
        assert_eq!(
            config.database.url,
            format!("sqlite:{}/echorift.db", data.display())
        );
        // A key of the same name elsewhere is another key.
        assert_eq!(text.matches("postgres://user").count(), 2);
        assert!(text.contains("\nurl = \"\"\n"));
    }

    #[test]
    fn nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("echorift.toml"), "mine").unwrap();
        assert!(init(folder.path()).is_err());
        assert_eq!(
            std::fs::read_to_string(folder.path().join("echorift.toml")).unwrap(),
            "mine"
        );
    }

    #[test]
    fn a_name_that_is_none_is_refused_before_anything_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("new");
        let options = InitOptions {
            folder: inside.clone(),
            server_name: "no name".to_owned(),
        };
        assert!(run(&options).is_err());
        assert!(!inside.exists());
    }
}
