//! What instances were given as their environment.
//!
//! A living process can be asked: the kernel keeps what it began with, so that a shell's variables which have changed since
//! are told as the process got them. A program may write over that memory, or belong to somebody else; then, and for what
//! does not live, the variables are put together again as for a spawn.

use std::collections::BTreeMap;

use eco_proto::agent::v1 as pb;

use super::convert;
use crate::environment;
use crate::fleet::{App, Board, Fleet, Slot, SlotKey};
use crate::os::process;
use crate::resolve;

pub(super) fn of(fleet: &Fleet, slots: &[SlotKey]) -> Vec<pb::InstanceVariables> {
    let instances = convert::instances(fleet, slots, &BTreeMap::new(), &Board::default());
    slots
        .iter()
        .zip(instances)
        .filter_map(|(key, instance)| {
            let app = fleet.app(&key.app)?;
            Some(of_one(key, app, app.slots.get(&key.instance)?, instance))
        })
        .collect()
}

fn of_one(key: &SlotKey, app: &App, slot: &Slot, instance: pb::Instance) -> pb::InstanceVariables {
    let run = slot.machine.run();
    let living = slot.pid();
    let given = living.map(|pid| {
        let computed = computed(app, key.instance, run);
        told(process::environment(pid), &computed).unwrap_or(computed)
    });
    pb::InstanceVariables {
        instance: Some(instance),
        of_next_run: given.is_none(),
        variables: given.unwrap_or_else(|| computed(app, key.instance, slot.machine.next_run())),
    }
}

/// What a run is given, put together again.
fn computed(app: &App, instance: u32, run: u64) -> BTreeMap<String, String> {
    let Ok(resolved) = resolve::resolve(&app.spec) else {
        return environment::variables(&app.spec, instance, run);
    };
    let launch = resolve::launch(&resolved, instance, run);
    launch
        .environment
        .iter()
        .filter_map(|variable| pair(variable))
        .collect()
}

/// What the kernel tells, if it is still what the process was given: the variables that name the run are all there.
fn told(
    environment: Option<Vec<u8>>,
    computed: &BTreeMap<String, String>,
) -> Option<BTreeMap<String, String>> {
    let text = String::from_utf8(environment?).ok()?;
    let told: BTreeMap<String, String> = text
        .split('\0')
        .filter(|variable| !variable.is_empty())
        .map(pair)
        .collect::<Option<_>>()?;
    let is_ours = |name| told.contains_key(name) && told.get(name) == computed.get(name);
    let names = ["ECO_APP", "ECO_ENVIRONMENT", "ECO_INSTANCE", "ECO_RUN"];
    names.into_iter().all(is_ours).then_some(told)
}

fn pair(variable: &str) -> Option<(String, String)> {
    let (name, value) = variable.split_once('=')?;
    Some((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::tests::spec;

    fn text(variables: &BTreeMap<String, String>) -> Vec<u8> {
        variables
            .iter()
            .flat_map(|(name, value)| format!("{name}={value}\0").into_bytes())
            .collect()
    }

    #[test]
    fn what_the_process_got_counts_before_what_it_would_get_now() {
        let now = environment::variables(&spec("dev", "api"), 0, 3);
        let mut then = now.clone();
        then.insert("MODE".to_owned(), "a=b".to_owned());
        assert_eq!(told(Some(text(&then)), &now), Some(then));
    }

    #[test]
    fn memory_that_was_written_over_or_is_another_runs_is_not_believed() {
        let now = environment::variables(&spec("dev", "api"), 0, 3);
        let other = environment::variables(&spec("dev", "api"), 0, 2);
        assert_eq!(told(None, &now), None);
        assert_eq!(told(Some(b"worker: serving\0\0\0".to_vec()), &now), None);
        assert_eq!(told(Some(b"A=\xff\0".to_vec()), &now), None);
        assert_eq!(told(Some(text(&other)), &now), None);
    }
}
