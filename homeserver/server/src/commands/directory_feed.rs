//! `echorift directory feed`: reads the directory where it can be reached, and tells a server elsewhere what it holds.

use echorift_appservice_ldap::mirror::{FeedSender, FeedTarget};
use echorift_storage::Clock;
use echorift_web::outbound::Outbound;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::app;
use crate::config::Config;
use crate::error::ServerError;
use crate::logging;
use crate::terminal::say;

pub(super) fn run(config: &Config) -> Result<(), ServerError> {
    logging::start(&config.log);
    super::block_on(feed(config))
}

async fn feed(config: &Config) -> Result<(), ServerError> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let target = target(config)?;
    let directories = app::open_directories(config, &Clock::system())?;
    let (stops, stopping) = watch::channel(false);
    let mut senders = JoinSet::new();
    let mirrored = directories.iter().filter(|directory| directory.is_mirrored());
    for directory in mirrored {
        let sender = FeedSender::new(directory.clone(), target.clone());
        let stopping = stopping.clone();
        senders.spawn(async move { sender.run(stopping).await });
    }
    if senders.is_empty() {
        return Err(ServerError::Refused(
            "There is nothing to read: set sync = true in [directory].".to_owned(),
        ));
    }
    say(format_args!("Reading the directory for {}", target.server));
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        Some(ended) = senders.join_next() => return match ended {
            Ok(Err(error)) => Err(ServerError::Refused(error.to_string())),
            Ok(Ok(())) => Ok(()),
            Err(error) => Err(ServerError::Refused(format!("The reading has ended: {error}"))),
        },
    }
    stops.send_replace(true);
    while senders.join_next().await.is_some() {}
    Ok(())
}

fn target(config: &Config) -> Result<FeedTarget, ServerError> {
    let settings = config.directory_feed.as_ref().ok_or_else(|| {
        ServerError::Refused("No server is named: set server and token_file in [directory.feed].".to_owned())
    })?;
    Ok(FeedTarget {
        server: settings.server.clone(),
        token: settings.token.reveal().to_owned(),
        outbound: Outbound::new(&config.outbound.options.anywhere())?,
    })
}
