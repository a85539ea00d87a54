//! Points in time as text and as numbers, converted in decimal arithmetic: the digits of a fraction are carried over,
//! never computed. (In doubles, one in a hundred stamps would be a millisecond off.)

use std::borrow::Cow;

use crate::document::{Number, Value};
use crate::error::{Error, ErrorKind, Result};
use crate::json_words;

/// How a point in time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeFormat {
    /// Seconds since 1970-01-01T00:00:00Z, with a fraction.
    EpochSeconds,
    /// Milliseconds since then, with a fraction.
    EpochMilliseconds,
    /// RFC 3339 in UTC, as `2023-10-11T17:00:00.25Z`. An offset is read, and remembered as residue.
    Iso,
}

json_words!(TimeFormat { "epoch-s": EpochSeconds, "epoch-ms": EpochMilliseconds, "iso": Iso });

pub(super) fn convert_time<'a>(from: TimeFormat, to: TimeFormat, whole: bool, value: &Value<'_>) -> Result<Value<'a>> {
    let wrong = |expected: &str| {
        let message = format!("expected {expected}, found a {} that is none", value.kind());
        Error::new(ErrorKind::Unfit, message)
    };
    let epoch = |shift| value.number().and_then(|number| Instant::from_epoch(&number, shift));
    let instant = match from {
        TimeFormat::EpochSeconds => {
            epoch(0).ok_or_else(|| wrong("a time in seconds since 1970, in the years 0 to 9999"))
        }
        TimeFormat::EpochMilliseconds => {
            epoch(3).ok_or_else(|| wrong("a time in milliseconds since 1970, in the years 0 to 9999"))
        }
        TimeFormat::Iso => {
            let text = value.text()?;
            text.and_then(|text| Instant::from_iso(&text)).ok_or_else(|| wrong("a time as RFC 3339 writes it"))
        }
    }?;
    Ok(match to {
        TimeFormat::EpochSeconds => Value::Number(instant.to_epoch(0, whole)),
        TimeFormat::EpochMilliseconds => Value::Number(instant.to_epoch(3, whole)),
        TimeFormat::Iso => Value::String(Cow::Owned(instant.to_iso())),
    })
}

/// A point in time: whole seconds since 1970 (rounded down) and the digits after the point, without trailing zeros.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Instant {
    seconds: i64,
    fraction: String,
}

/// Whether a text is a point in time as RFC 3339 writes it, in the years 0 to 9999.
pub(crate) fn is_date_time(text: &str) -> bool {
    Instant::from_iso(text).is_some()
}

const DAY: i64 = 86_400;
/// 0000-01-01T00:00:00Z and 10000-01-01T00:00:00Z: RFC 3339 writes years with four digits.
const YEARS_0_TO_9999: std::ops::Range<i64> = -62_167_219_200..253_402_300_800;

impl Instant {
    /// `shift` is how many digits the unit is below the second: 0 or 3. `None` outside the years 0 to 9999.
    pub(super) fn from_epoch(number: &Number<'_>, shift: usize) -> Option<Self> {
        let plain = number.plain()?;
        let (negative, magnitude) = plain.strip_prefix('-').map_or((false, &*plain), |rest| (true, rest));
        let (whole, fraction) = magnitude.split_once('.').unwrap_or((magnitude, ""));
        let padded = format!("{whole:0>width$}", width = shift + 1);
        let (seconds, below) = padded.split_at(padded.len() - shift);
        let mut fraction = format!("{below}{fraction}");
        let mut seconds: i64 = seconds.parse().ok()?;
        if negative {
            seconds = -seconds;
            if fraction.bytes().any(|digit| digit != b'0') {
                seconds -= 1;
                fraction = complement(&fraction);
            }
        }
        fraction.truncate(fraction.trim_end_matches('0').len());
        YEARS_0_TO_9999.contains(&seconds).then_some(Self { seconds, fraction })
    }

    /// `whole` cuts the digits below the unit.
    pub(super) fn to_epoch(&self, shift: usize, whole: bool) -> Number<'static> {
        let kept = if whole { self.fraction.len().min(shift) } else { self.fraction.len() };
        let fraction = self.fraction[..kept].trim_end_matches('0');
        let negative = self.seconds < 0 && !fraction.is_empty();
        let (seconds, fraction) = match negative {
            true => (self.seconds + 1, complement(fraction)),
            false => (self.seconds, fraction.to_owned()),
        };
        let digits = format!("{fraction:0<shift$}");
        let (above, below) = digits.split_at(shift);
        let above = format!("{}{above}", seconds.unsigned_abs());
        let above = above.trim_start_matches('0');
        let sign = if negative || self.seconds < 0 { "-" } else { "" };
        let point = if below.is_empty() { "" } else { "." };
        Number::from_token(format!("{sign}{}{point}{below}", if above.is_empty() { "0" } else { above }))
    }

    /// Reads RFC 3339 (a profile of ISO 8601) with `T` and `Z` or an offset; no leap second.
    pub(super) fn from_iso(text: &str) -> Option<Self> {
        if !text.is_ascii() || text.len() < 20 {
            return None;
        }
        let (date_time, rest) = text.split_at(19);
        let zone_at = rest.find(['Z', '+', '-'])?;
        let (fraction, zone) = rest.split_at(zone_at);
        let fraction = match fraction.strip_prefix('.') {
            Some(digits) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => digits,
            None if fraction.is_empty() => "",
            _ => return None,
        };
        let seconds = parse_date_time(date_time)? - parse_zone(zone)?;
        let fraction = fraction.trim_end_matches('0').to_owned();
        YEARS_0_TO_9999.contains(&seconds).then_some(Self { seconds, fraction })
    }

    pub(super) fn to_iso(&self) -> String {
        let (year, month, day) = civil_from_days(self.seconds.div_euclid(DAY));
        let second = self.seconds.rem_euclid(DAY);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let point = if self.fraction.is_empty() { "" } else { "." };
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{point}{}Z", self.fraction)
    }
}

