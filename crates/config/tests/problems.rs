//! What is wrong with a file that could be evaluated, and what is merely odd.

mod support;

use insta::assert_snapshot;
use support::Folder;

fn said_of(text: &str) -> String {
    Folder::new(&[("ecosystem.config.js", text)]).said_of("ecosystem.config.js")
}

#[test]
fn a_wrong_value_is_told_with_its_place() {
    let said = said_of(
        r"module.exports = {
  apps: [
    { name: 'a', script: 'a.js' },
    { name: 'x', script: 'x.js',
      instances: 'lots' },
  ],
};",
    );
    assert_snapshot!(said, @r#"problem: ecosystem.config.js:5:7: apps[1].instances: found "lots", expected a number or "max""#);
}

#[test]
fn all_problems_are_told_at_once() {
    let said = said_of(
        r"module.exports = { apps: [{
  name: 'a', script: 'a.js',
  maxMemoryRestart: '200 apples',
  kill_timeout: -1,
  min_uptime: 'soon',
  autorestart: 'true',
  exec_mode: 'clutser',
  kill_signal: 'SIGTREM',
  stop_exit_codes: [0, 256],
  args: { a: 1 },
  cwd: 5,
  watch: 1,
  uid: -1,
  max_restarts: 1.5,
  namespace: '',
  listen_timeout: '400d',
}] };",
    );
    assert_snapshot!(said, @r#"
    problem: ecosystem.config.js:3:3: apps[0].maxMemoryRestart: found "200 apples", expected a size such as "200M", or a number of bytes (the units are b, k, kb, m, mb, g, gb)
    problem: ecosystem.config.js:4:3: apps[0].kill_timeout: found -1, expected milliseconds, or a time such as "10s"
    problem: ecosystem.config.js:5:3: apps[0].min_uptime: found "soon", expected milliseconds, or a time such as "10s" (the units are ms, s, m, h, d)
    problem: ecosystem.config.js:6:3: apps[0].autorestart: found "true", expected true, false or "on-failure" (write true without quotes)
    problem: ecosystem.config.js:7:3: apps[0].exec_mode: found "clutser", expected "fork" or "cluster" (did you mean "cluster"?)
    problem: ecosystem.config.js:8:3: apps[0].kill_signal: found "SIGTREM", expected a signal such as "SIGTERM" (did you mean "SIGTERM"?)
    problem: ecosystem.config.js:9:3: apps[0].stop_exit_codes: found [0,256], expected exit codes from 0 to 255
    problem: ecosystem.config.js:10:3: apps[0].args: found an object, expected a list of texts, or one text
    problem: ecosystem.config.js:11:3: apps[0].cwd: found 5, expected a path
    problem: ecosystem.config.js:12:3: apps[0].watch: found 1, expected true, false, a path or a list of paths
    problem: ecosystem.config.js:13:3: apps[0].uid: found -1, expected a user's name or number
    problem: ecosystem.config.js:14:3: apps[0].max_restarts: found 1.5, expected a number from 0
    problem: ecosystem.config.js:15:3: apps[0].namespace: found "", expected a name
    problem: ecosystem.config.js:16:3: apps[0].listen_timeout: found "400d", expected milliseconds, or a time such as "10s" (a year is the longest)
    "#);
}

#[test]
fn two_apps_of_one_name_are_told_with_both_places() {
    let said = said_of(
        r"module.exports = { apps: [
  { name: 'a', script: 'a.js' },
  { name: 'a', script: 'b.js' },
] };",
    );
    assert_snapshot!(said, @r#"problem: ecosystem.config.js:3:5: apps[1].name: a second app named "a", the first is apps[0] at ecosystem.config.js:2:5"#);
}

#[test]
fn an_app_without_a_script_is_told() {
    let said = said_of(
        r"module.exports = { apps: [
  { name: 'a' },
] };",
    );
    assert_snapshot!(said, @"problem: ecosystem.config.js:2:3: apps[0].script: missing, expected a path or a command line");
}

