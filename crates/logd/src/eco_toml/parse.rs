//! The text, to what it says or all that is wrong with it: pure.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::value::{address, age, durability, kind, listen, size};
use super::{EcoToml, Ship, Wrong};

const LOGS: &str = "logs";
const SHIP: &str = "ship";
const KEYS: [&str; 6] = [
    "max_total_size",
    "max_app_size",
    "max_age",
    "min_free_disk",
    "listen",
    "durability",
];

pub(super) fn parse(text: &str) -> Result<EcoToml, Vec<Wrong>> {
    let mut found = Found {
        text,
        says: EcoToml::default(),
        wrongs: Vec::new(),
    };
    match DeTable::parse(text) {
        Ok(table) => found.sections(table.get_ref()),
        Err(error) => {
            let message = error.message().replace('\n', ", ");
            let what = format!("that is no TOML: {message}");
            found.wrong(error.span().map_or(0, |span| span.start), what);
        }
    }
    let Found {
        says, mut wrongs, ..
    } = found;
    wrongs.sort_by_key(|wrong| wrong.line);
    if wrongs.is_empty() {
        Ok(says)
    } else {
        Err(wrongs)
    }
}

struct Found<'a> {
    text: &'a str,
    says: EcoToml,
    wrongs: Vec<Wrong>,
}

impl Found<'_> {
    fn wrong(&mut self, at: usize, what: String) {
        let before = self.text.bytes().take(at);
        let line = 1 + before.filter(|byte| *byte == b'\n').count();
        self.wrongs.push(Wrong { line, what });
    }

    fn sections(&mut self, sections: &DeTable<'_>) {
        for (name, section) in sections {
            let at = name.span().start;
            match (name.get_ref().as_ref(), section.get_ref()) {
                (LOGS, DeValue::Table(keys)) => self.logs(keys),
                (SHIP, DeValue::Table(keys)) => self.ship(section.span().start, keys),
                (name @ (LOGS | SHIP), other) => self.wrong(
                    at,
                    format!(
                        "`{name}` is a section and not {}; write [{name}] and its keys below it",
                        kind(other)
                    ),
                ),
                (name, _) => self.wrong(
                    at,
                    format!("`{name}` is not known; known are the sections [{LOGS}] and [{SHIP}]"),
                ),
            }
        }
    }

    fn logs(&mut self, keys: &DeTable<'_>) {
        for (key, value) in keys {
            let given = value.get_ref();
            let bounds = &mut self.says.bounds;
            let guests = &mut self.says.guests;
            let taken = match key.get_ref().as_ref() {
                "max_total_size" => put(size(given), &mut bounds.max_total_size),
                "max_app_size" => put(size(given), &mut bounds.max_app_size),
                "max_age" => put(age(given), &mut bounds.max_age),
                "min_free_disk" => put(size(given).map(Some), &mut bounds.min_free_disk),
                "listen" => put(listen(given).map(Some), &mut guests.listen),
                "durability" => put(durability(given).map(Some), &mut guests.durability),
                _ => {
                    let known = KEYS.map(|key| format!("`{key}`")).join(", ");
                    self.unknown(LOGS, key, &format!("are {known}"));
                    continue;
                }
            };
            self.check(LOGS, key, value, taken);
        }
    }

    fn ship(&mut self, at: usize, keys: &DeTable<'_>) {
        let mut is_told = false;
        for (key, value) in keys {
            if key.get_ref() != "to" {
                self.unknown(SHIP, key, "is `to`");
                continue;
            }
            is_told = true;
            let to = address(value.get_ref());
            let taken = put(to.map(|to| Some(Ship { to })), &mut self.says.ship);
            self.check(SHIP, key, value, taken);
        }
        if !is_told {
            let what = "`ship.to` is missing; add the address of the other log daemon, to = \"http://127.0.0.1:7470\"";
            self.wrong(at, what.to_owned());
        }
    }

    fn unknown(&mut self, section: &str, key: &Spanned<impl AsRef<str>>, known: &str) {
        let name = key.get_ref().as_ref();
        self.wrong(
            key.span().start,
            format!("`{section}.{name}` is not known; known {known}"),
        );
    }

    fn check(
        &mut self,
        section: &str,
        key: &Spanned<impl AsRef<str>>,
        value: &Spanned<DeValue<'_>>,
        taken: Result<(), String>,
    ) {
        if let Err(why) = taken {
            let name = key.get_ref().as_ref();
            self.wrong(value.span().start, format!("`{section}.{name}`: {why}"));
        }
    }
}

