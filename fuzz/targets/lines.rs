//! However bytes are cut into chunks, their lines joined are the bytes.
#![no_main]

use eco_logd::line::Splitter;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, &[u8])| {
    let (size, bytes) = input;
    let mut splitter = Splitter::new(0);
    let mut joined = Vec::new();
    let mut take = |cut: eco_logd::line::Cut| {
        assert_eq!(cut.offset, joined.len() as u64);
        joined.extend_from_slice(&cut.text);
        if cut.end > joined.len() as u64 {
            joined.push(b'\n');
        }
        assert_eq!(cut.end, joined.len() as u64);
    };
    for mut chunk in bytes.chunks(usize::from(size).max(1)) {
        while let Some(cut) = splitter.cut(&mut chunk) {
            take(cut);
        }
    }
    if let Some(cut) = splitter.finish() {
        take(cut);
    }
    assert_eq!(joined, bytes);
});
