//! The fields as a page for people: docs/configuration.md is this text.

use crate::fields::{
    APP, Absent, BESIDE_APPS, DEPENDENCY, Field, Group, HTTP, LIMITS, LIVENESS, LOG_ROTATE,
    READINESS, Standing, Table, WATCH_OPTIONS,
};

const HEAD: &str = include_str!("reference.md");
const UNACTED: &str = "Read, and not acted on by this version:";
/// Objects that stand in fields, in the order in which they are told.
const OBJECTS: [Table; 7] = [
    READINESS,
    LIVENESS,
    HTTP,
    DEPENDENCY,
    LIMITS,
    WATCH_OPTIONS,
    LOG_ROTATE,
];

/// All fields, as Markdown.
#[must_use]
pub fn reference() -> String {
    let mut page = HEAD.to_owned();
    for group in APP.groups() {
        section(&mut page, "##", group);
    }
    page.push_str("\n## Objects inside of fields\n");
    for group in OBJECTS.iter().flat_map(|table| table.groups()) {
        section(&mut page, "###", group);
    }
    line(
        &mut page,
        format_args!("\n## Beside the apps\n\n{UNACTED}\n"),
    );
    for field in BESIDE_APPS {
        line(
            &mut page,
            format_args!("- `{}`: {}", field.name(), field.about()),
        );
    }
    page
}

fn line(page: &mut String, text: std::fmt::Arguments<'_>) {
    page.push_str(&text.to_string());
    page.push('\n');
}

fn section(page: &mut String, mark: &str, group: &Group) {
    line(page, format_args!("\n{mark} {}", group.title));
    if !group.about.is_empty() {
        line(page, format_args!("\n{}", group.about));
    }
    let mut acted = Vec::new();
    let mut unacted = Vec::new();
    let mut idle: Vec<(&str, Vec<String>)> = Vec::new();
    for field in group.fields {
        match field.standing() {
            Standing::ActedOn => acted.push(field),
            Standing::NotActedOn => unacted.push(field),
            Standing::NoEffect(why) => match idle.iter_mut().find(|(reason, _)| *reason == why) {
                Some((_, alike)) => alike.push(names(field)),
                None => idle.push((why, vec![names(field)])),
            },
        }
    }
    if !acted.is_empty() {
        page.push_str(
            "\n| field | value | without it | what it does |\n| --- | --- | --- | --- |\n",
        );
    }
    for field in acted {
        let (value, absent, about) = (cell(field.expected()), without(field), cell(field.about()));
        line(
            page,
            format_args!("| {} | {value} | {absent} | {about} |", names(field)),
        );
    }
    if !unacted.is_empty() {
        line(page, format_args!("\n{UNACTED}\n"));
    }
    for field in unacted {
        line(page, format_args!("- {}: {}", names(field), field.about()));
    }
    if !idle.is_empty() {
        page.push_str("\nWithout an effect:\n\n");
    }
    for (why, names) in idle {
        line(page, format_args!("- {}: {why}.", names.join(", ")));
    }
}

/// A field's names, its own first.
fn names(field: &Field) -> String {
    let own = format!("`{}`", field.name());
    let others: Vec<_> = field
        .aliases()
        .iter()
        .map(|name| format!("`{name}`"))
        .collect();
    if others.is_empty() {
        own
    } else {
        format!("{own} ({})", others.join(", "))
    }
}

fn without(field: &Field) -> String {
    match field.absent() {
        Absent::Json("\"\"") => "nothing".to_owned(),
        Absent::Json(json) => format!("`{}`", json.trim_matches('"')),
        Absent::Words(words) => cell(words),
        Absent::Nothing => "–".to_owned(),
    }
}

/// A text that divides no cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
