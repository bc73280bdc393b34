//! The wiring: every feature built once, in the order of the layers, and their routes merged.

use std::sync::Arc;

use axum::{Extension, Router};
use echorift_accounts::{
    Accounts, AccountsOptions, PasswordOptions, PasswordProvider, Recaptcha, RegistrationOptions,
    SessionOptions,
};
use echorift_admin::{Admin, AdminParts, DirectoryParts, Traffic};
use echorift_appservice_ldap::mirror::{Mirror, MirrorParts};
use echorift_appservice_ldap::{Directory, mapping};
use echorift_appservices::{AppServices, AppServicesParts};
use echorift_calls::media_policy::{self, MediaPolicyApi};
use echorift_calls::{
    Calls, CallsApi, CallsOptions, CallsParts, DelayedEvents, SfuHealth, SfuProxy, TurnOptions,
};
use echorift_encryption::Encryption;
use echorift_events::SigningKey;
use echorift_federation::{Federation, FederationOptions, FederationParts};
use echorift_mail::Mailer;
use echorift_media::{Media, MediaOptions, MediaParts};
use echorift_push::{DigestOptions, Push, PushOptions, Unread};
use echorift_rooms::{Rooms, RoomsApi, RoomsOptions};
use echorift_search::SearchApi;
use echorift_storage::{Clock, Database, DatabaseOptions, LogListener, Names};
use echorift_sync::{SyncOptions, Syncs};
use echorift_web::{RateLimits, outbound::Outbound};
use echorift_webclient::FirstAccount;
use echorift_webhooks::{Webhooks, WebhooksOptions, WebhooksParts};
use tokio::sync::watch;

use crate::application_services;
use crate::config::{Config, LivekitSettings, Secret, Service};
use crate::directory::{self, DirectoryPhotos};
use crate::error::ServerError;
use crate::farewell::Farewell;
use crate::federation::{self, Askers};
use crate::http::{Health, Metrics, OwnRoutes, assemble};
use crate::sfu::{self, RunningSfus};
use crate::signing_key;

/// A server that is ready to be listened to.
pub(crate) struct App {
    pub(crate) database: Database,
    pub(crate) accounts: Accounts,
    pub(crate) push: Push,
    pub(crate) webhooks: Webhooks,
    pub(crate) federation: Option<Federation>,
    pub(crate) sfus: RunningSfus,
    pub(crate) health: Arc<Health>,
    pub(crate) router: Router,
}

