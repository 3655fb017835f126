//! The page of results: one section for each part, replaced when that part is measured again.
//!
//! A section lies between two comments that name it, so that whoever measures one part leaves the others as they are.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::say;

const HEAD: &str = "\
# Benchmarks

Made by `cargo xtask bench logs`, on the machine that each section names; run it on yours. Others take part where they are
installed: `apt-get install supervisor s6 runit daemontools ripgrep zstd`, and PM2 from npm, anywhere
(`--pm2 node_modules/.bin/pm2`). `cargo xtask bench logs search` measures one part again and leaves the others.
";

/// What one part found.
#[derive(Debug)]
pub(crate) struct Section {
    name: &'static str,
    title: &'static str,
    /// Markdown.
    pub(crate) text: String,
    /// Where it was measured.
    pub(crate) machine: String,
    plots: Vec<(&'static str, String)>,
}

impl Section {
    pub(crate) fn new(name: &'static str, title: &'static str, text: String) -> Self {
        Self {
            name,
            title,
            text,
            machine: String::new(),
            plots: Vec::new(),
        }
    }

    /// Adds a plot, an SVG.
    pub(crate) fn with_plot(mut self, name: &'static str, svg: String) -> Self {
        self.plots.push((name, svg));
        self
    }

    fn written(&self) -> String {
        let Self {
            name,
            title,
            text,
            machine,
            ..
        } = self;
        let plots = self.plots.iter();
        let plots: Vec<String> = plots
            .map(|(plot, _)| format!("\n![{title}](benchmarks/{plot}.svg)\n"))
            .collect();
        let plots = plots.concat();
        format!(
            "<!-- {name} -->\n\n## {title}\n\n{machine}\n\n{}\n{plots}\n<!-- end of {name} -->\n",
            text.trim()
        )
    }
}

/// A row of a table.
pub(crate) fn row(cells: &[&str]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

/// The page and the plots beside it.
pub(crate) struct Page {
    folder: PathBuf,
}

impl Page {
    pub(crate) fn at(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    /// Puts a section in its place.
    pub(crate) fn put(&self, section: &Section) -> Result<(), Failure> {
        let plots = self.folder.join("benchmarks");
        fs::create_dir_all(&plots).map_err(Failure::at("make", &plots))?;
        for (name, svg) in &section.plots {
            let path = plots.join(format!("{name}.svg"));
            fs::write(&path, svg).map_err(Failure::at("write", &path))?;
        }
        let path = self.folder.join("benchmarks.md");
        let before = if path.exists() {
            fs::read_to_string(&path).map_err(Failure::at("read", &path))?
        } else {
            HEAD.to_owned()
        };
        fs::write(&path, replaced(&before, section)).map_err(Failure::at("write", &path))?;
        say::line(&format!("written to {}", path.display()));
        Ok(())
    }
}

/// The page with a section in place of the one of its name, or after the others.
fn replaced(page: &str, section: &Section) -> String {
    let written = section.written();
    let (begin, end) = (
        format!("<!-- {} -->\n", section.name),
        format!("<!-- end of {} -->\n", section.name),
    );
    let parts = page
        .split_once(&begin)
        .and_then(|(before, rest)| Some((before, rest.split_once(&end)?.1)));
    match parts {
        Some((before, after)) => format!("{before}{written}{after}"),
        None => format!("{page}\n{written}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_takes_the_place_of_the_one_before_and_leaves_the_others() {
        let section = |name, text: &str| Section::new(name, "T", text.to_owned());
        let page = replaced(HEAD, &section("a", "first"));
        let page = replaced(&page, &section("b", "neighbour"));
        let page = replaced(&page, &section("a", "second"));
        assert!(!page.contains("first"));
        let at = |text| page.find(text).expect("there");
        assert!(at("second") < at("neighbour") && page.starts_with(HEAD));
        assert_eq!(page.matches("<!-- a -->").count(), 1);
    }
}
