//! Durations and sizes as operators write them: a number and a unit.

use std::time::Duration;

/// Reads `500ms`, `15s`, `15m`, `12h` or `7d`; several may follow each other, as in `1h30m`.
///
/// Fractions are refused: there is always a smaller unit.
pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let (number, unit, tail) = split_quantity(rest)?;
        let unit_ms: u64 = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        total = total.checked_add(Duration::from_millis(number.checked_mul(unit_ms)?))?;
        rest = tail.trim_start();
    }
    Some(total)
}

/// Reads `512`, `64KiB`, `100MiB`, `2GiB` (powers of 1,024) or `64KB`, `100MB`, `2GB` (powers of 1,000) as bytes.
pub(crate) fn parse_bytes(text: &str) -> Option<u64> {
    let (number, unit, tail) = split_quantity(text.trim())?;
    if !tail.is_empty() {
        return None;
    }
    let unit_bytes: u64 = match unit {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "KB" | "kB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        _ => return None,
    };
    number.checked_mul(unit_bytes)
}

/// Splits `15m30s` into 15, `m` and `30s`.
fn split_quantity(text: &str) -> Option<(u64, &str, &str)> {
    let digits_end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(digits_end)?;
    let rest = rest.trim_start();
    let unit_end = rest
        .find(|c: char| !c.is_ascii_alphabetic())
        .unwrap_or(rest.len());
    let (unit, tail) = rest.split_at_checked(unit_end)?;
    Some((digits.parse().ok()?, unit, tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit_and_may_be_composed() {
        assert_eq!(parse_duration("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(parse_duration("15m"), Some(Duration::from_secs(900)));
        assert_eq!(parse_duration("1h 30m"), Some(Duration::from_secs(5_400)));
        assert_eq!(parse_duration("7d"), Some(Duration::from_secs(604_800)));
        for wrong in [
            "",
            "15",
            "m",
            "1.5h",
            "-3s",
            "3 weeks",
            "99999999999999999999s",
            "18446744073709551615d",
        ] {
            assert_eq!(parse_duration(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn sizes_know_both_families_of_units() {
        assert_eq!(parse_bytes("512"), Some(512));
        assert_eq!(parse_bytes("100MiB"), Some(104_857_600));
        assert_eq!(parse_bytes("64 KB"), Some(64_000));
        for wrong in ["", "MiB", "1.5MiB", "1TiBx", "1MiB2", "18446744073709551615GiB"] {
            assert_eq!(parse_bytes(wrong), None, "{wrong:?}");
        }
    }
}
