//! The binary `echorift`: command line, configuration, wiring, start and stop.

mod app;
mod cli;
mod commands;
mod config;
mod data_dir;
mod directory;
mod error;
mod farewell;
mod federation;
mod http;
mod listener;
mod logging;
mod sfu;
mod signing_key;
mod sqlite_file;
mod terminal;

use std::process::ExitCode;

use clap::Parser as _;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    // Before anything else, for libraries take whatever provider they find and some would install their own.
    // Both only fail if one is installed already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();

    let cli = cli::Cli::parse();
    match commands::run(cli.command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("echorift: {error}");
            ExitCode::FAILURE
        }
    }
}
