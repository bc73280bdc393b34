//! The room versions that the server speaks, and what differs between them.

use ruma::RoomVersionId;
pub use ruma::room_version_rules::RoomVersionRules;

/// The version given to rooms whose creator asks for none (CS API § `m.room_versions` capability).
pub const DEFAULT_ROOM_VERSION: RoomVersionId = RoomVersionId::V12;

/// The rules of a room version; `None` for every version but "1" to "12".
pub fn rules_for(version: &RoomVersionId) -> Option<RoomVersionRules> {
    supported_versions()
        .find(|supported| supported == version)
        .and_then(|supported| supported.rules())
}

/// All room versions that the server can create, join and take part in, oldest first.
pub fn supported_versions() -> impl Iterator<Item = RoomVersionId> {
    [
        RoomVersionId::V1,
        RoomVersionId::V2,
        RoomVersionId::V3,
        RoomVersionId::V4,
        RoomVersionId::V5,
        RoomVersionId::V6,
        RoomVersionId::V7,
        RoomVersionId::V8,
        RoomVersionId::V9,
        RoomVersionId::V10,
        RoomVersionId::V11,
        RoomVersionId::V12,
    ]
    .into_iter()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn keys_must_be_valid_at_the_time_of_the_event_from_version_5_on() {
        for (number, version) in (1..).zip(supported_versions()) {
            assert_eq!(
                rules_for(&version).unwrap().enforce_key_validity,
                number >= 5,
                "version {number}"
            );
        }
    }

    #[test]
    fn exactly_the_versions_one_to_twelve_are_supported() {
        let names: Vec<String> = supported_versions().map(|version| version.to_string()).collect();
        let expected: Vec<String> = (1..=12).map(|number| number.to_string()).collect();
        assert_eq!(names, expected);
        for unsupported in ["0", "13", "org.matrix.hydra.11", "org.matrix.msc2870"] {
            assert!(rules_for(&RoomVersionId::try_from(unsupported).unwrap()).is_none());
        }
    }
}
