//! What FUNCTION DUMP gives and FUNCTION RESTORE takes: the code of each library behind a byte that says so, and the footer of DUMP.

use super::strings::{put_string, take_string};
use super::{FOOTER_LEN, PayloadError, open, seal};

/// A library follows.
pub const FUNCTION: u8 = 245;

/// The payload of these libraries' code.
pub fn dump_functions<'c>(codes: impl Iterator<Item = &'c [u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    for code in codes {
        out.push(FUNCTION);
        put_string(&mut out, code);
    }
    seal(out)
}

/// The code of each library in a payload.
pub fn restore_functions(payload: &[u8]) -> Result<Vec<Vec<u8>>, PayloadError> {
    let mut reader = open(payload)?;
    let mut codes = Vec::new();
    while reader.rest().len() > FOOTER_LEN {
        if reader.u8()? != FUNCTION {
            return Err(PayloadError::Format);
        }
        codes.push(take_string(&mut reader)?.into_owned());
    }
    Ok(codes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_have_these_bytes_as_in_redis_and_come_back() {
        let code = b"#!lua name=a\nredis.register_function(\"fa\",function() return 1 end)";
        let payload = dump_functions([&code[..]].into_iter());
        assert_eq!(payload[..3], [245, 0x40, 66]);
        assert_eq!(payload[69..71], [10, 0]);
        assert_eq!(payload[71..], *b"\x90\x8b+\\p\xbd7\xd6");
        assert_eq!(restore_functions(&payload).unwrap(), [code.to_vec()]);
        assert_eq!(
            dump_functions(std::iter::empty()),
            b"\n\x00]\x9b\\@\x0f\x7f\xa2\xda"
        );
        for len in 0..payload.len() {
            assert!(restore_functions(&payload[..len]).is_err());
        }
    }
}
