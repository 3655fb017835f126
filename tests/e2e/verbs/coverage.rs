//! Which test shows the work of which verb, and which one its refusal; a verb of `eco --help` without both fails.

use std::collections::BTreeSet;
use std::path::Path;

use eco_tests::{TestEnv, app};
use serde_json::{Deserializer, Value, json};

use super::{INVOCATIONS, Invocation, Needs};

/// The file of a test, and the test.
type Place = (&'static str, &'static str);

/// A verb, a test of what it does, and a test of an error with its exit code.
const TESTS: &[(&str, Place, Place)] = &[
    (
        "start",
        (
            "start",
            "an_environment_starts_from_any_folder_and_a_second_start_changes_nothing_and_says_so",
        ),
        (
            "bad_input",
            "an_environment_that_is_not_there_is_told_with_what_was_tried",
        ),
    ),
    (
        "list",
        (
            "start",
            "json_is_all_that_is_printed_and_holds_the_promised_fields",
        ),
        ("bad_homes", "a_home_that_cannot_be_made_is_told"),
    ),
    (
        "logs",
        (
            "logs",
            "lines_of_several_apps_are_in_the_order_of_their_times_and_n_counts_them_all_together",
        ),
        (
            "verbs/refusals",
            "a_log_daemon_that_does_not_answer_is_told_by_every_verb_that_asks_it",
        ),
    ),
    (
        "why",
        (
            "why",
            "a_crash_an_exit_and_a_stop_are_told_apart_run_by_run_with_the_last_lines",
        ),
        ("why", "an_app_that_nobody_knows_is_refused"),
    ),
    (
        "flush",
        (
            "flush",
            "what_a_living_app_wrote_is_given_back_and_what_it_writes_then_is_kept",
        ),
        (
            "verbs/refusals",
            "a_log_daemon_that_does_not_answer_is_told_by_every_verb_that_asks_it",
        ),
    ),
    (
        "reload-logs",
        (
            "log_files",
            "files_are_emptied_by_a_flush_and_opened_again_when_that_is_asked_for",
        ),
        (
            "verbs/refusals",
            "a_log_daemon_that_does_not_answer_is_told_by_every_verb_that_asks_it",
        ),
    ),
    (
        "events",
        (
            "events",
            "the_life_of_an_app_is_told_with_causes_and_persons",
        ),
        (
            "events",
            "deleted_apps_are_found_by_name_and_what_never_was_is_refused",
        ),
    ),
    (
        "diff",
        (
            "changes",
            "a_difference_is_told_by_field_touches_nothing_and_apply_touches_nothing_else",
        ),
        (
            "changes",
            "what_cannot_run_here_is_told_before_anything_is_touched",
        ),
    ),
    (
        "apply",
        (
            "changes",
            "a_difference_is_told_by_field_touches_nothing_and_apply_touches_nothing_else",
        ),
        (
            "changes",
            "a_plan_is_refused_once_what_runs_or_the_file_has_moved",
        ),
    ),
    (
        "restart",
        (
            "selectors",
            "restarting_a_pattern_gives_exactly_those_apps_new_processes",
        ),
        (
            "verbs/refusals",
            "a_target_that_is_no_file_is_refused_by_every_verb_that_reads_one",
        ),
    ),
    (
        "stop",
        ("stop", "an_app_that_heeds_the_signal_says_its_last_words"),
        (
            "selectors",
            "what_matches_in_two_environments_is_refused_unless_it_is_qualified",
        ),
    ),
    (
        "scale",
        (
            "scale",
            "more_instances_have_the_next_numbers_and_ports_and_the_others_their_processes",
        ),
        (
            "scale",
            "what_cannot_be_scaled_is_refused_and_nothing_is_touched",
        ),
    ),
    (
        "reset",
        ("scale", "a_reset_counts_from_zero_and_touches_no_process"),
        ("scale", "a_reset_counts_from_zero_and_touches_no_process"),
    ),
    (
        "delete",
        ("selectors", "a_deleted_app_is_gone_and_its_process_too"),
        (
            "selectors",
            "what_matches_in_two_environments_is_refused_unless_it_is_qualified",
        ),
    ),
    (
        "describe",
        (
            "verbs",
            "metrics_are_of_the_whole_tree_and_null_where_nobody_asks",
        ),
        (
            "selectors",
            "what_matches_in_two_environments_is_refused_unless_it_is_qualified",
        ),
    ),
    (
        "watch",
        (
            "watching",
            "what_is_left_out_is_neither_watched_nor_a_reason_and_explain_tells_so",
        ),
        (
            "verbs/refusals",
            "what_selects_nothing_is_refused_by_every_verb_that_selects",
        ),
    ),
    (
        "env",
        (
            "verbs",
            "env_tells_what_the_living_run_was_given_also_after_the_shell_has_changed",
        ),
        ("verbs", "pid_and_id_are_those_of_the_list"),
    ),
    (
        "pid",
        ("verbs", "pid_and_id_are_those_of_the_list"),
        ("verbs", "pid_and_id_are_those_of_the_list"),
    ),
    (
        "id",
        ("verbs", "pid_and_id_are_those_of_the_list"),
        ("verbs", "pid_and_id_are_those_of_the_list"),
    ),
    (
        "resurrect",
        (
            "rest_and_return",
            "kill_ends_everything_and_resurrect_brings_back_exactly_what_was_up",
        ),
        (
            "rest_and_return",
            "what_cannot_be_brought_up_again_is_told_by_resurrect",
        ),
    ),
    (
        "save",
        ("rest_and_return", "save_says_what_is_kept"),
        (
            "verbs/refusals",
            "an_agent_that_does_not_answer_is_told_by_every_verb_that_asks_it",
        ),
    ),
    (
        "trigger",
        (
            "channels",
            "actions_are_triggered_and_answered_in_node_and_in_tsx",
        ),
        (
            "channels",
            "a_python_app_and_a_shell_have_nothing_of_a_channel",
        ),
    ),
    (
        "send",
        (
            "channels",
            "a_line_reaches_the_standard_input_of_every_kind_of_app",
        ),
        (
            "channels",
            "an_app_that_reads_nothing_is_told_with_what_went_in",
        ),
    ),
    (
        "attach",
        (
            "channels",
            "what_is_piped_to_an_attachment_goes_in_and_its_answer_comes_out",
        ),
        ("channels", "one_instance_is_attached_to_and_no_more"),
    ),
    (
        "signal",
        ("channels", "a_signal_reaches_the_app_and_is_no_stop"),
        ("channels", "a_signal_reaches_the_app_and_is_no_stop"),
    ),
    (
        "kill",
        (
            "rest_and_return",
            "kill_ends_everything_and_resurrect_brings_back_exactly_what_was_up",
        ),
        (
            "verbs/refusals",
            "an_agent_that_does_not_answer_is_told_by_every_verb_that_asks_it",
        ),
    ),
    (
        "ping",
        (
            "bad_homes",
            "a_dead_socket_file_is_no_agent_and_in_nobody_s_way",
        ),
        (
            "bad_homes",
            "a_dead_socket_file_is_no_agent_and_in_nobody_s_way",
        ),
    ),
    (
        "update",
        (
            "rest_and_return",
            "an_update_replaces_agent_and_log_daemon_and_moves_no_app",
        ),
        (
            "verbs/refusals",
            "an_agent_that_does_not_answer_is_told_by_every_verb_that_asks_it",
        ),
    ),
    (
        "init",
        ("config_verbs", "what_init_writes_is_valid_and_starts"),
        ("config_verbs", "what_init_writes_is_valid_and_starts"),
    ),
    (
        "validate",
        (
            "config_verbs",
            "an_agent_that_runs_is_asked_what_its_host_lacks_and_none_is_started_for_that",
        ),
        (
            "config_verbs",
            "an_agent_that_runs_is_asked_what_its_host_lacks_and_none_is_started_for_that",
        ),
    ),
    (
        "config",
        (
            "config_verbs",
            "what_a_file_comes_to_is_a_file_that_comes_to_the_same",
        ),
        (
            "verbs/refusals",
            "a_file_with_an_error_is_told_with_its_place_by_every_verb_that_reads_it",
        ),
    ),
    (
        "schema",
        ("config_verbs", "the_schema_needs_no_home"),
        ("verbs/refusals", "a_verb_that_is_not_there_has_no_help"),
    ),
    (
        "help",
        (
            "verbs/coverage",
            "every_verb_has_help_with_examples_and_refuses_what_it_does_not_know",
        ),
        ("verbs/refusals", "a_verb_that_is_not_there_has_no_help"),
    ),
];

