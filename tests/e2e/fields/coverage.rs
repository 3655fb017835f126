//! Which test shows the effect of which field; a field of the table without one fails.

use std::collections::BTreeSet;
use std::path::Path;

use eco_tests::TestEnv;
use serde_json::Value;

/// A field, the file of its test, and the test.
const TESTS: &[(&str, &str, &str)] = &[
    (
        "script",
        "fields/program",
        "a_script_is_a_path_or_a_command_line_and_is_given_arguments",
    ),
    (
        "args",
        "fields/program",
        "a_script_is_a_path_or_a_command_line_and_is_given_arguments",
    ),
    (
        "interpreter",
        "fields/program",
        "an_interpreter_runs_the_script_and_gets_arguments_of_its_own",
    ),
    (
        "interpreter_args",
        "fields/program",
        "an_interpreter_runs_the_script_and_gets_arguments_of_its_own",
    ),
    (
        "source_map_support",
        "fields/program",
        "source_maps_are_asked_of_node_unless_that_is_taken_back",
    ),
    (
        "disable_source_map_support",
        "fields/program",
        "source_maps_are_asked_of_node_unless_that_is_taken_back",
    ),
    (
        "name",
        "start",
        "names_and_arguments_of_any_kind_arrive_as_they_are",
    ),
    (
        "name_prefix",
        "fields/program",
        "a_name_has_a_prefix_and_the_block_that_was_asked_for",
    ),
    (
        "append_env_to_name",
        "fields/program",
        "a_name_has_a_prefix_and_the_block_that_was_asked_for",
    ),
    ("namespace", "fields/program", "a_namespace_selects"),
    ("cwd", "fields/program", "an_app_runs_in_its_folder"),
    (
        "uid",
        "fields/program",
        "an_app_runs_as_the_user_and_group_it_names",
    ),
    (
        "gid",
        "fields/program",
        "an_app_runs_as_the_user_and_group_it_names",
    ),
    (
        "env",
        "fields/variables",
        "variables_of_an_app_are_texts_and_a_block_is_laid_over_them",
    ),
    (
        "port",
        "fields/variables",
        "variables_of_an_app_are_texts_and_a_block_is_laid_over_them",
    ),
    (
        "filter_env",
        "fields/variables",
        "a_filter_says_which_variables_of_the_shell_are_not_inherited",
    ),
    (
        "instances",
        "fields/variables",
        "instances_are_numbered_by_the_variables_that_are_named_for_it",
    ),
    (
        "instance_var",
        "fields/variables",
        "instances_are_numbered_by_the_variables_that_are_named_for_it",
    ),
    (
        "increment_var",
        "fields/variables",
        "instances_are_numbered_by_the_variables_that_are_named_for_it",
    ),
    (
        "exec_mode",
        "fields/variables",
        "several_instances_of_a_node_program_are_plain_processes_where_that_is_asked_for",
    ),
    (
        "execute_command",
        "fields/variables",
        "several_instances_of_a_node_program_are_plain_processes_where_that_is_asked_for",
    ),
    (
        "autostart",
        "start",
        "an_app_that_is_not_to_start_by_itself_is_known_and_starts_when_it_is_named",
    ),
    (
        "autorestart",
        "fields/ends",
        "after_a_failure_a_restart_follows_and_after_success_none",
    ),
    (
        "stop_exit_codes",
        "crash",
        "an_exit_code_named_as_an_end_is_one_and_without_autorestart_every_end_is",
    ),
    (
        "min_uptime",
        "fields/ends",
        "an_end_is_unstable_only_before_the_min_uptime",
    ),
    (
        "max_restarts",
        "crash",
        "an_app_that_dies_at_once_is_given_up_with_its_last_lines_told_and_the_others_start",
    ),
    (
        "restart_delay",
        "fields/ends",
        "a_fixed_delay_is_waited_for_before_every_restart",
    ),
    (
        "exp_backoff_restart_delay",
        "crash",
        "an_app_that_keeps_failing_waits_longer_each_time_and_shows_for_how_long",
    ),
    (
        "max_memory_restart",
        "upkeep",
        "an_app_that_holds_more_memory_than_it_may_is_replaced",
    ),
    (
        "kill_signal",
        "fields/ends",
        "the_signal_that_asks_an_app_to_end_can_be_chosen",
    ),
    (
        "kill_timeout",
        "stop",
        "an_app_that_ignores_signals_is_killed_with_its_whole_tree_after_its_time",
    ),
    (
        "treekill",
        "fields/ends",
        "the_whole_tree_is_asked_to_end_or_its_first_process_alone",
    ),
    (
        "listen_timeout",
        "fields/ends",
        "an_app_that_does_not_listen_counts_as_up_after_its_listen_timeout",
    ),
    (
        "limits",
        "limits",
        "limits_are_told_with_what_keeps_them_and_one_that_nothing_keeps_is_a_note",
    ),
    (
        "limits.memory",
        "limits",
        "an_app_that_takes_more_memory_than_it_may_ends_and_its_cause_is_not_invented",
    ),
    (
        "limits.cpu",
        "limits",
        "limits_are_told_with_what_keeps_them_and_one_that_nothing_keeps_is_a_note",
    ),
    (
        "limits.tasks",
        "limits",
        "limits_are_told_with_what_keeps_them_and_one_that_nothing_keeps_is_a_note",
    ),
    (
        "limits.open_files",
        "limits",
        "open_files_are_limited_everywhere",
    ),
    (
        "watch",
        "upkeep",
        "a_watched_app_is_replaced_when_its_files_change_and_another_is_not",
    ),
    (
        "ignore_watch",
        "upkeep",
        "what_is_ignored_is_no_change_and_a_burst_is_one_restart",
    ),
    (
        "watch_delay",
        "upkeep",
        "what_is_ignored_is_no_change_and_a_burst_is_one_restart",
    ),
    (
        "wait_ready",
        "channels",
        "an_app_that_is_to_say_so_is_online_when_it_says_that_it_is_ready",
    ),
    (
        "shutdown_with_message",
        "channels",
        "an_app_that_is_ended_by_words_gets_them_and_no_signal",
    ),
    (
        "readiness",
        "probes",
        "an_app_is_online_when_its_url_answers_well_and_by_nothing_else",
    ),
    (
        "readiness.http",
        "probes",
        "an_app_is_online_when_its_url_answers_well_and_by_nothing_else",
    ),
    (
        "readiness.http.url",
        "fields/asked",
        "a_url_is_put_together_and_the_status_that_is_well_can_be_chosen",
    ),
    (
        "readiness.http.port",
        "fields/asked",
        "a_url_is_put_together_and_the_status_that_is_well_can_be_chosen",
    ),
    (
        "readiness.http.path",
        "fields/asked",
        "a_url_is_put_together_and_the_status_that_is_well_can_be_chosen",
    ),
    (
        "readiness.http.status",
        "fields/asked",
        "a_url_is_put_together_and_the_status_that_is_well_can_be_chosen",
    ),
    (
        "readiness.tcp",
        "probes",
        "a_start_tells_what_keeps_it_waiting",
    ),
    (
        "readiness.exec",
        "probes",
        "a_program_is_asked_in_the_apps_folder_with_its_variables",
    ),
    (
        "readiness.log",
        "probes",
        "a_line_makes_an_app_ready_over_the_death_of_the_log_daemon",
    ),
    (
        "readiness.notify",
        "probes",
        "an_app_says_itself_that_it_is_ready_and_that_it_is_alive",
    ),
    (
        "readiness.interval",
        "fields/asked",
        "how_often_is_asked_and_how_many_answers_count_can_be_chosen",
    ),
    (
        "readiness.timeout",
        "probes",
        "a_program_that_hangs_is_a_failure_and_is_killed_with_what_it_started",
    ),
    (
        "readiness.successes",
        "fields/asked",
        "how_often_is_asked_and_how_many_answers_count_can_be_chosen",
    ),
    (
        "readiness.within",
        "probes",
        "an_app_that_is_not_ready_in_time_has_failed_and_tells_its_last_answer_and_lines",
    ),
    (
        "liveness",
        "probes",
        "an_ill_app_is_replaced_and_the_cause_is_told",
    ),
    (
        "liveness.http",
        "probes",
        "an_ill_app_is_replaced_and_the_cause_is_told",
    ),
    (
        "liveness.http.url",
        "fields/asked",
        "a_url_is_put_together_and_the_status_that_is_well_can_be_chosen",
    ),
    (
        "liveness.http.port",
        "fields/asked",
        "a_url_is_put_together_and_the_status_that_is_well_can_be_chosen",
    ),
    (
        "liveness.http.path",
        "fields/asked",
        "a_url_is_put_together_and_the_status_that_is_well_can_be_chosen",
    ),
    (
        "liveness.http.status",
        "fields/asked",
        "a_url_is_put_together_and_the_status_that_is_well_can_be_chosen",
    ),
    (
        "liveness.tcp",
        "fields/asked",
        "an_app_that_must_write_or_listen_is_ill_when_it_does_not",
    ),
    (
        "liveness.exec",
        "fields/asked",
        "how_often_is_asked_and_how_many_answers_count_can_be_chosen",
    ),
    (
        "liveness.notify",
        "probes",
        "an_app_says_itself_that_it_is_ready_and_that_it_is_alive",
    ),
    (
        "liveness.output",
        "fields/asked",
        "an_app_that_must_write_or_listen_is_ill_when_it_does_not",
    ),
    (
        "liveness.silence",
        "probes",
        "an_app_that_falls_silent_is_replaced",
    ),
    (
        "liveness.interval",
        "fields/asked",
        "how_often_is_asked_and_how_many_answers_count_can_be_chosen",
    ),
    (
        "liveness.timeout",
        "probes",
        "a_service_that_hangs_or_answers_like_a_madman_is_ill_and_hangs_nobody",
    ),
    (
        "liveness.start_period",
        "fields/asked",
        "how_often_is_asked_and_how_many_answers_count_can_be_chosen",
    ),
    (
        "liveness.successes",
        "probes",
        "an_ill_app_that_is_only_marked_goes_on_and_is_well_again_when_it_answers",
    ),
    (
        "liveness.failures",
        "fields/asked",
        "how_often_is_asked_and_how_many_answers_count_can_be_chosen",
    ),
    (
        "liveness.action",
        "probes",
        "an_ill_app_is_stopped_where_that_is_asked_for",
    ),
    (
        "watch_options",
        "fields/changes",
        "options_of_a_watch_say_which_changes_count",
    ),
    (
        "watch_options.ignored",
        "fields/changes",
        "options_of_a_watch_say_which_changes_count",
    ),
    (
        "watch_options.followSymlinks",
        "fields/changes",
        "options_of_a_watch_say_which_changes_count",
    ),
    (
        "watch_options.depth",
        "fields/changes",
        "options_of_a_watch_say_which_changes_count",
    ),
    (
        "watch_options.awaitWriteFinish",
        "fields/changes",
        "options_of_a_watch_say_which_changes_count",
    ),
    (
        "watch_options.usePolling",
        "watching",
        "polling_sees_changes_too_and_other_options_are_told",
    ),
    (
        "watch_options.interval",
        "watching",
        "polling_sees_changes_too_and_other_options_are_told",
    ),
    (
        "env_file",
        "env_file",
        "a_restart_takes_up_what_has_changed_in_the_file_and_no_value_is_kept_or_shown",
    ),
];

