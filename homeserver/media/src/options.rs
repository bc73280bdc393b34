use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use ruma::OwnedServerName;
use url::Url;

/// What the operator configures (`[media]`, `[url_previews]`).
#[derive(Debug, Clone)]
pub struct MediaOptions {
    pub server_name: OwnedServerName,
    /// Where uploads are written before they are placed, and with [`StoreOptions::Disk`] where they stay.
    pub folder: PathBuf,
    pub store: StoreOptions,
    pub upload_bytes_max: u64,
    /// Whether what is uploaded from now on may be fetched without a token. What was uploaded while this was so stays
    /// reachable (CS API § Content repository, "freeze").
    pub unauthenticated_downloads: bool,
    /// Media that one user has created and not yet uploaded.
    pub pending_per_user_max: u32,
    /// How long created media wait for their upload.
    pub pending_lifetime: Duration,
    pub thumbnails: ThumbnailOptions,
    pub previews: PreviewOptions,
    pub remote: RemoteOptions,
}

/// Where contents lie.
#[derive(Debug, Clone)]
pub enum StoreOptions {
    Disk,
    S3(Box<S3Options>),
}

/// A bucket of a service that speaks S3 (`[media.s3]`).
#[derive(Debug, Clone)]
pub struct S3Options {
    pub endpoint: Url,
    pub bucket: String,
    pub region: String,
    pub access_key: String,
    pub secret_key: String,
    /// `endpoint/bucket/key` rather than `bucket.endpoint/key`.
    pub path_style: bool,
    /// PEM files of authorities that are trusted beside the system's.
    pub ca_files: Vec<PathBuf>,
}

/// What thumbnails may cost (`[media.thumbnails]`).
#[derive(Debug, Clone, Copy)]
pub struct ThumbnailOptions {
    /// Larger files are not read.
    pub source_bytes_max: u64,
    /// Images that unpack to more are not unpacked.
    pub source_pixels_max: u64,
    /// How many are made at a time.
    pub at_a_time: usize,
}

/// What media of other servers may cost (`[media]`).
#[derive(Debug, Clone, Copy)]
pub struct RemoteOptions {
    pub bytes_max: u64,
    /// For a whole file.
    pub timeout: Duration,
    /// How long a file stays that nobody reads.
    pub lifetime: Duration,
}

/// `[url_previews]`.
#[derive(Debug, Clone)]
pub struct PreviewOptions {
    pub enabled: bool,
    /// If not empty, only these hosts.
    pub allow: Vec<HostPattern>,
    /// None of these hosts; goes before `allow`.
    pub deny: Vec<HostPattern>,
    /// For the page, what it points to and its image together.
    pub timeout: Duration,
    /// How much of a page is read.
    pub page_bytes_max: u64,
    pub image_bytes_max: u64,
    /// How long a preview is answered without asking again.
    pub lifetime: Duration,
}

/// A host name, or `*.` and a host name for all that is below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPattern {
    name: String,
    is_below: bool,
}

/// The text is no [`HostPattern`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoHostPattern;

impl FromStr for HostPattern {
    type Err = NoHostPattern;

    fn from_str(text: &str) -> Result<Self, NoHostPattern> {
        let (name, is_below) = match text.strip_prefix("*.") {
            Some(name) => (name, true),
            None => (text, false),
        };
        if name.contains('*') {
            return Err(NoHostPattern);
        }
        // As in URLs: lower case, punycode, one spelling for each address.
        let host = url::Host::parse(name).map_err(|_| NoHostPattern)?;
        if is_below && !matches!(host, url::Host::Domain(_)) {
            return Err(NoHostPattern);
        }
        Ok(Self {
            name: host.to_string(),
            is_below,
        })
    }
}

impl HostPattern {
    /// Whether the host of this URL is meant.
    pub fn matches(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else { return false };
        let host = host.strip_suffix('.').unwrap_or(host);
        if self.is_below {
            host.strip_suffix(&self.name)
                .is_some_and(|rest| rest.ends_with('.') && rest.len() > 1)
        } else {
            host == self.name
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, url: &str) -> bool {
        pattern
            .parse::<HostPattern>()
            .unwrap()
            .matches(&url.parse().unwrap())
    }

    #[test]
    fn a_pattern_is_a_host_or_all_that_is_below_one() {
        assert!(matches("example.org", "https://EXAMPLE.org/a"));
        assert!(matches("example.org", "https://example.org./a"));
        assert!(!matches("example.org", "https://www.example.org/"));
        assert!(matches("*.example.org", "https://a.b.example.org/"));
        assert!(!matches("*.example.org", "https://example.org/"));
        assert!(!matches("*.example.org", "https://evilexample.org/"));
        assert!(matches("127.0.0.2", "http://0x7f.2/"));
        assert!(matches("[::1]", "http://[0:0::1]/"));
        for wrong in ["", "*", "*.", "*.127.0.0.1", "a b", "https://example.org"] {
            assert_eq!(wrong.parse::<HostPattern>(), Err(NoHostPattern), "{wrong:?}");
        }
    }
}