/// The verbs that print no JSON, since what they print is for people alone.
const WITHOUT_JSON: [&str; 1] = ["help"];

/// The verbs of `eco --help`, without their other names.
fn verbs(env: &TestEnv) -> BTreeSet<String> {
    let help = env.eco(&["--help"]).ok().stdout;
    let commands = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty());
    // What is folded stands further to the right.
    let names = commands.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let names = names.filter(|name| !name.is_empty()).map(ToOwned::to_owned);
    let verbs: BTreeSet<_> = names.collect();
    assert!(verbs.len() > 20, "{help}");
    verbs
}

/// The body of a test.
fn body((file, name): Place) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e");
    let path = folder.join(file).with_extension("rs");
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let head = format!("#[test]\nfn {name}(");
    let begin = text
        .find(&head)
        .unwrap_or_else(|| panic!("{name} is not in {}", path.display()));
    let rest = &text[begin..];
    let end = rest.find("\n}\n").expect("a function ends");
    rest[..end].to_owned()
}

#[test]
fn every_verb_has_a_test_of_its_work_and_one_of_its_refusal() {
    let verbs = verbs(&TestEnv::new());
    let tested: BTreeSet<_> = TESTS.iter().map(|(verb, ..)| (*verb).to_owned()).collect();
    assert_eq!(tested, verbs, "verbs with tests, and verbs of eco --help");
    let tried = INVOCATIONS.iter().map(|one| one.verb().to_owned());
    let tried: BTreeSet<_> = tried.collect();
    assert_eq!(
        tried, verbs,
        "verbs with a command line, and verbs of eco --help"
    );
}

