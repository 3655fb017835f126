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
        let shown = process::environment(pid);
        shown
            .and_then(|shown| environment::given(&shown, &app.spec, (key.instance, run)))
            .unwrap_or_else(|| computed(app, key.instance, run))
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
    resolved.variables(instance, run)
}
