//! Sides that start the writers themselves.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::race::{Race, Sample};
use crate::clock;
use crate::failure::Failure;
use crate::logs::scene::{self, Process};

fn log(race: &Race, name: &str) -> PathBuf {
    race.folder.join(format!("{name}.log"))
}

/// Measures who writes each app's output to a file of its own.
fn measure(race: &Race, daemon: u32) -> Result<Sample, Failure> {
    let files: Vec<PathBuf> = race.names.iter().map(|name| log(race, name)).collect();
    let begun = race.begin()?;
    let before = clock::processor(daemon);
    let ended = race.await_bytes(|| scene::size(&files))?;
    let seconds = Race::seconds(begun, ended);
    let cpu = clock::processor(daemon).saturating_sub(before).as_secs_f64();
    Ok(Sample {
        seconds,
        cpu,
        found: race.count_all(|name| vec![log(race, name)])?,
        ..Sample::default()
    })
}

/// supervisord, which is told never to rotate.
pub(super) fn supervisord(program: &Path, race: &Race) -> Result<Sample, Failure> {
    let folder = race.folder.display();
    let mut config = format!(
        "[supervisord]\nnodaemon=true\nlogfile={folder}/supervisord.log\npidfile={folder}/supervisord.pid\n"
    );
    for name in &race.names {
        let words = race.words(name)?.join(" ");
        let log = log(race, name);
        let log = log.display();
        config.push_str(&format!(
            "[program:{name}]\ncommand={words}\nautorestart=false\nstartsecs=0\nstdout_logfile={log}\nstdout_logfile_maxbytes=0\n"
        ));
    }
    let path = race.folder.join("supervisord.conf");
    std::fs::write(&path, config).map_err(Failure::at("write", &path))?;
    let mut command = Command::new(program);
    command.arg("-c").arg(&path).stdin(Stdio::null()).stdout(Stdio::null());
    let daemon = Process::new(&mut command)?;
    let sample = measure(race, daemon.pid());
    daemon.end();
    sample
}

/// PM2, in a home of its own.
pub(super) fn pm2(program: &Path, race: &Race) -> Result<Sample, Failure> {
    let home = race.folder.join("pm2");
    let mut apps = Vec::new();
    for name in &race.names {
        let words = race.words(name)?;
        let (program, words) = words.split_first().ok_or_else(|| Failure::new("start apps", "no words"))?;
        apps.push(format!(
            r#"{{"name":"{name}","script":"{program}","interpreter":"none","args":{words:?},"autorestart":false,"merge_logs":true,"out_file":"{}","error_file":"/dev/null"}}"#,
            log(race, name).display()
        ));
    }
    let path = race.folder.join("bench.config.json");
    let config = format!("{{\"apps\":[{}]}}", apps.join(","));
    std::fs::write(&path, config).map_err(Failure::at("write", &path))?;
    let pm2 = Pm2 { program, home: &home };
    pm2.say(&["start", &path.display().to_string()])?;
    let pid = home.join("pm2.pid");
    let daemon = std::fs::read_to_string(&pid).map_err(Failure::at("read", &pid))?;
    let daemon = daemon.trim().parse();
    measure(race, daemon.map_err(|error| Failure::new("read PM2's pid", error))?)
}

/// A daemon that ends with this.
struct Pm2<'a> {
    program: &'a Path,
    home: &'a Path,
}

impl Pm2<'_> {
    fn say(&self, words: &[&str]) -> Result<(), Failure> {
        let mut command = Command::new(self.program);
        command
            .args(words)
            .env("PM2_HOME", self.home)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        Process::new(&mut command)?.ended().map(drop)
    }
}

impl Drop for Pm2<'_> {
    fn drop(&mut self) {
        drop(self.say(&["kill"]));
        // It says that it is done a little before.
        let pid = self.home.join("pm2.pid");
        drop(clock::wait_until("PM2 is gone", Duration::from_secs(10), || !pid.exists()));
    }
}
