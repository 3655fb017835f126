//! Output on its way: rounds of draining, bytes that the disk refused, and telling the agent of growth.

use eco_home::clock;
use eco_home::runs::Stream;

use super::keeper::Keeper;
use super::output::End;
use super::poll::Token;
use super::run::Phase;
use super::say::say;

impl Keeper {
    /// Drains each of the streams that have something, one turn.
    pub(super) fn drain_round(&mut self, ready: &[(u64, Stream)]) {
        let mut moved = 0;
        for (serial, stream) in ready {
            moved += self.drain(*serial, *stream);
        }
        self.rest.after(clock::since_boot(), moved);
    }

    fn drain(&mut self, serial: u64, stream: Stream) -> u64 {
        let Some(run) = self.table.get_mut(serial) else {
            return 0;
        };
        let Some(output) = run.output(stream) else {
            return 0;
        };
        let (moved, end) = output.drain();
        if moved > 0 {
            self.growth.note(serial, stream, clock::since_boot());
        }
        self.settle(serial, stream, end);
        moved
    }

    /// Holds a stream that the disk refused, and lets it go again.
    pub(super) fn settle(&mut self, serial: u64, stream: Stream, end: End) {
        let Some(run) = self.table.get_mut(serial) else {
            return;
        };
        let folder = run.folder.clone();
        let Some(output) = run.output(stream) else {
            return;
        };
        let (was_held, stem) = (output.is_held, stream.stem());
        let changed = match (end, was_held) {
            (End::Held(errno), false) => {
                say(format_args!(
                    "holds {stem} of {}: {errno}",
                    folder.display()
                ));
                output.is_held = true;
                self.poll.hold_output(&*output)
            }
            (End::Empty | End::Turn, true) => {
                say(format_args!("{stem} of {} flows again", folder.display()));
                output.is_held = false;
                let token = Token::Output(serial, stream);
                self.poll.add_output(&*output, token)
            }
            (End::Held(_), true) | (End::Empty | End::Turn, false) => Ok(()),
        };
        if let Err(errno) = changed {
            super::say::failed(&folder.display(), &errno);
        }
        if let End::Held(_) = end {
            self.held.insert((serial, stream));
            self.retry_soon();
        }
    }

    /// Tries the disk again.
    pub(super) fn retry_held(&mut self) {
        for (serial, stream) in std::mem::take(&mut self.held) {
            self.drain(serial, stream);
            if self
                .table
                .get(serial)
                .is_some_and(|run| matches!(run.phase, Phase::Draining))
            {
                self.finish(serial);
            }
        }
    }

    /// Tells the agent which streams grew, and how far.
    pub(super) fn tell_growth(&mut self) {
        for (serial, stream) in self.growth.take() {
            self.tell_grown(serial, stream);
        }
    }

    /// Tells the agent how far a stream grew.
    pub(super) fn tell_grown(&mut self, serial: u64, stream: Stream) {
        let Some(run) = self.table.get_mut(serial) else {
            return;
        };
        if let Some(size) = run.output(stream).map(|output| output.size()) {
            let grown = run.facts.grown(stream.descriptor(), size);
            self.tell(grown);
        }
    }
}
