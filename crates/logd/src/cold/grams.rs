//! What is put down of a text so that it can be told later what it does not hold: pure.
//!
//! ```text
//!   "order 48213377 failed"     words      4 bytes without a digit or newline:  orde rder "der " … " fai" fail aile iled
//!                               numbers    6 letters or digits, of which one is a digit:  482133 821337 213377
//! ```
//!
//! A text that holds another one holds all its grams. Each gram has one of [`ROWS`] numbers, so that a text is put down as so
//! many bits. Words are few in a block however many lines it has; numbers are many, and six of their digits are needed to tell
//! one from all the others, while four of a word are enough. What is neither (a number of three digits) is not put down.
//!
//! Invariants
//! - Upper and lower case of ASCII are one.
//! - How grams are numbered is part of the format of sealed segments.

/// What grams are numbered up to.
pub(super) const ROWS: usize = 1 << BITS;
const BITS: u32 = 15;
/// Bytes of a word, and of a number.
const WORD: usize = 4;
const NUMBER: usize = 6;
/// Bytes before a text of which grams may begin that end in it.
pub const REACH: usize = NUMBER - 1;

const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
const SHORT_MULTIPLIER: u32 = 0x9e37_79b1;

/// The grams of one block.
pub(super) type Bits = [u64; ROWS / 64];

/// Collects the grams of one block.
#[derive(Debug)]
pub(super) struct Grams {
    pub(super) bits: Box<Bits>,
    /// Where stretches stand in the text that were taken in, by their hash: most come again and again.
    seen: Vec<(u32, u32)>,
}

/// Stretches that are remembered.
const SEEN: u32 = 11;

impl Grams {
    pub(super) fn new() -> Self {
        Self {
            bits: Box::new([0; ROWS / 64]),
            seen: vec![(0, 0); 1 << SEEN],
        }
    }

    /// Takes in all grams of a text.
    pub(super) fn add(&mut self, text: &[u8]) {
        self.seen.fill((0, 0));
        let mut at = 0;
        loop {
            at += self.stretch(text, at);
            match text.get(at) {
                None => return,
                Some(b'\n') => at += 1,
                Some(_) => at = self.number(text, at),
            }
        }
    }

    /// Takes in what stands at `at` up to a digit or newline, and returns how long it is.
    fn stretch(&mut self, text: &[u8], at: usize) -> usize {
        let rest = text.get(at..).unwrap_or_default();
        let (length, hash) = plain(rest);
        let (Some(stretch), true) = (rest.get(..length), length >= WORD) else {
            return length;
        };
        let key = usize::try_from(hash >> (64 - SEEN)).unwrap_or(0);
        if let Some(place) = self.seen.get_mut(key)
            && let (Ok(start), Ok(size)) = (u32::try_from(at), u32::try_from(length))
        {
            let before = place.0 as usize..(place.0 + place.1) as usize;
            if text.get(before) == Some(stretch) {
                return length;
            }
            *place = (start, size);
        }
        let mut word = 0;
        for (index, byte) in stretch.iter().enumerate() {
            word = word << 8 | u32::from(byte.to_ascii_lowercase());
            if index + 1 >= WORD {
                self.set(word_row(word));
            }
        }
        length
    }

    /// Takes in the numbers around the digit at `at`, and returns where to go on.
    fn number(&mut self, text: &[u8], at: usize) -> usize {
        let before = text.get(..at).unwrap_or_default().iter().rev();
        let joined = before
            .take(REACH)
            .take_while(|byte| byte.is_ascii_alphabetic());
        let begin = at - joined.count();
        let (mut number, mut last, mut letters) = (0_u64, at - begin, 0);
        let run = text.get(begin..).unwrap_or_default().iter();
        for (index, byte) in run
            .take_while(|byte| byte.is_ascii_alphanumeric())
            .enumerate()
        {
            number = number << 8 | u64::from(byte.to_ascii_lowercase());
            if byte.is_ascii_digit() {
                (last, letters) = (index, 0);
            } else if index >= last + NUMBER {
                break;
            } else {
                letters += 1;
            }
            if letters >= WORD {
                self.set(word_row(low(number)));
            }
            if index + 1 >= NUMBER {
                self.set(number_row(number));
            }
        }
        begin + last + 1
    }

    fn set(&mut self, row: u16) {
        if let Some(word) = self.bits.get_mut(usize::from(row >> 6)) {
            *word |= 1 << (row & 63);
        }
    }
}

/// The numbers of the grams of a text in lower case: what holds it has all of them.
pub(super) fn rows(lower: &[u8]) -> Vec<u16> {
    let words = lower.windows(WORD).filter_map(|window| {
        let is_one = !window
            .iter()
            .any(|byte| byte.is_ascii_digit() || *byte == b'\n');
        let word = window
            .iter()
            .fold(0, |word, byte| word << 8 | u32::from(*byte));
        is_one.then(|| word_row(word))
    });
    let numbers = lower.windows(NUMBER).filter_map(|window| {
        let is_one =
            window.iter().all(u8::is_ascii_alphanumeric) && window.iter().any(u8::is_ascii_digit);
        let number = window
            .iter()
            .fold(0, |number, byte| number << 8 | u64::from(*byte));
        is_one.then(|| number_row(number))
    });
    let mut rows: Vec<_> = words.chain(numbers).collect();
    rows.sort_unstable();
    rows.dedup();
    rows
}