/// Digits of `1 - 0.digits`, in as many places; the digits are not all zero.
fn complement(digits: &str) -> String {
    let kept = digits.trim_end_matches('0');
    let zeros = digits.len() - kept.len();
    let (last, front) = kept.as_bytes().split_last().map_or((b'0', &[][..]), |(last, front)| (*last, front));
    let front = front.iter().map(|digit| char::from(b'9' - (digit - b'0')));
    front.chain([char::from(b'0' + (10 - (last - b'0')) % 10)]).chain(std::iter::repeat_n('0', zeros)).collect()
}

fn parse_date_time(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if separators.iter().any(|&(at, expected)| bytes[at] != expected) {
        return None;
    }
    let year = digits(&text[0..4])?;
    let (month, day) = (within(&text[5..7], 1, 12)?, within(&text[8..10], 1, 31)?);
    let (hour, minute, second) =
        (within(&text[11..13], 0, 23)?, within(&text[14..16], 0, 59)?, within(&text[17..19], 0, 59)?);
    let days = days_from_civil(year, month, day);
    let exists = civil_from_days(days) == (year, month, day);
    exists.then_some(days * DAY + hour * 3600 + minute * 60 + second)
}

/// The offset in seconds: `Z`, `+02:00`, `-05:30`.
fn parse_zone(zone: &str) -> Option<i64> {
    if zone == "Z" {
        return Some(0);
    }
    if zone.len() != 6 || zone.as_bytes()[3] != b':' {
        return None;
    }
    let seconds = within(&zone[1..3], 0, 23)? * 3600 + within(&zone[4..6], 0, 59)? * 60;
    Some(if zone.starts_with('-') { -seconds } else { seconds })
}

fn within(text: &str, low: i64, high: i64) -> Option<i64> {
    digits(text).filter(|value| (low..=high).contains(value))
}

fn digits(text: &str) -> Option<i64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

/// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms" (proleptic Gregorian calendar).
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn iso(token: &str, shift: usize) -> Option<String> {
        Instant::from_epoch(&Number::parse(token).unwrap(), shift).map(|instant| instant.to_iso())
    }

    #[test]
    fn known_instants() {
        let known = [
            ("0", 0, "1970-01-01T00:00:00Z"),
            ("1697043600.123456", 0, "2023-10-11T17:00:00.123456Z"),
            ("1697043600123.5", 3, "2023-10-11T17:00:00.1235Z"),
            ("-0.25", 0, "1969-12-31T23:59:59.75Z"),
            ("-1", 3, "1969-12-31T23:59:59.999Z"),
            ("951782400", 0, "2000-02-29T00:00:00Z"),
            ("253402300799", 0, "9999-12-31T23:59:59Z"),
            ("1.6970436e9", 0, "2023-10-11T17:00:00Z"),
        ];
        for (token, shift, text) in known {
            assert_eq!(iso(token, shift).as_deref(), Some(text), "{token}");
            let back = Instant::from_iso(text).unwrap().to_epoch(shift, false);
            assert_eq!(back, Number::parse(token).unwrap(), "{text} back");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for token in ["1e300", "253402300800", "-62167219201", "1e-500"] {
            assert_eq!(iso(token, 0), None, "{token}");
        }
        for text in [
            "2023-02-30T00:00:00Z",
            "2023-10-11",
            "2023-10-11T24:00:00Z",
            "2023-10-11T17:00:00",
            "2023-10-11T17:00:00.Z",
            "2023-10-11t17:00:00Z",
            "+023-10-11T17:00:00Z",
        ] {
            assert_eq!(Instant::from_iso(text), None, "{text}");
        }
    }

    #[test]
    fn an_offset_is_read() {
        let instant = |text| Instant::from_iso(text).unwrap();
        assert_eq!(instant("2023-10-11T19:00:00+02:00"), instant("2023-10-11T17:00:00Z"));
        assert_eq!(instant("2023-10-11T11:30:00.10-05:30"), instant("2023-10-11T17:00:00.1Z"));
    }

    proptest! {
        #[test]
        fn epoch_to_iso_and_back_loses_nothing(whole in -62_167_219_199_i64..253_402_300_799, fraction in "[0-9]{0,12}", shift in prop::sample::select(vec![0_usize, 3])) {
            let token = match fraction.is_empty() { true => whole.to_string(), false => format!("{whole}.{fraction}") };
            let number = Number::parse(&token).unwrap();
            let instant = Instant::from_epoch(&number, shift).unwrap();
            prop_assert_eq!(instant.to_epoch(shift, false), number);
            prop_assert_eq!(Instant::from_iso(&instant.to_iso()), Some(instant));
        }
    }
}