impl App {
    /// Builds every feature on an open database. Polls end when `stopping` turns true. `own_url` is where a program on
    /// this machine reaches this server without TLS, if it can.
    pub(crate) async fn start(
        config: &Config,
        stopping: watch::Receiver<bool>,
        own_url: Option<&str>,
    ) -> Result<Self, ServerError> {
        let serves_metrics = config
            .listeners
            .iter()
            .any(|l| l.serves.contains(&Service::Metrics));
        let metrics = if serves_metrics {
            Some(Metrics::install()?)
        } else {
            None
        };
        let (database, users, clock) = open_database(config).await?;
        let limits = Arc::new(rate_limits(config));
        let outbound = Outbound::new(&config.outbound.options)?;

        let directories = open_directories(config, &clock)?;
        let base = AccountsBase {
            database: &database,
            users: &users,
            clock: &clock,
            limits: &limits,
        };
        let accounts = start_accounts(config, base, &directories).await?;
        if let Some(mail) = &config.email.mail {
            accounts.send_mail_with(Mailer::new(mail)?);
        }
        let signing_key = signing_key::open_or_create(&config.server.data_dir, &config.server.name)?;
        let rooms = Rooms::new(rooms_options(config, &signing_key), &database, users, clock);
        accounts.observe_profiles(Arc::new(rooms.clone()));
        let (delayed_events, watched) = DelayedEvents::new(
            config.calls.delayed_events.options(),
            &rooms,
            &accounts,
            Arc::clone(&limits),
        );
        accounts.observe_accounts(Arc::new(Farewell {
            delayed_events: delayed_events.clone(),
            rooms: rooms.clone(),
        }));
        let unread = Unread::new(&rooms, &accounts);
        let push = Push::start(
            push_options(config),
            (&rooms, &accounts, &unread),
            outbound.clone(),
        )
        .await?;
        let webhooks_parts = WebhooksParts {
            rooms: rooms.clone(),
            accounts: accounts.clone(),
            limits: Arc::clone(&limits),
            outbound: outbound.clone(),
        };
        let webhooks = Webhooks::start(webhooks_options(config), webhooks_parts).await?;
        let encryption = Encryption::start(&database, &rooms, &accounts);
        let options = SyncOptions {
            presence: config.presence.enabled,
        };
        let syncs = Syncs::start(
            options,
            &database,
            &rooms,
            &accounts,
            &unread,
            &encryption,
            stopping.clone(),
        );
        let media_parts = MediaParts {
            database: database.clone(),
            clock: rooms.clock().clone(),
            accounts: accounts.clone(),
            limits: Arc::clone(&limits),
            outbound: outbound.clone(),
        };
        let media = Media::start(media_options(config), media_parts)?;
        let services_parts = AppServicesParts {
            rooms: rooms.clone(),
            accounts: accounts.clone(),
            encryption: encryption.clone(),
        };
        let services_options = config.application_services.options(&config.outbound.options);
        let services = AppServices::start(services_options, services_parts)?;
        application_services::connect(&services, &syncs);
        let mut sfus = sfu::start(config, &database, own_url).await?;
        let calls_parts = CallsParts {
            database: database.clone(),
            clock: rooms.clock().clone(),
            rooms: rooms.clone(),
            accounts: accounts.clone(),
            limits: Arc::clone(&limits),
            delayed_events: delayed_events.clone(),
            sfus: sfus.sfus.clone(),
        };
        let calls_options = CallsOptions {
            is_on: config.calls.livekit != LivekitSettings::Off,
            publish: config.calls.publish,
        };
        let calls = Calls::start(calls_options, calls_parts).await?;
        let federation = match config.federation.is_on() {
            true => {
                let parts = FederationParts {
                    database: database.clone(),
                    clock: rooms.clock().clone(),
                    rooms: rooms.clone(),
                    accounts: accounts.clone(),
                    encryption: encryption.clone(),
                    media: media.clone(),
                    calls: calls.clone(),
                    limits: Arc::clone(&limits),
                    outbound: outbound.clone(),
                };
                Some(Federation::start(federation_options(config, signing_key)?, parts).await?)
            }
            false => None,
        };
        let traffic = Arc::new(Traffic::default());
        let mut listeners = vec![
            Arc::clone(&traffic) as Arc<dyn LogListener>,
            encryption.listener(),
            Arc::clone(syncs.feeds()) as Arc<dyn LogListener>,
            push.listener(),
            webhooks.listener(),
            calls.listener(),
        ];
        listeners.extend(services.listeners());
        listeners.push(delayed_events.listener());
        listeners.extend(federation.as_ref().map(Federation::listener));
        database.log().listen(listeners);
        push.run();
        services.run().await?;
        tokio::spawn(application_services::reload_on_hangup(services.clone()));
        webhooks.run(stopping.clone());
        if let Some(federation) = &federation {
            let askers = Askers {
                rooms: &rooms,
                accounts: &accounts,
                encryption: &encryption,
                media: &media,
                calls: &calls,
                syncs: &syncs,
                shares_presence: config.presence.enabled && config.presence.federation,
            };
            federation::connect(federation, &askers);
            federation.run().await?;
        }
        // First those whose departure is left to this server: their delayed events wait until the SFU was asked.
        calls.run(stopping.clone()).await?;
        accounts.add_capabilities(delayed_events.options().capabilities());
        accounts.add_capabilities(push.capabilities());
        delayed_events.run(watched, stopping.clone());
        look_again_at_revived_sfus(&calls, &sfus.health);
        let calls_api = CallsApi {
            calls: calls.clone(),
            turn: turn_options(config),
        };
        echorift_search::start(&rooms, stopping.clone());
        let search_api = SearchApi {
            rooms: rooms.clone(),
            accounts: accounts.clone(),
            limits: Arc::clone(&limits),
            visible: config.user_directory.visible,
        };
        let media_policy_api = MediaPolicyApi {
            rooms: rooms.clone(),
            policy: Arc::new(config.calls.media.policy.clone()),
            networks: Arc::new(config.calls.media.networks.clone()),
        };
        rooms.sweep_sticky_events(stopping.clone());
        let mut mirrored = Vec::with_capacity(directories.len());
        for directory in &directories {
            let mirror = Mirror::new(MirrorParts {
                directory: directory.clone(),
                accounts: accounts.clone(),
                photos: Some(Arc::new(DirectoryPhotos(media.clone()))),
            });
            let groups = match &mirror {
                Some(mirror) => directory::group_sync(directory, mirror, &rooms, &accounts)?,
                None => None,
            };
            if let Some(mirror) = &mirror {
                mirror.run(stopping.clone());
            }
            if let Some(groups) = &groups {
                groups.run(stopping.clone());
            }
            mirrored.push(DirectoryParts {
                directory: directory.clone(),
                mirror,
                groups,
            });
        }
        let groups = mirrored.iter().filter_map(|parts| parts.groups.clone());
        let directory_api = mapping::router(rooms.clone(), groups.collect());
        let admin = Admin::new(AdminParts {
            accounts: accounts.clone(),
            rooms: rooms.clone(),
            media: media.clone(),
            calls: calls.clone(),
            federation: federation.clone(),
            services: services.clone(),
            sfus: sfus.health.clone(),
            webhooks: webhooks.clone(),
            traffic: Arc::clone(&traffic),
            data_dir: config.server.data_dir.clone(),
            directories: mirrored,
        });
        admin.run(stopping.clone());
        let rooms_api = RoomsApi {
            rooms,
            accounts: accounts.clone(),
            limits,
            scheduler: Some(Arc::new(delayed_events)),
        };
        let features = Router::new()
            .merge(accounts.router())
            .merge(echorift_rooms::router(rooms_api))
            .merge(push.router())
            .merge(webhooks.router())
            .merge(encryption.router())
            .merge(syncs.router())
            .merge(media.router())
            .merge(echorift_search::router(search_api))
            .merge(services.router())
            .merge(directory_api)
            .merge(echorift_calls::router(calls_api))
            .merge(media_policy::router(media_policy_api))
            .merge(echorift_admin::router(admin))
            .merge(sfus.proxy.take().map(SfuProxy::router).unwrap_or_default())
            .layer(Extension(accounts.verifier()))
            .merge(federation.as_ref().map(Federation::router).unwrap_or_default());
        let health = Arc::new(Health::new(
            Some(database.clone()),
            sfus.health.clone(),
            directories,
        ));
        let own = OwnRoutes {
            calls: &calls.discovery(),
            health: Arc::clone(&health),
            metrics,
            traffic,
            first_account: first_account(&accounts),
        };
        let router = assemble(features, config, own);
        Ok(Self {
            database,
            accounts,
            push,
            webhooks,
            federation,
            sfus,
            health,
            router,
        })
    }
}

