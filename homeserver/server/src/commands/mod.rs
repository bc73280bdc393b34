//! One module for each command.

mod backup;
mod check;
mod check_calls;
mod check_federation;
mod directory;
mod directory_feed;
mod init;
mod rotate_key;
mod serve;
mod user;
mod version;

use std::process::ExitCode;

use crate::cli::{Command, DirectoryCommand, UserCommand};
use crate::config::Config;
use crate::error::ServerError;

/// Runs a command. `Ok` with a failing code means that the command has said itself what is wrong.
pub(crate) fn run(command: Command) -> Result<ExitCode, ServerError> {
    let done = match command {
        Command::Serve(file) => serve::run(&Config::load(file.path.as_deref())?),
        Command::Init(options) => init::run(&options),
        Command::Check(options) => return check::run(&options),
        Command::User(UserCommand::Create(options)) => user::create(&options),
        Command::Directory(DirectoryCommand::Plan(file)) => directory::plan(&file),
        Command::Directory(DirectoryCommand::Drift(file)) => directory::drift(&file),
        Command::Directory(DirectoryCommand::Feed(file)) => {
            directory_feed::run(&Config::load(file.path.as_deref())?)
        }
        Command::RotateKey(file) => rotate_key::run(&file),
        Command::Backup(options) => backup::backup(&options),
        Command::Restore(options) => backup::restore(&options),
        Command::Version => version::run(),
    };
    done.map(|()| ExitCode::SUCCESS)
}

/// A runtime for the commands that need one for a moment.
fn block_on<T>(work: impl Future<Output = Result<T, ServerError>>) -> Result<T, ServerError> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?
        .block_on(work)
}
