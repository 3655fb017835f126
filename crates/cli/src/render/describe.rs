//! All that is known of an instance, as a block of text.

use jiff::tz::TimeZone;

use super::block::{self, Block};
use super::quantity::{bytes, duration};
use super::style::{of_status, paint};
use super::{fields, moment};
use crate::view::describe::{Described, Ended};
use crate::view::list::{Health, Row};
use crate::view::speech::Speech;

/// Makes a block, with a newline at its end.
pub(crate) fn block(described: &Described, zone: &TimeZone) -> String {
    let mut block = Block::default();
    let row = &described.instance;
    block.heading(&format!("{}/{}#{}", row.env, row.name, row.instance));
    block.field("status", &paint(of_status(row.status), row.status));
    block.maybe("cause", row.cause.clone());
    block.maybe("it says", described.speech.status_text.clone());
    if let Some(health) = &row.health {
        told(&mut block, health, zone);
    }
    block.field("id", &row.id.to_string());
    block.maybe("pid", row.pid.map(|pid| pid.to_string()));
    block.maybe("uptime", row.uptime_ms.map(duration));
    let local = |time: &String| moment::local(time, zone);
    block.maybe("started", row.started_at.as_ref().map(local));
    block.maybe(
        "next attempt",
        row.restart_in_ms.map(|ms| format!("in {}", duration(ms))),
    );
    let next = described.next_scheduled_at.as_ref().map(local);
    block.maybe("next by cron", next);
    block.maybe("run", row.run.map(|run| run.to_string()));
    block.field(
        "restarts",
        &format!("{} ({} unstable)", row.restarts, row.unstable_restarts),
    );
    usage(&mut block, row);
    block.field("host", &row.host);
    block.field("namespace", &row.namespace);
    block.maybe("mode", row.exec_mode.map(ToOwned::to_owned));
    block.maybe("channel", described.speech.channel.map(ToOwned::to_owned));
    block.maybe("output in", described.run_dir.clone());
    block.maybe("pid file", described.pid_file.clone());
    block.maybe("its problem", described.pid_file_problem.clone());
    for file in &described.log_files {
        block.field("log file", file);
    }
    for problem in &described.log_file_problems {
        block.field("its problem", problem);
    }
    for problem in &described.watch_problems {
        block.field("watch problem", problem);
    }
    app(&mut block, described);
    own_words(&mut block, &described.speech);
    if !described.exits.is_empty() {
        block.heading("ends, the latest first");
        for exit in &described.exits {
            block.line(&ended(exit, zone));
        }
    }
    block.text
}

/// What the probe of the living run says.
fn told(block: &mut Block, health: &Health, zone: &TimeZone) {
    let verdict = paint(of_status(health.verdict), health.verdict);
    let failures = match health.failures {
        0 => String::new(),
        1 => " (1 failure)".to_owned(),
        more => format!(" ({more} failures in a row)"),
    };
    block.field("health", &format!("{verdict}{failures}"));
    block.maybe("it is asked for", health.asks.clone());
    let answer = health
        .answer
        .as_ref()
        .map(|answer| match &health.answered_at {
            Some(at) => format!("{answer} ({})", moment::local(at, zone)),
            None => answer.clone(),
        });
    block.field("last answer", answer.as_deref().unwrap_or("none yet"));
}

/// What the app announced.
fn own_words(block: &mut Block, speech: &Speech) {
    if !speech.custom_metrics.is_empty() {
        block.heading("metrics of its own");
        for metric in &speech.custom_metrics {
            let unit = metric.unit.as_deref().unwrap_or_default();
            let value = format!("{} {unit}", metric.value);
            block.field(&format!("{} ", metric.name), value.trim_end());
        }
    }
    if !speech.custom_actions.is_empty() {
        block.heading("actions, for eco trigger");
        for action in &speech.custom_actions {
            block.line(&action.name);
        }
    }
}

/// What was asked for, and what was found and is kept of it.
fn app(block: &mut Block, described: &Described) {
    if let Some(paths) = &described.resolved {
        block.heading("resolved");
        block.field("script", &paths.script);
        block.field("cwd", &paths.cwd);
        block.maybe("interpreter", paths.interpreter.clone());
    }
    if let Some(spec) = &described.spec {
        block.heading("specification");
        block.maybe("defined in", described.defined_at.clone());
        block.text.push_str(&fields::lines(spec, block::INDENT));
    }
    if !described.limits.is_empty() {
        block.heading("limits");
        for limit in &described.limits {
            block.field(&limit.name, &format!("{}: {}", limit.value, limit.how));
        }
    }
}

/// What its processes use.
fn usage(block: &mut Block, row: &Row) {
    let cpu = row.cpu_percent.map(|percent| format!("{percent:.1}%"));
    block.maybe("cpu", cpu);
    block.maybe("memory", row.memory_bytes.map(bytes));
    block.maybe("proportional", row.pss_bytes.map(bytes));
    block.maybe("descriptors", row.fds.map(|count| count.to_string()));
    block.maybe("threads", row.threads.map(|count| count.to_string()));
}

