//! What becomes of what apps write.

use eco_home::runs::Stream;
use eco_proto::keeper::v1::Spawn;
use eco_proto::keeper::v1::exited::How;
use eco_proto::keeper::v1::from_keeper::Message as Fact;

use crate::stage::{Stage, key, wait_until};

#[test]
fn every_byte_is_stored_as_it_was_written() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let mut all: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    all.extend(b"no newline at the end");
    std::fs::write(stage.path("data"), &all).expect("written");
    let request = stage.script("api", "cat data; printf 'to\\0stderr' >&2");
    stage.spawn(&mut agent, request);
    assert_eq!(agent.ended(), How::Code(0));
    assert!(stage.stored("api", Stream::Out) == all);
    assert_eq!(stage.stored("api", Stream::Err), b"to\0stderr");
}

#[test]
fn a_burst_before_the_end_is_stored_to_the_last_byte() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let all: Vec<u8> = (0..5_000_000_u32).map(|at| (at % 251) as u8).collect();
    std::fs::write(stage.path("data"), &all).expect("written");
    let request = stage.script("api", "exec cat data");
    stage.spawn(&mut agent, request);
    assert_eq!(agent.ended(), How::Code(0));
    assert!(stage.stored("api", Stream::Out) == all);
}

#[test]
fn growth_is_told_and_the_last_of_it_before_the_end() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let request = stage.script("api", "echo hello");
    stage.spawn(&mut agent, request);
    let mut grown = Vec::new();
    loop {
        match agent.next() {
            Fact::Grown(hint) => grown.push((hint.stream, hint.size)),
            Fact::Gone(_) => break,
            _ => {}
        }
    }
    assert_eq!(grown.last(), Some(&(1, 6)));
}

#[test]
fn standard_output_may_be_opened_again() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let script = "echo a; echo b > /dev/stdout; exec 3>&1 1>&-; echo c > /proc/self/fd/3; exec 1>&3 3>&-; echo d";
    let request = stage.script("api", script);
    stage.spawn(&mut agent, request);
    assert_eq!(agent.ended(), How::Code(0));
    assert_eq!(stage.stored("api", Stream::Out), b"a\nb\nc\nd\n");
}

#[test]
fn output_flows_into_the_file_while_the_app_lives() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let request = stage.script("api", "echo hello; exec sleep 600");
    stage.spawn(&mut agent, request);
    let file = stage.run_dir(&key("api")).join("out.0001");
    wait_until("the line is there", || {
        std::fs::read(&file).is_ok_and(|bytes| bytes == b"hello\n")
    });
}

#[test]
fn a_disk_that_refuses_holds_the_app_and_loses_nothing() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let all = vec![b'x'; 3 << 20];
    std::fs::write(stage.path("data"), &all).expect("written");
    let request = stage.script("api", "exec cat data");
    // The kernel refuses to write beyond the limit, as it does on a full disk.
    limit_file_size(stage.keeper_pid(), 1 << 20);
    stage.spawn(&mut agent, request);
    wait_until("the stream is held", || {
        stage.log().contains("holds out of")
    });
    limit_file_size(stage.keeper_pid(), u64::MAX);
    assert_eq!(agent.ended(), How::Code(0));
    assert!(stage.stored("api", Stream::Out) == all);
    assert!(stage.log().contains("flows again"));
}

#[test]
fn what_a_disk_refuses_of_an_app_that_is_not_to_wait_is_dropped_and_a_gap() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    std::fs::write(stage.path("data"), vec![b'x'; 3 << 20]).expect("written");
    let (go, end) = (stage.path("go"), stage.path("end"));
    let script = format!(
        "cat data; until test -e {}; do sleep 0.02; done; until test -e {}; do echo again; sleep 0.02; done",
        go.display(),
        end.display()
    );
    let request = Spawn {
        drop_refused: true,
        ..stage.script("api", &script)
    };
    // Room for the first mebibyte.
    limit_file_size(stage.keeper_pid(), 1 << 20);
    stage.spawn(&mut agent, request);
    wait_until("it drops", || stage.log().contains("drops what"));
    let folder = stage.run_dir(&key("api"));
    let counted = || {
        let bytes = std::fs::read(folder.join("out.dropped")).unwrap_or_default();
        let bytes = bytes.get(16..24).and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, u64::from_le_bytes)
    };
    let stored = || -> u64 {
        let segments = (1..9).map(|number| folder.join(Stream::Out.segment(number)));
        let lengths = segments.filter_map(|path| std::fs::metadata(path).ok());
        lengths.map(|found| found.len()).sum()
    };
    limit_file_size(stage.keeper_pid(), u64::MAX);
    std::fs::write(go, "").expect("written");
    let last = || {
        let mut numbers = (1..9).rev();
        let last = numbers.find(|number| folder.join(Stream::Out.segment(*number)).exists());
        let last = last.expect("segments");
        let text = std::fs::read(folder.join(Stream::Out.segment(last))).expect("there");
        (last, text)
    };
    wait_until("it is stored again", || last().1.ends_with(b"again\n"));
    std::fs::write(end, "").expect("written");
    assert_eq!(agent.ended(), How::Code(0));
    let (last, text) = last();
    let head = std::fs::read(folder.join(Stream::Out.times(last))).expect("there");
    let head = head.first_chunk().copied().expect("a head");
    assert!(eco_home::notes::is_after_drop(head));
    let base = eco_home::notes::base(head).expect("a base");
    // Each byte is stored or counted.
    assert_eq!((base + text.len() as u64 - (3 << 20)) % 6, 0);
    assert_eq!(counted(), 0);
    assert!(stored() < 3 << 20);
}

#[expect(unsafe_code, reason = "nix has no prlimit")]
fn limit_file_size(pid: i32, bytes: u64) {
    use nix::libc;
    let limit = libc::rlimit {
        rlim_cur: bytes,
        rlim_max: u64::MAX,
    };
    // SAFETY: the limit lives through the call, and no old one is asked for.
    let set = unsafe {
        libc::prlimit(
            pid,
            libc::RLIMIT_FSIZE,
            &raw const limit,
            std::ptr::null_mut(),
        )
    };
    assert_eq!(set, 0);
}
