//! `queue-owner`: lines add up, CONFIG SET says all, CONFIG REWRITE keeps them.

use super::rewrite::load_file;
use super::*;

fn owners(settings: &Settings) -> Vec<(&str, &str, u16)> {
    let lines = settings.queue_owner.iter();
    lines
        .map(|line| (line.pattern.as_str(), line.host.as_str(), line.port))
        .collect()
}

#[test]
fn lines_of_owners_add_up_in_their_order_and_config_set_replaces_them_all() {
    let text = "queue-owner jobs:* 10.0.0.1 6379\nqueue-owner * host 1\n";
    let mut settings = load_text(text).unwrap();
    let both = [("jobs:*", "10.0.0.1", 6379), ("*", "host", 1)];
    assert_eq!(owners(&settings), both);
    let value = "jobs:* 10.0.0.1 6379 * host 1";
    assert_eq!(shown(&settings, "queue-owner"), value);
    settings.set(&[("queue-owner", "a b 2")]).unwrap();
    assert_eq!(owners(&settings), [("a", "b", 2)]);
    settings.set(&[("queue-owner", value)]).unwrap();
    assert_eq!(owners(&settings), both);
    settings.set(&[("queue-owner", "")]).unwrap();
    assert_eq!(owners(&settings), []);
    for wrong in ["a", "a b", "a b 0", "a b 65536", "a b c", "a b 1 c"] {
        assert!(settings.set(&[("queue-owner", wrong)]).is_err(), "{wrong}");
    }
}

#[test]
fn owners_are_rewritten_line_by_line() {
    let scratch = Scratch::new("owners");
    let path = scratch.write("a.conf", "port 1\nqueue-owner \"jobs '*\" h 6379\n");
    let mut settings = load_file(&path, &[]);
    assert_eq!(owners(&settings), [("jobs '*", "h", 6379)]);
    settings.rewrite().unwrap();
    assert_eq!(owners(&load_file(&path, &[])), owners(&settings));
    settings.set(&[("queue-owner", "a b 2 c d 3")]).unwrap();
    settings.rewrite().unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("\nqueue-owner a b 2\n"), "{text}");
    assert!(text.contains("\nqueue-owner c d 3"), "{text}");
    settings.set(&[("queue-owner", "")]).unwrap();
    settings.rewrite().unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains("queue-owner"), "{text}");
}
