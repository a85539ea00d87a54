use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt::{self, Write};

use super::grammar::is_number;

/// A JSON number as its token: no digit is lost on the way through (RFC 8259, section 6).
#[derive(Clone, Debug)]
pub struct Number<'a>(Cow<'a, str>);

/// The exact decimal value of a token: `digits * 10^exponent`, without trailing zeros; zero has no digits and no sign.
#[derive(PartialEq, Eq)]
struct Decimal {
    negative: bool,
    digits: String,
    exponent: i64,
}

impl<'a> Number<'a> {
    /// Takes a token that JSON's grammar has already accepted.
    pub(crate) fn from_token(token: impl Into<Cow<'a, str>>) -> Self {
        Self(token.into())
    }

    /// Reads `text` by JSON's grammar for numbers; `None` where it is anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Number<'static>> {
        is_number(text).then(|| Number(Cow::Owned(text.to_owned())))
    }

    /// The token.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.0
    }

    /// Whether the value, not the spelling, is an integer: `1.0` and `1e2` are.
    #[must_use]
    pub fn is_integer(&self) -> bool {
        self.decimal().exponent >= 0
    }

    /// The nearest double, as JavaScript would read it.
    #[must_use]
    pub fn to_f64(&self) -> f64 {
        self.0.parse().unwrap_or(f64::NAN)
    }

    /// The value as an integer, where it is one and fits.
    #[must_use]
    pub fn to_i64(&self) -> Option<i64> {
        self.plain()?.parse().ok()
    }

    /// The value in plain notation, without exponent or trailing zeros: `-12.5`. `None` for more than 400 digits.
    #[must_use]
    pub fn plain(&self) -> Option<String> {
        let Decimal { negative, digits, exponent } = self.decimal();
        if exponent.unsigned_abs() > 400 {
            return None;
        }
        let mut out = String::from(if negative { "-" } else { "" });
        let point = digits.len() as i64 + exponent;
        if digits.is_empty() {
            out.push('0');
        } else if exponent >= 0 {
            let _ = write!(out, "{digits}{}", "0".repeat(exponent as usize));
        } else if point > 0 {
            let (whole, fraction) = digits.split_at(point as usize);
            let _ = write!(out, "{whole}.{fraction}");
        } else {
            let _ = write!(out, "0.{}{digits}", "0".repeat(point.unsigned_abs() as usize));
        }
        Some(out)
    }

    pub(super) fn into_owned(self) -> Number<'static> {
        Number(Cow::Owned(self.0.into_owned()))
    }

    /// How the exact value stands to another.
    pub(crate) fn compare(&self, other: &Number<'_>) -> Ordering {
        if let (Ok(a), Ok(b)) = (self.0.parse::<i64>(), other.0.parse::<i64>()) {
            return a.cmp(&b);
        }
        let (a, b) = (self.decimal(), other.decimal());
        a.sign().cmp(&b.sign()).then_with(|| if a.negative { b.beside(&a) } else { a.beside(&b) })
    }

    fn decimal(&self) -> Decimal {
        let (negative, rest) = match self.0.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, &*self.0),
        };
        let (mantissa, exponent) = rest.split_once(['e', 'E']).unwrap_or((rest, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut digits = format!("{whole}{fraction}");
        let zeros = digits.len() - digits.trim_start_matches('0').len();
        digits.drain(..zeros);
        let kept = digits.trim_end_matches('0').len();
        // An exponent near the ends of i64 belongs to no number that anyone stores; it saturates.
        const ENDS: (i64, i64) = (i64::MIN / 2, i64::MAX / 2);
        let written = exponent.parse().unwrap_or(if exponent.starts_with('-') { ENDS.0 } else { ENDS.1 });
        let written = written.clamp(ENDS.0, ENDS.1);
        let exponent = written - fraction.len() as i64 + (digits.len() - kept) as i64;
        digits.truncate(kept);
        match digits.is_empty() {
            true => Decimal { negative: false, digits, exponent: 0 },
            false => Decimal { negative, digits, exponent },
        }
    }

    /// The exact value, spelled in one way: equal numbers give equal texts.
    pub(super) fn canonical(&self) -> String {
        let Decimal { negative, digits, exponent } = self.decimal();
        format!("{}{digits}e{exponent}", if negative { "-" } else { "" })
    }
}

