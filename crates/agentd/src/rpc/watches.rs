//! How files are watched, for people: the same judge that watches says what it would do.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use eco_config::spec::Links;
use eco_proto::agent::v1 as pb;
use eco_proto::agent::v1::WatchReason as Reason;

use crate::fleet::{App, AppKey, Fleet, SlotKey};
use crate::os::inotify::Kind;
use crate::resolve::Root;
use crate::watch_files::judge::{Judge, Verdict};
use crate::watch_files::ours::Ours;
use crate::watch_files::rules::{BadRule, Rule};
use crate::watch_files::scope::Scope;
use crate::watch_files::{Status, Statuses};

/// What there is to tell of.
pub(super) struct Watches {
    pub(super) statuses: Arc<Statuses>,
    pub(super) home: PathBuf,
}

impl Watches {
    /// Explains the apps of `slots`, each once, and what of `paths` counts for them.
    pub(super) fn explain(
        &self,
        fleet: &Fleet,
        slots: &[SlotKey],
        paths: &[String],
    ) -> Vec<pb::WatchedApp> {
        let keys: BTreeSet<&AppKey> = slots.iter().map(|slot| &slot.app).collect();
        let ours = Ours::of(fleet);
        keys.into_iter()
            .filter_map(|key| {
                let app = fleet.app(key)?;
                Some(pb::WatchedApp {
                    environment: key.environment.clone(),
                    name: key.name.clone(),
                    watching: self.watching(app, &ours, paths),
                })
            })
            .collect()
    }

    /// What is amiss with the watching of an app's files.
    pub(super) fn problems(&self, app: &App) -> Vec<String> {
        let Some(scope) = Scope::of(&app.spec, &self.home) else {
            return Vec::new();
        };
        let Some(status) = self.statuses.get(&scope) else {
            return Vec::new();
        };
        let looks = |every: Duration| {
            let seconds = every.as_secs_f64();
            format!(
                "Until then the files are looked at every {seconds:.0} s or more, which costs processor time."
            )
        };
        let problem = status.problem.as_ref().map(|problem| {
            let then = status.looks_every.map(looks).unwrap_or_default();
            format!("{problem} {then}")
        });
        let denied = status.denied.first().map(|first| {
            format!(
                "Nothing is seen of what is in folders that may not be read, such as {} ({} in all).",
                first.display(),
                status.denied.len()
            )
        });
        let bad = status.bad.iter().map(|rule| {
            let (field, text) = (rule.origin.field(), &rule.text);
            format!(
                "{field}: {text:?} cannot be understood and leaves nothing out: {}.",
                rule.why
            )
        });
        problem.into_iter().chain(denied).chain(bad).collect()
    }

    fn watching(&self, app: &App, ours: &Ours, paths: &[String]) -> Option<pb::Watching> {
        let scope = Arc::new(Scope::of(&app.spec, &self.home)?);
        let delay = app.spec.watch.as_ref()?.delay;
        let (judge, bad) = Judge::new(Arc::clone(&scope));
        let rules = judge.rules().all().iter().map(rule);
        Some(pb::Watching {
            roots: scope.roots.iter().map(root).collect(),
            rules: rules.chain(bad.iter().map(bad_rule)).collect(),
            delay_ms: millis(delay),
            plain_links: scope.links == Links::Plain,
            depth: scope.depth,
            state: self.statuses.get(&scope).map(state),
            verdicts: paths
                .iter()
                .map(|path| verdict(&judge, ours, path))
                .collect(),
        })
    }
}

fn root(root: &Root) -> pb::WatchedRoot {
    pb::WatchedRoot {
        path: text(&root.path),
        written: root.written.clone(),
        only: root.only.clone().unwrap_or_default(),
        is_there: root.path.exists(),
    }
}

fn rule(rule: &Rule) -> pb::WatchRule {
    pb::WatchRule {
        text: rule.text.clone(),
        origin: rule.origin.field().to_owned(),
        lets_in: rule.lets_in(),
        problem: String::new(),
    }
}

fn bad_rule(rule: &BadRule) -> pb::WatchRule {
    pb::WatchRule {
        text: rule.text.clone(),
        origin: rule.origin.field().to_owned(),
        lets_in: false,
        problem: rule.why.clone(),
    }
}

fn state(status: &Status) -> pb::WatchState {
    pb::WatchState {
        folders: u64::try_from(status.folders).unwrap_or(u64::MAX),
        denied: status.denied.iter().map(|folder| text(folder)).collect(),
        poll_ms: status.looks_every.map(millis),
        problem: status.problem.clone().unwrap_or_default(),
    }
}

