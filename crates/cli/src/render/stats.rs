//! How much was written when, as a table.

use comfy_table::{Cell, CellAlignment, Table, presets};
use jiff::tz::TimeZone;

use super::quantity;
use crate::view::line::timestamp;
use crate::view::stats::Counted;

const NONE: &str = "-";

/// What the rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rows {
    /// One for each app.
    Apps,
    /// One for each span of time and app.
    Spans,
}

/// Makes a table, with the times of `zone`, with a newline at its end. Levels that no record has are left out.
pub(crate) fn table(all: &[Counted], rows: Rows, zone: &TimeZone) -> String {
    let levels: Vec<&str> = all
        .iter()
        .flat_map(|one| one.levels.named())
        .filter(|(_, count)| *count > 0)
        .map(|(name, _)| name)
        .collect();
    let is_there = |name: &str| levels.contains(&name);
    let mut header = Vec::new();
    match rows {
        Rows::Apps => {}
        Rows::Spans => header.push("from"),
    }
    header.extend(["app", "lines", "bytes", "lines/s"]);
    if let Some(one) = all.first() {
        let names = one.levels.named().map(|(name, _)| name);
        header.extend(names.into_iter().filter(|name| is_there(name)));
    }
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .set_header(header);
    for one in all {
        let mut cells = Vec::new();
        match rows {
            Rows::Apps => {}
            Rows::Spans => cells.push(Cell::new(from(one, zone))),
        }
        cells.push(Cell::new(format!("{}/{}", one.environment, one.name)));
        cells.push(number(one.lines.to_string()));
        cells.push(number(quantity::bytes(one.bytes)));
        cells.push(number(
            one.lines_per_second
                .map_or_else(|| NONE.to_owned(), |rate| format!("{rate:.1}")),
        ));
        let counts = one.levels.named();
        let counts = counts.iter().filter(|(name, _)| is_there(name));
        cells.extend(counts.map(|(_, count)| number(count.to_string())));
        table.add_row(cells);
    }
    format!("{table}\n")
}

fn from(one: &Counted, zone: &TimeZone) -> String {
    timestamp(one.from_ns).map_or_else(
        || NONE.to_owned(),
        |time| {
            let zoned = time.to_zoned(zone.clone());
            zoned.strftime("%Y-%m-%d %H:%M:%S").to_string()
        },
    )
}

fn number(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

#[cfg(test)]
mod tests {
    use eco_proto::log::v1::StatsItem;

    use super::*;
    use crate::view::stats::counted;

    fn one(app: &str, levels: Vec<u64>) -> Counted {
        counted(StatsItem {
            environment: "dev".to_owned(),
            app: app.to_owned(),
            from_ns: 1_700_000_000_000_000_000,
            to_ns: 1_700_000_060_000_000_000,
            lines: 90,
            bytes: 12_595,
            levels,
            ..StatsItem::default()
        })
    }

    #[test]
    fn levels_that_nobody_has_take_no_room() {
        let all = [one("api", vec![80, 0, 0, 0, 0, 10]), one("mds", vec![])];
        insta::assert_snapshot!(table(&all, Rows::Apps, &TimeZone::UTC), @r"
        ┌─────────┬───────┬──────────┬─────────┬───────┬──────┐
        │ app     ┆ lines ┆ bytes    ┆ lines/s ┆ error ┆ none │
        ╞═════════╪═══════╪══════════╪═════════╪═══════╪══════╡
        │ dev/api ┆    90 ┆ 12.3 KiB ┆     1.5 ┆    10 ┆   80 │
        │ dev/mds ┆    90 ┆ 12.3 KiB ┆     1.5 ┆     0 ┆    0 │
        └─────────┴───────┴──────────┴─────────┴───────┴──────┘
        ");
        insta::assert_snapshot!(table(&all, Rows::Spans, &TimeZone::UTC), @r"
        ┌─────────────────────┬─────────┬───────┬──────────┬─────────┬───────┬──────┐
        │ from                ┆ app     ┆ lines ┆ bytes    ┆ lines/s ┆ error ┆ none │
        ╞═════════════════════╪═════════╪═══════╪══════════╪═════════╪═══════╪══════╡
        │ 2023-11-14 22:13:20 ┆ dev/api ┆    90 ┆ 12.3 KiB ┆     1.5 ┆    10 ┆   80 │
        │ 2023-11-14 22:13:20 ┆ dev/mds ┆    90 ┆ 12.3 KiB ┆     1.5 ┆     0 ┆    0 │
        └─────────────────────┴─────────┴───────┴──────────┴─────────┴───────┴──────┘
        ");
    }
}