/// Opens the database and brings its schema up to date.
pub(crate) async fn open_database(config: &Config) -> Result<(Database, Names, Clock), ServerError> {
    let url = config.database.url.clone();
    let options = DatabaseOptions {
        url,
        max_connections: config.database.max_connections,
    };
    let database = Database::open(&options).await?;
    let users = Names::users(&database);
    Ok((database, users, Clock::system()))
}

fn first_account(accounts: &Accounts) -> FirstAccount {
    let accounts = accounts.clone();
    FirstAccount(Arc::new(move || {
        let accounts = accounts.clone();
        Box::pin(async move {
            accounts.awaits_first_admin().await.unwrap_or_else(|error| {
                tracing::warn!(%error, "whether there is an administrator could not be read");
                false
            })
        })
    }))
}

/// The company's directory, and those of its further domains, if the operator names one. They are asked at the first
/// log-in.
pub(crate) fn open_directories(config: &Config, clock: &Clock) -> Result<Vec<Directory>, ServerError> {
    let settings = config.directory.iter().chain(&config.directory_domains);
    let opened = settings.map(|settings| Directory::new(settings.clone(), clock.clone()));
    Ok(opened.collect::<Result<_, _>>()?)
}

/// What accounts are built on.
#[derive(Clone, Copy)]
pub(crate) struct AccountsBase<'a> {
    pub(crate) database: &'a Database,
    pub(crate) users: &'a Names,
    pub(crate) clock: &'a Clock,
    pub(crate) limits: &'a Arc<RateLimits>,
}

