use super::Glob;

/// `federation.mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FederationMode {
    /// With everybody who is not denied.
    #[default]
    Open,
    /// With those alone who are allowed or are partners.
    Closed,
    /// With nobody: there are no endpoints, and nothing is sent.
    Off,
}

/// The operator's rules.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PolicyOptions {
    pub mode: FederationMode,
    /// Servers that a closed server federates with.
    pub allow: Vec<Glob>,
    /// Servers that nobody here has to do with, whatever else is written.
    pub deny: Vec<Glob>,
    /// The first that matches a server's name is that server's.
    pub partners: Vec<Partner>,
}

/// A `[[federation.partner]]`: whom it is about, and to what it is limited. `None` is no limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partner {
    pub server: Glob,
    /// IDs of rooms, or aliases of this server.
    pub rooms: Option<Vec<Glob>>,
    /// Our users who may be in rooms with the partner and be seen by it.
    pub users: Option<Vec<Glob>>,
    pub event_types: Option<Vec<Glob>>,
    pub media: bool,
    pub profile_fields: Option<Vec<String>>,
    pub calls: bool,
    /// A part of the same company: no limits.
    pub region: bool,
}