/// The first bits of a product, as those are the ones that all bytes take part in.
const fn word_row(word: u32) -> u16 {
    let [.., a, b] = (word.wrapping_mul(SHORT_MULTIPLIER) >> (32 - BITS)).to_be_bytes();
    u16::from_be_bytes([a, b])
}

/// The same of the lowest six bytes.
const fn number_row(number: u64) -> u16 {
    let product = (number << 16).wrapping_mul(MULTIPLIER) >> (64 - BITS);
    let [.., a, b] = product.to_be_bytes();
    u16::from_be_bytes([a, b])
}

/// The last four bytes.
const fn low(number: u64) -> u32 {
    let [.., a, b, c, d] = number.to_be_bytes();
    u32::from_be_bytes([a, b, c, d])
}

const EACH: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x80 * EACH;

/// How many bytes stand before the first digit or newline of a text, and a hash of them.
fn plain(text: &[u8]) -> (usize, u64) {
    let (mut length, mut hash) = (0, 0_u64);
    let mut mix = |bytes: u64| hash = (hash.rotate_left(5) ^ bytes).wrapping_mul(MULTIPLIER);
    while let Some(bytes) = text.get(length..).and_then(|rest| rest.first_chunk::<8>()) {
        let bytes = u64::from_le_bytes(*bytes);
        let stops = stops(bytes);
        if stops != 0 {
            let plain = stops.trailing_zeros() / 8;
            mix(bytes.checked_shl(64 - 8 * plain).unwrap_or(0));
            return (length + plain as usize, hash);
        }
        mix(bytes);
        length += 8;
    }
    let rest = text.get(length..).unwrap_or_default();
    let is_plain = |byte: &&u8| !byte.is_ascii_digit() && **byte != b'\n';
    for byte in rest.iter().take_while(is_plain) {
        mix(u64::from(*byte));
        length += 1;
    }
    (length, hash)
}

/// The highest bit of each of eight bytes that is a digit or newline, and no other.
const fn stops(bytes: u64) -> u64 {
    let digits = bytes ^ (0x30 * EACH);
    let digits = !(((digits & !HIGH) + 0x76 * EACH) | digits);
    let newlines = bytes ^ (0x0a * EACH);
    let newlines = !(((newlines & !HIGH) + 0x7f * EACH) | newlines);
    (digits | newlines) & HIGH
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn set(grams: &Grams) -> BTreeSet<u16> {
        (0..=u16::MAX >> 1)
            .filter(|row| grams.bits[usize::from(row >> 6)] >> (row & 63) & 1 == 1)
            .collect()
    }

    fn of(text: &[u8]) -> BTreeSet<u16> {
        let mut grams = Grams::new();
        grams.add(text);
        set(&grams)
    }

    #[test]
    fn a_word_and_a_number_are_known_by_their_grams() {
        assert_eq!(rows(b"order 48213377").len(), 3 + 3);
        assert_eq!(rows(b"zebrafish").len(), 6);
        assert!(rows(b"404").is_empty());
        assert!(rows(b"10.0.0.1").is_empty());
    }

    #[test]
    fn how_grams_are_numbered_is_what_files_rely_on() {
        assert_eq!(rows(b"word"), [word_row(u32::from_be_bytes(*b"word"))]);
        assert_eq!(
            (rows(b"word"), rows(b"a12345")),
            (vec![17_997], vec![16_173])
        );
    }

    fn text() -> impl Strategy<Value = Vec<u8>> {
        let known: Vec<&[u8]> = vec![
            b"ORDER",
            b"order ",
            b"4821",
            b"\n",
            b"a1b2",
            b"deadbeef",
            b"\xff",
            b"/:",
        ];
        let piece = prop_oneof![
            3 => proptest::sample::select(known).prop_map(<[u8]>::to_vec),
            1 => vec(any::<u8>(), 0..6),
            1 => "[a-fA-F0-9]{1,9}".prop_map(String::into_bytes),
        ];
        vec(piece, 0..20).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn a_text_has_the_grams_of_all_its_parts_and_no_other(text in text()) {
            let lower = text.to_ascii_lowercase();
            prop_assert_eq!(of(&text), rows(&lower).into_iter().collect());
        }

        #[test]
        fn what_a_piece_of_the_text_has_the_whole_has(text in text(), from in 0..40_usize, length in 0..40_usize) {
            let from = from.min(text.len());
            let part = &text[from..(from + length).min(text.len())];
            prop_assert!(of(part).is_subset(&of(&text)));
        }
    }
}
