//! Prints the description of the administration API: `make docs` keeps it in `docs/admin-api.json`.

use std::io::{self, Write as _};

fn main() -> io::Result<()> {
    let description = echorift_admin::openapi()
        .to_pretty_json()
        .map_err(io::Error::other)?;
    writeln!(io::stdout(), "{description}")
}
