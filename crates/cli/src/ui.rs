//! The only way to the terminal.
//!
//! Data goes to stdout, all else to stderr. Texts come with ANSI styles in them; whether these reach the terminal is
//! decided here, once, from `--color`, `NO_COLOR` and whether a terminal is there at all.

use std::error::Error as _;
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::sync::{Arc, Mutex, PoisonError};

use anstream::adapter::StripBytes;
use anstream::{AutoStream, ColorChoice};

use crate::args::Color;
use crate::error::{CliError, Kind};
use crate::render::style;

type Sink = Box<dyn Write + Send>;

/// Where output goes.
pub struct Ui {
    out: Sink,
    err: Sink,
    target: Target,
    quiet: bool,
}

enum Target {
    Terminal,
    Captured(Stands),
}

/// What a captured output stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stands {
    ForAPipe,
    ForATerminal,
}

/// What a [`Ui::captured`] was told, without styles.
#[derive(Clone, Default)]
pub struct Captured {
    out: Arc<Mutex<Vec<u8>>>,
    err: Arc<Mutex<Vec<u8>>>,
}

impl Captured {
    /// What went to stdout so far.
    #[must_use]
    pub fn stdout(&self) -> String {
        text(&self.out)
    }

    /// What went to stderr so far.
    #[must_use]
    pub fn stderr(&self) -> String {
        text(&self.err)
    }
}

fn text(buffer: &Mutex<Vec<u8>>) -> String {
    let bytes = buffer.lock().unwrap_or_else(PoisonError::into_inner);
    anstream::adapter::strip_str(&String::from_utf8_lossy(&bytes)).to_string()
}

struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut buffer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        buffer.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Ui {
    /// The terminal of this process.
    #[must_use]
    pub fn terminal() -> Self {
        Self {
            out: stdout(ColorChoice::Auto),
            err: stderr(ColorChoice::Auto),
            target: Target::Terminal,
            quiet: false,
        }
    }

    /// A place to look at afterwards.
    #[must_use]
    pub fn captured() -> (Self, Captured) {
        Self::captured_as(Stands::ForAPipe)
    }

    /// The same, where commands see a terminal.
    #[must_use]
    pub fn captured_terminal() -> (Self, Captured) {
        Self::captured_as(Stands::ForATerminal)
    }

    fn captured_as(stands: Stands) -> (Self, Captured) {
        let captured = Captured::default();
        let ui = Self {
            out: Box::new(Buffer(Arc::clone(&captured.out))),
            err: Box::new(Buffer(Arc::clone(&captured.err))),
            target: Target::Captured(stands),
            quiet: false,
        };
        (ui, captured)
    }

    /// Applies what the command line says about output.
    pub(crate) fn configure(&mut self, color: Color, quiet: bool) {
        self.quiet = quiet;
        let choice = match color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::AlwaysAnsi,
            Color::Never => ColorChoice::Never,
        };
        match self.target {
            Target::Terminal => {
                self.out = stdout(choice);
                self.err = stderr(choice);
            }
            Target::Captured(_) => {}
        }
    }

    /// Returns how many columns stdout has; `None`: it is no terminal, and lines may be of any length.
    pub(crate) fn width(&self) -> Option<u16> {
        match self.target {
            Target::Terminal if io::stdout().is_terminal() => columns(),
            Target::Terminal | Target::Captured(_) => None,
        }
    }

    /// Whether people read stdout, and not a program.
    pub(crate) fn is_terminal(&self) -> bool {
        match self.target {
            Target::Terminal => io::stdout().is_terminal(),
            Target::Captured(stands) => stands == Stands::ForATerminal,
        }
    }

    /// From here on data reaches stdout byte for byte, whatever is in it.
    pub(crate) fn pass_everything(&mut self) {
        match self.target {
            Target::Terminal => self.out = stdout(ColorChoice::AlwaysAnsi),
            Target::Captured(_) => {}
        }
    }

    /// Writes bytes to stdout as they are, in the same buffer.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)
    }

    /// Writes data to stdout as it is. It may rest in a buffer until [`Self::flush`].
    pub(crate) fn data(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())
    }

    /// Sends on what rests in the buffer.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Says what is going on, unless quiet.
    pub(crate) fn status(&mut self, text: &str) {
        if !self.quiet {
            self.note(text);
        }
    }

    /// Warns.
    pub(crate) fn warning(&mut self, text: &str) {
        self.note(&format!("{}: {text}", style::warning("Warning")));
    }

    /// Hints, unless quiet.
    pub(crate) fn hint(&mut self, text: &str) {
        self.status(&format!("{}: {text}", style::hint("Hint")));
    }

    /// Writes a line to stderr. That it cannot be written is nothing we could tell anyone.
    pub(crate) fn note(&mut self, text: &str) {
        drop(writeln!(self.err, "{text}").and_then(|()| self.err.flush()));
    }

    /// Shows why a command failed.
    pub(crate) fn report(&mut self, error: &CliError) {
        drop(self.out.flush());
        if matches!(error.kind(), Kind::PipeClosed | Kind::Differs) {
            return;
        }
        self.note(&format!("{}: {error}", style::error("Error")));
        for detail in error.details() {
            self.note(&format!("  {detail}"));
        }
        let mut source = error.source();
        let mut last = String::new();
        while let Some(cause) = source {
            let shown = cause.to_string();
            if !last.ends_with(&shown) {
                self.note(&format!("{}: {shown}", style::error("Caused by")));
            }
            last = shown;
            source = cause.source();
        }
        for hint in error.hints() {
            self.note(&format!("{}: {hint}", style::hint("Hint")));
        }
        if error.kind() == Kind::Internal {
            self.note("This is a fault of eco's: please report it.");
        }
    }
}

fn stdout(choice: ColorChoice) -> Sink {
    let resolved = match choice {
        ColorChoice::Auto => AutoStream::choice(&io::stdout()),
        ColorChoice::AlwaysAnsi | ColorChoice::Always | ColorChoice::Never => choice,
    };
    match resolved {
        ColorChoice::Never => buffered(Plain::default()),
        ColorChoice::Auto | ColorChoice::AlwaysAnsi | ColorChoice::Always => {
            buffered(AutoStream::new(io::stdout(), resolved))
        }
    }
}

fn buffered(sink: impl Write + Send + 'static) -> Sink {
    Box::new(BufWriter::with_capacity(1 << 16, sink))
}

/// Stdout without styles. The stream that could do the same writes each piece between two styles by itself, which costs more
/// than all else where lines come by the million.
#[derive(Default)]
struct Plain {
    styles: StripBytes,
    kept: Vec<u8>,
}

impl Write for Plain {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.kept.clear();
        for piece in self.styles.strip_next(bytes) {
            self.kept.extend_from_slice(piece);
        }
        io::stdout().write_all(&self.kept)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().flush()
    }
}

fn stderr(choice: ColorChoice) -> Sink {
    Box::new(AutoStream::new(io::stderr(), choice))
}

/// Asks the terminal at stdout how wide it is.
fn columns() -> Option<u16> {
    let mut size = nix::libc::winsize {
        ws_row: 0,
        ws_col: 0,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    // SAFETY: the pointer is to a winsize that lives until the call returns, which is what TIOCGWINSZ fills.
    #[expect(unsafe_code, reason = "nix has no call for the size of a terminal")]
    let answer = unsafe {
        nix::libc::ioctl(
            nix::libc::STDOUT_FILENO,
            nix::libc::TIOCGWINSZ,
            &raw mut size,
        )
    };
    (answer == 0 && size.ws_col > 0).then_some(size.ws_col)
}
