//! The letters of `notify-keyspace-events`: which are known and in which order Redis shows them.

/// The classes of events that `A` stands for, in Redis's order.
const ALL: &str = "g$lshzxetd";

/// Whether every letter is known.
pub(super) fn valid(letters: &str) -> bool {
    letters.chars().all(|letter| "AKEmn".contains(letter) || ALL.contains(letter))
}

/// The letters as `CONFIG GET` shows them: `A` for all classes (it hides `n`), then `K`, `E`, `m`.
pub(super) fn canonical(letters: &str) -> String {
    let has = |letter: char| letters.contains(letter);
    let mut shown = String::new();
    if has('A') || ALL.chars().all(has) {
        shown.push('A');
    } else {
        shown.extend(ALL.chars().chain(['n']).filter(|letter| has(*letter)));
    }
    shown.extend(['K', 'E', 'm'].into_iter().filter(|letter| has(*letter)));
    shown
}
