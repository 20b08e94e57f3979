//! Floats from and to decimal text, exact, and without the tables that the usual ways bring:
//! twenty kilobytes that no compression makes smaller.

use std::cmp::Ordering;

/// Digits that are looked at; what is beyond only says that there is something beyond.
const MAX_DIGITS: usize = 800;

/// The float nearest to a number in JSON's syntax; infinite where that is too large.
pub(super) fn parse(text: &str) -> f64 {
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text),
    };
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = whole.bytes().chain(fraction.bytes());
    // An exponent that does not fit is as good as one of a million.
    let exponent = exponent
        .parse::<i64>()
        .unwrap_or(match exponent.starts_with('-') {
            true => -1_000_000,
            false => 1_000_000,
        });
    let exponent = exponent.clamp(-1_000_000, 1_000_000) - fraction.len() as i64;

    let mut decimal = Big::default();
    let (mut small, mut kept, mut dropped, mut inexact) = (0_u64, 0_usize, 0_i64, false);
    for digit in digits {
        let digit = u32::from(digit - b'0');
        if kept == MAX_DIGITS {
            dropped += 1;
            inexact |= digit != 0;
            continue;
        }
        if kept > 0 || digit > 0 {
            kept += 1;
            if kept <= 18 {
                small = small * 10 + u64::from(digit);
            }
            decimal.multiply_add(10, digit);
        }
    }
    let exponent = exponent + dropped;
    if kept == 0 {
        return sign * 0.0;
    }
    // Both are exact as floats, so one rounding gives the nearest.
    if kept <= 15 && exponent.unsigned_abs() <= 22 {
        let power = (0..exponent.unsigned_abs()).fold(1.0, |power, _| power * 10.0);
        let small = small as f64;
        return sign
            * if exponent < 0 {
                small / power
            } else {
                small * power
            };
    }
    let magnitude = exponent + kept as i64;
    if magnitude > 310 {
        return sign * f64::INFINITY;
    }
    if magnitude < -330 {
        return sign * 0.0;
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
    sign * nearest(decimal, divisor, inexact)
}

/// The float nearest to `above / below`, a little more if `inexact`; a tie goes to the even one.
fn nearest(mut above: Big, mut below: Big, inexact: bool) -> f64 {
    // A quotient of 63 or 64 bits.
    let shift = 63 - (above.bits() as i64 - below.bits() as i64);
    match shift > 0 {
        true => above.shift_left(shift as usize),
        false => below.shift_left(-shift as usize),
    }
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
    let mut rest = !above.is_zero() || inexact;
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

/// A finite float as JSON has it, with a fraction; `null` for another, as JSON has none.
pub(super) fn text(number: f64) -> String {
    if !number.is_finite() {
        return "null".to_owned();
    }
    let mut text = number.to_string();
    if !text.contains('.') {
        text.push_str(".0");
    }
    text
}
