//! The sifter alone: chunks, and what is there of a record that may go on.

use std::convert::Infallible;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::hot::Item;

/// All came at once.
struct Once;

impl Times for Once {
    type Error = Infallible;

    fn at(&mut self, _: u64) -> Result<u64, Infallible> {
        Ok(1)
    }
}

fn sieve(grep: &[&str], exclude: &[&str]) -> Arc<Sieve> {
    let patterns = |texts: &[&str]| {
        let pattern = |text: &&str| Pattern::new(text).expect("a pattern");
        texts.iter().map(pattern).collect()
    };
    Arc::new(Sieve::new(
        patterns(grep),
        patterns(exclude),
        None,
        Vec::new(),
    ))
}

/// The lines that are found by now.
fn found(sifter: &mut Sifter) -> Vec<(Vec<u8>, Mark)> {
    let mut all = Vec::new();
    while let Some(found) = sifter.next(&mut Once).expect("infallible") {
        match found.item {
            Item::Line { text, .. } => all.push((text, found.mark)),
            Item::Gap { .. } => panic!("nothing is gone"),
        }
    }
    all
}

fn texts(sifter: &mut Sifter) -> Vec<String> {
    let text = |(text, _): (Vec<u8>, Mark)| String::from_utf8(text).expect("text");
    found(sifter).into_iter().map(text).collect()
}

fn settle(sifter: &mut Sifter, is_quiet: bool) {
    sifter.settle(&mut Once, is_quiet).expect("infallible");
}

#[test]
fn a_line_of_a_record_that_passes_waits_for_nothing_and_those_that_join_it_follow() {
    let mut sifter = Sifter::new(sieve(&["rare"], &[]), 0);
    sifter.feed(b"rare\n");
    assert_eq!(texts(&mut sifter), Vec::<String>::new());
    settle(&mut sifter, false);
    assert_eq!(texts(&mut sifter), ["rare"]);
    sifter.feed(b"  more\n");
    assert_eq!(texts(&mut sifter), Vec::<String>::new());
    settle(&mut sifter, false);
    assert_eq!(texts(&mut sifter), ["  more"]);
    sifter.feed(b"  and more\nother\n  of it\n");
    assert_eq!(texts(&mut sifter), ["  and more"]);
    settle(&mut sifter, true);
    assert_eq!(texts(&mut sifter), Vec::<String>::new());
}

#[test]
fn a_record_that_passes_by_its_last_line_comes_whole_then() {
    let mut sifter = Sifter::new(sieve(&["rare"], &[]), 0);
    sifter.feed(b"first\n");
    settle(&mut sifter, true);
    assert_eq!(texts(&mut sifter), Vec::<String>::new());
    sifter.feed(b"  rare\n");
    assert_eq!(texts(&mut sifter), Vec::<String>::new());
    settle(&mut sifter, false);
    let found = found(&mut sifter);
    let marks: Vec<_> = found
        .iter()
        .map(|(_, mark)| (mark.joined, mark.goes_on))
        .collect();
    assert_eq!(marks, [(false, true), (true, false)]);
}

#[test]
fn a_record_that_another_line_may_exclude_waits_for_its_end_or_for_quiet() {
    let mut sifter = Sifter::new(sieve(&[], &["health"]), 0);
    sifter.feed(b"one\n");
    settle(&mut sifter, false);
    assert_eq!(texts(&mut sifter), Vec::<String>::new());
    assert!(sifter.waits());
    sifter.feed(b"  health\ntwo\n");
    assert_eq!(texts(&mut sifter), Vec::<String>::new());
    settle(&mut sifter, true);
    assert_eq!(texts(&mut sifter), ["two"]);
    assert!(!sifter.waits());
    settle(&mut sifter, true);
    // It was passed on: what joins it now goes where it went.
    sifter.feed(b"  health\nthree\n");
    assert_eq!(texts(&mut sifter), ["  health"]);
    sifter.feed(b"four");
    sifter.finish(&mut Once, 99).expect("infallible");
    assert_eq!(texts(&mut sifter), ["three", "four"]);
    assert_eq!(sifter.end(), 99);
}

