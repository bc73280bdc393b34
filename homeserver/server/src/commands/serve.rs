//! `echorift serve`: start, run, and stop in order.

use echorift_storage::Change;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::config::Config;
use crate::data_dir;
use crate::error::ServerError;
use crate::listener::{Listener, Listeners};
use crate::logging;
use crate::sqlite_file::{SqliteLock, path_of};
use crate::terminal::say;

pub(super) fn run(config: &Config) -> Result<(), ServerError> {
    logging::start(&config.log);
    for key in &config.without_effect {
        tracing::warn!(
            key,
            "this setting belongs to a feature that this release does not have; it has no effect"
        );
    }
    data_dir::create(&config.server.data_dir)?;
    let _lock = lock_database(config)?;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(serve(config))
}

/// SQLite belongs to one server; PostgreSQL keeps order among several itself.
fn lock_database(config: &Config) -> Result<Option<SqliteLock>, ServerError> {
    let Some(path) = path_of(&config.database.url) else {
        return Ok(None);
    };
    if let Some(folder) = path.parent() {
        data_dir::create(folder)?;
    }
    Ok(Some(SqliteLock::take(&path)?))
}

async fn serve(config: &Config) -> Result<(), ServerError> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    // Sockets first: an address in use must not cost a migration. Connections wait until all is ready.
    let mut listeners = Vec::with_capacity(config.listeners.len());
    for settings in &config.listeners {
        listeners.push(Listener::open(settings).await?);
    }
    let stop = CancellationToken::new();
    let (stopping, polls) = watch::channel(false);
    let own_url = listeners.iter().find_map(Listener::own_url);
    let mut app = App::start(config, polls, own_url.as_deref()).await?;
    greet(config, &app, &listeners).await?;

    let listeners = Listeners::start(listeners, app.router, config, stop.clone());
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    app.health.stop();
    // While it waits for calls to end the server goes on, so that it hears of their end.
    if let Some(sfu) = app.sfus.managed.take() {
        sfu.stop().await;
    }
    stopping.send_replace(true);
    stop.cancel();
    listeners.finish(config.limits.shutdown_grace).await;
    // When devices were last seen is only noted in memory until now.
    app.accounts.flush().await?;
    app.push.flush().await?;
    app.webhooks.flush().await?;
    if let Some(federation) = &app.federation {
        federation.stop().await?;
    }
    // The writer works in order: when this empty change is answered, everything before it is on the disk.
    app.database.writer().commit(Change::new()).await?;
    tracing::info!("stopped");
    Ok(())
}

/// Tells where the server answers and, as long as nobody could administer it, how to change that.
async fn greet(config: &Config, app: &App, listeners: &[Listener]) -> Result<(), ServerError> {
    for listener in listeners {
        say(format_args!(
            "EchoRift {} answers on {}",
            env!("CARGO_PKG_VERSION"),
            listener.url()
        ));
    }
    for sfu in app.sfus.sfus.all() {
        say(format_args!("Calls go to {}", sfu.options().url));
    }
    if config.directory.is_none()
        && let Some(token) = app.accounts.create_first_admin_token().await?
    {
        say(
            "There is no administrator yet. Make an account in any client with this registration token, which is good once:",
        );
        say(format_args!("    {token}"));
        let program = std::env::args().next();
        let program = program.as_deref().unwrap_or("echorift");
        say(format_args!(
            "Or make one here: {program} user create NAME --admin"
        ));
    }
    Ok(())
}
