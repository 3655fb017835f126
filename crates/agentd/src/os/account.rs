//! Whom an app runs as, with all groups.

use std::ffi::CString;
use std::fmt;

use nix::errno::Errno;
use nix::unistd::{Gid, Uid, User, getegid, geteuid, getgrouplist, setgid, setgroups, setuid};

/// Why it is not known whom to run an app as.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The table of users cannot be read.
    #[error("look up user {uid}")]
    LookUp {
        /// The user.
        uid: u32,
        /// Why.
        #[source]
        source: Errno,
    },
    /// Only the agent could know.
    #[error("run as user {uid}: it has no entry in the table of users, and no group was given")]
    NoGroup {
        /// The user.
        uid: u32,
    },
}

impl AccountError {
    /// The kernel's reason, or what comes nearest.
    #[must_use]
    pub const fn errno(&self) -> i32 {
        match self {
            Self::LookUp { source, .. } => *source as i32,
            Self::NoGroup { .. } => nix::libc::EINVAL,
        }
    }
}

/// A user, its group, and all groups it is in.
#[derive(Clone, Debug)]
pub struct Account {
    uid: Uid,
    gid: Gid,
    groups: Vec<Gid>,
}

impl Account {
    /// Finds what is asked for; `None` when that is what we are already. A user without a group gets its own, never
    /// ours.
    pub fn find(uid: Option<u32>, gid: Option<u32>) -> Result<Option<Self>, AccountError> {
        if uid.is_none() && gid.is_none() {
            return Ok(None);
        }
        let number = uid.unwrap_or_else(|| geteuid().as_raw());
        let uid = Uid::from_raw(number);
        let user = User::from_uid(uid).map_err(|source| AccountError::LookUp {
            uid: number,
            source,
        })?;
        let gid = match (gid, &user) {
            (Some(gid), _) => Gid::from_raw(gid),
            (None, Some(user)) => user.gid,
            (None, None) => return Err(AccountError::NoGroup { uid: number }),
        };
        if uid == geteuid() && gid == getegid() {
            return Ok(None);
        }
        let name = user.and_then(|user| CString::new(user.name.as_bytes()).ok());
        let groups = name.and_then(|name| getgrouplist(&name, gid).ok());
        Ok(Some(Self {
            uid,
            gid,
            groups: groups.unwrap_or_else(|| vec![gid]),
        }))
    }

    /// The user and its first group.
    #[must_use]
    pub const fn owner(&self) -> (Uid, Gid) {
        (self.uid, self.gid)
    }

    /// Makes the calling process belong to it, for good. Makes system calls only, so that it can be done after a fork.
    pub fn assume(&self) -> nix::Result<()> {
        setgroups(&self.groups)?;
        setgid(self.gid)?;
        setuid(self.uid)
    }
}

impl fmt::Display for Account {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "user {} of group {}", self.uid, self.gid)
    }
}