impl Decimal {
    fn sign(&self) -> i8 {
        match self.digits.is_empty() {
            true => 0,
            false if self.negative => -1,
            false => 1,
        }
    }

    /// Compares without the signs.
    fn beside(&self, other: &Self) -> Ordering {
        let point = |decimal: &Self| decimal.digits.len() as i64 + decimal.exponent;
        point(self).cmp(&point(other)).then_with(|| self.digits.cmp(&other.digits))
    }
}

impl PartialEq for Number<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 || self.decimal() == other.decimal()
    }
}

impl From<i64> for Number<'static> {
    fn from(value: i64) -> Self {
        Number(Cow::Owned(value.to_string()))
    }
}

impl fmt::Display for Number<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(token: &str) -> Number<'_> {
        Number::from_token(token)
    }

    #[test]
    fn equality_is_by_exact_decimal_value() {
        for (a, b) in [("1", "1.0"), ("-0", "0"), ("1e2", "100"), ("0.10", "1e-1"), ("12.50e1", "125")] {
            assert_eq!(number(a), number(b), "{a} and {b}");
        }
        for (a, b) in [("9007199254740992", "9007199254740993"), ("1", "-1"), ("0.1", "0.10000000000000001")] {
            assert_ne!(number(a), number(b), "{a} and {b}");
        }
    }

    #[test]
    fn numbers_compare_by_exact_decimal_value() {
        let ascending =
            ["-1e400", "-100", "-1.5", "-1e-3", "0", "1e-3", "0.1", "0.10000000000000001", "1", "9.9", "1e1", "1e400"];
        for (index, small) in ascending.iter().enumerate() {
            for large in &ascending[index + 1..] {
                let [small, large] = [small, large].map(|token| number(token));
                assert_eq!(small.compare(&large), Ordering::Less, "{small} {large}");
                assert_eq!(large.compare(&small), Ordering::Greater, "{small} {large}");
            }
        }
        for [a, b] in [["9007199254740993", "9007199254740992"], ["-9007199254740992", "-9007199254740993"]] {
            assert_eq!(number(a).compare(&number(b)), Ordering::Greater);
        }
        for [a, b] in [["1", "1.0"], ["-0", "0.0"], ["100", "1e2"]] {
            assert_eq!(number(a).compare(&number(b)), Ordering::Equal);
        }
    }

    #[test]
    fn plain_notation_has_no_exponent() {
        for (token, plain) in [("1e3", "1000"), ("1.50", "1.5"), ("-5e-3", "-0.005"), ("0.0", "0"), ("12.25", "12.25")]
        {
            assert_eq!(number(token).plain().as_deref(), Some(plain));
        }
        assert_eq!(number("1e999").plain(), None);
    }

    #[test]
    fn exponents_at_the_ends_of_i64_do_not_overflow() {
        for token in ["1.5e-9223372036854775808", "10e9223372036854775807", "0.1e-99999999999999999999"] {
            assert_eq!(number(token).plain(), None, "{token}");
            assert_eq!(number(token).is_integer(), !token.contains('-'), "{token}");
        }
    }

    #[test]
    fn text_is_a_number_only_by_the_grammar_of_json() {
        for good in ["0", "-1.5", "1e9", "2E-3"] {
            assert!(Number::parse(good).is_some(), "{good}");
        }
        for bad in ["", " 1", "1 ", "+1", "01", "1.", ".5", "0x10", "NaN", "true"] {
            assert!(Number::parse(bad).is_none(), "{bad}");
        }
    }
}
