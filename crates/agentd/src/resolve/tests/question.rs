use std::collections::BTreeMap;
use std::time::Duration;

use eco_config::spec::{AppSpec, Check, Probe, Readiness};

use super::*;

fn variables() -> BTreeMap<String, String> {
    let all = [("PORT", "3000"), ("TOKEN", "secret")];
    all.map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

fn http(url: &str) -> Check {
    Check::Http {
        url: url.to_owned(),
        statuses: Vec::new(),
    }
}

fn shown(check: &Check) -> Result<String, String> {
    Question::new(check, &variables())
        .map(|question| question.to_string())
        .map_err(|error| error.to_string())
}

fn ready_by(project: &Project, check: Check) -> AppSpec {
    let mut spec = project.beside("src/server.js");
    spec.ready.probe = Some(Readiness {
        probe: Probe {
            check,
            interval: Duration::from_secs(1),
            timeout: Duration::from_secs(1),
            start_period: Duration::ZERO,
            successes: 1,
            failures: 1,
        },
        within: None,
    });
    spec
}

#[test]
fn a_question_is_shown_with_its_variables_and_without_its_query() {
    let url = http("http://127.0.0.1:${PORT}/health?token=${TOKEN}");
    assert_eq!(shown(&url).as_deref(), Ok("http://127.0.0.1:3000/health"));
    let tcp = Check::Tcp("[::1]:${PORT}".to_owned());
    assert_eq!(shown(&tcp).as_deref(), Ok("[::1]:3000"));
    let exec = Check::Exec(vec!["check".to_owned(), "${PORT}".to_owned()]);
    assert_eq!(shown(&exec).as_deref(), Ok("check 3000"));
}

#[test]
fn what_cannot_be_asked_says_which_text_it_is_and_why() {
    let message = shown(&http("http://${HOST}:${PORT}/")).unwrap_err();
    assert_eq!(
        message,
        r#""http://${HOST}:${PORT}/" cannot be filled in: the variable HOST is not set"#
    );
    let message = shown(&Check::Tcp("${TOKEN}".to_owned())).unwrap_err();
    assert!(
        message.starts_with(r#""${TOKEN}" cannot be asked: "#),
        "{message}"
    );
    let message = shown(&Check::Log("(".to_owned())).unwrap_err();
    assert_eq!(message, r#""(" is no regular expression"#);
}

#[test]
fn a_probe_that_cannot_be_asked_stands_in_the_way_of_its_app_and_names_the_field() {
    let project = Project::new();
    let fine = ready_by(&project, Check::Tcp("300${ECO_INSTANCE}".to_owned()));
    assert!(resolve(&fine).is_ok());
    let unset = ready_by(&project, http("http://127.0.0.1:${PROT}/"));
    insta::assert_snapshot!(project.problems(&unset), @r#"readiness.http: "http://127.0.0.1:${PROT}/" cannot be filled in: the variable PROT is not set (set PROT in `env`, or write the value itself)"#);
    let far = ready_by(&project, Check::Tcp("${ECO_INSTANCE}".to_owned()));
    insta::assert_snapshot!(project.problems(&far), @r#"readiness.tcp: "${ECO_INSTANCE}" cannot be asked: "0" is no port from 1 to 65535 (write it as 127.0.0.1:3000, or http://127.0.0.1:3000/path)"#);
}
