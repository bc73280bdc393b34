//! The binary `echorift`: command line, configuration, wiring, start and stop.

mod cli;
mod config;
mod http;
mod listener;
mod terminal;

use std::process::ExitCode;

use clap::Parser as _;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let cli::Command::Version = cli.command else {
        return ExitCode::FAILURE;
    };
    ExitCode::SUCCESS
}
