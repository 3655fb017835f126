//! How files are watched, as blocks of text.

use super::block::Block;
use super::quantity::duration;
use crate::view::watch::{Root, Rule, State, Verdict, Watched, Watching};

/// The agent lets files rest at least this long, in ms.
const SHORTEST_REST: u64 = 50;

/// What of it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// What is watched.
    Summary,
    /// What decides, too.
    Explained,
}

/// Makes a block, with a newline at its end.
pub(crate) fn block(watched: &Watched, detail: Detail) -> String {
    let mut block = Block::default();
    block.heading(&format!("{}/{}", watched.env, watched.name));
    match &watched.watching {
        None => block.line(
            "nothing is watched: `watch: true` in its file restarts it when its files change",
        ),
        Some(watching) => {
            summary(&mut block, watching);
            if detail == Detail::Explained {
                rules(&mut block, watching);
            }
        }
    }
    block.text
}

fn summary(block: &mut Block, watching: &Watching) {
    for root in &watching.roots {
        block.field("watches", &shown_root(root));
    }
    let rest = match watching.delay_ms.max(SHORTEST_REST) {
        ms if ms < 1000 => format!("{ms} ms"),
        ms => duration(ms),
    };
    block.field("restarts", &format!("when nothing has changed for {rest}"));
    if !watching.follows_links {
        block.field("links", "are not followed");
    }
    block.maybe("depth", watching.depth.map(|depth| depth.to_string()));
    match &watching.state {
        None => block.field("now", "nothing: no instance of it is to be up"),
        Some(state) => shown_state(block, state),
    }
    let problems = watching.rules.iter().filter_map(|rule| {
        let problem = rule.problem.as_ref()?;
        Some(format!(
            "{}: {:?} leaves nothing out: {problem}",
            rule.origin, rule.text
        ))
    });
    for problem in problems {
        block.field("problem", &problem);
    }
}

fn shown_root(root: &Root) -> String {
    let written = match &root.written {
        None => " (the working directory)".to_owned(),
        Some(written) if *written == root.path => String::new(),
        Some(written) => format!(" (written as {written})"),
    };
    let only = root.only.as_ref().map(|glob| format!(", only {glob}"));
    let there = if root.is_there {
        ""
    } else {
        ", which is not there yet"
    };
    format!("{}{written}{}{there}", root.path, only.unwrap_or_default())
}

fn shown_state(block: &mut Block, state: &State) {
    let folders = match state.folders {
        1 => "1 folder".to_owned(),
        count => format!("{count} folders"),
    };
    let how = match state.poll_ms {
        None => "the kernel tells of changes".to_owned(),
        Some(every) => format!("looked at every {} or more", duration(every)),
    };
    block.field("now", &format!("{folders}, {how}"));
    block.maybe("problem", state.problem.clone());
    for folder in &state.denied {
        block.field(
            "problem",
            &format!("{folder} may not be read: nothing in it is seen"),
        );
    }
}

fn rules(block: &mut Block, watching: &Watching) {
    block.heading("rules, the last that matches decides");
    for rule in watching.rules.iter().filter(|rule| rule.problem.is_none()) {
        let does = if rule.lets_in {
            "counts after all"
        } else {
            "does not count"
        };
        block.field(&rule.text, &format!("{does}  {}", origin(rule)));
    }
    if !watching.paths.is_empty() {
        block.heading("paths");
        for verdict in &watching.paths {
            block.line(&shown_verdict(verdict));
        }
    }
}

fn origin(rule: &Rule) -> String {
    match rule.origin.as_str() {
        "always" => "(always)".to_owned(),
        "default" => "(by default, as ignore_watch is not given)".to_owned(),
        field => format!("({field})"),
    }
}

fn shown_verdict(verdict: &Verdict) -> String {
    let rule = verdict.rule.as_ref();
    let named = rule.map_or(String::new(), |rule| {
        format!("{} {}", rule.text, origin(rule))
    });
    let at = verdict.at.as_deref().filter(|at| *at != verdict.path);
    let of = at.map_or(String::new(), |at| format!(": it matches {at}"));
    let why = match verdict.reason {
        "watched" => "nothing leaves it out".to_owned(),
        "let in" => format!("{named} lets it in"),
        "left out" => format!("{named} leaves it out{of}"),
        "not in glob" => "of its folder only what matches a glob is watched".to_owned(),
        "too deep" => "it is further down than watch_options.depth".to_owned(),
        "ours" => "eco itself writes it".to_owned(),
        "outside" => "it is in nothing that is watched".to_owned(),
        _ => "the agent does not say why".to_owned(),
    };
    let does = if verdict.counts {
        "counts"
    } else {
        "does not count"
    };
    format!("{}: {does}: {why}", verdict.path)
}

