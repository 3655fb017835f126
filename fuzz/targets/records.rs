//! Levels, fields and what belongs together are recognised in any bytes, and nothing of it depends on who reads.
#![no_main]

use std::convert::Infallible;

use eco_logd::record::{Comparison, Condition, Grouping, MOST_LINES, bits, level};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str, &[u8])| {
    let (path, value, text) = input;
    let path: Vec<String> = path.split('.').map(str::to_owned).collect();
    if let Ok(condition) = Condition::new(&path, Comparison::AtLeast, value) {
        assert_eq!(condition.holds(text), condition.holds(text));
    }
    let (mut grouping, mut first, mut lines) = (Grouping::default(), &b""[..], 0);
    for line in text.split(|byte| *byte == b'\n') {
        assert_eq!(level(line), level(line));
        let joins = grouping.joins(line, first, || Ok::<_, Infallible>(true));
        if joins.unwrap_or_else(|never| match never {}) {
            lines += 1;
            assert!(lines <= MOST_LINES);
        } else {
            (first, lines) = (line, 1);
        }
    }
    assert_eq!(
        bits(text) == 0,
        text.is_empty(),
        "each line has a level or none"
    );
});
