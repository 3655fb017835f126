//! Instances as a table.

use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table, presets};

use super::quantity;
use super::style::{of_status, paint};
use crate::view::list::{Metrics, Row};

/// Stand around a cell's text until the table is laid out: they have no width, as styles must not have, and no name
/// holds them.
const OPEN: char = '\u{2061}';
const CLOSE: char = '\u{2062}';
const NONE: &str = "-";

/// Makes a table of at most `width` columns, with a newline at its end.
pub(crate) fn table(rows: &[Row], metrics: Metrics, width: Option<u16>) -> String {
    let columns = Columns {
        metrics,
        health: rows.iter().any(|row| row.health.is_some()),
        cause: rows.iter().any(|row| remark(row).is_some()),
    };
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .set_content_arrangement(if width.is_some() {
            ContentArrangement::Dynamic
        } else {
            ContentArrangement::Disabled
        })
        .set_header(columns.header());
    if let Some(width) = width {
        table.set_width(width);
    }
    for row in rows {
        table.add_row(columns.cells(row));
    }
    for styled in STATUS..=if columns.health { HEALTH } else { STATUS } {
        if let Some(column) = table.column_mut(styled) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    let mut styled = String::new();
    for line in table.lines() {
        styled.push_str(&style(&line));
        styled.push('\n');
    }
    styled
}

/// The columns that are styled.
const STATUS: usize = 6;
const HEALTH: usize = 7;

/// The columns that not every table has.
struct Columns {
    metrics: Metrics,
    health: bool,
    cause: bool,
}

impl Columns {
    fn header(&self) -> Vec<&'static str> {
        let mut names = vec!["id", "name", "inst", "pid", "uptime", "↺", "status"];
        if self.health {
            names.push("health");
        }
        names.extend(["cpu", "mem"]);
        match self.metrics {
            Metrics::Cheap => {}
            Metrics::All => names.extend(["pss", "fds", "threads"]),
        }
        names.extend(["mode", "watch"]);
        if self.cause {
            names.push("cause");
        }
        names
    }

    fn cells(&self, row: &Row) -> Vec<Cell> {
        let mut cells = vec![
            number(row.id.to_string()),
            Cell::new(plain(&format!("{}/{}", row.env, row.name))),
            number(row.instance.to_string()),
            known(row.pid.map(|pid| pid.to_string())),
            known(row.uptime_ms.map(quantity::duration)),
            number(row.restarts.to_string()),
            styled(row.status),
        ];
        if self.health {
            let verdict = row.health.as_ref().map(|health| health.verdict);
            cells.push(verdict.map_or_else(|| Cell::new(NONE), styled));
        }
        cells.extend([
            known(row.cpu_percent.map(|percent| format!("{percent:.1}%"))),
            known(row.memory_bytes.map(quantity::bytes)),
        ]);
        match self.metrics {
            Metrics::Cheap => {}
            Metrics::All => cells.extend([
                known(row.pss_bytes.map(quantity::bytes)),
                known(row.fds.map(|count| count.to_string())),
                known(row.threads.map(|count| count.to_string())),
            ]),
        }
        cells.extend([
            Cell::new(row.exec_mode.unwrap_or(NONE)),
            Cell::new(if row.watch { "yes" } else { "no" }),
        ]);
        if self.cause {
            cells.push(Cell::new(plain(&remark(row).unwrap_or_default())));
        }
        cells
    }
}

/// What is worth saying of an instance that is not as it should be: why, and what its probe hears.
fn remark(row: &Row) -> Option<String> {
    let cause = row.cause.as_deref().filter(|_| row.status != "online");
    let ill = row.health.as_ref().filter(|health| !health.is_healthy());
    let answer = ill.and_then(|health| health.answer.as_deref());
    let said: Vec<&str> = cause.into_iter().chain(answer).collect();
    (!said.is_empty()).then(|| said.join("; "))
}

/// A word that is given its style once the table is laid out.
fn styled(word: &str) -> Cell {
    Cell::new(format!("{OPEN}{word}{CLOSE}"))
}

fn number(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

fn known(text: Option<String>) -> Cell {
    number(text.unwrap_or_else(|| NONE.to_owned()))
}

/// Keeps the marks to ourselves.
fn plain(text: &str) -> String {
    text.replace([OPEN, CLOSE], "")
}

/// Puts each word's style where its marks are.
fn style(line: &str) -> String {
    let mut styled = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, marked)) = rest.split_once(OPEN) {
        let (word, after) = marked.split_once(CLOSE).unwrap_or((marked, ""));
        styled.push_str(before);
        styled.push_str(&paint(of_status(word), word));
        rest = after;
    }
    styled.push_str(rest);
    styled
}

