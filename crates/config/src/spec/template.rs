//! Texts with `${NAME}` in them, which stands for a variable of an instance.

/// Why a text cannot be filled in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// `${` without its `}`.
    #[error("a ${{ is never closed")]
    Open,
    /// Something between the braces that no variable is called.
    #[error("${{{0}}} is no variable's name")]
    Name(String),
    /// A variable that is not there.
    #[error("the variable {0} is not set")]
    Unset(String),
}

/// Puts the variables of an instance into a text.
pub fn fill(
    text: &str,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<String, TemplateError> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, behind) = after.split_once('}').ok_or(TemplateError::Open)?;
        if !is_name(name) {
            return Err(TemplateError::Name(name.to_owned()));
        }
        let value = variable(name).ok_or_else(|| TemplateError::Unset(name.to_owned()))?;
        filled.push_str(before);
        filled.push_str(&value);
        rest = behind;
    }
    filled.push_str(rest);
    Ok(filled)
}

/// Whether a shell would take it for a variable's name.
fn is_name(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> Result<String, TemplateError> {
        fill(text, |name| (name == "PORT").then(|| "3000".to_owned()))
    }

    #[test]
    fn variables_are_put_in_wherever_they_stand() {
        assert_eq!(filled("${PORT}").as_deref(), Ok("3000"));
        assert_eq!(filled("h:${PORT}/${PORT}$").as_deref(), Ok("h:3000/3000$"));
        assert_eq!(filled("$PORT {PORT}").as_deref(), Ok("$PORT {PORT}"));
    }

    #[test]
    fn what_cannot_be_filled_in_says_why() {
        assert_eq!(filled("${PORT"), Err(TemplateError::Open));
        assert_eq!(filled("${}"), Err(TemplateError::Name(String::new())));
        assert_eq!(filled("${A B}"), Err(TemplateError::Name("A B".to_owned())));
        assert_eq!(
            filled("${PROT}"),
            Err(TemplateError::Unset("PROT".to_owned()))
        );
    }
}
