//! Several measurements of one thing: the middle one, and how far they are apart.

/// The least, the middle and the most.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Spread {
    pub(crate) least: f64,
    pub(crate) median: f64,
    pub(crate) most: f64,
}

impl Spread {
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        Self {
            least: values.first().copied().unwrap_or_default(),
            median: percentile(&values, 50),
            most: values.last().copied().unwrap_or_default(),
        }
    }

    /// `1.52 (1.40–1.61)`.
    pub(crate) fn shown(&self, decimals: usize) -> String {
        let Self {
            least,
            median,
            most,
        } = self;
        format!("{median:.decimals$} ({least:.decimals$}–{most:.decimals$})")
    }
}

/// What so many of a hundred values do not exceed; the values are sorted.
pub(crate) fn percentile(sorted: &[f64], hundredths: usize) -> f64 {
    let at = (sorted.len() * hundredths / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).copied().unwrap_or_default()
}

/// A count as a number that can be divided; exact for all that is counted here.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub(crate) const fn real(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_several_is_told_with_the_ends() {
        let spread = Spread::of([3.0, 1.0, 2.0]);
        assert_eq!(spread.shown(1), "2.0 (1.0–3.0)");
        assert_eq!(Spread::of([]), Spread::default());
    }

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let values: Vec<f64> = (0..100).map(f64::from).collect();
        assert!((percentile(&values, 99) - 99.0).abs() < f64::EPSILON);
        assert!((percentile(&[7.0], 99) - 7.0).abs() < f64::EPSILON);
    }
}
