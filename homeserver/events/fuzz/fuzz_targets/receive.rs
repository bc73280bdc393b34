//! Bytes from another server must never panic the receiver, and what it accepts must be good for everything that is
//! done with events later. The first byte chooses the room version.
#![no_main]

use echorift_events::{Pdu, canonical_json, rules_for, supported_versions};
use libfuzzer_sys::fuzz_target;
use ruma::signatures::PublicKeyMap;

fuzz_target!(|input: &[u8]| {
    let Some((choice, text)) = input.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    if let Ok(canonical) = canonical_json(text) {
        assert_eq!(canonical_json(&canonical).as_ref(), Ok(&canonical));
    }
    let versions: Vec<_> = supported_versions().collect();
    let version = &versions[usize::from(*choice) % versions.len()];
    let rules = rules_for(version).expect("supported versions have rules");
    let _verdict = Pdu::verify_signatures(text, &PublicKeyMap::new(), &rules);
    if let Ok(pdu) = Pdu::receive(text, &rules) {
        let again = Pdu::receive(pdu.json(), &rules).expect("what was kept is an event");
        assert_eq!(again.event_id, pdu.event_id);
        serde_json::from_str::<serde_json::Value>(&pdu.client_json(None)).expect("clients get JSON");
        let redacted = pdu.redacted(&rules).expect("every event can be redacted");
        assert_eq!(redacted.redacted(&rules).expect("and again").json(), redacted.json());
    }
});