/// The accounts alone: what `echorift user` works on.
pub(crate) async fn start_accounts(
    config: &Config,
    base: AccountsBase<'_>,
    directories: &[Directory],
) -> Result<Accounts, ServerError> {
    let provider = |directory: &Directory| Arc::new(directory.clone()) as Arc<dyn PasswordProvider>;
    let providers = directories.iter().map(provider);
    Ok(Accounts::start(
        accounts_options(config)?,
        base.database,
        base.users.clone(),
        base.clock.clone(),
        Arc::clone(base.limits),
        providers.collect(),
    )
    .await?)
}

pub(crate) fn rate_limits(config: &Config) -> RateLimits {
    if config.rate_limits.enabled {
        RateLimits::new(config.rate_limits.kinds.iter().copied())
    } else {
        RateLimits::off()
    }
}

fn accounts_options(config: &Config) -> Result<AccountsOptions, ServerError> {
    let reveal = |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.reveal().to_owned());
    let oauth = config.oauth.options(&config.outbound)?;
    // The operator names where answers are checked, as the sign-in services.
    let recaptcha = config.registration.recaptcha.as_ref().zip(oauth.outbound.clone());
    let recaptcha = recaptcha.map(|(settings, outbound)| Recaptcha {
        public_key: settings.public_key.clone(),
        private_key: settings.private_key.reveal().to_owned(),
        verify_url: settings.verify_url.clone(),
        outbound,
    });
    Ok(AccountsOptions {
        server_name: config.server.name.clone(),
        public_base_url: config.server.public_base_url.clone(),
        data_dir: config.server.data_dir.clone(),
        registration: RegistrationOptions {
            enabled: config.registration.enabled,
            without_verification: config.registration.without_verification,
            token: reveal(&config.registration.token),
            by_email: config.registration.by_email,
            allow_guests: config.registration.allow_guests,
            recaptcha,
            shared_secret: reveal(&config.registration.shared_secret),
        },
        passwords: PasswordOptions {
            local_accounts: config.passwords.local_accounts,
            hash_memory_kib: config.passwords.hash_memory_kib,
            hash_iterations: config.passwords.hash_iterations,
        },
        sessions: SessionOptions {
            access_token_lifetime: config.sessions.access_token_lifetime,
            refresh_token_lifetime: config.sessions.refresh_token_lifetime,
            without_refresh_lifetime: config.sessions.without_refresh_lifetime,
        },
        oauth,
        bots: config.bots.clone(),
        default_room_version: config.rooms.default_version.clone(),
        url_previews: config.url_previews.enabled,
    })
}

