//! What services like the examples write, made up: the same bytes every time, with ids, prices and latencies that are as
//! hard to compress as real ones.
//!
//! A day passes from the first byte to the last, so that whatever is asked for has its place in files of every size. Some
//! lines are there to be found: [`RARE`] three times in each app, and what [`PATTERN`] finds once in some thousand lines.

use std::io::{self, Write};

/// A word that hardly any line has.
pub(super) const RARE: &str = "quarantined";
/// Lines of it in each app.
pub(super) const RARE_LINES: usize = 3;
/// What is looked for everywhere: others are like it but for a digit.
pub(super) const PATTERN: &str = "failed after [0-9]{4} ms";
/// The lines from 14:02 to 14:05, by the times in them.
pub(super) const RANGE: &str = "2026-03-14T14:0[234]:";

const DAY: u64 = 24 * 3600 * 1000;
const RANGE_BEGIN: u64 = (14 * 60 + 2) * 60_000;
const RANGE_END: u64 = (14 * 60 + 5) * 60_000;
/// One line in so many fails.
const FAILURES: u64 = 2000;

/// An app, and what its lines look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// pino: a JSON object for each request.
    Requests,
    /// A JSON object for each check.
    Checks,
    /// Text with prices.
    Ticks,
    /// Text with longer sums.
    Rounds,
    /// Python, with a traceback now and then.
    Forecasts,
}

impl Shape {
    pub(super) const ALL: [Self; 5] = [
        Self::Requests,
        Self::Checks,
        Self::Ticks,
        Self::Rounds,
        Self::Forecasts,
    ];

    /// The app's name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Requests => "public-api",
            Self::Checks => "monitoring",
            Self::Ticks => "market-data",
            Self::Rounds => "fetcher",
            Self::Forecasts => "prediction-model",
        }
    }

    /// What is told of its lines.
    pub(super) const fn described(self) -> &'static str {
        match self {
            Self::Requests => "JSON of requests (pino)",
            Self::Checks => "JSON of checks",
            Self::Ticks => "text with prices",
            Self::Rounds => "text with sums",
            Self::Forecasts => "Python's logging, tracebacks",
        }
    }
}

/// Where the lines of [`RANGE`] are in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) from: u64,
    pub(super) to: u64,
}

/// Writes about `size` bytes of an app's lines; tells where the range is.
pub(super) fn write(shape: Shape, size: u64, to: &mut impl Write) -> io::Result<Range> {
    let mut page = Page::new(shape);
    let mut range = Range { from: 0, to: 0 };
    let (mut written, mut rare) = (0, 0);
    let mut line = Vec::with_capacity(1024);
    while written < size {
        // A clock that passes by bytes.
        let now = u64::try_from(u128::from(DAY) * u128::from(written) / u128::from(size));
        page.now = now.unwrap_or(DAY - 1);
        if page.now < RANGE_BEGIN {
            range.from = written;
        }
        if page.now < RANGE_END {
            range.to = written;
        }
        line.clear();
        // At a sixth, a half, and five sixths.
        if rare < RARE_LINES && written * 6 >= size * (2 * rare as u64 + 1) {
            rare += 1;
            let text = format!("settlement {:08x} {RARE}", page.dice.below(1 << 32));
            page.says(&text, &mut line)?;
        } else {
            page.next(&mut line)?;
        }
        written += line.len() as u64;
        to.write_all(&line)?;
        // The first line at or behind a border begins there.
        if page.now < RANGE_BEGIN {
            range.from = written;
        }
        if page.now < RANGE_END {
            range.to = written;
        }
    }
    Ok(range)
}

/// An app that goes on.
struct Page {
    shape: Shape,
    dice: Dice,
    /// Milliseconds of the day.
    now: u64,
    count: u64,
    /// In hundredths.
    prices: [u64; 3],
}

const SYMBOLS: [&str; 3] = ["BTCUSDT", "ETHUSDT", "SOLUSDT"];
const PATHS: [&str; 5] = [
    "/prices",
    "/forecast",
    "/status",
    "/webhooks/kraken",
    "/orders",
];
const TARGETS: [&str; 4] = [
    "mds-rest-binance",
    "mds-webhooks-kraken",
    "mds-fetcher",
    "prediction-model",
];
const AGENTS: [&str; 4] = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
    "kraken-webhooks/2.4",
    "curl/8.14.1",
];

