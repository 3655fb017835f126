//! Who is at the other end of a connection, so that every cause can name a person.

use nix::unistd::{Uid, User};
use tonic::Request;
use tonic::transport::server::UdsConnectInfo;

use crate::fleet::By;

/// The person who asks, as the kernel knows the owner of the process that connected. To look a name up may block, since
/// accounts may be kept on another host.
pub(super) async fn by<T>(request: &Request<T>) -> By {
    let info = request.extensions().get::<UdsConnectInfo>();
    let Some(peer) = info.and_then(|info| info.peer_cred) else {
        return By::Unknown;
    };
    let uid = peer.uid();
    let named = tokio::task::spawn_blocking(move || person(uid)).await;
    named.unwrap_or(By::Unknown)
}

fn person(uid: u32) -> By {
    let found = User::from_uid(Uid::from_raw(uid)).ok().flatten();
    By::Person(found.map_or_else(|| format!("user {uid}"), |user| user.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_without_a_name_is_still_somebody() {
        assert_eq!(person(0), By::Person("root".to_owned()));
        assert_eq!(person(4_000_000), By::Person("user 4000000".to_owned()));
    }

    #[tokio::test]
    async fn who_cannot_be_known_is_nobody_in_particular() {
        assert_eq!(by(&Request::new(())).await, By::Unknown);
    }
}
