//! Functions of Lua's library behind a check: all else about them is as in Redis, whose replies these are.

use super::{escaped, run};

#[test]
fn guarded_functions_answer_and_refuse_as_those_of_redis() {
    for (code, reply) in [
        (
            r#"return unpack({},0,2147483647)"#,
            r#"-ERR user_script:1: too many results to unpack script: sha, on @user_script:1.|"#,
        ),
        (
            r#"return unpack({},-2147483648,2147483647)"#,
            r#"-ERR user_script:1: too many results to unpack script: sha, on @user_script:1.|"#,
        ),
        (
            r#"return {pcall(unpack,{},-2,2147483647)}"#,
            r#"*2|$-1|$26|too many results to unpack|"#,
        ),
        (
            r#"return {pcall(unpack,{1},-2147483648)}"#,
            r#"*2|$-1|$26|too many results to unpack|"#,
        ),
        (r#"return {unpack({1,2,3},2)}"#, r#"*2|:2|:3|"#),
        (r#"return {unpack({1,2,3},2,3)}"#, r#"*2|:2|:3|"#),
        (r#"return {unpack({1,2,3},'2',nil)}"#, r#"*2|:2|:3|"#),
        (
            r#"return {pcall(unpack,{},'x')}"#,
            r#"*2|$-1|$52|bad argument #2 to \'?\' (number expected, got string)|"#,
        ),
        (
            r#"return {pcall(unpack,1,0,2147483647)}"#,
            r#"*2|$-1|$51|bad argument #1 to \'?\' (table expected, got number)|"#,
        ),
        (
            r#"return unpack({},1,8000)"#,
            r#"-ERR user_script:1: too many results to unpack script: sha, on @user_script:1.|"#,
        ),
        (r#"return string.find('abc1',1)"#, r#":4|"#),
        (r#"return {string.gsub('a1b1',1,2)}"#, r#"*2|$4|a2b2|:2|"#),
        (r#"return {('a1b1'):gsub(1,'x')}"#, r#"*2|$4|axbx|:2|"#),
        (
            r#"for w in string.gmatch('a1b1',1) do return w end"#,
            r#"$1|1|"#,
        ),
        (r#"return string.match(123,2)"#, r#"$1|2|"#),
        (r#"return type(next(redis))"#, r#"$6|string|"#),
        (r#"return next(_G)~=nil"#, r#":1|"#),
        (
            r#"return table.foreach(bit,function(k) return k end)~=nil"#,
            r#":1|"#,
        ),
        (
            r#"local n=0 for k in pairs(redis) do n=n+1 end return n>10"#,
            r#":1|"#,
        ),
        (
            r#"local n=0 for k in next,redis do n=n+1 end return n>10"#,
            r#":1|"#,
        ),
        (
            r#"local n=0 for k in pairs({1,2,x=3}) do n=n+1 end return n"#,
            r#":3|"#,
        ),
        (
            r#"return string.find(("z"):rep(256),"%f")"#,
            r#"-ERR user_script:1: missing \'[\' after \'%f\' in pattern script: sha, on @user_script:1.|"#,
        ),
        (
            r#"return {pcall(function() return string.find("-1","%1",{}) end)}"#,
            r#"*2|$-1|$69|user_script:1: bad argument #3 to \'find\' (number expected, got table)|"#,
        ),
        (
            r#"return setmetatable(1,2)"#,
            r#"-ERR user_script:1: bad argument #1 to \'setmetatable\' (table expected, got number) script: sha, on @user_script:1.|"#,
        ),
        (
            r#"return rawset(1,2,3)"#,
            r#"-ERR user_script:1: bad argument #1 to \'rawset\' (table expected, got number) script: sha, on @user_script:1.|"#,
        ),
        (
            r#"return rawget()"#,
            r#"-ERR user_script:1: bad argument #1 to \'rawget\' (table expected, got no value) script: sha, on @user_script:1.|"#,
        ),
        (
            r#"return pairs(1)"#,
            r#"-ERR user_script:1: bad argument #1 to \'pairs\' (table expected, got number) script: sha, on @user_script:1.|"#,
        ),
        (
            r#"return next(1)"#,
            r#"-ERR user_script:1: bad argument #1 to \'next\' (table expected, got number) script: sha, on @user_script:1.|"#,
        ),
        (
            r#"return table.insert(1,2)"#,
            r#"-ERR user_script:1: bad argument #1 to \'insert\' (table expected, got number) script: sha, on @user_script:1.|"#,
        ),
        (
            r#"return table.insert({},1,2,3)"#,
            r#"-ERR user_script:1: wrong number of arguments to \'insert\' script: sha, on @user_script:1.|"#,
        ),
        (
            r#"return table.insert(redis,1)"#,
            r#"-ERR Attempt to modify a readonly table script: sha, on @user_script:1.|"#,
        ),
        (
            r#"return table.insert(redis,1,2)"#,
            r#"-ERR Attempt to modify a readonly table script: sha, on @user_script:1.|"#,
        ),
        (
            r#"return table.insert(redis,'x',2)"#,
            r#"-ERR user_script:1: bad argument #2 to \'insert\' (number expected, got string) script: sha, on @user_script:1.|"#,
        ),
        (
            r#"return table.insert(redis)"#,
            r#"-ERR user_script:1: wrong number of arguments to \'insert\' script: sha, on @user_script:1.|"#,
        ),
        (
            r#"return setmetatable(redis,{})"#,
            r#"-ERR Attempt to modify a readonly table script: sha, on @user_script:1.|"#,
        ),
        (
            r#"return setmetatable(redis,1)"#,
            r#"-ERR user_script:1: bad argument #2 to \'setmetatable\' (nil or table expected) script: sha, on @user_script:1.|"#,
        ),
        (
            r#"return setmetatable(_G,{})"#,
            r#"-ERR Attempt to modify a readonly table script: sha, on @user_script:1.|"#,
        ),
        (
            r#"return rawset(_G,"x",1)"#,
            r#"-ERR Attempt to modify a readonly table script: sha, on @user_script:1.|"#,
        ),
        (
            r#"return rawset(_G,"x")"#,
            r#"-ERR user_script:1: bad argument #3 to \'rawset\' (value expected) script: sha, on @user_script:1.|"#,
        ),
        (
            r#"return string.match()"#,
            r#"-ERR user_script:1: bad argument #1 to \'match\' (string expected, got no value) script: sha, on @user_script:1.|"#,
        ),
        (
            r#"return string.gsub('x','(')"#,
            r#"-ERR user_script:1: bad argument #3 to \'gsub\' (string/function/table expected) script: sha, on @user_script:1.|"#,
        ),
        (
            r#"return ('x'):find('(')"#,
            r#"-ERR user_script:1: unfinished capture script: sha, on @user_script:1.|"#,
        ),
        (
            r#"return string.gfind()"#,
            r#"-ERR user_script:1: bad argument #1 to \'gfind\' (string expected, got no value) script: sha, on @user_script:1.|"#,
        ),
        (
            r#"return {type(getmetatable(redis)),type(getmetatable(_G)),type(getmetatable('')),type(getmetatable({}))}"#,
            r#"*4|$3|nil|$5|table|$5|table|$3|nil|"#,
        ),
        (
            r#"return getmetatable()"#,
            r#"-ERR user_script:1: bad argument #1 to \'getmetatable\' (value expected) script: sha, on @user_script:1.|"#,
        ),
        (r#"return rawget(redis,'call')~=nil"#, r#":1|"#),
        (r#"return rawget(_G,'nothing')"#, r#"$-1|"#),
        (
            r#"local t=setmetatable({},{__metatable=1}) return setmetatable(t,{})"#,
            r#"-ERR user_script:1: cannot change a protected metatable script: sha, on @user_script:1.|"#,
        ),
        (
            r#"return loadstring()"#,
            r#"-ERR user_script:1: bad argument #1 to \'loadstring\' (string expected, got no value) script: sha, on @user_script:1.|"#,
        ),
        (r#"return loadstring(string.char(27)..'x')"#, r#"$-1|"#),
        (r#"return loadstring('return 7')()"#, r#":7|"#),
        (r#"return load(function() return nil end)()"#, r#"$-1|"#),
        (
            r#"return {pcall(next,{},'x')}"#,
            r#"*2|$-1|$21|invalid key to \'next\'|"#,
        ),
        (
            r#"return next({},'x')"#,
            r#"-ERR invalid key to \'next\' script: sha, on @user_script:1.|"#,
        ),
    ] {
        assert_eq!(escaped(code), reply, "{code}");
    }
}

#[test]
fn what_is_sought_as_it_stands_may_be_of_any_length() {
    let code = "return string.find(string.rep('*',5000),string.rep('*',4500),1,true)";
    assert_eq!(run(code), ":1|");
    let code = "return {pcall(string.find,string.rep('*',5000),string.rep('a*',4500))}";
    assert_eq!(run(code), "*2|$-1|$19|pattern too complex|");
}