fn put<T>(read: Result<T, String>, into: &mut T) -> Result<(), String> {
    *into = read?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eco_toml::{Bounds, Guests};
    use crate::replica::Durability;

    #[test]
    fn what_is_not_said_has_its_default() {
        assert_eq!(parse(""), Ok(EcoToml::default()));
        assert_eq!(parse("[logs]"), Ok(EcoToml::default()));
    }

    #[test]
    fn each_key_is_read() {
        let text = "[ship]\nto = \"http://localhost:99/\"\n[logs]\nmax_app_size = \"500 MiB\"\nmax_total_size = 1_000\n\
                    max_age = \"12h\"\nmin_free_disk = 7\nlisten = \"127.0.0.1:7470\"\ndurability = \"power\"\n";
        let expected = EcoToml {
            bounds: Bounds {
                max_total_size: 1_000,
                max_app_size: 500 << 20,
                max_age: 12 * 3600,
                min_free_disk: Some(7),
            },
            guests: Guests {
                listen: Some("127.0.0.1:7470".parse().expect("an address")),
                durability: Some(Durability::Power),
            },
            ship: Some(Ship {
                to: "http://localhost:99".to_owned(),
            }),
        };
        assert_eq!(parse(text), Ok(expected));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line_its_key_and_what_to_write() {
        for (text, line, said) in [
            ("\n[logs", 2, "that is no TOML"),
            (
                "[log]\nmax_age = \"1d\"",
                1,
                "`log` is not known; known are",
            ),
            ("logs = 1", 1, "`logs` is a section and not a number"),
            (
                "[logs]\n\nmax_size = 1",
                3,
                "`logs.max_size` is not known; known are `max_total_size`",
            ),
            (
                "[logs]\nmax_age = \"soon\"",
                2,
                "`logs.max_age`: \"soon\" is no age; write it like",
            ),
            ("[logs]\nmax_age = 7", 2, "`logs.max_age`: an age is a text"),
            (
                "[logs]\nmax_app_size = \"10 apples\"",
                2,
                "\"10 apples\" is no size; write it like",
            ),
            ("[logs]\nmax_app_size = -1", 2, "-1 is no size"),
            (
                "[logs]\ndurability = \"best\"",
                2,
                "write \"process\" or \"power\"",
            ),
            ("[logs]\nlisten = \"here\"", 2, "\"here\" is no address"),
            (
                "[logs]\nlisten = 7",
                2,
                "an address is a text and not a number",
            ),
            (
                "[logs]\nlisten = \"0.0.0.0:1\"",
                2,
                "others than this machine could come in",
            ),
            ("[ship]\n", 1, "`ship.to` is missing"),
            (
                "[ship]\nwhere = 1\nto = \"http://[::1]:1\"",
                2,
                "`ship.where` is not known; known is `to`",
            ),
            (
                "[ship]\nto = 7\n",
                2,
                "`ship.to`: an address is a text and not a number",
            ),
        ] {
            let wrongs = parse(text).expect_err(text);
            let [wrong] = &wrongs[..] else {
                panic!("{text}: {wrongs:?}");
            };
            assert_eq!(wrong.line, line, "{text}: {wrong}");
            assert!(wrong.what.contains(said), "{text}: {wrong}");
        }
    }
}
