//! Names in PM2's two ways of writing.

/// `maxMemoryRestart` as `max_memory_restart`.
pub(crate) fn snake(key: &str) -> String {
    let mut snake = String::with_capacity(key.len() + 4);
    for c in key.chars() {
        if c.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

/// `max_memory_restart` as `maxMemoryRestart`.
pub(crate) fn camel(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    let mut upper = false;
    for c in name.chars() {
        if c == '_' {
            upper = true;
        } else {
            camel.push(if std::mem::take(&mut upper) {
                c.to_ascii_uppercase()
            } else {
                c
            });
        }
    }
    camel
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn both_ways_of_writing_are_one_name(name in "[a-z]{1,6}(_[a-z]{1,6}){0,3}") {
            prop_assert_eq!(snake(&camel(&name)), name);
        }
    }
}