#[cfg(test)]
mod tests {
    use eco_proto::agent::v1::{
        ExplainWatchReply, WatchReason, WatchRule, WatchState, WatchVerdict, WatchedApp,
        WatchedRoot, Watching as Told,
    };

    use super::*;
    use crate::view::watch::watched;

    fn rule(text: &str, origin: &str) -> WatchRule {
        WatchRule {
            text: text.to_owned(),
            origin: origin.to_owned(),
            lets_in: text.starts_with('!'),
            ..WatchRule::default()
        }
    }

    fn told() -> Told {
        let verdict =
            |path: &str, reason: WatchReason, rule: Option<WatchRule>, at: &str| WatchVerdict {
                path: path.to_owned(),
                counts: matches!(reason, WatchReason::Watched | WatchReason::LetIn),
                reason: reason.into(),
                rule,
                at: at.to_owned(),
            };
        let gen_rule = rule("gen/", "ignore_watch");
        Told {
            roots: vec![WatchedRoot {
                path: "/srv/app/src".to_owned(),
                written: "src/**/*.js".to_owned(),
                only: "**/*.js".to_owned(),
                is_there: true,
            }],
            rules: vec![
                rule("node_modules", "always"),
                gen_rule.clone(),
                rule("!keep.js", "ignore_watch"),
            ],
            delay_ms: 1500,
            state: Some(WatchState {
                folders: 12,
                ..WatchState::default()
            }),
            verdicts: vec![
                verdict("/srv/app/src/a.js", WatchReason::Watched, None, ""),
                verdict(
                    "/srv/app/src/gen/a.js",
                    WatchReason::LeftOut,
                    Some(gen_rule),
                    "/srv/app/src/gen",
                ),
                verdict(
                    "/srv/app/src/a.css",
                    WatchReason::NotInGlob,
                    None,
                    "/srv/app/src",
                ),
            ],
            ..Told::default()
        }
    }

    fn shown(watching: Option<Told>, detail: Detail) -> String {
        let reply = ExplainWatchReply {
            host: "box".to_owned(),
            apps: vec![WatchedApp {
                environment: "dev".to_owned(),
                name: "api".to_owned(),
                watching,
            }],
        };
        let text: String = watched(reply)
            .iter()
            .map(|one| block(one, detail))
            .collect();
        anstream::adapter::strip_str(&text).to_string()
    }

    #[test]
    fn the_summary_tells_what_is_watched_and_how() {
        insta::assert_snapshot!(shown(Some(told()), Detail::Summary), @r"
        dev/api
          watches         /srv/app/src (written as src/**/*.js), only **/*.js
          restarts        when nothing has changed for 1.5s
          now             12 folders, the kernel tells of changes
        ");
    }

    #[test]
    fn the_explanation_tells_the_rules_and_what_they_make_of_each_path() {
        insta::assert_snapshot!(shown(Some(told()), Detail::Explained), @r"
        dev/api
          watches         /srv/app/src (written as src/**/*.js), only **/*.js
          restarts        when nothing has changed for 1.5s
          now             12 folders, the kernel tells of changes
        rules, the last that matches decides
          node_modules    does not count  (always)
          gen/            does not count  (ignore_watch)
          !keep.js        counts after all  (ignore_watch)
        paths
          /srv/app/src/a.js: counts: nothing leaves it out
          /srv/app/src/gen/a.js: does not count: gen/ (ignore_watch) leaves it out: it matches /srv/app/src/gen
          /srv/app/src/a.css: does not count: of its folder only what matches a glob is watched
        ");
    }

    #[test]
    fn what_is_amiss_is_told() {
        let amiss = Told {
            state: Some(WatchState {
                folders: 1,
                denied: vec!["/srv/app/secret".to_owned()],
                poll_ms: Some(2000),
                problem: "The kernel has enough.".to_owned(),
            }),
            rules: vec![WatchRule {
                problem: "it is open".to_owned(),
                ..rule("{", "ignore_watch")
            }],
            ..told()
        };
        insta::assert_snapshot!(shown(Some(amiss), Detail::Summary), @r#"
        dev/api
          watches         /srv/app/src (written as src/**/*.js), only **/*.js
          restarts        when nothing has changed for 1.5s
          now             1 folder, looked at every 2.0s or more
          problem         The kernel has enough.
          problem         /srv/app/secret may not be read: nothing in it is seen
          problem         ignore_watch: "{" leaves nothing out: it is open
        "#);
    }

    #[test]
    fn what_watches_nothing_and_what_is_down_are_told_apart() {
        assert!(shown(None, Detail::Explained).contains("nothing is watched: `watch: true`"));
        let down = Told {
            state: None,
            ..told()
        };
        assert!(shown(Some(down), Detail::Summary).contains("no instance of it is to be up"));
    }
}
