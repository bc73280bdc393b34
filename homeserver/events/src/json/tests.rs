#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::canonical_json;

fn lenient(text: &str) -> String {
    let mut out = String::new();
    write_value(&mut out, &parse_value(text, Numbers::Lenient).unwrap());
    out
}

#[test]
fn the_examples_of_the_specification_come_out_canonical() {
    let examples = [
        ("{}", "{}"),
        (r#"{ "one": 1, "two": "Two" }"#, r#"{"one":1,"two":"Two"}"#),
        (r#"{ "b": "2", "a": "1" }"#, r#"{"a":"1","b":"2"}"#),
        (r#"{"b":"2","a":"1"}"#, r#"{"a":"1","b":"2"}"#),
        (
            r#"{ "auth": { "success": true, "mxid": "@john.doe:example.com", "profile": { "display_name": "John Doe",
                "three_pids": [ { "medium": "email", "address": "john.doe@example.org" },
                                { "medium": "msisdn", "address": "123456789" } ] } } }"#,
            r#"{"auth":{"mxid":"@john.doe:example.com","profile":{"display_name":"John Doe","three_pids":[{"address":"john.doe@example.org","medium":"email"},{"address":"123456789","medium":"msisdn"}]},"success":true}}"#,
        ),
        (r#"{ "a": "日本語" }"#, r#"{"a":"日本語"}"#),
        (r#"{ "本": 2, "日": 1 }"#, r#"{"日":1,"本":2}"#),
        (r#"{ "a": "\u65E5" }"#, r#"{"a":"日"}"#),
        (r#"{ "a": null }"#, r#"{"a":null}"#),
    ];
    for (given, expected) in examples {
        assert_eq!(canonical_json(given).unwrap(), expected);
    }
    // The last example is not canonical JSON to begin with, and only old rooms may hold it.
    assert_eq!(lenient(r#"{ "a": -0, "b": 1e10 }"#), r#"{"a":0,"b":10000000000}"#);
}

#[test]
fn keys_are_sorted_by_code_point_and_not_by_utf16_unit() {
    let (private_use, emoji) = ("\u{e000}", "\u{1f600}");
    let given = format!(r#"{{"{emoji}":1,"{private_use}":2}}"#);
    assert_eq!(
        canonical_json(&given).unwrap(),
        format!(r#"{{"{private_use}":2,"{emoji}":1}}"#)
    );
}

#[test]
fn control_characters_use_the_shortest_escapes() {
    let given = r#""\u0000\u0007\u0008\u0009\u000a\u000b\u000c\u000d\u001f\u0020\u0022\u005c\u002f\u007f""#;
    let expected = "\"\\u0000\\u0007\\b\\t\\n\\u000b\\f\\r\\u001f \\\"\\\\/\u{7f}\"";
    assert_eq!(canonical_json(given).unwrap(), expected);
}

#[test]
fn strict_numbers_are_integers_of_at_most_53_bits() {
    for good in ["0", "-1", "9007199254740991", "-9007199254740991"] {
        assert_eq!(canonical_json(good).unwrap(), good);
    }
    for bad in [
        "9007199254740992",
        "-9007199254740992",
        "1.0",
        "1e3",
        "-0",
        "0.5",
        "99999999999999999999",
    ] {
        assert!(canonical_json(bad).is_err(), "{bad}");
    }
}

#[test]
fn lenient_numbers_are_written_as_old_rooms_hashed_them() {
    let expected = [
        ("9007199254740993", "9007199254740993"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("50.57", "50.57"),
        ("50.0", "50.0"),
        ("5.114698E4", "51146.98"),
        ("1.5e20", "1.5e+20"),
        ("1.5e-7", "1.5e-07"),
        ("0.0001", "0.0001"),
    ];
    for (given, written) in expected {
        assert_eq!(lenient(given), written);
    }
    assert!(parse_value("1e999", Numbers::Lenient).is_err());
}

#[test]
fn what_is_not_json_is_refused() {
    let bad = [
        "",
        "{",
        "[1,]",
        "{\"a\":1,}",
        "{a:1}",
        "01",
        "-",
        "1.",
        "1e",
        "nul",
        "\"\\x\"",
        "\"\u{1}\"",
        "\"a",
        "\"\\",
        "{} {}",
        "[1 2]",
        "{\"a\" 1}",
        "\"\\ud800\"",
        "+1",
        "\u{feff}{}",
        "NaN",
        "Infinity",
    ];
    for text in bad {
        assert!(parse_value(text, Numbers::Lenient).is_err(), "{text:?}");
    }
}

#[test]
fn nesting_is_bounded() {
    assert!(parse_value(&"[".repeat(1_000_000), Numbers::Lenient).is_err());
    let shallow = format!("{}{}", "[".repeat(100), "]".repeat(100));
    assert_eq!(canonical_json(&shallow).unwrap(), shallow);
}

#[test]
fn of_equal_keys_the_last_counts() {
    assert_eq!(canonical_json(r#"{"a":1,"a":2}"#).unwrap(), r#"{"a":2}"#);
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-INTEGER_MAX..=INTEGER_MAX).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn canonical_form_keeps_the_value_and_is_stable(value in json(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
        let canonical = canonical_json(&text).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Value>(&canonical).unwrap(), &value);
        prop_assert_eq!(canonical_json(&canonical).unwrap(), canonical);
    }

    #[test]
    fn the_parser_accepts_exactly_what_the_common_one_does(text in r#"[ \[\]{},:"\\/a-fnrtul0-9.eE+-]{0,24}"#) {
        let ours = parse_value(&text, Numbers::Lenient).is_ok();
        prop_assert_eq!(ours, serde_json::from_str::<Value>(&text).is_ok());
    }
}
