//! Files that lines are copied to: each line once, whoever is killed, and whatever others do to the files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use eco_tests::{Signal, TestEnv, app, kill, wait_until};
use serde_json::{Value, json};

/// An app that does this in the project's folder, with these fields.
fn logging(env: &TestEnv, name: &str, actions: &[&str], fields: &Value) -> Value {
    let mut app = app(name, actions);
    let all = app.as_object_mut().expect("an app is an object");
    all.insert("cwd".to_owned(), json!(env.path("")));
    all.extend(fields.as_object().expect("fields").clone());
    app
}

fn text(env: &TestEnv, file: &str) -> String {
    let bytes = fs::read(env.path(file)).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Waits until a file holds exactly that.
#[track_caller]
fn holds(env: &TestEnv, file: &str, wanted: &str) {
    wait_until(&format!("{file} holds {wanted:?}"), || {
        text(env, file) == wanted
    });
}

/// The files in a folder whose names begin so, by name.
fn beginning(folder: &Path, name: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("there");
    let paths = entries.map(|entry| entry.expect("read").path());
    let is_one = |path: &PathBuf| {
        let other = path.file_name().and_then(|other| other.to_str());
        other.is_some_and(|other| other.starts_with(name))
    };
    let mut found: Vec<_> = paths.filter(is_one).collect();
    found.sort();
    found
}

/// The numbers at the beginning of lines.
fn numbers(text: &str) -> Vec<u64> {
    let first = |line: &str| line.split(' ').next().and_then(|word| word.parse().ok());
    text.lines().filter_map(first).collect()
}

#[track_caller]
fn assert_each_once(numbers: &[u64], last: u64) {
    let wanted: Vec<u64> = (1..=last).collect();
    let wrong = numbers
        .iter()
        .zip(&wanted)
        .find(|(is, should)| is != should);
    assert!(wrong.is_none(), "{wrong:?} of {}", numbers.len());
    assert_eq!(numbers.len(), wanted.len());
}

#[test]
fn each_line_is_in_the_file_once_however_often_the_log_daemon_is_killed() {
    let env = TestEnv::new();
    let go = format!("until:{}", env.path("go"));
    let written = json!({ "out_file": "logs/all.log", "log_rotate": { "size": "30K", "keep": 1000, "compress": false } });
    env.ecosystem(
        "dev",
        &json!([logging(&env, "a", &[&go, "out:end", "wait"], &written)]),
    );
    drop(env.eco(&["start", "dev"]).ok());
    let folder = PathBuf::from(env.path("logs"));
    let all = || {
        let mut files = beginning(&folder, "all.log.");
        files.push(folder.join("all.log"));
        files
            .iter()
            .map(|path| fs::read_to_string(path).unwrap_or_default())
            .collect::<String>()
    };
    for round in 1..=12 {
        let before = all().len();
        wait_until("more is written", || {
            all().len() > before + 20_000 * round % 70_000
        });
        env.slay(env.daemons().logd);
    }
    env.write("go", "");
    wait_until("the end is written", || all().ends_with("end\n"));
    let stored: Vec<String> = env
        .logs("a")
        .into_iter()
        .map(|record| record.line)
        .collect();
    let copied = all();
    let copied: Vec<&str> = copied.lines().collect();
    assert_eq!(copied.len(), stored.len());
    let wrong = copied
        .iter()
        .zip(&stored)
        .find(|(is, should)| **is != should.as_str());
    assert!(wrong.is_none(), "{wrong:?}");
    assert!(beginning(&folder, "all.log.").len() > 1);
}

#[test]
fn lines_go_to_the_files_that_are_named_and_instances_have_their_own() {
    let env = TestEnv::new();
    let actions = ["out:to out", "err:to err", "part:tail"];
    let of = |name: &str| {
        json!({
            "out_file": format!("logs/{name}.out.log"), "error_file": env.path(&format!("deep/er/{name}.err.log")),
            "log_file": format!("./logs/{name}.log"), "autorestart": false,
        })
    };
    let mut several = of("several");
    several["instances"] = json!(2);
    let mut merged = of("merged");
    merged["instances"] = json!(2);
    merged["merge_logs"] = json!(true);
    env.ecosystem(
        "dev",
        &json!([
            logging(&env, "one", &actions, &of("one")),
            logging(&env, "several", &actions, &several),
            logging(&env, "merged", &actions, &merged),
            logging(
                &env,
                "none",
                &["out:to nobody"],
                &json!({ "out": "/dev/null", "log": null, "autorestart": false })
            ),
        ]),
    );
    drop(env.eco(&["start", "dev"]).ok());
    // A last line without an end has one there: nothing runs into it.
    let sorted = |file: &str| {
        let mut lines: Vec<_> = text(&env, file).lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    for name in ["one", "several-0", "several-1"] {
        let (stem, number) = name.split_once('-').unwrap_or((name, ""));
        let numbered = |rest: &str| match number {
            "" => format!("{stem}.{rest}.log"),
            number => format!("{stem}.{rest}-{number}.log"),
        };
        holds(&env, &format!("logs/{}", numbered("out")), "to out\ntail\n");
        holds(&env, &format!("deep/er/{}", numbered("err")), "to err\n");
        let both = format!("logs/{name}.log");
        wait_until("both", || sorted(&both) == ["tail", "to err", "to out"]);
    }
    wait_until("both are in one file", || {
        sorted("logs/merged.out.log") == ["tail", "tail", "to out", "to out"]
    });
    wait_until("both are in one file", || {
        sorted("logs/merged.log") == ["tail", "tail", "to err", "to err", "to out", "to out"]
    });
    assert!(!Path::new(&env.path("logs/merged-0.log")).exists());
    let shown = env.describe("several");
    assert_eq!(shown["log_files"][0], env.path("logs/several.out-0.log"));
    assert_eq!(shown["log_file_problems"], json!([]));
}

#[test]
fn a_line_has_its_time_before_it_once() {
    let env = TestEnv::new();
    let part = [
        "part:begun ",
        "rest:400",
        "out:and ended",
        "bytes:ff0a",
        "wait",
    ];
    env.ecosystem(
        "dev",
        &json!([
            logging(
                &env,
                "time",
                &part,
                &json!({ "out_file": "time.log", "time": true })
            ),
            logging(
                &env,
                "date",
                &part,
                &json!({ "out_file": "date.log", "log_date_format": "[on] YYYY/MM" })
            ),
            logging(&env, "raw", &part, &json!({ "out_file": "raw.log" })),
        ]),
    );
    drop(env.eco(&["start", "dev"]).ok());
    for file in ["time.log", "date.log", "raw.log"] {
        wait_until("two lines", || text(&env, file).lines().count() == 2);
    }
    assert_eq!(
        fs::read(env.path("raw.log")).expect("there"),
        b"begun and ended\n\xff\n"
    );
    let time = text(&env, "time.log");
    let first = time.lines().next().expect("two");
    let (stamp, line) = first.split_once(": ").expect("a time");
    assert_eq!(line, "begun and ended");
    assert_eq!(stamp.len(), "2026-11-26T06:42:54".len(), "{stamp}");
    let date = text(&env, "date.log");
    assert!(
        date.starts_with("on 2") && date.lines().all(|line| line.contains(": ")),
        "{date}"
    );
}

#[test]
fn a_line_is_an_object_where_that_is_asked_for() {
    let env = TestEnv::new();
    let actions = ["out:said", "bytes:ff0a", "wait"];
    let fields = json!({ "log_file": "json.log", "log_type": "json" });
    env.ecosystem("dev", &json!([logging(&env, "json", &actions, &fields)]));
    drop(env.eco(&["start", "dev"]).ok());
    wait_until("two lines", || text(&env, "json.log").lines().count() == 2);
    let objects: Vec<Value> = text(&env, "json.log")
        .lines()
        .map(|line| serde_json::from_str(line).expect("an object"))
        .collect();
    let first = objects.first().expect("two");
    assert_eq!(first["message"], "said");
    assert_eq!(
        (&first["type"], &first["app_name"], &first["process_id"]),
        (&json!("out"), &json!("json"), &json!(0))
    );
    assert!(
        first["timestamp"]
            .as_str()
            .is_some_and(|at| at.ends_with('Z'))
    );
    assert_eq!(objects.get(1).expect("two")["message"], "\u{fffd}");
}

#[test]
fn a_file_is_put_aside_before_it_is_too_large_and_the_oldest_go() {
    let env = TestEnv::new();
    let lines = ["lines:3000", "wait"];
    let rotated = |name: &str, rotation: Value| {
        logging(
            &env,
            name,
            &lines,
            &json!({ "out_file": format!("{name}/x.log"), "log_rotate": rotation }),
        )
    };
    env.ecosystem(
        "dev",
        &json!([
            rotated(
                "plain",
                json!({ "size": "10K", "keep": 100, "compress": false })
            ),
            rotated("few", json!({ "size": "10K", "keep": 2 })),
            rotated("never", json!(false)),
        ]),
    );
    drop(env.eco(&["start", "dev"]).ok());
    let asides = |name: &str| beginning(Path::new(&env.path(name)), "x.log.");
    wait_until("all is written", || {
        ["plain", "few", "never"]
            .iter()
            .all(|name| text(&env, &format!("{name}/x.log")).contains("\n3000 "))
    });
    let whole = text(&env, "never/x.log");
    assert_each_once(&numbers(&whole), 3000);
    let mut joined = String::new();
    for path in asides("plain") {
        let text = fs::read_to_string(&path).expect("there");
        assert!(
            text.len() <= 10 << 10 && text.ends_with('\n'),
            "{}",
            path.display()
        );
        joined.push_str(&text);
    }
    joined.push_str(&text(&env, "plain/x.log"));
    assert_eq!(joined, whole);
    wait_until("two are kept, compressed", || {
        let few = asides("few");
        few.len() == 2
            && few
                .iter()
                .all(|path| path.extension().is_some_and(|end| end == "gz"))
    });
}

#[test]
fn a_file_is_put_aside_when_it_is_old_enough() {
    let env = TestEnv::new();
    let fields = json!({
        "out_file": "timed/x.log", "log_rotate": { "every": "300ms", "compress": false, "keep": 1000 },
    });
    let go = format!("until:{}", env.path("go"));
    env.ecosystem(
        "dev",
        &json!([logging(&env, "timed", &[&go, "wait"], &fields)]),
    );
    drop(env.eco(&["start", "dev"]).ok());
    let asides = |name: &str| beginning(Path::new(&env.path(name)), "x.log.");
    wait_until("some are put aside by time", || asides("timed").len() > 2);
    env.write("go", "");
    wait_until("the end is written", || {
        text(&env, "timed/x.log").ends_with("end\n")
    });
    let timed: String = asides("timed")
        .iter()
        .map(|path| fs::read_to_string(path).expect("there"))
        .collect();
    let timed = numbers(&(timed + &text(&env, "timed/x.log")));
    assert_each_once(&timed, timed.len() as u64);
}

#[test]
fn a_file_that_others_move_remove_or_cut_is_gone_on_with() {
    let env = TestEnv::new();
    let steps: Vec<String> = (1..=5)
        .flat_map(|step| [format!("file:step{step}"), format!("out:{step}")])
        .collect();
    let mut actions: Vec<&str> = vec!["out:0"];
    actions.extend(steps.iter().map(String::as_str));
    actions.push("wait");
    env.ecosystem(
        "dev",
        &json!([logging(
            &env,
            "a",
            &actions,
            &json!({ "out_file": "a.log" })
        )]),
    );
    drop(env.eco(&["start", "dev"]).ok());
    holds(&env, "a.log", "0\n");
    let path = |name: &str| env.path(name);
    // Moved, as logrotate does it: nothing is lost until it is told to let go.
    fs::rename(path("a.log"), path("moved.log")).expect("moved");
    env.write("step1", "");
    holds(&env, "moved.log", "0\n1\n");
    kill(env.daemons().logd, Signal::SIGUSR2);
    wait_until("a new file", || Path::new(&path("a.log")).exists());
    env.write("step2", "");
    holds(&env, "a.log", "2\n");
    holds(&env, "moved.log", "0\n1\n");
    // Cut off, as its copytruncate does it.
    fs::write(path("a.log"), "").expect("cut");
    env.write("step3", "");
    holds(&env, "a.log", "3\n");
    fs::remove_file(path("a.log")).expect("removed");
    env.write("step4", "");
    holds(&env, "a.log", "4\n");
    // Moved while nobody looks.
    let daemons = env.daemons();
    env.slay(daemons.agent);
    env.slay(daemons.logd);
    fs::rename(path("a.log"), path("moved.log")).expect("moved");
    env.write("step5", "");
    drop(env.list());
    holds(&env, "a.log", "5\n");
    holds(&env, "moved.log", "4\n");
}

#[test]
fn a_file_that_is_new_begins_with_what_comes_from_then_on() {
    let env = TestEnv::new();
    let file = |name: &str| json!({ "out_file": name, "autorestart": false });
    let app =
        |name: &str, out: &str| logging(&env, name, &[&format!("out:{out}"), "wait"], &json!({}));
    env.ecosystem("dev", &json!([app("a", "first")]));
    drop(env.eco(&["start", "dev"]).ok());
    wait_until("it has written", || env.logs("a").len() == 1);
    let with = |out: &str, name: &str| {
        let mut app = app("a", out);
        app["out_file"] = file(name)["out_file"].clone();
        app
    };
    env.ecosystem("dev", &json!([with("second", "x.log")]));
    drop(env.eco(&["start", "dev"]).ok());
    holds(&env, "x.log", "second\n");
    env.ecosystem("dev", &json!([with("third", "y.log")]));
    drop(env.eco(&["start", "dev"]).ok());
    holds(&env, "y.log", "third\n");
    assert_eq!(text(&env, "x.log"), "second\n");
    drop(env.eco(&["delete", "a"]).ok());
    env.ecosystem("dev", &json!([with("fourth", "y.log")]));
    drop(env.eco(&["start", "dev"]).ok());
    holds(&env, "y.log", "third\nfourth\n");
}

#[test]
fn a_file_that_cannot_be_written_is_told_and_follows_when_it_can() {
    let env = TestEnv::new();
    fs::create_dir(env.path("taken.log")).expect("made");
    let taken = logging(
        &env,
        "a",
        &["out:all the same", "wait"],
        &json!({ "out_file": "taken.log" }),
    );
    env.ecosystem("dev", &json!([taken]));
    let started = env.eco(&["start", "dev"]).ok();
    let told = format!("{}{}", started.stdout, started.stderr);
    assert!(
        told.contains("taken.log, the out_file of the app: it is a folder"),
        "{told}"
    );
    assert_eq!(env.list().one("a").status(), "online");
    let problems = &env.describe("a")["log_file_problems"];
    assert!(
        problems[0]
            .as_str()
            .is_some_and(|told| told.contains("it is a folder")),
        "{problems}"
    );
    let log = || fs::read_to_string(env.home().join("log/logd.log")).unwrap_or_default();
    wait_until("the log daemon says so", || log().contains("taken.log"));
    fs::remove_dir(env.path("taken.log")).expect("empty");
    holds(&env, "taken.log", "all the same\n");
}

#[test]
fn nothing_of_an_app_is_kept_where_that_is_asked_for() {
    let env = TestEnv::new();
    let actions = ["lines:200000", "err:done", "wait"];
    let silent = json!({ "disable_logs": true, "out_file": "silent.log" });
    let loud = logging(&env, "loud", &["out:heard", "wait"], &json!({}));
    let silent = logging(&env, "silent", &actions, &silent);
    env.ecosystem("dev", &json!([silent, loud]));
    drop(env.eco(&["start", "dev"]).ok());
    wait_until("the other is heard", || env.logs("loud").len() == 1);
    let folder = env.describe("silent")["run_dir"]
        .as_str()
        .map(PathBuf::from);
    let folder = folder.expect("a folder");
    assert!(beginning(&folder, "out").is_empty() && beginning(&folder, "err").is_empty());
    let told = env.eco(&["logs", "silent"]).ok();
    told.tells(&["dev/silent#0 keeps nothing of what it writes"]);
    assert_eq!(told.stdout, "");
    // The next keeper finds nothing amiss.
    let pid = env.list().one("silent").pid();
    let keeper = env.daemons().keeper;
    env.slay(keeper);
    wait_until("another keeper", || env.daemons().keeper != keeper);
    assert_eq!(env.list().one("silent").pid(), pid);
    let log = fs::read_to_string(env.home().join("log/keeper.log")).expect("there");
    assert!(!log.contains("adopting"), "{log}");
    assert_eq!(text(&env, "silent.log"), "");
    drop(env.eco(&["stop", "silent"]).ok());
    assert_eq!(env.list().one("silent").status(), "stopped");
}

#[test]
fn files_are_emptied_by_a_flush_and_opened_again_when_that_is_asked_for() {
    let env = TestEnv::new();
    let more = format!("file:{}", env.path("more"));
    let last = format!("file:{}", env.path("last"));
    let actions = ["out:one", &more, "out:two", &last, "out:three", "wait"];
    let own = logging(
        &env,
        "a",
        &actions,
        &json!({ "out_file": "a.log", "log_file": "shared.log" }),
    );
    let other = logging(
        &env,
        "b",
        &["out:of another", "wait"],
        &json!({ "out_file": "shared.log" }),
    );
    env.ecosystem("dev", &json!([own, other]));
    drop(env.eco(&["start", "dev"]).ok());
    holds(&env, "a.log", "one\n");
    wait_until("both", || text(&env, "shared.log").lines().count() == 2);
    let told = env.eco(&["flush", "a"]).ok();
    assert!(told.stdout.contains("a.log: removed 4 B\n"), "{told}");
    assert_eq!(text(&env, "a.log"), "");
    assert_eq!(text(&env, "shared.log").lines().count(), 2);
    env.write("more", "");
    holds(&env, "a.log", "two\n");
    fs::rename(env.path("a.log"), env.path("a.log.old")).expect("moved");
    let told = env.eco(&["reloadLogs"]).ok();
    let opened = format!("{}: opened again\n", env.path("a.log"));
    assert!(told.stdout.contains(&opened), "{told}");
    assert_eq!(text(&env, "a.log"), "");
    env.write("last", "");
    holds(&env, "a.log", "three\n");
    assert_eq!(text(&env, "a.log.old"), "two\n");
    let files = env.eco(&["reload-logs", "--json"]).ok().json();
    assert_eq!(files.as_array().map(Vec::len), Some(2), "{files}");
}

#[test]
fn limits_of_an_app_reach_the_log_daemon_and_stay_there() {
    let env = TestEnv::new();
    let limits = json!({ "max_log_size": "500M", "max_log_age": "7d" });
    env.ecosystem("dev", &json!([logging(&env, "a", &["wait"], &limits)]));
    drop(env.eco(&["start", "dev"]).ok());
    let known = || {
        let kept = beginning(&env.home().join("mirrors"), "settings");
        let kept = kept.iter().map(|path| fs::read(path).unwrap_or_default());
        kept.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .collect::<String>()
    };
    let wanted = r#""limits":{"size":524288000,"age":{"secs":604800,"nanos":0}}"#;
    wait_until("they are known", || known().contains(wanted));
    let logd = env.daemons().logd;
    env.slay(env.daemons().agent);
    kill(logd, Signal::SIGKILL);
    assert!(known().contains(wanted));
}

/// No file of this process may be larger, as on a full disk.
fn limit_files(pid: i32, size: &str) {
    let size = format!("--fsize={size}:unlimited");
    let set = Command::new("prlimit")
        .args(["--pid", &pid.to_string(), &size])
        .status();
    assert!(set.is_ok_and(|status| status.success()));
}

#[test]
fn an_app_that_is_not_to_wait_for_a_full_disk_goes_on_and_its_loss_is_a_gap() {
    let env = TestEnv::new();
    let (go, end) = (
        format!("until:{}", env.path("go")),
        format!("file:{}", env.path("begin")),
    );
    let fields = json!({ "log_overflow": "drop", "out_file": "a.log" });
    env.ecosystem(
        "dev",
        &json!([logging(&env, "a", &[&end, &go, "wait"], &fields)]),
    );
    drop(env.eco(&["start", "dev"]).ok());
    let keeper = env.daemons().keeper;
    limit_files(keeper, "5000");
    env.write("begin", "");
    let log = || fs::read_to_string(env.home().join("log/keeper.log")).unwrap_or_default();
    wait_until("it is stored again", || log().contains("stores again"));
    limit_files(keeper, "unlimited");
    env.write("go", "");
    wait_until("the end is stored", || {
        text(&env, "a.log").ends_with("end\n")
    });
    let told = env.eco(&["logs", "a", "-n", "all"]).ok();
    assert!(told.stdout.contains("(overflow)"), "{told}");
}

/// A small disk of its own.
struct SmallDisk(String);

impl SmallDisk {
    /// `None`: nobody may mount one here.
    fn new(folder: String) -> Option<Self> {
        fs::create_dir(&folder).expect("made");
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs", &folder])
            .output();
        let is_there = mount.is_ok_and(|mount| mount.status.success());
        is_there.then_some(Self(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: whoever still has a file of it open is ended a little later.
        drop(Command::new("umount").args(["--lazy", &self.0]).status());
    }
}

#[test]
fn lines_that_find_no_room_on_the_disk_of_their_file_follow_when_there_is_some() {
    let env = TestEnv::new();
    let Some(disk) = SmallDisk::new(env.path("small")) else {
        println!("skipped: nothing may be mounted here");
        return;
    };
    let filler = Path::new(&disk.0).join("filler");
    fs::write(&filler, vec![1; 900 << 10]).expect("there is room for it");
    let fields = json!({ "out_file": "small/a.log", "log_rotate": false });
    let written = logging(&env, "a", &["lines:10000", "wait"], &fields);
    env.ecosystem("dev", &json!([written]));
    drop(env.eco(&["start", "dev"]).ok());
    let problem = || env.eco(&["reload-logs", "--json"]).json()[0]["problem"].clone();
    wait_until("it is told", || {
        problem()
            .as_str()
            .is_some_and(|told| told.contains("No space left on device"))
    });
    assert_eq!(env.logs("a").len(), 10_000);
    fs::remove_file(&filler).expect("removed");
    wait_until("all lines follow", || {
        text(&env, "small/a.log").contains("\n10000 ")
    });
    assert_each_once(&numbers(&text(&env, "small/a.log")), 10_000);
}
