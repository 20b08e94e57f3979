//! Floats from and to decimal text, exact, and without the tables that the usual ways bring:
//! twenty kilobytes that no compression makes smaller.

use std::cmp::Ordering;

/// Digits that are looked at; what is beyond only says that there is something beyond.
const MAX_DIGITS: usize = 800;

/// The float nearest to a number in digits, as JSON has it or a setting or a header; infinite where
/// it is too large, and `None` for anything else.
pub(crate) fn decimal(text: &str) -> Option<f64> {
    let (sign, mut rest) = signed(text.as_bytes());
    let mut digits = Big::default();
    let (mut kept, mut exponent, mut inexact) = (0_usize, 0_i64, false);
    let (mut any, mut in_fraction) = (false, false);
    while let [byte, more @ ..] = rest {
        match byte {
            b'0'..=b'9' => {
                let digit = u32::from(byte - b'0');
                any = true;
                if kept == MAX_DIGITS {
                    inexact |= digit != 0;
                    exponent += i64::from(!in_fraction);
                } else {
                    exponent -= i64::from(in_fraction);
                    digits.multiply_add(10, digit);
                    kept += usize::from(!digits.0.is_empty());
                }
            }
            b'.' if !in_fraction => in_fraction = true,
            b'e' | b'E' if any => {
                exponent += power(more)?;
                break;
            }
            _ => return None,
        }
        rest = more;
    }
    any.then(|| sign * scaled(digits, kept, exponent, inexact))
}

/// -1 or 1, and what follows a sign.
fn signed(text: &[u8]) -> (f64, &[u8]) {
    match text {
        [b'-', rest @ ..] => (-1.0, rest),
        [b'+', rest @ ..] => (1.0, rest),
        _ => (1.0, text),
    }
}

/// What follows the `e`; one that is too large is as good as one of a million.
fn power(text: &[u8]) -> Option<i64> {
    let (sign, digits) = signed(text);
    let mut power = 0;
    for byte in digits {
        if !byte.is_ascii_digit() {
            return None;
        }
        power = (power * 10 + i64::from(byte - b'0')).min(1_000_000);
    }
    (!digits.is_empty()).then_some(power * sign as i64)
}

/// The float nearest to `decimal`, which has so many digits, times ten to the power of `exponent`.
fn scaled(mut decimal: Big, kept: usize, exponent: i64, inexact: bool) -> f64 {
    if kept == 0 {
        return 0.0;
    }
    // Both are exact as floats, so one rounding gives the nearest.
    if kept <= 15 && exponent.unsigned_abs() <= 22 {
        let power = (0..exponent.unsigned_abs()).fold(1.0, |power, _| power * 10.0);
        let small = decimal.0.iter().rev().fold(0.0, |small, digit| {
            small * 4_294_967_296.0 + f64::from(*digit)
        });
        return match exponent < 0 {
            true => small / power,
            false => small * power,
        };
    }
    let magnitude = exponent + kept as i64;
    if magnitude > 310 {
        return f64::INFINITY;
    }
    if magnitude < -330 {
        return 0.0;
    }
    let mut divisor = Big(vec![1]);
    let scaled = if exponent < 0 {
        &mut divisor
    } else {
        &mut decimal
    };
    for _ in 0..exponent.unsigned_abs() {
        scaled.multiply_add(10, 0);
    }
    nearest(decimal, divisor, inexact)
}

/// The float nearest to `above / below`, a little more if `inexact`; a tie goes to the even one.
fn nearest(mut above: Big, mut below: Big, inexact: bool) -> f64 {
    // A quotient of 63 or 64 bits.
    let shift = 63 - (above.bits() as i64 - below.bits() as i64);
    match shift > 0 {
        true => above.shift_left(shift as usize),
        false => below.shift_left(-shift as usize),
    }
    let (quotient, rest) = divide(above, below);
    let mut rest = !matches!(rest, Rest::None) || inexact;
    let mut exponent = -shift;
    // Bits beyond a float's 53, or fewer where it is subnormal.
    let length = 64 - i64::from(quotient.leading_zeros());
    let surplus = (length - 53).max(-1074 - exponent);
    if surplus > 64 {
        return 0.0;
    }
    let mut quotient = u128::from(quotient);
    if surplus > 0 {
        let half = 1 << (surplus - 1);
        let tail = quotient & ((half << 1) - 1);
        rest |= tail & (half - 1) != 0;
        quotient >>= surplus;
        exponent += surplus;
        if tail & half != 0 && (rest || quotient & 1 == 1) {
            quotient += 1;
        }
    }
    // In two steps: each power is a float of its own.
    let step = (exponent / 2) as i32;
    quotient as u64 as f64 * power_of_two(step) * power_of_two(exponent as i32 - step)
}

