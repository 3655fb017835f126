//! Plots as SVG: bars on a light ground.

use crate::spread::Spread;

/// One bar.
#[derive(Debug)]
pub(crate) struct Bar {
    name: String,
    value: Spread,
}

impl Bar {
    pub(crate) fn new(name: impl Into<String>, value: Spread) -> Self {
        Self {
            name: name.into(),
            value,
        }
    }
}

/// Bars of one scale.
#[derive(Debug)]
pub(crate) struct Panel {
    pub(crate) title: String,
    pub(crate) bars: Vec<Bar>,
}

const PANEL_WIDTH: f64 = 440.0;
const NAME_WIDTH: f64 = 120.0;
const VALUE_WIDTH: f64 = 60.0;
const LINE: f64 = 22.0;
const MARGIN: f64 = 16.0;
const STYLE: &str = "text{font:12px sans-serif;fill:#3d444d}.t{font-weight:bold;font-size:14px}.h{font-weight:bold}\
.b{fill:#9aa4af}.eco{fill:#2f81f7}.w{stroke:#6e7781;stroke-width:1.5}";

/// Draws panels of bars, two beside each other; a thin line tells the least and the most.
pub(crate) fn bars(title: &str, panels: &[Panel], decimals: usize) -> String {
    let rows = panels.len().div_ceil(2);
    let longest = panels
        .iter()
        .map(|panel| panel.bars.len())
        .max()
        .unwrap_or(0);
    let panel_height = (real(longest) + 1.6) * LINE;
    let width = MARGIN + PANEL_WIDTH * real(panels.len().min(2));
    let height = 2.0 * LINE + real(rows) * panel_height;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\">\n<title>{title}</title>\n<style>{STYLE}</style>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n<text class=\"t\" x=\"{MARGIN}\" y=\"20\">{title}</text>\n"
    );
    for (at, panel) in panels.iter().enumerate() {
        let x = MARGIN + PANEL_WIDTH * real(at % 2);
        let y = 2.0 * LINE + panel_height * real(at / 2);
        draw(&mut svg, panel, (x, y), decimals);
    }
    svg.push_str("</svg>\n");
    svg
}

fn draw(svg: &mut String, panel: &Panel, (x, y): (f64, f64), decimals: usize) {
    let most = panel
        .bars
        .iter()
        .map(|bar| bar.value.most)
        .fold(f64::MIN_POSITIVE, f64::max);
    let room = PANEL_WIDTH - NAME_WIDTH - VALUE_WIDTH - MARGIN;
    let mut put = |text: String| {
        svg.push_str(&text);
        svg.push('\n');
    };
    put(format!(
        "<text class=\"h\" x=\"{x:.0}\" y=\"{y:.0}\">{}</text>",
        panel.title
    ));
    for (at, Bar { name, value }) in panel.bars.iter().enumerate() {
        let top = y + LINE * (real(at) + 0.5);
        let (left, middle) = (x + NAME_WIDTH, top + LINE / 2.0);
        let [length, least, end] =
            [value.median, value.least, value.most].map(|value| value / most * room);
        let class = if name.starts_with("eco") { "eco" } else { "b" };
        let (base, height) = (middle + 4.0, LINE - 8.0);
        put(format!(
            "<text x=\"{:.0}\" y=\"{base:.0}\" text-anchor=\"end\">{name}</text>",
            left - 6.0
        ));
        put(format!(
            "<rect class=\"{class}\" x=\"{left:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\"/>",
            top + 4.0,
            length.max(1.0)
        ));
        put(format!(
            "<line class=\"w\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{middle:.1}\" y2=\"{middle:.1}\"/>",
            left + least,
            left + end
        ));
        put(format!(
            "<text x=\"{:.0}\" y=\"{base:.0}\">{:.decimals$}</text>",
            left + end + 6.0,
            value.median
        ));
    }
}

#[expect(clippy::cast_precision_loss, reason = "there are a few bars")]
const fn real(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_bar_fills_the_room_and_our_own_stands_out() {
        let value = |value| Spread::of([value]);
        let bars = vec![Bar::new("eco", value(2.0)), Bar::new("cat", value(1.0))];
        let panel = Panel {
            title: "one".into(),
            bars,
        };
        let svg = super::bars("Lines", &[panel], 1);
        assert!(
            svg.contains("class=\"eco\" x=\"136.0\" y=\"59.0\" width=\"244.0\""),
            "{svg}"
        );
        assert!(
            svg.contains("class=\"b\" x=\"136.0\" y=\"81.0\" width=\"122.0\""),
            "{svg}"
        );
        assert!(svg.contains(">2.0</text>"));
    }
}
