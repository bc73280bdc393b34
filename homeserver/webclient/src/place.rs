//! Whose a path is: the server's endpoints', or the client's.

use percent_encoding::percent_decode_str;

/// What stands below these is the server's, whether or not it exists there: programs ask for it, and a page would be no
/// answer to them.
const ENDPOINTS: [&str; 9] = [
    "_matrix",
    "_echorift",
    "_synapse",
    ".well-known",
    "livekit",
    "health",
    "metrics",
    "oauth2",
    "account",
];

/// What stands below this has its content in its name: it is either there or a mistake.
const ASSETS: &str = "assets/";

/// What a path of the server's address may lead to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// An endpoint, or nothing at all.
    Endpoint,
    /// The client's page.
    Page,
    /// Perhaps a file of the client, by its path in the client's folder; otherwise a route of the client's own, unless it
    /// is below [`ASSETS`].
    File(String),
    /// A route of the client's own, for no file could be called so.
    Route,
}

impl Place {
    /// `path` begins with a slash.
    pub fn read(path: &str) -> Self {
        let Ok(path) = percent_decode_str(path).decode_utf8() else {
            return Self::Endpoint;
        };
        let first = path.split('/').find(|part| !part.is_empty());
        if first.is_some_and(|first| ENDPOINTS.contains(&first)) {
            return Self::Endpoint;
        }
        match path.strip_prefix('/').unwrap_or(&path) {
            "" | "index.html" => Self::Page,
            name if is_file_name(name) => Self::File(name.to_owned()),
            name if is_asset(name) => Self::Endpoint,
            _ => Self::Route,
        }
    }
}

/// Whether the file's name changes with its content.
pub(crate) fn is_asset(name: &str) -> bool {
    name.starts_with(ASSETS)
}

/// Whether a file of the client may be called so. This is what keeps a path inside the folder, whatever it says; and hidden
/// files, and copies in other encodings, are nothing to ask for.
fn is_file_name(name: &str) -> bool {
    let is_plain = |part: &str| {
        !part.is_empty() && !part.starts_with('.') && !part.contains('\\') && !part.contains(char::is_control)
    };
    name.split('/').all(is_plain) && !name.ends_with(".br") && !name.ends_with(".gz")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str) -> Place {
        Place::File(name.to_owned())
    }

    #[test]
    fn the_servers_own_paths_are_no_places_of_the_client() {
        for path in [
            "/_matrix/client/v3/nothing",
            "/_matrix",
            "//_matrix/client",
            "/%5Fmatrix/client",
            "/_synapse/x",
            "/.well-known/acme-challenge/x",
            "/livekit/x",
            "/health",
            "/metrics",
            "/oauth2/nothing",
            "/account/nothing",
            "/%FF",
        ] {
            assert_eq!(Place::read(path), Place::Endpoint, "{path}");
        }
    }

    #[test]
    fn the_clients_paths_are_files_or_routes() {
        for (path, expected) in [
            ("/", Place::Page),
            ("/index.html", Place::Page),
            ("/sw.js", file("sw.js")),
            ("/assets/a-1.js", file("assets/a-1.js")),
            ("/room/%21a%3Aexample.org", file("room/!a:example.org")),
            ("/accounts", file("accounts")),
            ("/healthy", file("healthy")),
            ("/room/", Place::Route),
            ("/assets/", Place::Endpoint),
            ("/assets/../secret", Place::Endpoint),
        ] {
            assert_eq!(Place::read(path), expected, "{path}");
        }
    }

    #[test]
    fn no_path_leads_out_of_the_folder_or_to_what_is_hidden() {
        for path in [
            "/../secret",
            "/%2e%2e/secret",
            "/a/..%2fsecret",
            "/..\\secret",
            "/a/%5c..%5csecret",
            "/.git/config",
            "/a/.env",
            "/a//b",
            "//etc/passwd",
            "/a%00.html",
            "/index.html.br",
            "/assets/a-1.js.gz",
        ] {
            assert!(!matches!(Place::read(path), Place::File(_)), "{path}");
        }
    }
}
