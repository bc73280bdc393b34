//! `[media]` and `[url_previews]`: the content repository.

use std::path::{Path, PathBuf};

use echorift_media::{
    HostPattern, MediaOptions, PreviewOptions, RemoteOptions, S3Options, StoreOptions, ThumbnailOptions,
};
use ruma::OwnedServerName;

use super::secret::Secret;
use super::table::Table;

/// `[media]`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MediaSettings {
    /// `None`: a folder below `server.data_dir`.
    s3: Option<S3Settings>,
    pub(crate) upload_bytes_max: u64,
    unauthenticated_downloads: bool,
    pending_per_user_max: u32,
    pending_lifetime: std::time::Duration,
    thumbnail_source_bytes_max: u64,
    thumbnail_megapixels_max: u32,
    thumbnails_at_a_time: u32,
    remote_bytes_max: u64,
    remote_timeout: std::time::Duration,
    remote_lifetime: std::time::Duration,
}

/// `[media.s3]`.
#[derive(Debug, Clone, PartialEq)]
struct S3Settings {
    endpoint: url::Url,
    bucket: String,
    region: String,
    access_key: String,
    secret_key: Secret,
    path_style: bool,
}

/// `[url_previews]`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PreviewSettings {
    pub(crate) enabled: bool,
    allow: Vec<HostPattern>,
    deny: Vec<HostPattern>,
    timeout: std::time::Duration,
    page_bytes_max: u64,
    image_bytes_max: u64,
    lifetime: std::time::Duration,
}

impl MediaSettings {
    pub(super) fn read(table: &mut Table<'_, '_>) -> Self {
        let is_s3 = table.choice("store", ("disk", false), &[("s3", true)]);
        Self {
            upload_bytes_max: table.bytes("max_upload", "100MiB"),
            unauthenticated_downloads: table.flag("unauthenticated_downloads", false),
            pending_per_user_max: table.whole("pending_uploads", 100, 1..=100_000),
            pending_lifetime: table.duration("pending_upload_lifetime", "24h"),
            thumbnail_source_bytes_max: table.bytes("thumbnail_max_source", "32MiB"),
            thumbnail_megapixels_max: table.whole("thumbnail_max_megapixels", 50, 1..=1_000),
            thumbnails_at_a_time: table.whole("thumbnails_at_a_time", 2, 1..=64),
            remote_bytes_max: table.bytes("max_remote", "100MiB"),
            remote_timeout: table.duration("remote_timeout", "2m"),
            remote_lifetime: table.duration("remote_lifetime", "90d"),
            s3: table.table("s3", |table| S3Settings::read(table, is_s3)),
        }
    }

    /// As the content repository takes them. It trusts the same authorities as requests to others do.
    pub(crate) fn options(
        &self,
        server_name: OwnedServerName,
        data_dir: &Path,
        ca_files: &[PathBuf],
        previews: &PreviewSettings,
    ) -> MediaOptions {
        let store = self.s3.as_ref().map_or(StoreOptions::Disk, |s3| {
            StoreOptions::S3(Box::new(S3Options {
                endpoint: s3.endpoint.clone(),
                bucket: s3.bucket.clone(),
                region: s3.region.clone(),
                access_key: s3.access_key.clone(),
                secret_key: s3.secret_key.reveal().to_owned(),
                path_style: s3.path_style,
                ca_files: ca_files.to_vec(),
            }))
        });
        MediaOptions {
            server_name,
            folder: data_dir.join("media"),
            store,
            upload_bytes_max: self.upload_bytes_max,
            unauthenticated_downloads: self.unauthenticated_downloads,
            pending_per_user_max: self.pending_per_user_max,
            pending_lifetime: self.pending_lifetime,
            thumbnails: ThumbnailOptions {
                source_bytes_max: self.thumbnail_source_bytes_max,
                source_pixels_max: u64::from(self.thumbnail_megapixels_max) * 1_000_000,
                at_a_time: usize::try_from(self.thumbnails_at_a_time).unwrap_or(1),
            },
            previews: previews.options(),
            remote: RemoteOptions {
                bytes_max: self.remote_bytes_max,
                timeout: self.remote_timeout,
                lifetime: self.remote_lifetime,
            },
        }
    }
}

impl S3Settings {
    /// Read in any case, so that wrong keys are told; of use only if the store is S3.
    fn read(table: &mut Table<'_, '_>, is_used: bool) -> Option<Self> {
        let endpoint = table.text("endpoint", "");
        let bucket = table.text("bucket", "");
        let region = table.text("region", "us-east-1");
        let access_key = table.text("access_key", "");
        let secret_key = table.secret("secret_key");
        let path_style = table.flag("path_style", true);
        if !is_used {
            return None;
        }
        let endpoint = url::Url::parse(&endpoint)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if endpoint.is_none() {
            table.refuse(
                "endpoint",
                "is not the address of an S3 service",
                "Write, for example, \"https://s3.example.org\".",
            );
        }
        for (key, value) in [("bucket", &bucket), ("access_key", &access_key)] {
            if value.is_empty() {
                table.refuse(key, "is missing", "media.store = \"s3\" needs it.");
            }
        }
        if secret_key.is_none() {
            table.refuse_hidden("secret_key", "is missing", "media.store = \"s3\" needs it.");
        }
        Some(Self {
            endpoint: endpoint?,
            bucket,
            region,
            access_key,
            secret_key: secret_key?,
            path_style,
        })
    }
}

impl PreviewSettings {
    pub(super) fn read(table: &mut Table<'_, '_>) -> Self {
        Self {
            enabled: table.flag("enabled", true),
            allow: read_patterns(table, "allow"),
            deny: read_patterns(table, "deny"),
            timeout: table.duration("timeout", "10s"),
            page_bytes_max: table.bytes("max_page", "1MiB"),
            image_bytes_max: table.bytes("max_image", "10MiB"),
            lifetime: table.duration("lifetime", "1h"),
        }
    }

    fn options(&self) -> PreviewOptions {
        PreviewOptions {
            enabled: self.enabled,
            allow: self.allow.clone(),
            deny: self.deny.clone(),
            timeout: self.timeout,
            page_bytes_max: self.page_bytes_max,
            image_bytes_max: self.image_bytes_max,
            lifetime: self.lifetime,
        }
    }
}

fn read_patterns(table: &mut Table<'_, '_>, key: &str) -> Vec<HostPattern> {
    let texts = table.list(key, &[]);
    let patterns: Vec<HostPattern> = texts.iter().filter_map(|text| text.parse().ok()).collect();
    if patterns.len() < texts.len() {
        table.refuse(
            key,
            "holds an entry that is no host",
            "Write a host, or \"*.example.org\" for all below one.",
        );
    }
    patterns
}