/// Fields that are read already and still wait for what acts on them.
const NOT_YET: [&str; 2] = ["depends_on", "oneshot"];

/// The fields that the schema says are acted on; those of objects inside with the way to them.
fn acted_on(object: &Value, way: &str, found: &mut BTreeSet<String>) {
    let properties = object["properties"].as_object().into_iter().flatten();
    for (name, field) in properties {
        let about = field["description"].as_str().unwrap_or_default();
        let is_another_name = field.get("$ref").is_some();
        if is_another_name || field["deprecated"] == true || about.contains("Not acted on") {
            continue;
        }
        let way = format!("{way}{name}");
        let inside = std::iter::once(field).chain(field["anyOf"].as_array().into_iter().flatten());
        for object in inside {
            acted_on(object, &format!("{way}."), found);
        }
        found.insert(way);
    }
}

#[test]
fn every_field_that_is_acted_on_has_a_test_on_a_real_process() {
    let schema = TestEnv::new().eco(&["schema"]).ok().json();
    let mut fields = BTreeSet::new();
    acted_on(&schema["$defs"]["app"], "", &mut fields);
    let tested: BTreeSet<_> = TESTS
        .iter()
        .map(|(field, ..)| (*field).to_owned())
        .collect();
    let untested: Vec<_> = fields.difference(&tested).collect();
    assert_eq!(untested, NOT_YET, "fields without a test");
    let unknown: Vec<_> = tested.difference(&fields).collect();
    assert_eq!(
        unknown,
        Vec::<&String>::new(),
        "tests of fields that are not in the table"
    );
}

#[test]
fn every_test_that_is_named_is_there() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e");
    for (field, file, test) in TESTS {
        let path = folder.join(file).with_extension("rs");
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let is_there = text.contains(&format!("#[test]\nfn {test}("));
        assert!(is_there, "{field}: {test} is not in {}", path.display());
    }
}