#[cfg(test)]
mod tests {
    use eco_proto::agent::v1::health::Verdict;
    use eco_proto::agent::v1::{ExecMode, Health, Instance, Status};

    use super::*;
    use crate::view::list::rows;

    fn online() -> Instance {
        Instance {
            id: 0,
            environment: "dev".to_owned(),
            name: "mds-fetcher".to_owned(),
            status: Status::Online.into(),
            pid: Some(4242),
            run: 3,
            restarts: 2,
            uptime_ms: Some(7_500_000),
            cpu_percent: Some(1.25),
            memory_bytes: Some(50_541_363),
            exec_mode: ExecMode::Fork.into(),
            cause: "started by ann".to_owned(),
            ..Instance::default()
        }
    }

    fn errored() -> Instance {
        Instance {
            id: 1,
            environment: "dev".to_owned(),
            name: "api".to_owned(),
            status: Status::Errored.into(),
            exec_mode: ExecMode::Cluster.into(),
            watch: true,
            cause: "exited with code 3".to_owned(),
            ..Instance::default()
        }
    }

    fn shown(instances: &[Instance], width: Option<u16>) -> String {
        let table = table(&rows("box", instances), Metrics::Cheap, width);
        anstream::adapter::strip_str(&table).to_string()
    }

    #[test]
    fn causes_are_shown_where_something_is_not_online() {
        insta::assert_snapshot!(shown(&[online(), errored()], None), @r"
        ┌────┬─────────────────┬──────┬──────┬────────┬───┬─────────┬──────┬──────────┬─────────┬───────┬────────────────────┐
        │ id ┆ name            ┆ inst ┆ pid  ┆ uptime ┆ ↺ ┆ status  ┆ cpu  ┆ mem      ┆ mode    ┆ watch ┆ cause              │
        ╞════╪═════════════════╪══════╪══════╪════════╪═══╪═════════╪══════╪══════════╪═════════╪═══════╪════════════════════╡
        │  1 ┆ dev/api         ┆    0 ┆    - ┆      - ┆ 0 ┆ errored ┆    - ┆        - ┆ cluster ┆ yes   ┆ exited with code 3 │
        │  0 ┆ dev/mds-fetcher ┆    0 ┆ 4242 ┆  2h 5m ┆ 2 ┆ online  ┆ 1.2% ┆ 48.2 MiB ┆ fork    ┆ no    ┆                    │
        └────┴─────────────────┴──────┴──────┴────────┴───┴─────────┴──────┴──────────┴─────────┴───────┴────────────────────┘
        ");
    }

    #[test]
    fn a_healthy_table_has_no_causes() {
        insta::assert_snapshot!(shown(&[online()], None), @r"
        ┌────┬─────────────────┬──────┬──────┬────────┬───┬────────┬──────┬──────────┬──────┬───────┐
        │ id ┆ name            ┆ inst ┆ pid  ┆ uptime ┆ ↺ ┆ status ┆ cpu  ┆ mem      ┆ mode ┆ watch │
        ╞════╪═════════════════╪══════╪══════╪════════╪═══╪════════╪══════╪══════════╪══════╪═══════╡
        │  0 ┆ dev/mds-fetcher ┆    0 ┆ 4242 ┆  2h 5m ┆ 2 ┆ online ┆ 1.2% ┆ 48.2 MiB ┆ fork ┆ no    │
        └────┴─────────────────┴──────┴──────┴────────┴───┴────────┴──────┴──────────┴──────┴───────┘
        ");
    }

    #[test]
    fn health_is_shown_where_something_is_asked_for_it_and_an_answer_where_it_is_not_well() {
        let with = |verdict: Verdict, answer: &str| Instance {
            health: Some(Health {
                verdict: verdict.into(),
                answer: answer.to_owned(),
                ..Health::default()
            }),
            ..online()
        };
        let well = with(Verdict::Healthy, "accepts connections");
        let ill = with(Verdict::Unhealthy, "answered 503");
        let launching = Instance {
            status: Status::Launching.into(),
            ..with(Verdict::Unknown, "connection refused")
        };
        let table = table(
            &rows("box", &[online(), well, ill, launching]),
            Metrics::Cheap,
            None,
        );
        for word in ["online", "launching", "healthy", "unhealthy", "unknown"] {
            assert!(table.contains(&paint(of_status(word), word)), "{word}");
        }
        insta::assert_snapshot!(anstream::adapter::strip_str(&table).to_string(), @r"
        ┌────┬─────────────────┬──────┬──────┬────────┬───┬───────────┬───────────┬──────┬──────────┬──────┬───────┬────────────────────────────────────┐
        │ id ┆ name            ┆ inst ┆ pid  ┆ uptime ┆ ↺ ┆ status    ┆ health    ┆ cpu  ┆ mem      ┆ mode ┆ watch ┆ cause                              │
        ╞════╪═════════════════╪══════╪══════╪════════╪═══╪═══════════╪═══════════╪══════╪══════════╪══════╪═══════╪════════════════════════════════════╡
        │  0 ┆ dev/mds-fetcher ┆    0 ┆ 4242 ┆  2h 5m ┆ 2 ┆ online    ┆ -         ┆ 1.2% ┆ 48.2 MiB ┆ fork ┆ no    ┆                                    │
        │  0 ┆ dev/mds-fetcher ┆    0 ┆ 4242 ┆  2h 5m ┆ 2 ┆ online    ┆ healthy   ┆ 1.2% ┆ 48.2 MiB ┆ fork ┆ no    ┆                                    │
        │  0 ┆ dev/mds-fetcher ┆    0 ┆ 4242 ┆  2h 5m ┆ 2 ┆ online    ┆ unhealthy ┆ 1.2% ┆ 48.2 MiB ┆ fork ┆ no    ┆ answered 503                       │
        │  0 ┆ dev/mds-fetcher ┆    0 ┆ 4242 ┆  2h 5m ┆ 2 ┆ launching ┆ unknown   ┆ 1.2% ┆ 48.2 MiB ┆ fork ┆ no    ┆ started by ann; connection refused │
        └────┴─────────────────┴──────┴──────┴────────┴───┴───────────┴───────────┴──────┴──────────┴──────┴───────┴────────────────────────────────────┘
        ");
    }

    #[test]
    fn metrics_are_shown_where_they_were_asked_for_and_what_is_not_known_is_a_dash() {
        let measured = Instance {
            pss_bytes: Some(40 << 20),
            fds: Some(25),
            ..online()
        };
        let table = table(&rows("box", &[measured]), Metrics::All, None);
        insta::assert_snapshot!(anstream::adapter::strip_str(&table).to_string(), @r"
        ┌────┬─────────────────┬──────┬──────┬────────┬───┬────────┬──────┬──────────┬──────────┬─────┬─────────┬──────┬───────┐
        │ id ┆ name            ┆ inst ┆ pid  ┆ uptime ┆ ↺ ┆ status ┆ cpu  ┆ mem      ┆ pss      ┆ fds ┆ threads ┆ mode ┆ watch │
        ╞════╪═════════════════╪══════╪══════╪════════╪═══╪════════╪══════╪══════════╪══════════╪═════╪═════════╪══════╪═══════╡
        │  0 ┆ dev/mds-fetcher ┆    0 ┆ 4242 ┆  2h 5m ┆ 2 ┆ online ┆ 1.2% ┆ 48.2 MiB ┆ 40.0 MiB ┆  25 ┆       - ┆ fork ┆ no    │
        └────┴─────────────────┴──────┴──────┴────────┴───┴────────┴──────┴──────────┴──────────┴─────┴─────────┴──────┴───────┘
        ");
    }

    #[test]
    fn a_narrow_terminal_is_not_exceeded() {
        let table = shown(&[online(), errored()], Some(110));
        assert!(
            table.lines().all(|line| line.chars().count() <= 110),
            "{table}"
        );
    }

    #[test]
    fn styles_have_no_width() {
        let styled = table(&rows("box", &[online(), errored()]), Metrics::Cheap, None);
        assert!(styled.contains("\u{1b}["), "{styled:?}");
        let plain = anstream::adapter::strip_str(&styled).to_string();
        let widths: Vec<usize> = plain.lines().map(|line| line.chars().count()).collect();
        assert!(widths.windows(2).all(|pair| pair[0] == pair[1]), "{plain}");
    }
}
