//! Stand-in until the number grammar lands.
/// Redis's integer grammar.
pub fn parse_i64(bytes: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(bytes).ok()?;
    let n: i64 = text.parse().ok()?;
    (n.to_string() == text).then_some(n)
}
/// Adds decimals.
pub fn add_long_double(current: Option<&[u8]>, delta: &[u8]) -> Option<String> {
    let parse = |b: &[u8]| std::str::from_utf8(b).ok()?.parse::<f64>().ok();
    let sum = current.map_or(Some(0.0), parse)? + parse(delta)?;
    sum.is_finite().then(|| sum.to_string())
}
