//! A place in a text, and the line that it is in.

/// A place in a text.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self {
            rest: text,
            line: 1,
        }
    }

    /// From 1.
    pub(super) const fn line(&self) -> usize {
        self.line
    }

    pub(super) const fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let mut rest = self.rest.chars();
        let next = rest.next()?;
        self.rest = rest.as_str();
        self.line += usize::from(next == '\n');
        Some(next)
    }

    /// Passes over `wanted`, if it is next.
    pub(super) fn take(&mut self, wanted: char) -> bool {
        let is_it = self.peek() == Some(wanted);
        if is_it {
            self.next();
        }
        is_it
    }

    /// Passes over what is of a kind, and returns it. Ends with the line.
    pub(super) fn take_while(&mut self, is_meant: impl Fn(char) -> bool) -> &'a str {
        let end = self
            .rest
            .find(|at| at == '\n' || !is_meant(at))
            .unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    /// Passes over blanks; returns whether there were any.
    pub(super) fn skip_blanks(&mut self) -> bool {
        !self.take_while(|at| matches!(at, ' ' | '\t')).is_empty()
    }

    /// Passes over the rest of the line with its end, and returns it without.
    pub(super) fn rest_of_line(&mut self) -> &'a str {
        let line = self.take_while(|_| true);
        self.take('\n');
        line
    }
}
