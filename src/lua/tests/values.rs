//! What values become on their way out: JSON, replies, words of commands.

use super::escaped;

#[test]
fn json_has_keys_and_ends_as_redis_has_it() {
    for (code, reply) in [
        (
            "return cjson.encode({[2^31]=1})",
            r#"$16|{\"2147483648\":1}|"#,
        ),
        (
            "return cjson.encode({[2^31-1]=1})",
            "-ERR user_script:1: Cannot serialise table: excessively sparse array script: sha, on @user_script:1.|",
        ),
        ("return cjson.encode({[2^31]=1,[1]=2})", "$3|[2]|"),
        (
            "return cjson.encode({[2^32+1]=1})",
            r#"$16|{\"4294967297\":1}|"#,
        ),
        (
            "return cjson.encode({[2^53]=1})",
            r#"$24|{\"9.007199254741e+15\":1}|"#,
        ),
        ("return cjson.encode({[1e300]=1})", r#"$12|{\"1e+300\":1}|"#),
        (
            "cjson.encode_sparse_array(true) return cjson.encode({[2^31-1]=1})",
            r#"$16|{\"2147483647\":1}|"#,
        ),
        (
            "cjson.encode_sparse_array(false,0) return cjson.encode({[20]=1})",
            "$98|[null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,1]|",
        ),
        (
            "cjson.encode_sparse_array(false,2,10) return cjson.encode({[1/0]=1})",
            "-ERR user_script:1: Cannot serialise number: must not be NaN or Inf script: sha, on @user_script:1.|",
        ),
        (r"return cjson.decode('[1]\0')", "*1|:1|"),
        (
            r"return cjson.decode('[1,\0 2]')",
            "-ERR user_script:1: Expected value but found T_END at character 4 script: sha, on @user_script:1.|",
        ),
        (
            r#"return cjson.decode('"a\0b"')"#,
            "-ERR user_script:1: Expected value but found unexpected end of string at character 3 script: sha, on @user_script:1.|",
        ),
        (
            r#"return cjson.decode('["a\0b"]')"#,
            "-ERR user_script:1: Expected value but found unexpected end of string at character 4 script: sha, on @user_script:1.|",
        ),
        (
            r#"return cjson.decode('["a\\\0b"]')"#,
            "-ERR user_script:1: Expected value but found invalid escape code at character 4 script: sha, on @user_script:1.|",
        ),
        (
            r"return cjson.decode('[tr\0ue]')",
            "-ERR user_script:1: Expected value but found invalid token at character 2 script: sha, on @user_script:1.|",
        ),
        (
            r"return cjson.decode('\0')",
            "-ERR user_script:1: Expected value but found T_END at character 1 script: sha, on @user_script:1.|",
        ),
        (
            r"return cjson.decode('1\0')",
            "-ERR user_script:1: JSON parser does not support UTF-16 or UTF-32 script: sha, on @user_script:1.|",
        ),
        (r"return cjson.decode('[1,2]\0\0xyz')", "*2|:1|:2|"),
    ] {
        assert_eq!(escaped(code), reply, "{code}");
    }
}

#[test]
fn replies_are_chosen_in_the_order_of_redis() {
    for (code, reply) in [
        ("return {map={a=1},big_number='12'}", "$2|12|"),
        (
            "return {set={a=1},verbatim_string={format='txt',string='abc'}}",
            "$3|abc|",
        ),
        (
            "return {big_number='12',verbatim_string={format='txt',string='abc'}}",
            "$2|12|",
        ),
        (
            "error({err=1/3})",
            "-0.33333333333333 script: sha, on @user_script:1.|",
        ),
        ("error({err=12})", "-12 script: sha, on @user_script:1.|"),
        (
            "error({err=1e300})",
            "-1e+300 script: sha, on @user_script:1.|",
        ),
        ("return {err=12}", "*0|"),
        ("return {{err=12}}", "*1|*0|"),
        (
            "return {{err='MYE x'},{err='MYE y'},{{err='OTHER z'}}}",
            "*3|-MYE x|-MYE y|*1|-OTHER z|",
        ),
        ("return {map={a={err='INMAP q'}}}", "*2|$1|a|-INMAP q|"),
    ] {
        assert_eq!(escaped(code), reply, "{code}");
    }
}

#[test]
fn the_log_takes_numbers_as_text() {
    for (code, reply) in [
        (r#"return redis.log("3","x")"#, "$-1|"),
        (
            r#"return redis.log(99,"x")"#,
            "-ERR Invalid debug level. script: sha, on @user_script:1.|",
        ),
        (
            r#"return redis.log(-1,"x")"#,
            "-ERR Invalid debug level. script: sha, on @user_script:1.|",
        ),
        (
            r#"return redis.log("a","x")"#,
            "-ERR First argument must be a number (log level). script: sha, on @user_script:1.|",
        ),
        (r#"return redis.log(1.5,"x")"#, "$-1|"),
        (
            r#"return redis.log(0/0,"x")"#,
            "-ERR Invalid debug level. script: sha, on @user_script:1.|",
        ),
        (
            "return redis.log(3)",
            "-ERR redis.log() requires two arguments or more. script: sha, on @user_script:1.|",
        ),
    ] {
        assert_eq!(escaped(code), reply, "{code}");
    }
}
