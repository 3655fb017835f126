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
        cause: rows.iter().any(has_cause),
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
    if let Some(status) = table.column_mut(STATUS) {
        status.set_constraint(ColumnConstraint::ContentWidth);
    }
    let mut styled = String::new();
    for line in table.lines() {
        styled.push_str(&style(&line));
        styled.push('\n');
    }
    styled
}

/// The column that is styled.
const STATUS: usize = 6;

/// The columns that not every table has.
struct Columns {
    metrics: Metrics,
    cause: bool,
}

impl Columns {
    fn header(&self) -> Vec<&'static str> {
        let mut names = vec![
            "id", "name", "inst", "pid", "uptime", "↺", "status", "cpu", "mem",
        ];
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
            Cell::new(format!("{OPEN}{}{CLOSE}", row.status)),
            known(row.cpu_percent.map(|percent| format!("{percent:.1}%"))),
            known(row.memory_bytes.map(quantity::bytes)),
        ];
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
            let cause = row.cause.as_deref().filter(|_| has_cause(row));
            cells.push(Cell::new(plain(cause.unwrap_or_default())));
        }
        cells
    }
}

fn has_cause(row: &Row) -> bool {
    row.status != "online" && row.cause.is_some()
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

/// Puts the status's style where its marks are.
fn style(line: &str) -> String {
    let Some((before, rest)) = line.split_once(OPEN) else {
        return line.to_owned();
    };
    let Some((status, after)) = rest.split_once(CLOSE) else {
        return line.replace(OPEN, "");
    };
    format!("{before}{}{after}", paint(of_status(status), status))
}

#[cfg(test)]
mod tests {
    use eco_proto::agent::v1::{ExecMode, Instance, Status};

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
