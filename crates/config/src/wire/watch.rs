//! What is watched, to and from its messages.

use std::time::Duration;

use eco_proto::agent::v1 as pb;

use crate::spec::{IgnoreField, IgnoreRule, Ignored, Links, WatchPolicy};

use super::millis;

impl From<&WatchPolicy> for pb::WatchPolicy {
    fn from(policy: &WatchPolicy) -> Self {
        let rules = policy.ignore.iter().flatten();
        Self {
            paths: policy.paths.clone(),
            ignore: Vec::new(),
            delay_ms: millis(policy.delay),
            rules: rules.map(Into::into).collect(),
            no_rules_given: policy.ignore.is_none(),
            plain_links: policy.links == Links::Plain,
            poll_ms: policy.polling.map(millis),
            depth: policy.depth,
        }
    }
}

impl From<pb::WatchPolicy> for WatchPolicy {
    fn from(policy: pb::WatchPolicy) -> Self {
        let older = policy.ignore.into_iter().map(|pattern| IgnoreRule {
            what: Ignored::Pattern(pattern),
            field: IgnoreField::IgnoreWatch,
        });
        let rules = older.chain(policy.rules.into_iter().map(Into::into));
        Self {
            paths: policy.paths,
            ignore: (!policy.no_rules_given).then(|| rules.collect()),
            delay: Duration::from_millis(policy.delay_ms),
            links: if policy.plain_links {
                Links::Plain
            } else {
                Links::Followed
            },
            polling: policy.poll_ms.map(Duration::from_millis),
            depth: policy.depth,
        }
    }
}

impl From<&IgnoreRule> for pb::IgnoreRule {
    fn from(rule: &IgnoreRule) -> Self {
        Self {
            text: rule.what.text().to_owned(),
            is_expression: matches!(rule.what, Ignored::Expression(_)),
            from_watch_options: rule.field == IgnoreField::WatchOptions,
        }
    }
}

impl From<pb::IgnoreRule> for IgnoreRule {
    fn from(rule: pb::IgnoreRule) -> Self {
        Self {
            what: if rule.is_expression {
                Ignored::Expression(rule.text)
            } else {
                Ignored::Pattern(rule.text)
            },
            field: if rule.from_watch_options {
                IgnoreField::WatchOptions
            } else {
                IgnoreField::IgnoreWatch
            },
        }
    }
}
