//! What a run may use, and its cgroup where one can be made.

use std::path::PathBuf;

use eco_home::cgroup::name_of_run;
use eco_proto::keeper::v1::exited::How;
use eco_proto::keeper::v1::to_keeper::Message as Request;
use eco_proto::keeper::v1::{Groups, Limits};

use crate::stage::{Agent, Stage, contents, is_alive, key, wait_until};

/// A script that leaves a process which nothing tells but the cgroup: it has lost session, parent and environment.
const HIDES: &str = "setsid env -i PATH=\"$PATH\" sh -c '(sh -c \"echo \\$\\$ > child; exec sleep 600\" &) ; exit' ; \
    while [ ! -s child ]; do sleep 0.01; done; ";

/// The cgroup of the run `api`, where there are cgroups.
fn group(stage: &Stage, agent: &Agent) -> Option<PathBuf> {
    let Some(groups) = &agent.hello.groups else {
        println!("skipped: no cgroup can be made here");
        return None;
    };
    Some(PathBuf::from(&groups.folder).join(name_of_run(&stage.run_dir(&key("api")))))
}

/// What the shell says of its own limits of files, data (KiB) and processes.
fn limited(limits: Limits) -> (Groups, Vec<String>) {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let mut request = stage.script("api", "ulimit -Hn; ulimit -Hd; bash -c 'ulimit -Hu'");
    request.limits = Some(limits);
    stage.spawn(&mut agent, request);
    assert_eq!(agent.ended(), How::Code(0));
    let told = stage.stored("api", eco_home::runs::Stream::Out);
    let told = String::from_utf8(told).expect("numbers");
    let groups = agent.hello.groups.clone().unwrap_or_default();
    (groups, told.lines().map(str::to_owned).collect())
}

#[test]
fn open_files_are_always_limited_and_the_rest_where_no_cgroup_does() {
    let (groups, told) = limited(Limits {
        memory_bytes: Some(256 << 20),
        tasks: Some(4000),
        open_files: Some(99),
        ..Limits::default()
    });
    assert_eq!(told.first().map(String::as_str), Some("99"));
    assert_eq!(told.get(1).is_some_and(|it| it == "262144"), !groups.memory);
    assert_eq!(told.get(2).is_some_and(|it| it == "4000"), !groups.tasks);
}

#[test]
fn a_limit_of_tasks_holds_in_a_cgroup_that_can() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    if !agent.hello.groups.clone().unwrap_or_default().tasks {
        println!("skipped: no cgroup here limits tasks");
        return;
    }
    let mut request = stage.script("api", "for i in 1 2 3 4 5 6 7 8; do sleep 600 & done");
    request.limits = Some(Limits {
        tasks: Some(5),
        ..Limits::default()
    });
    stage.spawn(&mut agent, request);
    assert_eq!(agent.exited().how, Some(How::Code(2)));
    agent.signal("api", 9);
    agent.gone();
}

#[test]
fn a_process_that_hid_from_all_else_is_known_by_the_cgroup() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let Some(group) = group(&stage, &agent) else {
        return;
    };
    let request = stage.script("api", &format!("{HIDES} exit 4"));
    stage.spawn(&mut agent, request);
    let child = contents(&stage.path("child")).parse().expect("a pid");
    stage.remember(child);
    let exited = agent.exited();
    assert_eq!((exited.how, exited.left), (Some(How::Code(4)), 1));
    assert!(group.is_dir() && is_alive(child));
    agent.signal("api", 15);
    agent.gone();
    assert!(!is_alive(child));
    wait_until("the group is removed", || !group.exists());
}

#[test]
fn another_keeper_knows_the_cgroup_again_and_removes_what_is_empty() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let Some(group) = group(&stage, &agent) else {
        return;
    };
    let left_over = group.with_file_name("dev:gone:0:1");
    std::fs::create_dir(&left_over).expect("made");
    let request = stage.script("api", &format!("{HIDES} exec sleep 600"));
    let spawned = stage.spawn(&mut agent, request);
    let child = contents(&stage.path("child")).parse().expect("a pid");
    stage.remember(child);
    stage.kill_keeper();
    stage.start_keeper();
    let mut agent = stage.agent();
    assert!(group.is_dir() && !left_over.exists());
    agent.ask(Request::Adopt(stage.adopt(&spawned)));
    agent.spawned();
    agent.signal("api", 9);
    agent.exited();
    agent.gone();
    assert!(!is_alive(child) && !group.exists());
}

#[test]
fn a_keeper_that_ends_leaves_no_cgroup() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let Some(group) = group(&stage, &agent) else {
        return;
    };
    let ground = group.parent().expect("it is in one").to_owned();
    assert!(ground.is_dir());
    agent.ask(Request::Shutdown(eco_proto::keeper::v1::Shutdown {}));
    assert!(stage.keeper_ends());
    assert!(!ground.exists());
}
