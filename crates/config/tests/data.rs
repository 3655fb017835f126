//! YAML and TOML: the same apps, the same problems, the same places.

mod support;

use insta::assert_snapshot;
use support::{Folder, failure_of};

const YAML: &str = "\
base: &base
  script: ./api.js
  env: &env { PORT: 8080, DEBUG: true }
apps:
  - <<: *base
    name: api
    instances: 2
  - name: worker
    script: worker.py
    args: [--queue, 5]
    env:
      <<: *env
      PORT: 8081
";

const TOML: &str = "\
[[apps]]
name = \"api\"
script = \"./api.js\"
instances = 2
env = { PORT = 8080, DEBUG = true }

[[apps]]
name = \"worker\"
script = \"worker.py\"
args = [\"--queue\", 5]

[apps.env]
PORT = 8081
DEBUG = true
";

#[test]
fn yaml_toml_and_javascript_say_the_same() {
    let javascript = "module.exports = { apps: [
        { name: 'api', script: './api.js', instances: 2, env: { PORT: 8080, DEBUG: true } },
        { name: 'worker', script: 'worker.py', args: ['--queue', 5], env: { PORT: 8081, DEBUG: true } },
    ] }";
    let folder = Folder::new(&[
        ("a.config.js", javascript),
        ("a.yaml", YAML),
        ("a.yml", YAML),
        ("a.toml", TOML),
    ]);
    let mut expected = folder.load("a.config.js").unwrap().apps;
    for name in ["a.yaml", "a.yml", "a.toml"] {
        for app in &mut expected {
            app.defined_at = folder.path(name);
        }
        assert_eq!(folder.load(name).unwrap().apps, expected, "{name}");
    }
}

#[test]
fn a_place_for_anchors_is_no_unknown_field_when_its_name_says_so() {
    let folder = Folder::new(&[
        ("a.yaml", "base: &base { script: a.js }\napps: [*base]\n"),
        ("b.yaml", "x-base: &base { script: a.js }\napps: [*base]\n"),
    ]);
    assert_snapshot!(folder.said_of("a.yaml"), @"warning: a.yaml: base: no known field, ignored");
    assert_snapshot!(folder.said_of("b.yaml"), @"");
}

#[test]
fn problems_of_yaml_are_told_with_their_places() {
    let folder = Folder::new(&[(
        "a.yaml",
        "\
defaults: &defaults
  kill_timeout: soon
apps:
  - <<: *defaults
    name: a
    script: a.js
    instances: lots   # not a number
    env:
      X: [1]
  - name: b
  - just a text
",
    )]);
    assert_snapshot!(folder.said_of("a.yaml"), @r#"
    problem: a.yaml: apps[2]: found "just a text", expected an app
    problem: a.yaml:2:3: apps[0].kill_timeout: found "soon", expected milliseconds, or a time such as "10s" (the units are ms, s, m, h, d)
    problem: a.yaml:7:5: apps[0].instances: found "lots", expected a number or "max"
    problem: a.yaml:10:5: apps[1].script: missing, expected a path or a command line
    problem: a.yaml: defaults: no known field, ignored
    "#);
}

#[test]
fn problems_of_toml_are_told_with_their_places() {
    let folder = Folder::new(&[(
        "a.toml",
        "\
[[apps]]
name = 'a'
script = 'a.js'
instances = 'lots'
watch = 1

[[apps]]
name = 'a'
script = 'b.js'
colour = 'red'
",
    )]);
    assert_snapshot!(folder.said_of("a.toml"), @r#"
    problem: a.toml:4:1: apps[0].instances: found "lots", expected a number or "max"
    problem: a.toml:5:1: apps[0].watch: found 1, expected true, false, a path or a list of paths
    problem: a.toml:8:1: apps[1].name: a second app named "a", the first is apps[0] at a.toml:2:1
    problem: a.toml:10:1: apps[1].colour: no known field, ignored
    "#);
}

#[test]
fn mistakes_of_yaml_are_told_where_they_are() {
    assert_snapshot!(failure_of("a.yaml", "apps:\n  - name: a\n    name: b\n"), @"a.yaml:3:5: duplicate mapping key `name` is not allowed here");
    assert_snapshot!(failure_of("a.yaml", "apps: [\n  { name: a }\n"), @"a.yaml:1:7: unclosed bracket '['");
    assert_snapshot!(failure_of("a.yaml", "apps:\n\t- name: a\n"), @"a.yaml:2:2: tabs disallowed within this context (block indentation)");
    assert_snapshot!(failure_of("a.yaml", "apps: *nothing\n"), @"a.yaml:1:7: reference to unknown value");
}

#[test]
fn mistakes_of_toml_are_told_where_they_are() {
    assert_snapshot!(failure_of("a.toml", "[[apps]]\nname = 'a'\nname = 'b'\n"), @"a.toml:3:1: duplicate key");
    assert_snapshot!(failure_of("a.toml", "[[apps]\nname = 'a'\n"), @"a.toml:1:8: unclosed array table, expected `]`");
    assert_snapshot!(failure_of("a.toml", "apps = [\n  { name = 'a' },\n"), @"a.toml:2:18: unclosed array, expected `]`");
    assert_snapshot!(failure_of("a.toml", "apps:\n  - name: a\n"), @"a.toml:1:6: key with no value, expected `=`");
}

#[test]
fn aliases_that_repeat_aliases_are_refused_at_once() {
    let levels = (1..10).map(|level| {
        let below = format!("*a{}, ", level - 1).repeat(9);
        format!("a{level}: &a{level} [{below}]\n")
    });
    let first = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    let text: String = std::iter::once(first).chain(levels).collect();
    assert_snapshot!(failure_of("a.yaml", &text), @"a.yaml:5:35: it is too large, or aliases repeat too much: 50000 values are the most");
}

#[test]
fn an_empty_file_says_nothing_of_apps() {
    for name in ["a.yaml", "a.toml", "a.json", "a.config.js"] {
        assert_eq!(failure_of(name, " \n"), format!("{name}: it is empty"));
    }
    assert_snapshot!(Folder::new(&[("a.yaml", "# soon")]).said_of("a.yaml"), @"problem: a.yaml: found null, expected { apps: [...] }, a list of apps, or one app");
    assert_snapshot!(Folder::new(&[("a.toml", "# soon")]).said_of("a.toml"), @"problem: a.toml: found an empty object, expected { apps: [...] }, a list of apps, or one app");
}

#[test]
fn a_program_may_take_its_apps_from_data() {
    let folder = Folder::new(&[
        (
            "ecosystem.config.js",
            "module.exports = { apps: [...require('./a/a.yaml').apps, ...require('./b/b.toml').apps] }",
        ),
        ("a/a.yaml", YAML),
        ("b/b.toml", "[[apps]]\nname = 'b'\nscript = 'b.js'\n"),
    ]);
    let apps = folder.load("ecosystem.config.js").unwrap().apps;
    let places: Vec<_> = apps
        .iter()
        .map(|app| (app.name.as_str(), app.defined_in.clone()))
        .collect();
    let expected = [
        ("api", folder.path("a")),
        ("worker", folder.path("a")),
        ("b", folder.path("b")),
    ];
    assert_eq!(places, expected);
}
