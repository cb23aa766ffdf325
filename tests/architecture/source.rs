//! Rust source as far as the house rules need it: without comments and quotations, without what is compiled for tests only.
//!
//! Lines are kept, so that a violation can be named by its line.

/// Source without comments and without what is quoted, lines kept.
pub fn bare(source: &str) -> String {
    let text: Vec<char> = source.chars().collect();
    let mut out = String::with_capacity(source.len());
    let mut at = 0;
    while at < text.len() {
        let end = skipped(&text, at);
        if end == at {
            out.push(text[at]);
            at += 1;
        } else {
            out.push(' ');
            out.extend(text[at..end].iter().filter(|c| **c == '\n'));
            at = end;
        }
    }
    out
}

/// Where the comment or quotation that begins at `at` ends; `at` itself where none does.
fn skipped(text: &[char], at: usize) -> usize {
    let starts =
        |at: usize, word: &str| text[at..].iter().copied().take(word.len()).eq(word.chars());
    let find = |from: usize, c: char| {
        (from..text.len())
            .find(|n| text[*n] == c)
            .unwrap_or(text.len())
    };
    let after_word = at > 0 && (text[at - 1].is_alphanumeric() || text[at - 1] == '_');
    match text[at] {
        '/' if starts(at, "//") => find(at, '\n'),
        '/' if starts(at, "/*") => {
            let (mut end, mut depth) = (at, 0);
            while end < text.len() {
                let step = if starts(end, "/*") {
                    1
                } else {
                    -i32::from(starts(end, "*/"))
                };
                depth += step;
                end += if step == 0 { 1 } else { 2 };
                if depth == 0 {
                    break;
                }
            }
            end
        }
        'r' | 'b' | 'c' if !after_word => {
            let mut open = at;
            while open < text.len() && open < at + 2 && text[open].is_alphabetic() {
                open += 1;
            }
            let quote = find(open, '"');
            let hashes = quote - open;
            let raw = text[at..open].contains(&'r') && text[open..quote].iter().all(|c| *c == '#');
            if !raw || quote == text.len() {
                return at;
            }
            let close = format!("\"{}", "#".repeat(hashes));
            (quote + 1..text.len())
                .find(|n| starts(*n, &close))
                .map_or(text.len(), |n| n + close.len())
        }
        '"' => {
            let mut end = at + 1;
            while end < text.len() && text[end] != '"' {
                end += if text[end] == '\\' { 2 } else { 1 };
            }
            (end + 1).min(text.len())
        }
        '\'' if text.get(at + 1) == Some(&'\\') => (find(at + 3, '\'') + 1).min(text.len()),
        '\'' if text.get(at + 2) == Some(&'\'') => at + 3,
        _ => at,
    }
}

/// Bare source without the items marked `#[cfg(test)]`, and the names of the modules among them that stand in other files.
pub fn without_tests(bare: &str) -> (String, Vec<String>) {
    const MARK: &str = "#[cfg(test)]";
    let (mut out, mut modules, mut rest) = (String::new(), Vec::new(), bare);
    while let Some(start) = rest.find(MARK) {
        out.push_str(&rest[..start]);
        let item = &rest[start + MARK.len()..];
        let open = item.find(['{', ';']).unwrap_or(item.len());
        if let Some(name) = item[..open].trim().rsplit(' ').next()
            && item[..open].contains("mod ")
            && item[open..].starts_with(';')
        {
            modules.push(name.to_owned());
        }
        let (mut depth, mut end) = (0, item.len());
        for (n, c) in item.char_indices().skip_while(|(n, _)| *n < open) {
            depth += i32::from(c == '{') - i32::from(c == '}');
            if depth == 0 {
                end = n + 1;
                break;
            }
        }
        out.extend(item[..end].chars().filter(|c| *c == '\n'));
        rest = &item[end..];
    }
    out.push_str(rest);
    (out, modules)
}