#[test]
fn what_is_no_app_is_told() {
    let said = said_of("module.exports = { apps: [null, 'a.js', () => 1, [], undefined] };");
    assert_snapshot!(said, @r#"
    problem: ecosystem.config.js: apps[0]: found null, expected an app
    problem: ecosystem.config.js: apps[1]: found "a.js", expected an app
    problem: ecosystem.config.js: apps[2]: found a function, expected an app
    problem: ecosystem.config.js: apps[3]: found [], expected an app
    problem: ecosystem.config.js: apps[4]: found nothing, expected an app
    "#);
}

#[test]
fn what_holds_no_apps_is_told() {
    let said = said_of("module.exports = { app: [{ script: 'a.js' }] };");
    assert_snapshot!(said, @"problem: ecosystem.config.js: found an object, expected { apps: [...] }, a list of apps, or one app");
}

#[test]
fn apps_that_are_no_list_are_told() {
    let said = said_of("module.exports = { apps: 'a.js' };");
    assert_snapshot!(said, @r#"problem: ecosystem.config.js: apps: found "a.js", expected { apps: [...] }, a list of apps, or one app"#);
}

#[test]
fn a_variable_that_is_a_function_is_told() {
    let said = said_of(
        "module.exports = { apps: [{ script: 'a.js', env: { A: () => 1 }, env_production: 'x' }] };",
    );
    assert_snapshot!(said, @r#"
    problem: ecosystem.config.js:1:45: apps[0].env.A: found a function, expected a text or a number
    problem: ecosystem.config.js:1:66: apps[0].env_production: found "x", expected an object of variables
    "#);
}

#[test]
fn a_number_that_is_none_is_told() {
    let said =
        said_of("module.exports = { apps: [{ script: 'a.js', instances: parseInt('x') }] };");
    assert_snapshot!(said, @r#"problem: ecosystem.config.js:1:45: apps[0].instances: found NaN, expected a number or "max""#);
}

#[test]
fn a_name_that_no_screen_can_hold_is_told() {
    let said = said_of(r"module.exports = { apps: [{ name: 'a\nb', script: 'a.js' }] };");
    assert_snapshot!(said, @r#"problem: ecosystem.config.js:1:29: apps[0].name: found "a\nb", expected a name (it holds a control character)"#);
}

#[test]
fn too_many_instances_are_told() {
    let said =
        said_of("module.exports = { apps: [{ name: 'a', script: 'a.js', instances: 1e6 }] };");
    assert_snapshot!(said, @r#"problem: ecosystem.config.js:1:56: apps[0].instances: found 1000000, expected a number or "max" (1024 are the most)"#);
}

#[test]
fn an_unknown_field_is_a_warning_with_the_one_it_may_mean() {
    let said = said_of(
        r"module.exports = { apps: [{ script: 'a.js',
  instancs: 2,
  colour: 'red' }] };",
    );
    assert_snapshot!(said, @r#"
    warning: ecosystem.config.js:2:3: apps[0].instancs: no known field, ignored (did you mean "instances"?)
    warning: ecosystem.config.js:3:3: apps[0].colour: no known field, ignored
    "#);
}

#[test]
fn fields_that_are_not_acted_on_are_one_warning_for_each_app() {
    let said = said_of(
        r"module.exports = { apps: [{
  script: 'a.js',
  hosts: ['one'], merge_logs: false, watch: true, watch_options: { cwd: 'x', useFsEvents: true } }] };",
    );
    assert_snapshot!(said, @r"
    warning: ecosystem.config.js:3:3: apps[0]: hosts is read, but not acted on by this version
    warning: ecosystem.config.js:3:51: apps[0].watch_options: cwd, useFsEvents are read, but not acted on by this version
    ");
}

#[test]
fn what_stands_beside_the_apps_is_a_warning() {
    let said = said_of("module.exports = { apps: [], deploy: { production: {} }, colour: 1 };");
    assert_snapshot!(said, @r"
    warning: ecosystem.config.js: deploy is read, but not acted on by this version
    warning: ecosystem.config.js: colour: no known field, ignored
    ");
}

#[test]
fn a_field_under_two_names_is_a_warning() {
    let said = said_of("module.exports = [{ script: 'a.js', exec: 'b.js' }];");
    assert_snapshot!(said, @"warning: ecosystem.config.js:1:37: [0].exec: another name of script, which is taken instead");
}

#[test]
fn fields_of_pm2_s_insides_are_passed_over() {
    let said = said_of(
        "module.exports = [{ script: 'a.js', pmx: false, vizion: false, windowsHide: true, v8: true }];",
    );
    assert_snapshot!(said, @"");
}
