use super::*;

fn of(user: Option<&str>, group: Option<&str>) -> Result<Option<Account>, String> {
    let project = Project::new();
    let mut app = project.beside("src/server.js");
    app.user = user.map(str::to_owned);
    app.group = group.map(str::to_owned);
    match resolve(&app) {
        Ok(found) => Ok(found.account),
        Err(_) => Err(project.problems(&app)),
    }
}

#[test]
fn without_one_it_is_the_agents_own() {
    assert_eq!(of(None, None), Ok(None));
}

#[test]
fn the_agents_own_user_may_be_named_by_number() {
    let me = (Uid::effective(), Gid::effective());
    let (user, group) = (me.0.to_string(), me.1.to_string());
    let account = of(Some(&user), Some(&group)).expect("found").expect("one");
    assert_eq!((account.uid, account.gid), (me.0.as_raw(), me.1.as_raw()));
}

#[test]
fn an_unknown_name_is_told_with_the_key_that_holds_it() {
    let hint = |key: &str| format!("(correct `{key}`)");
    let user = of(Some("no-such-user"), None).expect_err("unknown");
    assert!(user.contains("knows no user called \"no-such-user\"") && user.contains(&hint("uid")));
    let group = of(None, Some("no-such-group")).expect_err("unknown");
    assert!(
        group.contains("knows no group called \"no-such-group\"") && group.contains(&hint("gid"))
    );
}

#[test]
fn a_number_without_a_name_is_an_account_for_root_and_refused_for_others() {
    let found = of(Some("3999999"), None);
    if Uid::effective().is_root() {
        let account = found.expect("found").expect("one");
        assert_eq!((account.uid, account.gid), (3_999_999, 3_999_999));
        assert_eq!((account.name, account.home), (None, None));
    } else {
        assert!(
            found
                .expect_err("refused")
                .contains("the agent is not root")
        );
    }
}