/// What a division leaves, against half of the divisor.
#[derive(Clone, Copy, PartialEq)]
enum Rest {
    None,
    Some(Ordering),
}

/// `above / below`, which is below 2^64.
fn divide(mut above: Big, mut below: Big) -> (u64, Rest) {
    let mut quotient = 0_u64;
    below.shift_left(63);
    for _ in 0..64 {
        quotient <<= 1;
        if above.compare(&below) != Ordering::Less {
            above.subtract(&below);
            quotient |= 1;
        }
        above.shift_left(1);
    }
    let rest = match above.is_zero() {
        true => Rest::None,
        false => Rest::Some(above.compare(&below)),
    };
    (quotient, rest)
}

fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(((exponent + 1023).clamp(1, 2047) as u64) << 52)
}

/// A large number, the lowest digits first.
#[derive(Default)]
struct Big(Vec<u32>);

impl Big {
    fn multiply_add(&mut self, factor: u32, term: u32) {
        let mut carry = u64::from(term);
        for digit in &mut self.0 {
            carry += u64::from(*digit) * u64::from(factor);
            *digit = carry as u32;
            carry >>= 32;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
    }

    fn shift_left(&mut self, bits: usize) {
        for _ in 0..bits % 32 {
            self.multiply_add(2, 0);
        }
        if !self.is_zero() {
            self.0.splice(0..0, std::iter::repeat_n(0, bits / 32));
        }
    }

    fn bits(&self) -> usize {
        let top = self.0.last().map_or(32, |digit| digit.leading_zeros());
        (self.0.len() * 32).saturating_sub(top as usize)
    }

    fn is_zero(&self) -> bool {
        self.0.iter().all(|digit| *digit == 0)
    }

    fn compare(&self, other: &Self) -> Ordering {
        let digits = self.0.len().max(other.0.len());
        let at = |big: &Self, place: usize| big.0.get(place).copied().unwrap_or(0);
        (0..digits)
            .rev()
            .map(|place| at(self, place).cmp(&at(other, place)))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }

    /// Takes away `other`, which is not larger.
    fn subtract(&mut self, other: &Self) {
        let mut borrow = 0_i64;
        for (place, digit) in self.0.iter_mut().enumerate() {
            let less = i64::from(other.0.get(place).copied().unwrap_or(0));
            let left = i64::from(*digit) - less + borrow;
            *digit = left as u32;
            borrow = left >> 32;
        }
    }
}

/// A float as a message shows it.
pub(crate) fn shown(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let text = text(number);
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

/// A finite float as JSON has it, with a fraction; `null` for another, as JSON has none.
pub(super) fn text(number: f64) -> String {
    if !number.is_finite() {
        return "null".to_owned();
    }
    let sign = if number.is_sign_negative() { "-" } else { "" };
    let size = number.abs();
    // As people write them: with few places.
    let mut power = 1_u64;
    for places in 1..=6 {
        power *= 10;
        let scaled = size * power as f64;
        let whole = scaled as u64;
        if scaled < 1e15 && whole as f64 == scaled && scaled / power as f64 == size {
            let mut text = sign.to_owned();
            text.push_str(&(whole / power).to_string());
            text.push('.');
            for place in (0..places).rev() {
                let digit = whole / 10_u64.pow(place) % 10;
                text.push(char::from(b'0' + digit as u8));
            }
            return text;
        }
    }
    // With 17 digits each float has a text of its own.
    let mut length = 15;
    loop {
        let text = scientific(size, length);
        if length == 17 || decimal(&text) == Some(size) {
            return [sign, &text].concat();
        }
        length += 1;
    }
}

/// A float above 0 with so many digits, the nearest there is, less its trailing zeros.
fn scientific(size: f64, length: u32) -> String {
    let bits = size.to_bits();
    let (fraction, raised) = (bits & ((1 << 52) - 1), (bits >> 52) as i32);
    let (mantissa, exponent) = match raised {
        0 => (fraction, -1074),
        _ => (fraction | 1 << 52, raised - 1075),
    };
    let least = 10_u64.pow(length - 1);
    // The decimal exponent of the first digit, or one or two less: 1233 / 4096 is near log10 of 2.
    let top = 63 - mantissa.leading_zeros() as i32 + exponent;
    let mut first = ((top * 1233) >> 12) - 1;
    loop {
        let shift = length as i32 - 1 - first;
        let mut above = Big(vec![mantissa as u32, (mantissa >> 32) as u32]);
        let mut below = Big(vec![1]);
        match exponent > 0 {
            true => above.shift_left(exponent as usize),
            false => below.shift_left(-exponent as usize),
        }
        let scaled = if shift > 0 { &mut above } else { &mut below };
        for _ in 0..shift.unsigned_abs() {
            scaled.multiply_add(10, 0);
        }
        let (mut digits, rest) = divide(above, below);
        let up = match rest {
            Rest::Some(Ordering::Greater) => true,
            Rest::Some(Ordering::Equal) => digits % 2 == 1,
            _ => false,
        };
        digits += u64::from(up);
        if digits >= least * 10 {
            first += 1;
            continue;
        }
        let text = digits.to_string();
        let (head, tail) = text.split_at(1);
        let tail = match tail.trim_end_matches('0') {
            "" => "0",
            tail => tail,
        };
        return format!("{head}.{tail}e{first}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_what_the_standard_library_reads() {
        for text in [
            "30", "0", "-1", "+5", "1.5", ".5", "5.", "1e3", "2E-3", "1e+2", "0.1", "1e400", "",
            ".", "-", "+", "e3", "1e", "1e+", "1.2.3", "1_0", "0x1", " 1", "1 ", "++1", "--1",
            "1s",
        ] {
            assert_eq!(decimal(text), text.parse().ok(), "{text:?}");
        }
        for text in ["inf", "nan", "infinity", "-inf"] {
            assert_eq!(decimal(text), None);
        }
        // A sign of each kind: here stricter or laxer would both be wrong.
        assert_eq!(decimal("+-1"), None);
    }

    #[test]
    fn texts_are_as_short_as_can_be() {
        for (number, expected) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (0.7, "0.7"),
            (2.0, "2.0"),
            (-1.25, "-1.25"),
            (0.000_001, "0.000001"),
            (0.1 + 0.2, "3.0000000000000004e-1"),
            (1e300, "1.0e300"),
            (9.5e-7, "9.5e-7"),
            (123_456_789.5, "123456789.5"),
        ] {
            assert_eq!(text(number), expected);
        }
        assert_eq!(shown(2.0), "2");
        assert_eq!(shown(0.5), "0.5");
        assert_eq!(shown(f64::NEG_INFINITY), "-inf");
    }

    proptest::proptest! {
        #[test]
        fn a_text_is_read_back_as_its_float(bits in proptest::num::u64::ANY) {
            let number = f64::from_bits(bits);
            if number.is_finite() {
                let text = text(number);
                let back: f64 = text.parse().unwrap();
                proptest::prop_assert_eq!(back.to_bits(), bits, "{}", text);
                let digits = |text: &str| text.chars().filter(char::is_ascii_digit).count();
                let (mantissa, _) = text.split_once('e').unwrap_or((&text, ""));
                let shortest = format!("{number:e}");
                let (theirs, _) = shortest.split_once('e').unwrap();
                // Subnormals have texts that are shorter still.
                if number.is_normal() {
                    proptest::prop_assert!(digits(mantissa) <= digits(theirs).max(2), "{}", text);
                }
            }
        }

        #[test]
        fn so_is_one_of_few_digits(whole in 0_u64..100_000_000, places in 0_i32..12) {
            let number = whole as f64 / 10_f64.powi(places);
            proptest::prop_assert_eq!(text(number).parse::<f64>().unwrap(), number);
        }
    }
}
