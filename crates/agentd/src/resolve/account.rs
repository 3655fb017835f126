//! Finding whom to run as.

use eco_config::spec::AppSpec;
use nix::unistd::{Gid, Group, Uid, User};

use super::Problem;

/// Whom a run belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The user's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
    /// The user's name, where the number has one.
    pub name: Option<String>,
    /// The user's home, likewise.
    pub home: Option<String>,
}

impl Account {
    /// The variables that a login of this account would have.
    pub(super) fn variables(&self) -> impl Iterator<Item = (String, String)> {
        let user = self.name.iter().flat_map(|name| {
            [
                ("USER".to_owned(), name.clone()),
                ("LOGNAME".to_owned(), name.clone()),
            ]
        });
        user.chain(
            self.home
                .iter()
                .map(|home| ("HOME".to_owned(), home.clone())),
        )
    }
}

/// Finds the account; `None`: the agent's own.
pub(super) fn find(spec: &AppSpec) -> Result<Option<Account>, Problem> {
    if spec.user.is_none() && spec.group.is_none() {
        return Ok(None);
    }
    let user = spec.user.as_deref().map(user).transpose()?;
    let group = spec.group.as_deref().map(group).transpose()?;
    let me = (Uid::effective().as_raw(), Gid::effective().as_raw());
    let account = Account {
        uid: user.as_ref().map_or(me.0, |user| user.uid.as_raw()),
        gid: group
            .or(user.as_ref().map(|user| user.gid))
            .map_or(me.1, Gid::as_raw),
        name: user
            .as_ref()
            .map(|user| user.name.clone())
            .filter(|name| !name.is_empty()),
        home: user
            .as_ref()
            .map(|user| user.dir.display().to_string())
            .filter(|home| !home.is_empty()),
    };
    if (account.uid, account.gid) != me && !Uid::effective().is_root() {
        return Err(Problem {
            field: "uid",
            message: "the agent is not root, and only root may run an app as somebody else"
                .to_owned(),
            hint: "take `user`, `uid` and `gid` away, or run the agent as root".to_owned(),
        });
    }
    Ok(Some(account))
}

fn user(written: &str) -> Result<User, Problem> {
    let found = match written.parse::<u32>() {
        // A number needs no name.
        Ok(number) => User::from_uid(Uid::from_raw(number))
            .ok()
            .flatten()
            .or_else(|| Some(nameless(number))),
        Err(_) => User::from_name(written).ok().flatten(),
    };
    found.ok_or_else(|| unknown("uid", "user", written))
}

fn nameless(number: u32) -> User {
    User {
        name: String::new(),
        passwd: c"".to_owned(),
        uid: Uid::from_raw(number),
        gid: Gid::from_raw(number),
        gecos: c"".to_owned(),
        dir: "".into(),
        shell: "".into(),
    }
}

fn group(written: &str) -> Result<Gid, Problem> {
    let found = match written.parse::<u32>() {
        Ok(number) => Some(Gid::from_raw(number)),
        Err(_) => Group::from_name(written)
            .ok()
            .flatten()
            .map(|group| group.gid),
    };
    found.ok_or_else(|| unknown("gid", "group", written))
}

fn unknown(field: &'static str, what: &str, written: &str) -> Problem {
    Problem {
        field,
        message: format!("this host knows no {what} called {written:?}"),
        hint: format!("correct `{field}`"),
    }
}
