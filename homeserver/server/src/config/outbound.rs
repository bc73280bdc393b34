//! `[outbound]`: requests to addresses that users or strangers name.

use std::path::PathBuf;
use std::time::Duration;

use echorift_web::outbound::{AddressPolicy, IpRanges, OutboundOptions};

use super::table::Table;

/// `[outbound]`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OutboundSettings {
    pub(crate) options: OutboundOptions,
    /// How long a server that failed once is left alone; the time doubles up to the second value.
    pub(crate) retry_initial_delay: Duration,
    pub(crate) retry_max_delay: Duration,
}

impl OutboundSettings {
    pub(super) fn read(table: &mut Table<'_, '_>) -> Self {
        let extra_ca_files = table.list("extra_ca_files", &[]);
        let options = OutboundOptions {
            extra_ca_files: extra_ca_files.into_iter().map(PathBuf::from).collect(),
            addresses: AddressPolicy {
                denied: read_ranges(table, "denied_ip_ranges", &["private"]),
                allowed: read_ranges(table, "allowed_ip_ranges", &[]),
            },
            connect_timeout: table.duration("connect_timeout", "10s"),
            request_timeout: table.duration("request_timeout", "60s"),
        };
        let settings = Self {
            options,
            retry_initial_delay: table.duration("retry_initial_delay", "10s"),
            retry_max_delay: table.duration("retry_max_delay", "12h"),
        };
        if settings.retry_initial_delay.is_zero() || settings.retry_max_delay < settings.retry_initial_delay {
            table.refuse(
                "retry_initial_delay",
                "is nothing, or above retry_max_delay",
                "Write a time between 1s and retry_max_delay.",
            );
        }
        settings
    }
}

fn read_ranges(table: &mut Table<'_, '_>, key: &str, default: &[&str]) -> Vec<IpRanges> {
    let texts = table.list(key, default);
    let ranges: Vec<IpRanges> = texts.iter().filter_map(|text| text.parse().ok()).collect();
    if ranges.len() < texts.len() {
        table.refuse(
            key,
            "holds an entry that is no range of addresses",
            "Write \"private\", an address, or a network such as \"10.0.0.0/8\".",
        );
    }
    ranges
}
