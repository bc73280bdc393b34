//! Keys of features that this release does not have yet.
//!
//! A configuration written for a newer release must not keep an older one from starting, for that would
//! make a rollback impossible. So these names are accepted, and the log says that they have no effect.

/// Names as in the handbook of later releases; a name stands for itself and everything below it.
const RESERVED: &[&str] = &[
    "cluster",
    "directory.attribute_photo",
    "directory.sync_interval",
    "telemetry",
];

pub(super) fn is_reserved(path: &str) -> bool {
    RESERVED.iter().any(|name| {
        path == *name
            || path
                .strip_prefix(name)
                .is_some_and(|below| below.starts_with('.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserved_name_covers_what_is_below_it_and_nothing_else() {
        assert!(is_reserved("cluster.nats"));
        assert!(!is_reserved("calls.turn"));
        assert!(!is_reserved("clusters"));
    }
}
