//! How a run begins.

use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};

use eco_home::runs::Stream;
use eco_proto::keeper::v1::exited::How;
use eco_proto::keeper::v1::to_keeper::Message as Request;
use nix::sys::resource::{Resource, getrlimit};
use nix::unistd::geteuid;

use crate::stage::{Stage, bytes, contents, key};

#[test]
fn a_run_ends_with_the_code_of_its_program() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let request = stage.script("api", "exit 7");
    let spawned = stage.spawn(&mut agent, request);
    assert!(spawned.start_ticks > 0 && spawned.boot_id == eco_home::clock::boot_id());
    assert_eq!(agent.ended(), How::Code(7));
}

#[test]
fn a_missing_program_is_said_with_its_path_and_leaves_no_fifo() {
    let stage = Stage::new();
    let mut agent = stage.agent();
    let mut request = stage.script("api", "");
    request.program = b"/nowhere/x".to_vec();
    agent.ask(Request::Spawn(request));
    let failed = agent.failed();
    assert!(
        failed.attempt.starts_with("run /nowhere/x in /"),
        "{failed:?}"
    );
    assert_eq!(failed.errno, nix::libc::ENOENT);
    assert!(!stage.run_dir(&key("api")).join("out.fifo").exists());
    let again = stage.agent();
    let state = again.known("api").expect("remembered");
    assert!(state.gone && state.spawn_failed.is_some());
}

#[test]
fn a_missing_folder_is_told_from_a_missing_program() {
    let stage = Stage::new();
    let mut agent = stage.agent();
    let mut request = stage.script("api", "");
    request.cwd = b"/nowhere".to_vec();
    agent.ask(Request::Spawn(request));
    let failed = agent.failed();
    assert_eq!(failed.attempt, "enter the folder /nowhere");
    assert_eq!(failed.errno, nix::libc::ENOENT);
}

#[test]
fn a_folder_that_cannot_be_made_is_said() {
    let stage = Stage::new();
    let mut agent = stage.agent();
    let file = stage.path("file");
    std::fs::write(&file, b"").expect("written");
    let mut request = stage.script("api", "");
    request.run_dir = bytes(&file.join("run"));
    agent.ask(Request::Spawn(request));
    let failed = agent.failed();
    assert!(
        failed.attempt.starts_with("make the folder /"),
        "{failed:?}"
    );
    assert_eq!(failed.errno, nix::libc::ENOTDIR);
}

#[test]
fn a_folder_is_never_used_for_two_runs() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let request = stage.script("api", "echo one");
    stage.spawn(&mut agent, request.clone());
    agent.ended();
    agent.forget("api");
    agent.ask(Request::Spawn(request));
    assert_eq!(agent.failed().errno, nix::libc::EEXIST);
    assert_eq!(stage.stored("api", Stream::Out), b"one\n");
}

#[test]
fn a_second_spawn_of_a_key_changes_nothing() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let request = stage.script("api", "read line < go; exit 3");
    nix::unistd::mkfifo(&stage.path("go"), nix::sys::stat::Mode::S_IRWXU).expect("made");
    stage.spawn(&mut agent, request.clone());
    agent.ask(Request::Spawn(request));
    std::fs::write(stage.path("go"), b"go\n").expect("read");
    assert_eq!(agent.ended(), How::Code(3));
    assert!(stage.log().contains("ignores a second test/api/0/1"));
}

