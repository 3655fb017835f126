//! Sides that start the writers themselves.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::race::{Race, Sample};
use crate::clock;
use crate::failure::Failure;
use crate::home::{self, own_program};
use crate::logs::scene::{self, Process};
use crate::logs::tools::Pm2;

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
    let cpu = clock::processor(daemon)
        .saturating_sub(before)
        .as_secs_f64();
    Ok(Sample {
        seconds,
        cpu,
        found: race.count_all(|name| vec![log(race, name)])?,
        ..Sample::default()
    })
}

/// supervisord, which is told never to rotate.
pub(super) fn supervisord(program: &Path, race: &Race) -> Result<Sample, Failure> {
    let (folder, program_of_ours) = (race.folder.display(), own_program()?);
    let own = program_of_ours.display();
    let mut config = format!(
        "[supervisord]\nnodaemon=true\nlogfile={folder}/supervisord.log\npidfile={folder}/supervisord.pid\n"
    );
    for name in &race.names {
        let words = race.words(name).join(" ");
        let log = log(race, name);
        let log = log.display();
        let ends = "autorestart=false\nstartsecs=0\nstdout_logfile_maxbytes=0";
        let written = writeln!(
            config,
            "[program:{name}]\ncommand={own} {words}\nstdout_logfile={log}\n{ends}"
        );
        written.map_err(|error| Failure::new("write the configuration", error))?;
    }
    let path = race.folder.join("supervisord.conf");
    std::fs::write(&path, config).map_err(Failure::at("write", &path))?;
    let mut command = Command::new(program);
    command
        .arg("-c")
        .arg(&path)
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    let daemon = Process::new(&mut command)?;
    let sample = measure(race, daemon.pid());
    daemon.end();
    sample
}

/// PM2, in a home of its own.
pub(super) fn pm2(program: &Path, race: &Race) -> Result<Sample, Failure> {
    let app = |name: &String| {
        let app = home::app(name, &race.words(name))?;
        let log = log(race, name);
        // The same, but for where it is written to.
        let files = format!(
            r#","merge_logs":true,"out_file":"{}","error_file":"/dev/null"}}"#,
            log.display()
        );
        Ok(format!("{}{files}", app.trim_end_matches('}')))
    };
    let apps = race
        .names
        .iter()
        .map(app)
        .collect::<Result<Vec<_>, Failure>>()?;
    let pm2 = Pm2::new(program, &race.folder);
    pm2.start(&apps)?;
    measure(race, pm2.daemon()?)
}
