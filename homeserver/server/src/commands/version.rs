//! `echorift version`.

use crate::error::ServerError;
use crate::terminal::say;

#[expect(clippy::unnecessary_wraps, reason = "every command has the same shape")]
pub(super) fn run() -> Result<(), ServerError> {
    say(format_args!("echorift {}", env!("CARGO_PKG_VERSION")));
    Ok(())
}
