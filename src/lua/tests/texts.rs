//! Texts of errors and statuses, byte for byte.

use super::escaped;

#[test]
fn texts_end_where_and_as_those_of_redis_do() {
    for (code, reply) in [
        (r"return {ok='a\0b'}", "+a|"),
        (r"return {err='a b\0c'}", "-a b|"),
        (
            r"error({err='a b\0c'})",
            "-a b script: sha, on @user_script:1.|",
        ),
        (
            r"error('a b\0c')",
            "-ERR user_script:1: a b script: sha, on @user_script:1.|",
        ),
        (r"return redis.error_reply('a b\0c')", "-a b|"),
        ("return redis.error_reply('a ')", "-a |"),
        ("return redis.error_reply('a b ')", "-a b |"),
        (r"return redis.error_reply('a b\n')", "-a b|"),
        (r"return redis.error_reply('a b\r\n')", "-a b|"),
        ("return redis.error_reply('')", "-ERR |"),
        ("return redis.error_reply('-')", "-ERR |"),
        ("return redis.error_reply(' ')", "- |"),
        (r"return redis.error_reply('a\n')", "-ERR a|"),
        (r"return redis.error_reply('a\nb')", "-ERR a b|"),
        (r"return redis.error_reply('-a b\nc')['err']", r"$5|a b\nc|"),
        ("return redis.error_reply('a ')['err']", "$2|a |"),
        (r"return redis.error_reply('-a\0b ')['err']", "$5|ERR a|"),
        (r"return redis.error_reply('a b \r\n')['err']", "$4|a b |"),
        (r"return redis.error_reply('ab\r\n')['err']", "$6|ERR ab|"),
        (r"error({err='\n'})", "-  script: sha, on @user_script:1.|"),
        (
            r"error({err='a\n'})",
            "-a  script: sha, on @user_script:1.|",
        ),
        (
            r"error({err='a \r\n'})",
            "-a    script: sha, on @user_script:1.|",
        ),
        ("error({err=''})", "- script: sha, on @user_script:1.|"),
        (r"return {err='a \r\n'}", "-a |"),
        (r"return {err='\n'}", "-|"),
        (r"return {{err='\n'}, {err='a '}}", "*2|-|-a |"),
        (r"return {ok='\n'}", "+ |"),
        (
            r"error('a\n')",
            "-ERR user_script:1: a  script: sha, on @user_script:1.|",
        ),
        (
            "error('a  ', 0)",
            "-ERR a   script: sha, on @user_script:1.|",
        ),
        (
            "error(cjson.null)",
            "-ERR userdata: (nil) script: sha, on @user_script:1.|",
        ),
        ("error(true)", "-ERR true script: sha, on @user_script:1.|"),
        ("error(nil)", "-ERR nil script: sha, on @user_script:1.|"),
        (
            "error(12.5)",
            "-ERR user_script:1: 12.5 script: sha, on @user_script:1.|",
        ),
        ("error()", "-ERR nil script: sha, on @user_script:1.|"),
        (
            r"struct.pack('\255')",
            r"-ERR user_script:1: bad argument #1 to \'pack\' (invalid format option \'\xff\') script: sha, on @user_script:1.|",
        ),
        (
            r"error('\255')",
            r"-ERR user_script:1: \xff script: sha, on @user_script:1.|",
        ),
        (
            r"error({err='\255 a'})",
            r"-\xff a script: sha, on @user_script:1.|",
        ),
        (
            r"return cjson.encode_sparse_array('\255')",
            r"-ERR user_script:1: bad argument #1 to \'encode_sparse_array\' (invalid option \'\xff\') script: sha, on @user_script:1.|",
        ),
        (
            r"local t = _G['\255']",
            r"-ERR user_script:1: Script attempted to access nonexistent global variable \'\xff\' script: sha, on @user_script:1.|",
        ),
    ] {
        assert_eq!(escaped(code), reply, "{code}");
    }
}

#[test]
fn code_that_is_no_text_is_refused_in_lua_s_own_words() {
    for (code, error) in [
        (
            &b"local x = \xe9"[..],
            r"!user_script:1: unexpected symbol near \'\xe9\'",
        ),
        (
            b"local x = '\xe9",
            r"!user_script:1: unfinished string near \'<eof>\'",
        ),
        (
            b"\x1bLua",
            r"!user_script:1: unexpected symbol near \'char(27)\'",
        ),
        (
            b"\n\x1bLua",
            r"!user_script:2: unexpected symbol near \'char(27)\'",
        ),
    ] {
        assert_eq!(escaped(code), error);
    }
}

#[test]
fn long_brackets_may_stand_within_others() {
    assert_eq!(escaped("return [[ [[ ]]"), "$4| [[ |");
    assert_eq!(escaped("--[[ [[ ]]return 1"), ":1|");
}
