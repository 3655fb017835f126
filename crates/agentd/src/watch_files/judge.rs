//! Whether a file or folder counts, and what decides it. Pure: the watcher and whoever explains it ask the same.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use globset::{GlobBuilder, GlobMatcher};

use super::pattern::{Effect, Entry};
use super::rules::{BadRule, Origin, Rule, Rules};
use super::scope::Scope;
use crate::os::inotify::Kind;
use crate::resolve::Root;

/// Judges what happens in a scope.
#[derive(Debug)]
pub struct Judge {
    scope: Arc<Scope>,
    rules: Rules,
    /// What of each root counts; `None`: all of it.
    only: Vec<Option<GlobMatcher>>,
}

/// What of an entry is so.
#[derive(Debug)]
pub enum Verdict<'a> {
    /// It is what is watched, or in it.
    Counts {
        /// What.
        root: &'a Root,
        /// The rule that lets it in after all.
        rule: Option<&'a Rule>,
    },
    /// A rule leaves it out.
    LeftOut {
        /// Which.
        rule: &'a Rule,
        /// What the rule matches: the entry, or a folder that it is in.
        at: PathBuf,
    },
    /// Of this folder only what matches a glob is watched, and it does not.
    Unasked(&'a Root),
    /// It is further down than is watched.
    TooDeep(u32),
    /// It is eco's own.
    Ours,
    /// It is in nothing that is watched.
    Outside,
}

impl Judge {
    /// A judge of `scope`, and what of its rules means nothing.
    #[must_use]
    pub fn new(scope: Arc<Scope>) -> (Self, Vec<BadRule>) {
        let (rules, mut bad) = Rules::new(&scope);
        let only = scope.roots.iter().map(|root| match glob(root)? {
            Ok(glob) => Some(glob),
            Err(rule) => {
                bad.push(rule);
                None
            }
        });
        let only = only.collect();
        (Self { scope, rules, only }, bad)
    }

    /// What is judged.
    #[must_use]
    pub const fn scope(&self) -> &Arc<Scope> {
        &self.scope
    }

    /// By which rules.
    #[must_use]
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Whether a change of `path` counts.
    #[must_use]
    pub fn counts(&self, path: &Path, kind: Kind) -> bool {
        matches!(self.verdict(path, kind), Verdict::Counts { .. })
    }

    /// What of `path` is so. What counts for one root counts, whatever others say.
    #[must_use]
    pub fn verdict(&self, path: &Path, kind: Kind) -> Verdict<'_> {
        if path.starts_with(&self.scope.home) {
            return Verdict::Ours;
        }
        let mut verdict = Verdict::Outside;
        for (index, root) in self.scope.roots.iter().enumerate() {
            if !path.starts_with(&root.path) {
                continue;
            }
            verdict = self.within(index, root, path, kind);
            if matches!(verdict, Verdict::Counts { .. }) {
                return verdict;
            }
        }
        verdict
    }

    /// Whether what is in a folder is to be watched, given that the folder above it is.
    #[must_use]
    pub(super) fn enters(&self, folder: &Path) -> bool {
        let left_out = |root: &Root| {
            let decided = self.rules.deciding(self.entry(root, folder, Kind::Folder));
            decided.is_some_and(|(_, effect)| effect == Effect::LeavesOut)
        };
        let mut roots = self.scope.roots.iter();
        let is_asked_for = roots.any(|root| {
            folder.starts_with(&root.path)
                // What is in a folder is one further down than the folder.
                && !self.is_too_deep(depth(root, folder) + 1)
                && (folder == root.path || !left_out(root))
        });
        is_asked_for && !folder.starts_with(&self.scope.home)
    }

    fn within<'a>(&'a self, index: usize, root: &'a Root, path: &Path, kind: Kind) -> Verdict<'a> {
        let mut let_in = None;
        let mut at = root.path.clone();
        let below = path.strip_prefix(&root.path).unwrap_or(path);
        if path == root.path {
            return Verdict::Counts { root, rule: None };
        }
        for part in below.components() {
            at.push(part);
            let kind = if at == path { kind } else { Kind::Folder };
            let_in = match self.rules.deciding(self.entry(root, &at, kind)) {
                Some((rule, Effect::LeavesOut)) => return Verdict::LeftOut { rule, at },
                Some((rule, Effect::LetsIn)) => Some(rule),
                None => None,
            };
        }
        if let Some(most) = self.scope.depth
            && self.is_too_deep(depth(root, path))
        {
            return Verdict::TooDeep(most);
        }
        let only = self.only.get(index).and_then(Option::as_ref);
        if only.is_some_and(|glob| !glob.is_match(below)) {
            return Verdict::Unasked(root);
        }
        Verdict::Counts { root, rule: let_in }
    }

    fn entry<'a>(&'a self, root: &'a Root, absolute: &'a Path, kind: Kind) -> Entry<'a> {
        Entry {
            absolute,
            root: &root.path,
            base: &self.scope.base,
            kind,
        }
    }

    fn is_too_deep(&self, depth: usize) -> bool {
        // What is directly in a root is at depth 1, and PM2's users count it as 0.
        let most = self.scope.depth.and_then(|most| usize::try_from(most).ok());
        most.is_some_and(|most| depth > most + 1)
    }
}

