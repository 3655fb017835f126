//! The verbs about files, in a world without a home and without a daemon.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use eco_cli::{Captured, Surroundings, Ui};
use serde_json::Value;

/// A folder to work in.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().expect("a folder"));
        for (name, text) in files {
            let path = folder.path(name);
            std::fs::create_dir_all(path.parent().expect("below the folder")).expect("made");
            std::fs::write(path, text).expect("written");
        }
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    async fn run(&self, line: &[&str]) -> Ran {
        let surroundings = Surroundings {
            variables: BTreeMap::from([("SHELL_SECRET".to_owned(), "shell".to_owned())]),
            working_directory: self.0.path().to_owned(),
            launch: Box::new(|_, _| panic!("nothing is to be started")),
            stdin: Box::new(|| Box::new(std::io::empty())),
        };
        let (mut ui, captured) = Ui::captured();
        let arguments = std::iter::once("eco").chain(line.iter().copied());
        let code = eco_cli::run(arguments.map(Into::into), &surroundings, &mut ui).await;
        Ran {
            code,
            captured,
            folder: format!("{}/", self.0.path().display()),
        }
    }
}

struct Ran {
    code: ExitCode,
    captured: Captured,
    folder: String,
}

impl Ran {
    #[track_caller]
    fn ended_with(self, code: u8) -> Self {
        let (is, expected) = (
            format!("{:?}", self.code),
            format!("{:?}", ExitCode::from(code)),
        );
        assert_eq!(is, expected, "{}\n{}", self.out(), self.err());
        self
    }

    fn out(&self) -> String {
        self.captured.stdout().replace(&self.folder, "")
    }

    fn err(&self) -> String {
        self.captured.stderr().replace(&self.folder, "")
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.out()).expect("JSON")
    }
}

const WRONG: &str = "module.exports = { apps: [
  { name: 'x', script: 'x.js', instances: 'lots', vizion: true,
    colour: 1, readiness: { http: 'https://x/' } },
], deploy: {} };
";