#[test]
fn a_record_that_does_not_pass_waits_for_nothing_but_may_still_pass() {
    let mut sifter = Sifter::new(sieve(&["rare"], &["health"]), 0);
    sifter.feed(b"one\n");
    assert_eq!(texts(&mut sifter), Vec::<String>::new());
    assert!(sifter.waits());
    settle(&mut sifter, true);
    assert!(!sifter.waits());
    sifter.feed(b"  rare\n");
    assert_eq!(texts(&mut sifter), Vec::<String>::new());
    assert!(sifter.waits());
    settle(&mut sifter, true);
    assert_eq!(texts(&mut sifter), ["one", "  rare"]);
    // Also when it was jumped to.
    sifter.feed(b"two\nthree\n");
    assert_eq!(texts(&mut sifter), Vec::<String>::new());
    settle(&mut sifter, true);
    sifter.feed(b"four\nrare\n");
    assert_eq!(texts(&mut sifter), Vec::<String>::new());
    settle(&mut sifter, true);
    assert_eq!(texts(&mut sifter), ["rare"]);
}

#[test]
fn what_is_kept_is_a_record_and_a_line_whatever_comes() {
    use crate::line::LONGEST;
    use crate::record::MOST_BYTES;
    let chunk = vec![b'x'; 64 << 10];
    for sieve in [
        sieve(&["rare"], &[]),
        sieve(&[], &["rare"]),
        sieve(&[], &[]),
    ] {
        for newlines in [&b""[..], b"\n", b"\n  "] {
            let mut sifter = Sifter::new(Arc::clone(&sieve), 0);
            for _ in 0..100 {
                sifter.feed(&[&chunk, newlines].concat());
                found(&mut sifter);
                assert!(
                    sifter.kept() <= MOST_BYTES + LONGEST + 2 * chunk.len(),
                    "{}",
                    sifter.kept()
                );
            }
        }
    }
}

/// Bytes where line ends, blanks and what is searched for are frequent.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"\n".to_vec()),
        Just(b"\n  ".to_vec()),
        Just(b"rare".to_vec()),
        Just(b"\nTraceback (most recent call last):\n".to_vec()),
        Just(b"\n}\n".to_vec()),
        Just(b"\nERROR x".to_vec()),
        Just(b"{\"level\":50}\n".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..6),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_bytes_in_any_chunks_give_the_same_records(
        input in bytes(), borders in proptest::collection::vec(0_usize..200, 0..12), grep in any::<bool>(), exclude in any::<bool>()
    ) {
        let patterns = |is_there: bool, text: &'static str| if is_there { vec![text] } else { Vec::new() };
        let sieve = sieve(&patterns(grep, "rare"), &patterns(exclude, "[0-4]"));
        let sift = |chunks: &[&[u8]]| {
            let mut sifter = Sifter::new(Arc::clone(&sieve), 7);
            let mut all = Vec::new();
            for chunk in chunks {
                sifter.feed(chunk);
                all.extend(found(&mut sifter));
            }
            sifter.finish(&mut Once, 7 + input.len() as u64).expect("infallible");
            all.extend(found(&mut sifter));
            all
        };
        let mut borders: Vec<_> = borders.into_iter().map(|at| at.min(input.len())).collect();
        borders.extend([0, input.len()]);
        borders.sort_unstable();
        let chunks: Vec<_> = borders.windows(2).map(|pair| &input[pair[0]..pair[1]]).collect();
        let all = sift(&chunks);
        prop_assert_eq!(&all, &sift(&[&input]));
        if !grep && !exclude {
            let bytes: u64 = all.iter().map(|(_, mark)| mark.bytes).sum();
            prop_assert_eq!(bytes, input.len() as u64);
        }
    }
}
