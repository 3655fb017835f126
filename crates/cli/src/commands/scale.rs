//! `eco scale`

use eco_proto::agent::v1::scale_request::Size;
use eco_proto::agent::v1::{ScaleReply, ScaleRequest};

use super::bring_up::Needs;
use super::conclude::{Conclusion, conclude};
use super::selection::selection;
use super::session::Session;
use crate::error::CliError;

/// Give an app another number of instances, and wait until they are up, or gone
///
/// New instances have the next numbers, and by `instance_var` and `increment_var` what belongs to these; those of the highest
/// numbers end as by `eco delete`. The others are left as they are. Where somebody stopped the app, new instances stay down
/// too. There is always one left: `eco stop` ends all of them, `eco delete` forgets the app.
///
/// The number lasts, over a reboot too, until the app is started, restarted or applied by its file: then the number in the
/// file counts. `eco diff` shows the difference.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    eco scale dev/api 4\n  \
    eco scale api +2 -E dev\n  \
    eco scale dev/api -1 --json")]
pub(crate) struct Args {
    /// One app: its name, ENVIRONMENT/NAME or an id, or another selector of no other app
    #[arg(value_name = "APP")]
    selector: String,
    /// How many instances: 4, or +2 for two more, or -1 for one fewer
    #[arg(value_name = "N", value_parser = size, allow_negative_numbers = true)]
    size: Size,
    #[command(flatten)]
    needs: Needs,
    #[command(flatten)]
    conclusion: Conclusion,
}

pub(crate) async fn run(session: &mut Session<'_>, args: Args) -> Result<(), CliError> {
    let mut agent = session.agent().await?;
    let tried = format!("scale {}", args.selector);
    let selection = selection(session, &mut agent, &[args.selector]).await?;
    let request = ScaleRequest {
        selection: Some(selection),
        size: Some(args.size),
        no_dependencies: args.needs.no_deps,
    };
    let reply = agent.scale(&tried, request).await?;
    if let Some(line) = told(&reply) {
        session.ui.status(&line);
    }
    let outcomes = &reply.outcomes;
    conclude(session, &mut agent, "scale", outcomes, &args.conclusion).await
}

/// Reads a number: `4`, `+2`, `-1`.
fn size(text: &str) -> Result<Size, String> {
    let (make, digits): (fn(u32) -> Size, &str) = if let Some(digits) = text.strip_prefix('+') {
        (Size::More, digits)
    } else if let Some(digits) = text.strip_prefix('-') {
        (Size::Fewer, digits)
    } else {
        (Size::To, text)
    };
    let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    let number = digits.parse().ok().filter(|_| is_number);
    match (number.map(make), number) {
        (Some(Size::To(0)), _) => Err(
            "one instance is the least: `eco stop` ends all of them, `eco delete` forgets the app"
                .to_owned(),
        ),
        (Some(_), Some(0)) => Err("it changes nothing".to_owned()),
        (Some(size), _) => Ok(size),
        (None, _) => Err("expected a number such as 4, +2 or -1".to_owned()),
    }
}

/// Both numbers, where they differ.
fn told(reply: &ScaleReply) -> Option<String> {
    let ScaleReply {
        environment,
        name,
        from,
        to,
        ..
    } = reply;
    let instances = if *to == 1 { "instance" } else { "instances" };
    (from != to).then(|| format!("{environment}/{name}: {from} → {to} {instances}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_absolute_and_one_with_a_sign_is_not() {
        assert_eq!(size("4"), Ok(Size::To(4)));
        assert_eq!(size("+2"), Ok(Size::More(2)));
        assert_eq!(size("-1"), Ok(Size::Fewer(1)));
    }

    #[test]
    fn no_instance_at_all_is_what_other_verbs_are_for() {
        for text in ["0", "00"] {
            let hint = size(text).expect_err("refused");
            assert!(
                hint.contains("eco stop") && hint.contains("eco delete"),
                "{hint}"
            );
        }
    }

    #[test]
    fn what_changes_nothing_and_what_is_no_number_is_refused() {
        for text in ["+0", "-0"] {
            assert_eq!(size(text), Err("it changes nothing".to_owned()), "{text}");
        }
        for text in ["", "x", "+", "-", "+-1", "1.5", "4294967296", "-x", "max"] {
            let refused = size(text).expect_err(text);
            assert!(refused.starts_with("expected a number"), "{refused}");
        }
    }

    #[test]
    fn the_numbers_are_told_where_they_differ() {
        let reply = |from, to| ScaleReply {
            environment: "dev".to_owned(),
            name: "api".to_owned(),
            from,
            to,
            ..ScaleReply::default()
        };
        let line = told(&reply(2, 4));
        assert_eq!(line.as_deref(), Some("dev/api: 2 → 4 instances"));
        let line = told(&reply(3, 1));
        assert_eq!(line.as_deref(), Some("dev/api: 3 → 1 instance"));
        assert_eq!(told(&reply(2, 2)), None);
    }
}