#[tokio::test]
async fn everything_wrong_or_odd_is_told_with_its_place() {
    let folder = Folder::new(&[("ecosystem.config.js", WRONG)]);
    let ran = folder.run(&["validate"]).await.ended_with(1);
    insta::assert_snapshot!(ran.out(), @r#"
    ecosystem.config.js:2:32: error: apps[0].instances: found "lots", expected a number or "max" (app x)
    ecosystem.config.js:3:16: error: apps[0].readiness.http: found "https://x/", expected a URL such as "http://127.0.0.1:3000/health" (app x)
        hint: https is not spoken: ask a port that speaks http, or use exec with a program such as curl
    ecosystem.config.js: warning: deploy is read, but not acted on by this version
    ecosystem.config.js:3:5: warning: apps[0].colour: no known field, ignored (app x)
    ecosystem.config.js:2:51: note: apps[0].vizion: has no effect: eco does not look at version control (app x)
    "#);
    insta::assert_snapshot!(ran.err(), @r"
    Error: failed to validate 1 file
    Caused by: 2 errors, 2 warnings and 1 note
    ");
}

#[tokio::test]
async fn findings_are_the_same_as_json() {
    let folder = Folder::new(&[("a.config.js", WRONG), ("b.json", "{ \"apps\": [1] }")]);
    let ran = folder
        .run(&["validate", "a.config.js", "b.json", "--json"])
        .await;
    let findings = ran.ended_with(1).json();
    insta::assert_snapshot!(serde_json::to_string_pretty(&findings[0]).expect("text"), @r#"
    {
      "app": "x",
      "column": 32,
      "field": "apps[0].instances",
      "file": "a.config.js",
      "hint": null,
      "level": "error",
      "line": 2,
      "message": "found \"lots\", expected a number or \"max\""
    }
    "#);
    let levels: Vec<_> = findings
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one["level"].as_str().expect("a text"))
        .collect();
    assert_eq!(
        levels,
        ["error", "error", "warning", "warning", "note", "error"]
    );
}

#[tokio::test]
async fn a_file_that_cannot_be_evaluated_is_a_finding_too() {
    let files = [
        (
            "a.config.js",
            "module.exports = {\n  apps: [{ name: 'a' script: 'x' }],\n};",
        ),
        ("b.json", "\u{0}"),
    ];
    let folder = Folder::new(&files);
    let ran = folder.run(&["validate", "a.config.js", "b.json"]).await;
    insta::assert_snapshot!(ran.ended_with(1).out(), @r"
    a.config.js:2:22: error: SyntaxError: Unexpected identifier 'script'
    b.json: error: failed to read b.json: it is not UTF-8 text (byte 0)
    ");
}

#[tokio::test]
async fn a_warning_fails_only_where_strictness_is_asked_for() {
    let folder = Folder::new(&[(
        "ecosystem.config.json",
        "{ \"script\": \"x\", \"colour\": 1 }",
    )]);
    let ran = folder.run(&["validate"]).await.ended_with(0);
    assert!(ran.err().contains("found 1 warning"), "{}", ran.err());
    let ran = folder.run(&["validate", "--strict"]).await.ended_with(1);
    assert!(ran.err().contains("Caused by: 1 warning"), "{}", ran.err());
    std::fs::write(
        folder.path("ecosystem.config.json"),
        "{ \"script\": \"x\" }",
    )
    .expect("written");
    let ran = folder.run(&["validate", "--strict"]).await.ended_with(0);
    assert!(ran.err().contains("found nothing to mend"), "{}", ran.err());
}

#[tokio::test]
async fn what_is_no_file_is_told_with_the_places_tried() {
    let folder = Folder::new(&[
        ("x.js", ""),
        ("two/process.json", ""),
        ("two/pm2.config.js", ""),
    ]);
    for verb in ["validate", "config"] {
        let none = folder.run(&[verb]).await.ended_with(1);
        assert!(
            none.err().contains("failed to find an ecosystem file"),
            "{}",
            none.err()
        );
        let nowhere = folder.run(&[verb, "dev"]).await.ended_with(1);
        assert!(
            nowhere
                .err()
                .contains("environment dev: no process-manager/dev"),
            "{}",
            nowhere.err()
        );
        assert!(!nowhere.err().contains("PATH"), "{}", nowhere.err());
        let script = folder.run(&[verb, "x.js"]).await.ended_with(1);
        assert!(
            script.err().contains("named like a script"),
            "{}",
            script.err()
        );
        let two = folder.run(&[verb, "two"]).await.ended_with(1);
        assert!(
            two.err().contains("failed to tell which file two means"),
            "{}",
            two.err()
        );
    }
}

const APPS: &str = "module.exports = { apps: [
  { name: 'api', script: 'api.js', node_args: '--inspect', kill_timeout: '2s', max_memory_restart: '200M', pmx: true,
    env: { PORT: 3000, API_KEY: 'k' }, env_production: { DB: 'pg://me:pw@h/x' },
    readiness: { http: { port: '${PORT}' }, within: '90s' } },
  { script: 'sleep 1000' },
] };
";

#[tokio::test]
async fn a_config_is_shown_with_units_and_without_secrets() {
    let folder = Folder::new(&[("ecosystem.config.js", APPS)]);
    let ran = folder
        .run(&["config", "-E", "production", "--only", "api"])
        .await
        .ended_with(0);
    insta::assert_snapshot!(ran.out(), @r"
    production/api
        script                      api.js
        namespace                   default
        interpreter_args            --inspect
        instances                   1
        exec_mode                   fork
        instance_var                NODE_APP_INSTANCE
        env
            API_KEY                 (hidden)
            DB                      pg://me:(hidden)@h/x
            PORT                    3000
        autostart                   true
        readiness
            http                    http://127.0.0.1:${PORT}/
            interval                1.0s
            successes               1
            timeout                 3.0s
            within                  1m 30s
        wait_ready                  false
        listen_timeout              3.0s
        autorestart                 true
        min_uptime                  1.0s
        max_restarts                16
        max_memory_restart          200.0 MiB
        kill_signal                 SIGINT
        kill_timeout                2.0s
        shutdown_with_message       false
        treekill                    true
    ");
    assert!(
        ran.err().contains("apps[0].pmx: has no effect"),
        "{}",
        ran.err()
    );
    let shown = folder
        .run(&["config", "--show-secrets", "--env", "production"])
        .await
        .ended_with(0);
    assert!(shown.out().contains("pg://me:pw@h/x"), "{}", shown.out());
    assert!(!shown.out().contains("SHELL_SECRET"), "{}", shown.out());
}

#[tokio::test]
async fn a_config_as_json_has_the_fields_of_a_file() {
    let folder = Folder::new(&[("ecosystem.config.js", APPS)]);
    let config = folder.run(&["config", "--json"]).await.ended_with(0).json();
    assert_eq!(config["environment"], "default");
    assert_eq!(config["file"], "ecosystem.config.js");
    let api = &config["apps"][0];
    assert_eq!(api["kill_timeout"], 2000);
    assert_eq!(api["max_memory_restart"], 200 << 20);
    assert_eq!(api["readiness"]["http"], "http://127.0.0.1:${PORT}/");
    assert_eq!(api["env"]["API_KEY"], "(hidden)");
    assert_eq!(config["apps"][1]["name"], "sleep 1000");
}

#[tokio::test]
async fn a_config_of_a_broken_file_is_refused() {
    let folder = Folder::new(&[("ecosystem.config.js", WRONG)]);
    let ran = folder.run(&["config", "--json"]).await.ended_with(1);
    assert_eq!(ran.out(), "");
    assert!(
        ran.err().contains("apps[0].instances: found \"lots\""),
        "{}",
        ran.err()
    );
}

#[tokio::test]
async fn what_init_writes_is_valid_in_every_format() {
    for format in ["js", "json", "yaml", "toml"] {
        let folder = Folder::new(&[]);
        let made = folder
            .run(&["init", "new/folder", "--format", format, "--json"])
            .await;
        let file = format!("new/folder/ecosystem.config.{format}");
        assert_eq!(made.ended_with(0).json()["file"], file.as_str());
        let ran = folder
            .run(&["validate", "--strict", "new/folder"])
            .await
            .ended_with(0);
        assert_eq!(ran.out(), "", "{format}");
        let config = folder
            .run(&["config", "new/folder", "--json", "-E", "production"])
            .await;
        let app = &config.ended_with(0).json()["apps"][0];
        assert_eq!(app["env"]["GREETING"], "good day", "{format}");
    }
}

#[tokio::test]
async fn init_overwrites_nothing() {
    let folder = Folder::new(&[("process.json", "mine")]);
    let ran = folder
        .run(&["init", "--format", "yaml"])
        .await
        .ended_with(1);
    assert!(
        ran.err().contains("process.json is there already"),
        "{}",
        ran.err()
    );
    assert!(ran.err().contains("Hint: eco validate"), "{}", ran.err());
    assert_eq!(
        std::fs::read_dir(folder.path(""))
            .expect("a folder")
            .count(),
        1
    );
    let ran = folder.run(&["init", "process.json/x"]).await.ended_with(1);
    assert!(
        ran.err()
            .contains("failed to write process.json/x/ecosystem.config.js"),
        "{}",
        ran.err()
    );
}

#[tokio::test]
async fn the_schema_is_one_document() {
    let schema = Folder::new(&[]).run(&["schema"]).await.ended_with(0).json();
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    assert_eq!(
        schema["$defs"]["app"]["properties"]["max_restarts"]["default"],
        16
    );
}