#[test]
fn every_test_of_a_verb_is_there_and_a_refusal_names_its_exit_code() {
    for (verb, shows, refuses) in TESTS {
        drop(body(*shows));
        let text = body(*refuses);
        let names_code = text.contains(".fails(") || text.contains("all_fail(");
        let asks = |one: &Invocation| one.verb() == *verb && one.needs == Needs::Agent;
        let is_tried = text.contains(&format!("\"{verb}\""))
            || (text.contains("INVOCATIONS") && INVOCATIONS.iter().any(asks));
        assert!(names_code && is_tried, "{verb}: {text}");
    }
}

#[test]
fn every_verb_has_help_with_examples_and_refuses_what_it_does_not_know() {
    let env = TestEnv::new();
    for verb in verbs(&env) {
        let verb = verb.as_str();
        if verb != "help" {
            let help = env.eco(&[verb, "--help"]).ok().stdout;
            assert!(help.contains(&format!("Usage: eco {verb}")), "{help}");
            let examples = help.split_once("\nExample").map(|(_, examples)| examples);
            let has_own = examples.is_some_and(|all| all.contains(&format!("eco {verb}")));
            assert!(has_own, "{help}");
            assert_eq!(env.eco(&["help", verb]).ok().stdout, help);
        }
        env.eco(&[verb, "--no-such-option"])
            .fails(2, &["--no-such-option"]);
    }
    assert!(!env.home().exists());
}

#[test]
fn what_every_verb_prints_for_programs_is_json_and_nothing_else() {
    let env = TestEnv::started(&json!([app("a", &["out:1", "wait"])]));
    let lines = INVOCATIONS
        .iter()
        .filter(|one| !WITHOUT_JSON.contains(&one.verb()));
    for one in lines {
        let args = [one.line, &["--json"]].concat();
        let output = env.eco(&args);
        let documents: Result<Vec<Value>, _> =
            Deserializer::from_str(&output.stdout).into_iter().collect();
        let documents = documents.unwrap_or_else(|error| panic!("{args:?}: {error}\n{output}"));
        assert!(!documents.is_empty(), "{args:?}: {output}");
        assert!(
            output.code == 0 || one.verb() == "trigger",
            "{args:?}: {output}"
        );
    }
}

#[test]
fn the_exit_codes_of_the_readme_are_those_of_the_help() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = std::fs::read_to_string(readme).expect("it is there");
    let rows = readme
        .lines()
        .skip_while(|line| !line.starts_with("| exit code |"))
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let row = |line: &str| {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        (cells[1].to_owned(), cells[2].replace('`', ""))
    };
    let documented: Vec<_> = rows.map(row).collect();
    let help = TestEnv::new().eco(&["--help"]).ok().stdout;
    let told = help
        .lines()
        .skip_while(|line| *line != "Exit codes:")
        .skip(1)
        .filter_map(|line| line.trim().split_once(' '))
        .map(|(code, means)| (code.to_owned(), means.trim().to_owned()));
    assert_eq!(documented, told.collect::<Vec<_>>());
}
