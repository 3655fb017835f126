//! Variables as lines, such as a file of them has.

use crate::view::variables::Given;

/// Makes a line of each variable. A comment names the instance where there are several.
pub(crate) fn lines(all: &[Given]) -> String {
    let blocks: Vec<String> = all
        .iter()
        .map(|one| {
            let heading = (all.len() > 1).then(|| format!("# {}\n", one.full_name()));
            let variables = one.variables.iter();
            let lines = variables.map(|(name, value)| format!("{name}={}\n", in_one_line(value)));
            heading.into_iter().chain(lines).collect()
        })
        .collect();
    blocks.join("\n")
}

/// Keeps a value in its line: one with a newline would look like two variables.
fn in_one_line(value: &str) -> String {
    value.replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(name: &str, variables: &[(&str, &str)]) -> Given {
        Given {
            id: 0,
            host: "box".to_owned(),
            env: "dev".to_owned(),
            name: name.to_owned(),
            instance: 0,
            run: Some(1),
            variables: variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        }
    }

    #[test]
    fn one_instance_is_a_file_of_variables() {
        let one = given("api", &[("PORT", "3000"), ("KEY", "a\nb")]);
        assert_eq!(lines(&[one]), "KEY=a\\nb\nPORT=3000\n");
    }

    #[test]
    fn several_are_told_apart() {
        let all = [given("api", &[("A", "1")]), given("web", &[("A", "2")])];
        assert_eq!(lines(&all), "# dev/api#0\nA=1\n\n# dev/web#0\nA=2\n");
    }
}
