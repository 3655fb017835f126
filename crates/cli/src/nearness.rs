//! "Did you mean": the names closest to one that is none.

/// The hint where no name is close.
pub(crate) const WHAT_THERE_IS: &str = "eco list shows what there is";
/// Names shown at most.
const SHOWN: usize = 3;
/// How alike a name must be, from 0 (nothing in common) to 1 (the same).
const ALIKE: f64 = 0.75;

/// Returns the names that are most like `word`, the closest first.
pub(crate) fn closest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut scored: Vec<(f64, &str)> = names
        .into_iter()
        .map(|name| (likeness(word, name), name))
        .filter(|(score, _)| *score >= ALIKE)
        .collect();
    scored.sort_by(|left, right| right.0.total_cmp(&left.0).then(left.1.cmp(right.1)));
    scored.dedup_by(|left, right| left.1 == right.1);
    scored
        .into_iter()
        .take(SHOWN)
        .map(|(_, name)| name.to_owned())
        .collect()
}

/// In a short word one slip, such as two letters changed over, leaves little in common: it counts by itself.
fn likeness(word: &str, name: &str) -> f64 {
    let is_one_slip = word.len() > 2 && strsim::osa_distance(word, name) == 1;
    strsim::jaro_winkler(word, name).max(if is_one_slip { ALIKE } else { 0.0 })
}

/// Makes a hint of names; `None` without any.
pub(crate) fn did_you_mean(names: &[String]) -> Option<String> {
    (!names.is_empty()).then(|| format!("did you mean {}?", names.join(" or ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_finds_its_name_and_nonsense_finds_none() {
        let names = ["mds-fetcher", "mds-rest-binance", "public-api"];
        assert_eq!(
            closest("mds-fetchr", names).first(),
            Some(&"mds-fetcher".to_owned())
        );
        assert!(closest("zzz", names).is_empty());
        assert_eq!(closest("dve", ["dev", "production"]), ["dev"]);
        assert!(closest("a", ["b"]).is_empty());
    }
}
