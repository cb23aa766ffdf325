//! Long brackets within which others begin. Redis's Lua takes `[[ [[ ]]` for one text; the one here refuses it, and is given the same
//! text in brackets of a higher level.

use std::borrow::Cow;

use memchr::memmem;

/// By which Lua's refusal is known.
const REFUSAL: &[u8] = b"nesting of [[...]] is deprecated";

/// The same code in other brackets, where that is why it was refused.
pub fn rewritten(code: &[u8], why: &[u8]) -> Option<Vec<u8>> {
    memmem::find(why, REFUSAL)?;
    match without_nesting(code) {
        Cow::Owned(code) => Some(code),
        Cow::Borrowed(_) => None,
    }
}

fn without_nesting(code: &[u8]) -> Cow<'_, [u8]> {
    let mut out = Vec::new();
    let (mut at, mut copied) = (0, 0);
    while let Some(rest) = code.get(at..).filter(|rest| !rest.is_empty()) {
        let comment = if rest.starts_with(b"--") { 2 } else { 0 };
        let bracket = rest.get(comment..).unwrap_or_default();
        if let Some(level) = level_of(bracket) {
            let start = at + comment + level + 2;
            let close = closing(level);
            let inside = code.get(start..).unwrap_or_default();
            let Some(len) = memmem::find(inside, &close) else {
                break;
            };
            let inside = &inside[..len];
            at = start + len + close.len();
            if level == 0 && memmem::find(inside, b"[[").is_some() {
                let close = free_closing(inside);
                out.extend_from_slice(&code[copied..start - 2]);
                out.extend(
                    close
                        .iter()
                        .map(|byte| if *byte == b']' { b'[' } else { *byte }),
                );
                out.extend_from_slice(inside);
                out.extend_from_slice(&close);
                copied = at;
            }
        } else if comment > 0 {
            at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        } else {
            at += len_of(rest);
        }
    }
    if copied == 0 {
        return Cow::Borrowed(code);
    }
    out.extend_from_slice(&code[copied..]);
    Cow::Owned(out)
}

/// The level of the long bracket that these bytes begin with.
fn level_of(bytes: &[u8]) -> Option<usize> {
    let rest = bytes.strip_prefix(b"[")?;
    let level = rest.iter().take_while(|byte| **byte == b'=').count();
    (rest.get(level) == Some(&b'[')).then_some(level)
}

fn closing(level: usize) -> Vec<u8> {
    [b"]", &*b"=".repeat(level), b"]"].concat()
}

/// What ends this text and does not stand in it.
fn free_closing(inside: &[u8]) -> Vec<u8> {
    (1..)
        .map(closing)
        .find(|close| memmem::find(&[inside, close].concat(), close) == Some(inside.len()))
        .unwrap_or_default()
}

/// How long the text in quotes is that these bytes begin with, or the byte that is none.
fn len_of(bytes: &[u8]) -> usize {
    let Some(quote @ (b'"' | b'\'')) = bytes.first() else {
        return 1;
    };
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        at += if *byte == b'\\' { 2 } else { 1 };
        if byte == quote || *byte == b'\n' {
            break;
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_brackets_with_others_in_them_change() {
        for (code, same) in [
            ("return [[ [[ ]]", "return [=[ [[ ]=]"),
            ("--[[ [[ ]]return 1", "--[=[ [[ ]=]return 1"),
            ("return [[[[]=] ]]", "return [==[[[]=] ]==]"),
            (
                "return '[[ [[ ]]', [[ [[ ]]",
                "return '[[ [[ ]]', [=[ [[ ]=]",
            ),
            (
                "-- [[ [[ ]]\nreturn [[\n[[]]",
                "-- [[ [[ ]]\nreturn [=[\n[[]=]",
            ),
            (
                "return [[a]], [=[ [[ ]=], '\\'[['",
                "return [[a]], [=[ [[ ]=], '\\'[['",
            ),
            ("return [[ [[ ", "return [[ [[ "),
        ] {
            let found = without_nesting(code.as_bytes());
            assert_eq!(String::from_utf8_lossy(&found), same);
        }
        assert_eq!(rewritten(b"return [[ [[ ]]", b"another error"), None);
    }
}
