//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// EchoRift: a Matrix homeserver for a company's own chat.
#[derive(Debug, Parser)]
#[command(name = "echorift", version, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server until SIGTERM or Ctrl-C.
    Serve(ConfigFile),
    /// Write a configuration and a signing key into a folder.
    Init(InitOptions),
    /// Look the configuration, the database, the directory and the addresses over, with advice.
    Check(CheckOptions),
    /// Manage accounts.
    #[command(subcommand)]
    User(UserCommand),
    /// Look at what the directory's people and groups would change here, or read it for a server elsewhere.
    #[command(subcommand)]
    Directory(DirectoryCommand),
    /// Retire the signing key and make a new one, while the server is stopped.
    RotateKey(ConfigFile),
    /// Copy the SQLite database to a new file, while the server runs or not.
    Backup(BackupOptions),
    /// Put a backup in the place of the SQLite database, while the server is stopped.
    Restore(BackupOptions),
    /// Print the release.
    Version,
}

#[derive(Debug, Args)]
pub(crate) struct ConfigFile {
    /// The configuration file; without one, the defaults and the ECHORIFT__… variables apply.
    #[arg(long = "config", short = 'c', value_name = "FILE", env = "ECHORIFT_CONFIG")]
    pub(crate) path: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct CheckOptions {
    #[command(flatten)]
    pub(crate) config: ConfigFile,
    /// Another server, by its name: whether it can be reached, its keys, and its clock.
    #[arg(long, value_name = "NAME")]
    pub(crate) partner: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct InitOptions {
    /// The folder; it is made if it does not exist.
    #[arg(value_name = "FOLDER", default_value = ".")]
    pub(crate) folder: PathBuf,
    /// The server's name: the right-hand side of its user ids. It can never be changed.
    #[arg(long, value_name = "NAME", default_value = "localhost")]
    pub(crate) server_name: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Make a local account. The password is read from the terminal or standard input, unless a file is named.
    Create(CreateUserOptions),
}

#[derive(Debug, Subcommand)]
pub(crate) enum DirectoryCommand {
    /// Print every change that the next sync would make.
    Plan(ConfigFile),
    /// Print where people have made rooms differ from what the directory wishes.
    Drift(ConfigFile),
    /// Read the directory for the server of [directory.feed], until SIGTERM or Ctrl-C.
    Feed(ConfigFile),
}

#[derive(Debug, Args)]
pub(crate) struct CreateUserOptions {
    /// The left-hand side of the user id, for example `alice`.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Make the account an administrator.
    #[arg(long)]
    pub(crate) admin: bool,
    /// A file that holds the password and nothing else.
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) config: ConfigFile,
}

#[derive(Debug, Args)]
pub(crate) struct BackupOptions {
    /// The backup file.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) config: ConfigFile,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_documented_commands_parse() {
        for line in [
            "serve",
            "serve --config a.toml",
            "init /etc/echorift --server-name example.org",
            "check -c a.toml",
            "check --partner a.example --partner b.example:8448",
            "user create alice --admin --password-file p --config a.toml",
            "directory plan --config a.toml",
            "backup copy.db",
            "restore copy.db --config a.toml",
            "directory drift",
            "directory feed --config a.toml",
            "rotate-key --config a.toml",
            "version",
        ] {
            let words = std::iter::once("echorift").chain(line.split(' '));
            assert!(Cli::try_parse_from(words).is_ok(), "{line}");
        }
    }
}