impl Page {
    fn new(shape: Shape) -> Self {
        let seed = Shape::ALL.iter().position(|one| *one == shape).unwrap_or(0);
        Self {
            shape,
            dice: Dice(seed as u64 + 1),
            now: 0,
            count: 0,
            prices: [6_000_000, 300_000, 15_000],
        }
    }

    /// `2026-03-14T14:02:05.123Z`.
    fn time(&self) -> String {
        let (seconds, millis) = (self.now / 1000, self.now % 1000);
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        format!("2026-03-14T{hours:02}:{minutes:02}:{seconds:02}.{millis:03}Z")
    }

    /// A line with a text and nothing else.
    fn says(&self, text: &str, to: &mut Vec<u8>) -> io::Result<()> {
        let time = self.time();
        match self.shape {
            Shape::Requests | Shape::Checks => writeln!(
                to,
                r#"{{"level":30,"time":"{time}","pid":4211,"msg":"{text}"}}"#
            ),
            Shape::Ticks | Shape::Rounds | Shape::Forecasts => writeln!(to, "{time} INFO  {text}"),
        }
    }

    /// What it writes next.
    fn next(&mut self, to: &mut Vec<u8>) -> io::Result<()> {
        self.count += 1;
        if self.dice.below(FAILURES) == 0 {
            // As many that are not to be found.
            let millis = 100 + self.dice.below(9).pow(4);
            let text = format!(
                "delivery {:08x} failed after {millis} ms",
                self.dice.below(1 << 32)
            );
            return self.says(&text, to);
        }
        match self.shape {
            Shape::Requests => self.request(to),
            Shape::Checks => self.check(to),
            Shape::Ticks => self.tick(to),
            Shape::Rounds => self.round(to),
            Shape::Forecasts => self.forecast(to),
        }
    }

    fn request(&mut self, to: &mut Vec<u8>) -> io::Result<()> {
        let time = self.time();
        let dice = &mut self.dice;
        let (id, user) = (dice.below(u64::MAX), dice.below(20_000));
        let (path, agent) = (dice.one_of(&PATHS), dice.one_of(&AGENTS));
        let (address, port) = (dice.below(250), 32_768 + dice.below(28_000));
        let status = *dice.one_of(&[200, 200, 200, 200, 200, 200, 200, 304, 404, 503]);
        let level = if status >= 500 { 50 } else { 30 };
        let (micros, length) = (dice.latency(), dice.below(9000));
        writeln!(
            to,
            r#"{{"level":{level},"time":"{time}","pid":4211,"hostname":"web-2","reqId":"{id:016x}","req":{{"method":"GET","url":"{path}?user={user}","remoteAddress":"10.4.0.{address}","remotePort":{port},"userAgent":"{agent}"}},"res":{{"statusCode":{status},"contentLength":{length}}},"responseTime":{}.{:03},"msg":"request completed"}}"#,
            micros / 1000,
            micros % 1000,
        )
    }

    fn check(&mut self, to: &mut Vec<u8>) -> io::Result<()> {
        let time = self.time();
        let dice = &mut self.dice;
        let target = dice.one_of(&TARGETS);
        let (is_up, millis) = (dice.below(50) > 0, dice.latency() / 1000);
        if is_up {
            let (pid, uptime) = (4000 + dice.below(40), self.now + 86_400_000);
            let (seconds, millis_up) = (uptime / 1000, uptime % 1000);
            return writeln!(
                to,
                r#"{{"time":"{time}","level":"info","message":"check","target":"{target}","up":true,"ms":{millis},"pid":{pid},"uptime":{seconds}.{millis_up:03}}}"#
            );
        }
        writeln!(
            to,
            r#"{{"time":"{time}","level":"warn","message":"check","target":"{target}","up":false,"ms":{millis},"reason":"connect ECONNREFUSED 127.0.0.1:300{}"}}"#,
            dice.below(6)
        )
    }