fn ended(exit: &Ended, zone: &TimeZone) -> String {
    let how = match (exit.code, exit.signal, &exit.spawn_failed) {
        (Some(code), _, _) => format!("code {code}"),
        (None, Some(signal), _) => format!("signal {signal}"),
        (None, None, Some(why)) => format!("not spawned: {why}"),
        (None, None, None) => "how is not known".to_owned(),
    };
    let cause = exit.cause.as_deref().unwrap_or_default();
    let at = moment::known_or_not(exit.at.as_deref(), zone);
    format!(
        "run {}  {at}  after {}  {how}  {cause}",
        exit.run,
        duration(exit.lived_ms)
    )
    .trim_end()
    .to_owned()
}

#[cfg(test)]
mod tests {
    use eco_proto::agent::v1 as pb;
    use eco_proto::agent::v1::exit::How;
    use eco_proto::agent::v1::{AppSpec, Description, Exit, Instance, KeptLimit, Resolved, Status};

    use super::*;
    use crate::view::describe::described;

    fn talkative() -> pb::Speech {
        pb::Speech {
            channel: pb::ChannelState::Open.into(),
            status: Some("warming up".to_owned()),
            metrics: vec![
                metric("Event Loop Latency p95", "1.2", Some("ms")),
                metric("sold", "7", None),
            ],
            actions: vec![pb::CustomAction {
                name: "gc".to_owned(),
                ..pb::CustomAction::default()
            }],
        }
    }

    fn metric(name: &str, value: &str, unit: Option<&str>) -> pb::CustomMetric {
        pb::CustomMetric {
            name: name.to_owned(),
            value: value.to_owned(),
            unit: unit.map(ToOwned::to_owned),
            kind: None,
        }
    }

    fn description() -> Description {
        Description {
            next_scheduled_ns: Some(1_700_006_400_000_000_000),
            instance: Some(Instance {
                id: 4,
                environment: "dev".to_owned(),
                name: "api".to_owned(),
                namespace: "default".to_owned(),
                status: Status::Errored.into(),
                cause: "exited with code 3".to_owned(),
                run: 7,
                ..Instance::default()
            }),
            spec: Some(AppSpec {
                script: "server.js".to_owned(),
                namespace: "default".to_owned(),
                instance_var: "NODE_APP_INSTANCE".to_owned(),
                instances: 1,
                env: [("API_KEY", "s3cret"), ("PORT", "3000")]
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .into(),
                ..AppSpec::default()
            }),
            resolved: Some(Resolved {
                script: "/p/server.js".to_owned(),
                cwd: "/p".to_owned(),
                interpreter: "/usr/bin/node".to_owned(),
            }),
            exits: vec![Exit {
                run: 7,
                at_ns: 1_700_000_000_000_000_000,
                lived_ms: 1500,
                cause: "crashed".to_owned(),
                how: Some(How::Code(3)),
                ..Exit::default()
            }],
            limits: vec![KeptLimit {
                name: "cpu".to_owned(),
                value: "0.5".to_owned(),
                how: "all processes together, by a cgroup".to_owned(),
                is_kept: true,
            }],
            run_dir: String::new(),
            speech: Some(talkative()),
            watch_problems: vec!["The kernel has enough.".to_owned()],
            pid_file: Some("/p/api.pid".to_owned()),
            pid_file_problem: Some("It holds something else.".to_owned()),
            log_files: vec!["/p/api.log".to_owned()],
            log_file_problems: vec!["Nothing is written to it.".to_owned()],
        }
    }

    #[test]
    fn a_block_tells_what_is_known_and_hides_secrets() {
        let all = described("box", vec![description()]);
        let text: String = all.iter().map(|one| block(one, &TimeZone::UTC)).collect();
        insta::assert_snapshot!(anstream::adapter::strip_str(&text).to_string(), @r"
        dev/api#0
          status          errored
          cause           exited with code 3
          it says         warming up
          id              4
          next by cron    2023-11-15 00:00:00.000
          run             7
          restarts        0 (0 unstable)
          host            box
          namespace       default
          channel         open
          pid file        /p/api.pid
          its problem     It holds something else.
          log file        /p/api.log
          its problem     Nothing is written to it.
          watch problem   The kernel has enough.
        resolved
          script          /p/server.js
          cwd             /p
          interpreter     /usr/bin/node
        specification
          script                        server.js
          namespace                     default
          instances                     1
          exec_mode                     fork
          instance_var                  NODE_APP_INSTANCE
          env
              API_KEY                   (hidden)
              PORT                      3000
          autostart                     false
        limits
          cpu             0.5: all processes together, by a cgroup
        metrics of its own
          Event Loop Latency p95 1.2 ms
          sold            7
        actions, for eco trigger
          gc
        ends, the latest first
          run 7  2023-11-14 22:13:20.000  after 1.5s  code 3  crashed
        ");
    }
}
