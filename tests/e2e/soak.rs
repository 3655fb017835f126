//! Twenty programs that write for as long as the log daemon dies: each of their lines is read once, by whoever follows and by
//! whoever asks later.

use std::collections::BTreeMap;
use std::fs;

use eco_tests::{Record, TestEnv, check_numbered, check_same_lines, records, wait_until};
use serde_json::{Value, json};

const APPS: usize = 20;
const DEATHS: usize = 50;
const COPIED: usize = 5;

/// Line by line, as an unbuffered program writes.
const PYTHON: &str = "
import os, sys, time
number = 0
while not os.path.exists(sys.argv[1]):
    for _ in range(4):
        number += 1
        print(number, '-' * (number % 60), flush=True)
    time.sleep(0.02)
print('end', flush=True)
";

/// Several lines at once, and lines in two pieces.
const NODE: &str = "
const fs = require('fs');
let number = 0;
const next = () => `${++number} ${'-'.repeat(number % 60)}\\n`;
const timer = setInterval(() => {
  process.stdout.write(next() + next() + next());
  const line = next();
  process.stdout.write(line.slice(0, 2));
  setImmediate(() => {
    process.stdout.write(line.slice(2));
    if (fs.existsSync(process.argv[2])) {
      clearInterval(timer);
      process.stdout.write('end\\n');
      setInterval(() => {}, 1e6);
    }
  });
}, 20);
";

const SHELL: &str = "
number=0
until [ -e \"$1\" ]; do
  for line in 1 2 3 4; do
    number=$((number + 1))
    echo \"$number of a shell\"
  done
  sleep 0.02
done
echo end
";

fn writer(env: &TestEnv, index: usize) -> Value {
    let (script, interpreter) = match index % 3 {
        0 => ("writer.py", "python3"),
        1 => ("writer.js", "node"),
        _ => ("writer.sh", "sh"),
    };
    let file = format!("logs/{}.log", name(index));
    // Some of them are copied to a file.
    let out_file = index.is_multiple_of(COPIED).then_some(file);
    json!({
        "name": name(index), "script": script, "interpreter": interpreter, "args": [env.path("enough")],
        "cwd": env.path(""), "autorestart": false, "out_file": out_file,
    })
}

fn name(index: usize) -> String {
    format!("writer{index:02}")
}

/// Kills the log daemon, and waits until the next one answers.
fn next_daemon(env: &TestEnv) {
    let pid = env.daemons().logd;
    env.slay(pid);
    wait_until("the next log daemon answers", || env.daemons().logd != pid);
}

#[test]
fn each_line_of_twenty_programs_is_read_once_while_the_log_daemon_dies_fifty_times() {
    let env = TestEnv::new();
    for (file, text) in [
        ("writer.py", PYTHON),
        ("writer.js", NODE),
        ("writer.sh", SHELL),
    ] {
        env.write(file, text);
    }
    let writers: Vec<_> = (0..APPS).map(|index| writer(&env, index)).collect();
    env.ecosystem("dev", &json!(writers));
    drop(env.eco(&["start", "dev"]).ok());
    let follower = env.follow(&["logs", "-f", "-n", "all", "--json"]);
    for death in 0..DEATHS {
        // Now in the middle of its answers, now before it has one.
        let seen = follower.count();
        if death % 2 == 0 {
            wait_until("the follower hears more", || follower.count() > seen);
        }
        next_daemon(&env);
    }
    env.write("enough", "");
    let ends = || {
        let last = env.eco(&["logs", "-n", "all", "--grep", "^end$", "--json"]);
        records(&last.ok().stdout).len()
    };
    wait_until("all have come to their end", || ends() == APPS);
    let stored = env.logs("*");
    assert!(stored.is_sorted_by(|left, right| left.time <= right.time));
    wait_until("the follower has heard all", || {
        follower.count() >= stored.len()
    });
    let (stored, heard) = (by_app(stored), by_app(records(&follower.text())));
    assert_eq!(stored.len(), APPS);
    for (name, lines) in &stored {
        assert!(check_numbered(lines, name, 1) > 200, "{name}");
        assert_eq!(lines.last().map(|last| last.line.as_str()), Some("end"));
        let heard = heard.get(name).expect("it was followed");
        check_same_lines(heard, lines);
    }
    copies_hold(&env, &stored);
}

fn by_app(all: Vec<Record>) -> BTreeMap<String, Vec<Record>> {
    let mut apps: BTreeMap<String, Vec<Record>> = BTreeMap::new();
    for record in all {
        apps.entry(record.name.clone()).or_default().push(record);
    }
    apps
}

/// Files that lines are copied to hold them once, too.
fn copies_hold(env: &TestEnv, stored: &BTreeMap<String, Vec<Record>>) {
    for name in (0..APPS).step_by(COPIED).map(name) {
        let mut text = String::new();
        for record in stored.get(&name).expect("it wrote") {
            text.push_str(&record.line);
            text.push('\n');
        }
        let file = env.path(&format!("logs/{name}.log"));
        let copied = || fs::read_to_string(&file).unwrap_or_default();
        wait_until("all is copied", || copied().ends_with("end\n"));
        assert!(copied() == text, "{file} is not what is stored");
    }
}