    fn tick(&mut self, to: &mut Vec<u8>) -> io::Result<()> {
        let time = self.time();
        let [bitcoin, ether, _] = self.step();
        let (count, subscribers) = (self.count, 1 + self.dice.below(3));
        writeln!(
            to,
            "{time} INFO  tick {count} BTC/USD={bitcoin} ETH/USD={ether} subscribers={subscribers}"
        )
    }

    fn round(&mut self, to: &mut Vec<u8>) -> io::Result<()> {
        let (time, count) = (self.time(), self.count);
        if self.dice.below(200) == 0 {
            return writeln!(
                to,
                "{time} WARN  round {count}: no answer from http://127.0.0.1:3002: timed out next_try_ms=1000"
            );
        }
        let (last, mean) = (self.step(), self.step());
        let shown: Vec<String> = SYMBOLS
            .iter()
            .zip(last.iter().zip(&mean))
            .map(|(symbol, (last, mean))| format!("{symbol} {last} (mean {mean})"))
            .collect();
        writeln!(to, "{time} INFO  round {count}: {}", shown.join(", "))
    }

    fn forecast(&mut self, to: &mut Vec<u8>) -> io::Result<()> {
        let time = self.time();
        let symbol = *self.dice.one_of(&SYMBOLS);
        if self.dice.below(500) == 0 {
            let line = 40 + self.dice.below(60);
            return write!(
                to,
                "{time} ERROR no forecast for {symbol}\nTraceback (most recent call last):\n  File \"/srv/prediction-model/src/predict.py\", line {line}, in predict\n    result = forecast([candle[\"close\"] for candle in candles], ALPHA)\nKeyError: 'close'\n"
            );
        }
        let [last, ahead, mean] = self.step();
        writeln!(
            to,
            "{time} INFO  forecast {symbol} {last} -> {ahead} (ewma {mean})"
        )
    }

    /// The prices go on, each by less than a thousandth.
    fn step(&mut self) -> [String; 3] {
        let dice = &mut self.dice;
        for price in &mut self.prices {
            let width = *price / 1000;
            *price = (*price + dice.below(2 * width + 1))
                .saturating_sub(width)
                .max(10_000);
        }
        self.prices
            .map(|price| format!("{}.{:02}", price / 100, price % 100))
    }
}

/// Chance that is the same every time (`SplitMix64`).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T
    where
        T: std::fmt::Debug,
    {
        let at = usize::try_from(self.below(all.len() as u64)).unwrap_or(0);
        all.get(at)
            .or(all.first())
            .expect("there are some to choose from")
    }

    /// Microseconds: mostly a few hundred, sometimes many.
    fn latency(&mut self) -> u64 {
        let scale = 1 << (8 + self.below(6) * self.below(3));
        scale + self.below(scale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex::bytes::Regex;

    fn written(shape: Shape) -> (Vec<u8>, Range) {
        let mut bytes = Vec::new();
        let range = write(shape, 8 << 20, &mut bytes).expect("memory");
        (bytes, range)
    }

    fn count(pattern: &str, bytes: &[u8]) -> usize {
        let pattern = Regex::new(pattern).expect("a pattern");
        bytes
            .split(|byte| *byte == b'\n')
            .filter(|line| pattern.is_match(line))
            .count()
    }

    #[test]
    fn what_is_to_be_found_is_there() {
        for shape in Shape::ALL {
            let (bytes, _) = written(shape);
            assert_eq!(bytes, written(shape).0);
            assert_eq!(count(RARE, &bytes), RARE_LINES);
            let (found, like) = (count(PATTERN, &bytes), count("failed after", &bytes));
            assert!(0 < found && found < like, "{found} of {like} of {shape:?}");
        }
    }

    #[test]
    fn the_range_has_the_lines_of_its_time_and_no_others() {
        let (bytes, range) = written(Shape::Requests);
        let [from, to] = [range.from, range.to].map(|at| usize::try_from(at).expect("small"));
        let inside = bytes.get(from..to).expect("inside");
        let lines = inside.split(|byte| *byte == b'\n').count() - 1;
        assert!(lines > 0 && inside.ends_with(b"\n"));
        assert_eq!(count(RANGE, inside), lines);
        assert_eq!(count(RANGE, &bytes), lines);
    }
}
