//! What commands print: plain lines on standard output.

use std::fmt::Display;
use std::io::Write as _;

/// Prints a line. A reader that has gone away (`echorift check | head -1`) is no reason to fail.
pub(crate) fn say(line: impl Display) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
