//! The SFUs that the configuration names: the managed one is started, the others are looked at.

use std::time::Duration;

use echorift_calls::{
    ManagedOptions, ManagedSfu, SERVICE_PATH, SfuHealth, SfuKey, SfuOptions, SfuProxy, Sfus, TurnServer,
    WEBHOOK_PATH, find_program, observe,
};
use echorift_storage::Database;
use echorift_web::outbound::OutboundSetupError;
use reqwest::Url;
use tokio::sync::watch;

use crate::config::{Config, LivekitSettings, ManagedSettings};
use crate::error::ServerError;

/// Where the managed SFU is proxied.
const PROXY_PATH: &str = "/livekit/sfu";
/// How long the calls may go on of an SFU that is not wanted any more.
const ABANDONED_DRAIN: Duration = Duration::from_secs(10);
/// The port that STUN and TURN servers usually have.
const STUN_PORT: u16 = 3478;

/// Everything that runs calls' media.
#[derive(Default)]
pub(crate) struct RunningSfus {
    /// In the order of preference.
    pub(crate) sfus: Sfus,
    /// Of each, by its name.
    pub(crate) health: Vec<(String, watch::Receiver<SfuHealth>)>,
    pub(crate) proxy: Option<SfuProxy>,
    pub(crate) managed: Option<ManagedSfu>,
}

/// Starts what is to be started. `own_url` is where a program on this machine reaches this server without TLS.
pub(crate) async fn start(
    config: &Config,
    database: &Database,
    own_url: Option<&str>,
) -> Result<RunningSfus, ServerError> {
    match &config.calls.livekit {
        LivekitSettings::Off => {
            end_abandoned(config);
            Ok(RunningSfus::default())
        }
        LivekitSettings::External(_) => {
            end_abandoned(config);
            look_at(config)
        }
        LivekitSettings::Managed(settings) => start_managed(config, settings, database, own_url).await,
    }
}

/// One that this server ran before its configuration was changed would stay for ever. It may hold up nobody.
fn end_abandoned(config: &Config) {
    let data_dir = config.server.data_dir.clone();
    tokio::spawn(async move {
        if let Err(error) = echorift_calls::end_abandoned(&data_dir, ABANDONED_DRAIN).await {
            tracing::warn!(%error, "it is not known whether an SFU of an earlier run is still running");
        }
    });
}

/// The SFUs that others run, the preferred first.
pub(crate) fn external(config: &Config) -> Vec<SfuOptions> {
    let LivekitSettings::External(sfus) = &config.calls.livekit else {
        return Vec::new();
    };
    let base_url = &config.server.public_base_url;
    let options = sfus.iter().enumerate().map(|(index, sfu)| SfuOptions {
        name: sfu.name.clone(),
        region: sfu.region.clone(),
        url: sfu.url.clone(),
        service_url: match index {
            0 => format!("{base_url}{SERVICE_PATH}"),
            _ => format!("{base_url}{SERVICE_PATH}/{}", sfu.name),
        },
        api_url: sfu.api_url.clone(),
        api_key: sfu.api_key.clone(),
        api_secret: sfu.api_secret.reveal().to_owned(),
    });
    options.collect()
}

fn look_at(config: &Config) -> Result<RunningSfus, ServerError> {
    let sfus = external(config);
    let http = health_client()?;
    let health = sfus
        .iter()
        .map(|sfu| (sfu.name.clone(), observe(sfu, http.clone())));
    Ok(RunningSfus {
        health: health.collect(),
        sfus: Sfus::new(sfus),
        ..RunningSfus::default()
    })
}

/// For asking external SFUs for their health. It trusts whom the system trusts, as the library does that administers them.
pub(crate) fn health_client() -> Result<reqwest::Client, ServerError> {
    let client = reqwest::Client::builder().no_proxy().build();
    Ok(client.map_err(OutboundSetupError::from)?)
}

async fn start_managed(
    config: &Config,
    settings: &ManagedSettings,
    database: &Database,
    own_url: Option<&str>,
) -> Result<RunningSfus, ServerError> {
    let Some(binary) = find_program(&settings.binary) else {
        tracing::warn!(
            binary = settings.binary,
            "there are no voice and video calls, for the program of the SFU was not found: install livekit-server, name it in \
             calls.livekit.binary, or set calls.livekit.mode"
        );
        return Ok(RunningSfus::default());
    };
    let base_url = &config.server.public_base_url;
    let options = ManagedOptions {
        binary,
        data_dir: config.server.data_dir.clone(),
        ports: settings.ports,
        node: settings.node.clone(),
        region: settings.region.clone(),
        key: settings.key.as_ref().map(|(key, secret)| SfuKey {
            key: key.clone(),
            secret: secret.reveal().to_owned(),
        }),
        turn: settings.turn.clone(),
        turn_servers: turn_servers(config),
        stun_servers: stun_servers(config, settings),
        drain: settings.drain,
        keep_on_stop: settings.keep_on_stop,
        url: format!("{}{PROXY_PATH}", base_url.replacen("http", "ws", 1)),
        service_url: format!("{base_url}{SERVICE_PATH}"),
        // Without a plain listener only the public address has a certificate that the SFU believes.
        webhook_url: format!("{}{WEBHOOK_PATH}", own_url.unwrap_or(base_url)),
    };
    let managed = ManagedSfu::start(options, database).await?;
    let connections_max = usize::try_from(config.limits.connections_max).unwrap_or(usize::MAX);
    Ok(RunningSfus {
        sfus: Sfus::new([managed.sfu().clone()]),
        health: vec![(managed.sfu().name.clone(), managed.health())],
        proxy: Some(SfuProxy::new(managed.address(), connections_max)),
        managed: Some(managed),
    })
}

/// Those of `[calls.turn]`, for the SFU to hand on.
fn turn_servers(config: &Config) -> Vec<TurnServer> {
    let turn = &config.calls.turn;
    let Some(secret) = &turn.secret else {
        return Vec::new();
    };
    let lifetime = turn.lifetime.as_secs();
    let servers = turn.uris.iter();
    servers
        .filter_map(|uri| TurnServer::parse(uri, secret.reveal(), lifetime))
        .collect()
}

/// The STUN servers that clients are told of. An SFU needs none: it sees where clients come from. But where nothing is
/// named LiveKit names servers of strangers, who would learn who is in calls when; so our own host stands there.
fn stun_servers(config: &Config, settings: &ManagedSettings) -> Vec<String> {
    let has_turn =
        settings.turn.as_ref().is_some_and(|turn| turn.udp_port != 0) || !turn_servers(config).is_empty();
    if has_turn || !settings.stun_servers.is_empty() {
        return settings.stun_servers.clone();
    }
    let url = Url::parse(&config.server.public_base_url).ok();
    let host = url.as_ref().and_then(Url::host_str);
    host.map(|host| format!("{host}:{STUN_PORT}"))
        .into_iter()
        .collect()
}
