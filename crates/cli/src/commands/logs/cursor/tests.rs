use super::*;

fn question() -> Fingerprint {
    Fingerprint {
        environment: None,
        selectors: vec!["api".to_owned()],
        conditions: Vec::new(),
    }
}

fn noted() -> Noted {
    let origin = |stream: Stream| Origin {
        host: "box".to_owned(),
        environment: "dev".to_owned(),
        app: "api".to_owned(),
        instance: 1,
        run: 7,
        stream: stream.into(),
    };
    let mark = |next| Mark {
        next,
        time: 1_700_000_000_123_456_789,
    };
    Noted {
        events: Some(9),
        position: Position {
            began: 5,
            floor: Some(1),
            cut: Some(2),
            history: History::Complete { newest: Some(3) },
            only_new: false,
            marks: BTreeMap::from([
                (origin(Stream::Out), mark(u64::MAX)),
                (origin(Stream::Err), mark(0)),
            ]),
        },
    }
}

fn world() -> (tempfile::TempDir, Cursor) {
    let folder = tempfile::tempdir().expect("a folder");
    let cursor = Cursor::new(folder.path().join("c.json"), question());
    (folder, cursor)
}

#[test]
fn what_is_noted_is_read_again_as_it_was() {
    let (_folder, cursor) = world();
    assert_eq!(cursor.read().expect("absent"), None);
    assert!(!cursor.path().exists());
    for keep in [Keep::ForNow, Keep::Surely] {
        cursor.note(&noted(), keep).expect("noted");
        assert_eq!(cursor.read().expect("read"), Some(noted()));
    }
}

#[test]
fn a_damaged_or_foreign_file_is_refused_and_left_as_it_is() {
    let (_folder, cursor) = world();
    cursor.note(&noted(), Keep::ForNow).expect("noted");
    let good = fs::read_to_string(cursor.path()).expect("read");
    let torn = good.get(..good.len() / 2).expect("half").to_owned();
    for (text, why) in [
        (String::new(), "no cursor of eco logs"),
        (torn, "damaged"),
        ("{\"apps\":[]}".to_owned(), "no cursor of eco logs"),
        (
            good.replace("\"version\":1", "\"version\":2"),
            "of version 2, and this eco knows 1",
        ),
        (
            good.replace("\"next\"", "\"nxet\""),
            "damaged: missing field `next`",
        ),
    ] {
        fs::write(cursor.path(), &text).expect("written");
        let error = cursor.read().expect_err("refused");
        let told = crate::error::chain(&error);
        assert!(told.contains(why), "{told}");
        assert_eq!(error.hints(), [AFRESH]);
        assert_eq!(fs::read_to_string(cursor.path()).expect("read"), text);
    }
}

#[test]
fn a_cursor_of_another_question_is_refused() {
    let (_folder, cursor) = world();
    cursor.note(&noted(), Keep::ForNow).expect("noted");
    let other = Fingerprint {
        conditions: vec!["grep x".to_owned()],
        ..question()
    };
    let error = Cursor::new(cursor.path().to_owned(), other)
        .read()
        .expect_err("refused");
    assert_eq!(error.details(), ["then: api", "now: api, grep x"]);
}

#[test]
fn a_place_that_cannot_be_written_is_told_before_anything_is_read() {
    let (folder, _) = world();
    let cursor = Cursor::new(folder.path().join("missing/c.json"), question());
    assert!(crate::error::chain(&cursor.read().expect_err("refused")).contains("write the cursor"));
    assert!(
        Cursor::new(folder.path().to_owned(), question())
            .read()
            .is_err()
    );
}