fn depth(root: &Root, path: &Path) -> usize {
    path.strip_prefix(&root.path)
        .map_or(0, |below| below.components().count())
}

fn glob(root: &Root) -> Option<Result<GlobMatcher, BadRule>> {
    let text = root.only.as_ref()?;
    let glob = GlobBuilder::new(text).literal_separator(true).build();
    Some(
        glob.map(|glob| glob.compile_matcher())
            .map_err(|error| BadRule {
                origin: Origin::Watch,
                text: root.written.clone(),
                why: error.kind().to_string(),
            }),
    )
}

#[cfg(test)]
mod tests {
    use eco_config::spec::{IgnoreField, IgnoreRule, Ignored, Links};

    use super::*;

    fn root(path: &str, only: Option<&str>) -> Root {
        Root {
            written: path.to_owned(),
            path: path.into(),
            only: only.map(str::to_owned),
        }
    }

    fn judge(roots: Vec<Root>, ignore: &[&str], depth: Option<u32>) -> Judge {
        let rule = |text: &&str| IgnoreRule {
            what: Ignored::Pattern((*text).to_owned()),
            field: IgnoreField::IgnoreWatch,
        };
        let scope = Scope {
            roots,
            base: "/app".into(),
            ignore: Some(ignore.iter().map(rule).collect()),
            left_out: Vec::new(),
            links: Links::Followed,
            polling: None,
            depth,
            home: "/app/.eco".into(),
        };
        let (judge, bad) = Judge::new(Arc::new(scope));
        assert_eq!(bad, []);
        judge
    }

    fn counts(judge: &Judge, path: &str) -> bool {
        judge.counts(Path::new(path), Kind::File)
    }

    #[test]
    fn what_is_in_a_folder_that_is_left_out_is_left_out_and_nothing_lets_it_in() {
        let judge = judge(vec![root("/app", None)], &["gen/", "!gen/keep.js"], None);
        let verdict = judge.verdict(Path::new("/app/a/gen/keep.js"), Kind::File);
        let Verdict::LeftOut { rule, at } = verdict else {
            panic!("{verdict:?}");
        };
        assert_eq!((rule.text.as_str(), at), ("gen/", "/app/a/gen".into()));
        assert!(!judge.enters(Path::new("/app/a/gen")));
        assert!(judge.enters(Path::new("/app/a")));
    }

    #[test]
    fn a_rule_that_lets_in_is_told() {
        let judge = judge(vec![root("/app", None)], &["*.pyc", "!keep.pyc"], None);
        let verdict = judge.verdict(Path::new("/app/keep.pyc"), Kind::File);
        let Verdict::Counts { rule, .. } = verdict else {
            panic!("{verdict:?}");
        };
        assert_eq!(rule.map(|rule| rule.text.as_str()), Some("!keep.pyc"));
    }

    #[test]
    fn a_root_is_never_left_out_and_nothing_above_it_counts() {
        let judge = judge(
            vec![root("/app/node_modules/.mine", None)],
            &["**/.*"],
            None,
        );
        assert!(counts(&judge, "/app/node_modules/.mine"));
        assert!(counts(&judge, "/app/node_modules/.mine/a.js"));
        assert!(!counts(&judge, "/app/node_modules/.mine/.a"));
        assert!(!counts(&judge, "/app/node_modules/other"));
        assert!(!counts(&judge, "/app/node_modules/.mineral"));
    }

    #[test]
    fn what_counts_for_one_root_counts() {
        let roots = vec![root("/app", None), root("/app/node_modules/lib", None)];
        let judge = judge(roots, &[], None);
        assert!(counts(&judge, "/app/node_modules/lib/a.js"));
        assert!(!counts(&judge, "/app/node_modules/other/a.js"));
    }

    #[test]
    fn what_eco_itself_writes_does_not_count() {
        let judge = judge(vec![root("/app", None)], &["!.eco"], None);
        assert!(matches!(
            judge.verdict(Path::new("/app/.eco/runs/x"), Kind::File),
            Verdict::Ours
        ));
        assert!(!judge.enters(Path::new("/app/.eco")));
    }

    #[test]
    fn a_depth_of_0_is_what_is_directly_in_the_folder() {
        let flat = judge(vec![root("/app", None)], &[], Some(0));
        assert!(counts(&flat, "/app/a.js") && !counts(&flat, "/app/x/a.js"));
        assert!(!flat.enters(Path::new("/app/x")));
        let deeper = judge(vec![root("/app", None)], &[], Some(1));
        assert!(deeper.enters(Path::new("/app/x")));
        assert!(counts(&deeper, "/app/x/a.js") && !counts(&deeper, "/app/x/y/a.js"));
    }

    #[test]
    fn of_a_glob_only_what_matches_counts_and_all_its_folders_are_looked_into() {
        let js = root("/app/src", Some("**/*.js"));
        let judge = judge(vec![js], &[], None);
        assert!(counts(&judge, "/app/src/a.js") && counts(&judge, "/app/src/x/y/a.js"));
        assert!(!counts(&judge, "/app/src/a.css"));
        assert!(judge.enters(Path::new("/app/src/x")));
    }
}
