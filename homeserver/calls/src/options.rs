use std::time::Duration;

/// How long a token for an SFU is good for. The SFU looks at that only when somebody connects.
pub const TOKEN_LIFETIME: Duration = Duration::from_secs(3600);

/// What the operator decides about calls (`[calls]`).
#[derive(Debug, Clone)]
pub struct CallsOptions {
    /// Whether there are calls at all (`calls.livekit.mode` is not `off`).
    pub is_on: bool,
    pub publish: Publishers,
}

/// Who may send media to this server's SFUs (`calls.publish`). Others bring an SFU of their own and listen here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Publishers {
    /// Users of this server.
    Local,
    /// And those of the servers that `[[federation.partner]]` names.
    Partners,
    /// Everyone who is joined to the room.
    Joined,
}

/// A duration in whole milliseconds.
pub(crate) fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
