//! What apps say and are told: when the keeper listens, and how it passes things on.
//!
//! - It listens while an agent is there that takes what it is sent and acts upon it; a slow agent makes apps wait, never
//!   the keeper grow.
//! - What a run said before its end is passed on before its end is told.

use eco_proto::keeper::v1::Say;

use super::channel::Line;
use super::keeper::Keeper;
use super::lines::{Cut, LONGEST};
use super::mark::name;
use super::poll::Token;
use super::say::{self, say};

/// Turns of listening to a run that is over: more than its sockets hold.
const LAST_TURNS: usize = 8;

impl Keeper {
    /// Listens to apps, or lets them wait, as the agent takes what is there.
    pub(super) fn lend_an_ear(&mut self) {
        let done = if self.is_heard() && !self.unheard.is_full() {
            self.poll.listen()
        } else {
            self.poll.turn_away()
        };
        if let Err(errno) = done {
            say::failed(&"listening to apps", &errno);
        }
    }

    /// Passes on what a run says over its channel.
    pub(super) fn hear_channel(&mut self, serial: u64) {
        // Whoever asked for it may have hung up a moment ago.
        if self.connection.is_none() {
            return;
        }
        let Some(run) = self.table.get_mut(serial) else {
            return;
        };
        let Some(channel) = &mut run.channel else {
            return;
        };
        let mut cut = Cut::default();
        let line = channel.receive(&mut cut);
        if cut.left_out > 0 && !std::mem::replace(&mut channel.has_complained, true) {
            let name = name(run.facts.key());
            say(format_args!(
                "leaves out what {name} says in lines of more than {LONGEST} bytes"
            ));
        }
        let said: Vec<_> = cut
            .lines
            .into_iter()
            .map(|line| {
                let bytes = line.len();
                self.unheard
                    .keep(bytes, |number| run.facts.said(line, number))
            })
            .collect();
        for message in said {
            self.tell(message);
        }
        match line {
            // It may be owed an answer.
            Line::Open => self.pass_on(serial),
            Line::Closed => self.close_channel(serial),
        }
    }

    /// Passes on the notices of a run.
    pub(super) fn hear_notices(&mut self, serial: u64) {
        if self.connection.is_none() {
            return;
        }
        let Some(run) = self.table.get_mut(serial) else {
            return;
        };
        let Some(notices) = &mut run.notices else {
            return;
        };
        let mut heard = Vec::new();
        match notices.receive(&mut heard) {
            Ok(0) => {}
            Ok(_) => {
                if !std::mem::replace(&mut notices.has_complained, true) {
                    let name = name(run.facts.key());
                    say(format_args!("leaves out long notices of {name}"));
                }
            }
            Err(errno) => say::failed(&"hearing a notice", &errno),
        }
        let told: Vec<_> = heard
            .into_iter()
            .map(|datagram| {
                let bytes = datagram.len();
                self.unheard
                    .keep(bytes, |number| run.facts.notified(datagram, number))
            })
            .collect();
        for message in told {
            self.tell(message);
        }
    }

    /// Passes on what a run said last, before its end is told.
    pub(super) fn hear_last(&mut self, serial: u64) {
        for _ in 0..LAST_TURNS {
            self.hear_notices(serial);
            self.hear_channel(serial);
        }
    }

    /// Says something to a run over its channel.
    pub(super) fn say_to_run(&mut self, request: &Say) {
        let Some(serial) = self.known(request.key.as_ref()) else {
            return;
        };
        let Some(run) = self.table.get_mut(serial) else {
            return;
        };
        let name = name(run.facts.key());
        let Some(channel) = &mut run.channel else {
            return say(format_args!("says nothing to {name}: it has no channel"));
        };
        if request.line.contains(&b'\n') {
            return say(format_args!(
                "says nothing to {name}: it is more than one line"
            ));
        }
        match channel.say(&request.line) {
            Ok(()) => self.pass_on(serial),
            Err(full) if !std::mem::replace(&mut channel.was_full, true) => {
                say::failed(&name, &full);
            }
            Err(_) => {}
        }
    }

    /// Has a run take what waits for it, now or when there is room. An app that closed its end takes nothing, and is
    /// known by what is read of it, after all that it said before.
    pub(super) fn pass_on(&mut self, serial: u64) {
        let Some(channel) = self
            .table
            .get_mut(serial)
            .and_then(|run| run.channel.as_mut())
        else {
            return;
        };
        channel.flush();
        let wants_room = channel.waiting() > 0;
        let waited = std::mem::replace(&mut channel.waits_for_room, wants_room);
        let done = match (waited, wants_room) {
            (false, true) => self.poll.await_room(&*channel, Token::Room(serial)),
            (true, false) => self.poll.has_room(&*channel),
            (true, true) | (false, false) => Ok(()),
        };
        if let Err(errno) = done {
            say::failed(&"waiting for room in a channel", &errno);
        }
    }

    fn close_channel(&mut self, serial: u64) {
        if let Some(run) = self.table.get_mut(serial) {
            run.channel = None;
            let closed = run.facts.channel_closed();
            self.tell(closed);
        }
    }
}