#[test]
fn nothing_of_the_keeper_reaches_an_app() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let script = "ls /proc/self/fd > fds; ulimit -Sn > limit; grep -E '^Sig(Blk|Ign)' /proc/self/status \
        > signals; tr '\\0' '\\n' < /proc/$$/environ > environment; pwd > cwd; readlink /proc/$$/fd/0 > stdin; \
        ps -o sid= -p $$ > session; echo $$ > pid";
    let request = stage.script("api", script);
    let spawned = stage.spawn(&mut agent, request);
    assert_eq!(agent.ended(), How::Code(0));
    // ls itself opens the folder as 3.
    assert_eq!(contents(&stage.path("fds")), "0\n1\n2\n3");
    let (soft, _) = getrlimit(Resource::RLIMIT_NOFILE).expect("told");
    assert_eq!(contents(&stage.path("limit")), soft.to_string());
    let signals = contents(&stage.path("signals"));
    // What the C library keeps for itself cannot be set through it.
    let own = 0b11 << 31;
    let set = signals.lines().filter_map(|line| line.split('\t').nth(1));
    let mut set = set.map(|set| u64::from_str_radix(set, 16).expect("a mask"));
    assert!(set.all(|set| set & !own == 0), "{signals}");
    let environment = contents(&stage.path("environment"));
    let names: Vec<&str> = environment
        .lines()
        .filter_map(|line| line.split('=').next())
        .collect();
    assert_eq!(names, ["ECO_RUN_ID", "PATH"]);
    assert!(environment.contains("ECO_RUN_ID=test/api/0/1@"));
    let stdin = stage.run_dir(&key("api")).join("in.fifo");
    assert_eq!(contents(&stage.path("stdin")), stdin.display().to_string());
    let cwd = stage.path("").canonicalize().expect("there");
    assert_eq!(contents(&stage.path("cwd")), cwd.display().to_string());
    assert_eq!(
        contents(&stage.path("session")).trim(),
        spawned.pid.to_string()
    );
}

#[test]
fn an_app_begins_with_no_signal_blocked() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let mut request = stage.script("api", "");
    // Not through a shell, which would clear the mask itself.
    request.program = b"/bin/cat".to_vec();
    request.arguments = vec![b"cat".to_vec(), b"/proc/self/status".to_vec()];
    stage.spawn(&mut agent, request);
    assert_eq!(agent.ended(), How::Code(0));
    let status = String::from_utf8(stage.stored("api", Stream::Out)).expect("text");
    assert!(status.contains("SigBlk:\t0000000000000000\n"), "{status}");
}

#[test]
fn the_files_of_a_run_are_closed_to_others() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let request = stage.script("api", "exec sleep 600");
    stage.spawn(&mut agent, request);
    let folder = stage.run_dir(&key("api"));
    let mode = |name: &str| {
        let found = folder.join(name).metadata().expect("there");
        found.permissions().mode() & 0o777
    };
    assert_eq!(mode(""), 0o700);
    for name in [
        "out.fifo",
        "err.fifo",
        "out.0001",
        "err.0001",
        "out.0001.times",
    ] {
        assert_eq!(mode(name), 0o600, "{name}");
    }
    let fifo = folder.join("out.fifo").metadata().expect("there");
    assert!(fifo.file_type().is_fifo());
}

#[test]
fn an_app_of_another_user_can_write_and_reopen_its_output() {
    if !geteuid().is_root() {
        return; // Only root may become another.
    }
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let mut request = stage.script("api", "id -u; id -g; id -G; echo again > /dev/stdout");
    request.uid = Some(65534);
    request.gid = Some(65533);
    request.cwd = b"/".to_vec();
    stage.spawn(&mut agent, request);
    assert_eq!(agent.ended(), How::Code(0));
    let text = String::from_utf8(stage.stored("api", Stream::Out)).expect("text");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!((lines[0], lines[1], lines[3]), ("65534", "65533", "again"));
    assert!(!lines[2].split(' ').any(|group| group == "0"), "{text}");
    let owner = stage.run_dir(&key("api")).join("out.0001").metadata();
    assert_eq!(owner.expect("there").uid(), 0);
}

#[test]
fn a_user_that_may_not_enter_the_folder_is_told_so() {
    if !geteuid().is_root() {
        return; // Only root may become another.
    }
    let stage = Stage::new();
    let mut agent = stage.agent();
    let mut request = stage.script("api", "");
    request.uid = Some(65534);
    agent.ask(Request::Spawn(request));
    let failed = agent.failed();
    assert!(
        failed.attempt.starts_with("enter the folder "),
        "{failed:?}"
    );
    assert_eq!(failed.errno, nix::libc::EACCES);
}
