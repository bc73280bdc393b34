//! The web client, told what this server is.

use echorift_calls::CallsDiscovery;
use echorift_webclient::{
    ClientConfig, Connections, Features, FirstAccount, Limits, Login, PushFeature, Support, WebClient,
    WebClientOptions,
};

use crate::config::{Config, LivekitSettings, SupportSettings};

pub(super) fn web_client(config: &Config, calls: &CallsDiscovery, first_account: FirstAccount) -> WebClient {
    WebClient::new(WebClientOptions {
        folder: config.server.client_dir.clone(),
        config: client_config(config, calls),
        connections: connections(config),
        first_account,
    })
}

fn client_config(config: &Config, calls: &CallsDiscovery) -> ClientConfig {
    ClientConfig {
        server_name: config.server.name.to_string(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        brand: config.client.brand.clone(),
        base_url: String::new(),
        login: Login {
            oauth: config.oauth.enabled,
            password: config.passwords.local_accounts || config.directory.is_some(),
            registration: config.registration.enabled,
        },
        features: Features {
            calls: calls.foci.is_some(),
            federation: config.federation.is_on(),
            push: PushFeature::default(),
            delayed_events: config.calls.delayed_events.options().is_on(),
            url_previews: config.url_previews.enabled,
        },
        limits: Limits {
            upload_bytes_max: config.media.upload_bytes_max,
        },
        support: support(&config.support),
        help_url: config.client.help_url.clone(),
    }
}

fn support(settings: &SupportSettings) -> Option<Support> {
    let support = Support {
        matrix_id: settings.matrix_id.as_ref().map(ToString::to_string),
        email: settings.email.clone(),
        page: settings.page.clone(),
    };
    (support != Support::default()).then_some(support)
}

fn connections(config: &Config) -> Connections {
    // A managed SFU is reached by the server's own address.
    let sfus = match &config.calls.livekit {
        LivekitSettings::External(sfus) => sfus.iter().map(|sfu| sfu.url.clone()).collect(),
        LivekitSettings::Off | LivekitSettings::Managed(_) => Vec::new(),
    };
    Connections {
        base_url: config.server.public_base_url.clone(),
        sfus,
        are_calls_federated: config.calls.livekit != LivekitSettings::Off && config.federation.is_on(),
    }
}
