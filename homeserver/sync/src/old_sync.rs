//! How clients followed rooms before there was `/sync`, and how rooms are looked at without joining them
//! (CS API § Syncing, the deprecated endpoints; § Guest access).

mod events;
mod http;
mod initial;

pub(crate) use self::http::router;