fn push_options(config: &Config) -> PushOptions {
    let (push, email) = (&config.push, &config.email);
    PushOptions {
        include_content: push.include_content,
        allow_http: push.allow_http,
        contact: match push.contact.as_str() {
            "" => config.server.public_base_url.clone(),
            contact => contact.to_owned(),
        },
        request_timeout: push.request_timeout,
        retry_initial_delay: push.retry_initial_delay,
        retry_max_delay: push.retry_max_delay,
        give_up_after: push.give_up_after,
        digest: DigestOptions {
            delay: email.digest_delay,
            pause: email.digest_pause,
            pause_max: email.digest_pause_max,
        },
    }
}

fn webhooks_options(config: &Config) -> WebhooksOptions {
    let webhooks = &config.webhooks;
    WebhooksOptions {
        enabled: webhooks.enabled,
        public_base_url: config.server.public_base_url.clone(),
        per_room_max: webhooks.per_room_max,
        allow_http: webhooks.allow_http,
        request_timeout: webhooks.request_timeout,
        retry_initial_delay: webhooks.retry_initial_delay,
        retry_max_delay: webhooks.retry_max_delay,
        disable_after: webhooks.disable_after,
    }
}

/// An SFU that has come back has lost its rooms: they are opened again at once, so that people find them.
fn look_again_at_revived_sfus(calls: &Calls, health: &[(String, watch::Receiver<SfuHealth>)]) {
    for (_, health) in health {
        let (calls, mut health) = (calls.clone(), health.clone());
        tokio::spawn(async move {
            while health.changed().await.is_ok() {
                if health.borrow_and_update().is_up() {
                    calls.look_again();
                }
            }
        });
    }
}

fn turn_options(config: &Config) -> Option<TurnOptions> {
    let turn = &config.calls.turn;
    let secret = turn.secret.as_ref().filter(|_| !turn.uris.is_empty());
    secret.map(|secret| TurnOptions {
        uris: turn.uris.clone(),
        secret: secret.reveal().to_owned(),
        lifetime: turn.lifetime,
    })
}

fn media_options(config: &Config) -> MediaOptions {
    let (server, previews) = (&config.server, &config.url_previews);
    let ca_files = &config.outbound.options.extra_ca_files;
    config
        .media
        .options(server.name.clone(), &server.data_dir, ca_files, previews)
}

/// What federation runs with; also for `echorift check`.
pub(crate) fn federation_options(
    config: &Config,
    signing_key: SigningKey,
) -> Result<FederationOptions, ServerError> {
    let settings = &config.federation;
    // A rotation that was interrupted leaves the current key among the old ones.
    let mut old_keys = signing_key::read_old(&config.server.data_dir)?;
    old_keys.retain(|old| old.key_id != *signing_key.key_id());
    Ok(FederationOptions {
        server_name: config.server.name.clone(),
        old_keys,
        signing_key,
        hosts: settings.hosts.clone(),
        trusted_key_servers: settings.trusted_key_servers.clone(),
        share_device_names: settings.share_device_names,
        public_directory: config.rooms.public_directory_over_federation,
        policy: settings.policy.clone(),
        outbound: config.outbound.options.clone(),
        retry_initial_delay: config.outbound.retry_initial_delay,
        retry_max_delay: config.outbound.retry_max_delay,
    })
}

pub(crate) fn rooms_options(config: &Config, signing_key: &SigningKey) -> RoomsOptions {
    RoomsOptions {
        server_name: config.server.name.clone(),
        signing_key: signing_key.clone(),
        default_version: config.rooms.default_version.clone(),
        publish: config.rooms.publish,
        directory_without_login: config.rooms.public_directory_without_login,
        encryption: config.rooms.encryption_by_default,
        notices: config.server_notices.options(),
        event_cache_bytes: config.caches.event_bytes,
        loaded_rooms: usize::try_from(config.caches.rooms).unwrap_or(usize::MAX),
    }
}

#[cfg(test)]
mod tests;
