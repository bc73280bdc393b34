//! `[calls]`: who may send, and TURN servers; the SFU is in `livekit`, what goes through it in `call_media`.

use std::time::Duration;

use echorift_calls::Publishers;

use super::call_media::CallMediaSettings;
use super::delayed_events::DelayedEventSettings;
use super::livekit::LivekitSettings;
use super::secret::Secret;
use super::table::Table;

/// `[calls]`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CallsSettings {
    pub(crate) publish: Publishers,
    pub(crate) delayed_events: DelayedEventSettings,
    pub(crate) livekit: LivekitSettings,
    pub(crate) turn: TurnSettings,
    pub(crate) media: CallMediaSettings,
}

impl CallsSettings {
    pub(super) fn read(table: &mut Table<'_, '_>, public_base_url: &str) -> Self {
        let others = [("local", Publishers::Local), ("partners", Publishers::Partners)];
        Self {
            publish: table.choice("publish", ("joined", Publishers::Joined), &others),
            delayed_events: DelayedEventSettings::read(table),
            livekit: table.table("livekit", |table| LivekitSettings::read(table, public_base_url)),
            turn: table.table("turn", TurnSettings::read),
            media: table.table("media", CallMediaSettings::read),
        }
    }
}

/// `[calls.turn]`: TURN servers, through which calls go that find no direct way.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TurnSettings {
    pub(crate) uris: Vec<String>,
    pub(crate) secret: Option<Secret>,
    pub(crate) lifetime: Duration,
}

impl TurnSettings {
    fn read(table: &mut Table<'_, '_>) -> Self {
        let settings = Self {
            uris: table.list("uris", &[]),
            secret: table.secret("secret"),
            lifetime: table.duration("lifetime", "24h"),
        };
        let is_uri = |uri: &String| uri.starts_with("turn:") || uri.starts_with("turns:");
        if let Some(other) = settings.uris.iter().find(|uri| !is_uri(uri)) {
            let problem = format!("holds {other:?}, which is no TURN address");
            let fix = "List addresses like \"turn:turn.example.org:3478?transport=udp\".";
            table.refuse("uris", &problem, fix);
        }
        if !settings.uris.is_empty() && settings.secret.is_none() {
            let fix = "Write the secret that the TURN server is given (static-auth-secret of coturn).";
            table.refuse_hidden("secret", "is needed where there are TURN servers", fix);
        }
        if settings.lifetime < Duration::from_secs(60) {
            table.refuse(
                "lifetime",
                "is shorter than a minute",
                "Calls need credentials that last.",
            );
        }
        settings
    }
}