fn verdict(judge: &Judge, ours: &Ours, asked: &str) -> pb::WatchVerdict {
    let path = crate::resolve::clean(Path::new(asked));
    let kind = if asked.ends_with('/') || path.is_dir() {
        Kind::Folder
    } else {
        Kind::File
    };
    let decided = if ours.covers(&path) {
        Verdict::Ours
    } else {
        judge.verdict(&path, kind)
    };
    let (reason, by, at) = match decided {
        Verdict::Counts { rule: None, .. } => (Reason::Watched, None, None),
        Verdict::Counts { rule: Some(it), .. } => {
            (Reason::LetIn, Some(rule(it)), Some(path.clone()))
        }
        Verdict::LeftOut { rule: it, at } => (Reason::LeftOut, Some(rule(it)), Some(at)),
        Verdict::Unasked(root) => (Reason::NotInGlob, None, Some(root.path.clone())),
        Verdict::TooDeep(_) => (Reason::TooDeep, None, None),
        Verdict::Ours => (Reason::Ours, None, None),
        Verdict::Outside => (Reason::Outside, None, None),
    };
    pb::WatchVerdict {
        path: asked.to_owned(),
        counts: matches!(reason, Reason::Watched | Reason::LetIn),
        reason: reason.into(),
        rule: by,
        at: at.map_or(String::new(), |at| text(&at)),
    }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use eco_config::spec::{IgnoreField, IgnoreRule, Ignored, WatchPolicy};

    use super::*;
    use crate::environment::tests::spec;
    use crate::fleet::By;
    use crate::fleet::apply::Application;
    use crate::watch_files::rules::Origin;

    fn fleet(folder: &Path) -> Fleet {
        let mut asked = spec("dev", "api");
        asked.cwd = Some(folder.to_owned());
        let pattern = |text: &str| IgnoreRule {
            what: Ignored::Pattern(text.to_owned()),
            field: IgnoreField::WatchOptions,
        };
        asked.watch = Some(WatchPolicy {
            paths: Vec::new(),
            ignore: Some(vec![
                pattern("gen/"),
                pattern("*.pyc"),
                pattern("!keep.pyc"),
            ]),
            delay: Duration::from_millis(300),
            links: Links::Followed,
            polling: None,
            depth: None,
        });
        asked.pid_file = Some("api.pid".into());
        let mut fleet = Fleet::default();
        fleet.apply(Duration::ZERO, &By::Unknown, Application::of(vec![asked]));
        fleet
    }

    fn watches(statuses: Statuses) -> Watches {
        Watches {
            statuses: Arc::new(statuses),
            home: "/nowhere/.eco".into(),
        }
    }

    #[test]
    fn each_path_is_judged_as_the_watcher_does_and_the_rule_is_named() {
        let folder = tempfile::tempdir().expect("made");
        let fleet = fleet(folder.path());
        let slots: Vec<SlotKey> = fleet.slots().map(|(key, _, _)| key).collect();
        let below = |name: &str| format!("{}/{name}", folder.path().display());
        let paths = [
            "a.js",
            "gen/x/y.js",
            "keep.pyc",
            "node_modules/",
            "api.pid",
            "../b",
        ]
        .map(below);
        let apps = watches(Statuses::new()).explain(&fleet, &slots, &paths);
        let [app] = apps.as_slice() else {
            panic!("one app: {apps:?}")
        };
        let watching = app.watching.as_ref().expect("it watches");
        assert_eq!((watching.delay_ms, watching.state.is_none()), (300, true));
        let told: Vec<_> = watching
            .verdicts
            .iter()
            .map(|one| {
                let rule = one
                    .rule
                    .as_ref()
                    .map(|rule| (rule.origin.as_str(), rule.text.as_str()));
                (one.counts, one.reason(), rule)
            })
            .collect();
        let options = "watch_options.ignored";
        assert_eq!(
            told,
            [
                (true, Reason::Watched, None),
                (false, Reason::LeftOut, Some((options, "gen/"))),
                (true, Reason::LetIn, Some((options, "!keep.pyc"))),
                (false, Reason::LeftOut, Some(("always", "node_modules"))),
                (false, Reason::Ours, None),
                (false, Reason::Outside, None),
            ]
        );
        assert_eq!(watching.verdicts[1].at, below("gen"));
    }

    #[test]
    fn what_is_amiss_is_told_in_sentences() {
        let folder = tempfile::tempdir().expect("made");
        let fleet = fleet(folder.path());
        let app = fleet.apps().values().next().expect("one");
        let scope = Scope::of(&app.spec, Path::new("/nowhere/.eco")).expect("watched");
        let status = Status {
            folders: 3,
            denied: vec!["/x".into()],
            looks_every: Some(Duration::from_secs(2)),
            problem: Some("The kernel has enough.".to_owned()),
            bad: vec![BadRule {
                origin: Origin::Watch,
                text: "{".to_owned(),
                why: "it is open".to_owned(),
            }],
        };
        let watches = watches(Statuses::from([(Arc::new(scope), status)]));
        let problems = watches.problems(app);
        assert_eq!(problems.len(), 3);
        assert!(
            problems[0]
                .starts_with("The kernel has enough. Until then the files are looked at every 2 s")
        );
        assert!(
            problems[1].starts_with(
                "Nothing is seen of what is in folders that may not be read, such as /x"
            )
        );
        assert!(problems[2].starts_with("watch: \"{\" cannot be understood"));
    }
}
