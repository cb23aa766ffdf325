//! Where errors are said to be and what refused arguments are said to be of: nothing of the sandbox shows.

use super::{escaped, run};

#[test]
fn errors_are_raised_where_the_script_says() {
    for (code, reply) in [
        (
            r#"return error("x")"#,
            "-ERR user_script:1: x script: sha, on @user_script:1.|",
        ),
        (
            r#"return error({err="ERR a"})"#,
            "-ERR a script: sha, on @user_script:1.|",
        ),
        (r#"error("x",3)"#, "-ERR x script: sha, on @user_script:1.|"),
        (r#"error("x",2)"#, "-ERR x script: sha, on @user_script:1.|"),
        (
            r#"error("x",1)"#,
            "-ERR user_script:1: x script: sha, on @user_script:1.|",
        ),
        (r#"error("x",4)"#, "-ERR x script: sha, on @user_script:1.|"),
        (r#"return {pcall(error,"x",1)}"#, "*2|$-1|$1|x|"),
        (
            r#"return {pcall(error,"x",2)}"#,
            "*2|$-1|$16|user_script:1: x|",
        ),
        (r#"return {pcall(error,"x",3)}"#, "*2|$-1|$1|x|"),
        (
            "return {pcall(function() error('x',1) end)}",
            "*2|$-1|$16|user_script:1: x|",
        ),
        (
            "return {pcall(function() error('x',2) end)}",
            "*2|$-1|$1|x|",
        ),
        (
            "return {pcall(function() error('x',3) end)}",
            "*2|$-1|$16|user_script:1: x|",
        ),
        (
            "local function f() error('x',2) end f()",
            "-ERR user_script:1: x script: sha, on @user_script:1.|",
        ),
        (
            "local function f() error('x',3) end f()",
            "-ERR x script: sha, on @user_script:1.|",
        ),
        (
            "return {pcall(table.insert,{})}",
            r"*2|$-1|$37|wrong number of arguments to \'insert\'|",
        ),
        (
            "return {pcall(rawget,1,2)}",
            r"*2|$-1|$51|bad argument #1 to \'?\' (table expected, got number)|",
        ),
        (
            "return {pcall(setmetatable,1,{})}",
            r"*2|$-1|$51|bad argument #1 to \'?\' (table expected, got number)|",
        ),
        (
            "return {pcall(pairs)}",
            r"*2|$-1|$53|bad argument #1 to \'?\' (table expected, got no value)|",
        ),
        (
            "return {pcall(next)}",
            r"*2|$-1|$53|bad argument #1 to \'?\' (table expected, got no value)|",
        ),
        ("pcall()", "$-1|"),
        (
            "xpcall()",
            r"-ERR user_script:1: bad argument #2 to \'xpcall\' (value expected) script: sha, on @user_script:1.|",
        ),
        (
            "xpcall(1)",
            r"-ERR user_script:1: bad argument #2 to \'xpcall\' (value expected) script: sha, on @user_script:1.|",
        ),
        (
            "return {xpcall(1,2)}",
            "*2|$-1|$23|error in error handling|",
        ),
        (
            "return {pcall(1)}",
            "*2|$-1|$30|attempt to call a number value|",
        ),
        (
            "return {pcall(pcall)}",
            "*3|:1|$-1|$31|attempt to call a boolean value|",
        ),
        (
            "return {pcall(xpcall)}",
            r"*2|$-1|$39|bad argument #2 to \'?\' (value expected)|",
        ),
        ("return {pcall(error,{err=true})}", "*3|$-1|*0|:1|"),
        (
            "local a,b=pcall(error,{err=true}) return {tostring(a),type(b)}",
            "*2|$5|false|$5|table|",
        ),
        (
            "local a,b=pcall(error,{err='x y'}) return {tostring(a),type(b)}",
            "*2|$5|false|$6|string|",
        ),
        (
            "local a,b=pcall(error,{err=5}) return {tostring(a),type(b)}",
            "*2|$5|false|$6|number|",
        ),
        (
            "local a,b=pcall(error,{}) return {tostring(a),type(b)}",
            "*2|$5|false|$5|table|",
        ),
        (
            "return {xpcall(function() error('x') end,function(e) return e end)}",
            "*2|$-1|$16|user_script:1: x|",
        ),
        (
            "return {xpcall(function() error('x') end,function(e) return e end,1)}",
            "*2|$-1|$16|user_script:1: x|",
        ),
        ("return {load(function() error('q') end)}", "*0|"),
        (
            "return {coroutine.resume(coroutine.create(function() error('x') end))}",
            "*2|$-1|$16|user_script:1: x|",
        ),
        (
            "coroutine.wrap(function() error('x') end)()",
            "-ERR user_script:1: user_script:1: x script: sha, on @user_script:1.|",
        ),
        (
            "table.sort({3,2,1},function() error('s') end)",
            "-ERR user_script:1: s script: sha, on @user_script:1.|",
        ),
        (
            "string.gsub('a','a',function() error('s') end)",
            "-ERR user_script:1: s script: sha, on @user_script:1.|",
        ),
    ] {
        assert_eq!(escaped(code), reply, "{code}");
    }
}

#[test]
fn refused_arguments_are_those_of_the_function_that_was_called() {
    for (code, reply) in [
        (
            "rawget(1,2)",
            r"-ERR user_script:1: bad argument #1 to \'rawget\' (table expected, got number) script: sha, on @user_script:1.|",
        ),
        (
            "rawset(1,2)",
            r"-ERR user_script:1: bad argument #1 to \'rawset\' (table expected, got number) script: sha, on @user_script:1.|",
        ),
        (
            "rawset({},2)",
            r"-ERR user_script:1: bad argument #3 to \'rawset\' (value expected) script: sha, on @user_script:1.|",
        ),
        (
            "rawset()",
            r"-ERR user_script:1: bad argument #1 to \'rawset\' (table expected, got no value) script: sha, on @user_script:1.|",
        ),
        (
            "rawget()",
            r"-ERR user_script:1: bad argument #1 to \'rawget\' (table expected, got no value) script: sha, on @user_script:1.|",
        ),
        (
            "rawget({})",
            r"-ERR user_script:1: bad argument #2 to \'rawget\' (value expected) script: sha, on @user_script:1.|",
        ),
        (
            "rawset({},nil,1)",
            "-ERR table index is nil script: sha, on @user_script:1.|",
        ),
        (
            "setmetatable(1,{})",
            r"-ERR user_script:1: bad argument #1 to \'setmetatable\' (table expected, got number) script: sha, on @user_script:1.|",
        ),
        (
            "setmetatable({},1)",
            r"-ERR user_script:1: bad argument #2 to \'setmetatable\' (nil or table expected) script: sha, on @user_script:1.|",
        ),
        (
            "setmetatable({})",
            r"-ERR user_script:1: bad argument #2 to \'setmetatable\' (nil or table expected) script: sha, on @user_script:1.|",
        ),
        (
            "setmetatable()",
            r"-ERR user_script:1: bad argument #1 to \'setmetatable\' (table expected, got no value) script: sha, on @user_script:1.|",
        ),
        (
            "setmetatable(setmetatable({},{__metatable=1}),{})",
            "-ERR user_script:1: cannot change a protected metatable script: sha, on @user_script:1.|",
        ),
        (
            "getmetatable()",
            r"-ERR user_script:1: bad argument #1 to \'getmetatable\' (value expected) script: sha, on @user_script:1.|",
        ),
        ("return getmetatable(1)", "$-1|"),
        (
            "table.insert({})",
            r"-ERR user_script:1: wrong number of arguments to \'insert\' script: sha, on @user_script:1.|",
        ),
        (
            "table.insert()",
            r"-ERR user_script:1: bad argument #1 to \'insert\' (table expected, got no value) script: sha, on @user_script:1.|",
        ),
        (
            "table.insert(1,2)",
            r"-ERR user_script:1: bad argument #1 to \'insert\' (table expected, got number) script: sha, on @user_script:1.|",
        ),
        (
            "table.insert({},1,2,3)",
            r"-ERR user_script:1: wrong number of arguments to \'insert\' script: sha, on @user_script:1.|",
        ),
        (
            "table.insert({},'x',2)",
            r"-ERR user_script:1: bad argument #2 to \'insert\' (number expected, got string) script: sha, on @user_script:1.|",
        ),
        (
            "pairs()",
            r"-ERR user_script:1: bad argument #1 to \'pairs\' (table expected, got no value) script: sha, on @user_script:1.|",
        ),
        (
            "pairs(1)",
            r"-ERR user_script:1: bad argument #1 to \'pairs\' (table expected, got number) script: sha, on @user_script:1.|",
        ),
        (
            "load()",
            r"-ERR user_script:1: bad argument #1 to \'load\' (function expected, got no value) script: sha, on @user_script:1.|",
        ),
        (
            "load(1)",
            r"-ERR user_script:1: bad argument #1 to \'load\' (function expected, got number) script: sha, on @user_script:1.|",
        ),
        (
            "load('return 1')",
            r"-ERR user_script:1: bad argument #1 to \'load\' (function expected, got string) script: sha, on @user_script:1.|",
        ),
        ("return {load(function() return {} end)}", "*0|"),
        (
            "local d return load(function() if not d then d=1 return 'return 7' end end)()",
            ":7|",
        ),
        ("return {load(function() return nil end,1)}", "*1|$-1|"),
        ("return {loadstring('x x')}", "*0|"),
        ("return {loadstring('x x','n')}", "*0|"),
        (
            "return {loadstring()}",
            r"-ERR user_script:1: bad argument #1 to \'loadstring\' (string expected, got no value) script: sha, on @user_script:1.|",
        ),
        (r"return {loadstring('\27Lua')}", "*0|"),
        (
            "local d return {load(function() if not d then d=1 return 'x x' end end)}",
            "*0|",
        ),
        (
            "setmetatable(_G,1)",
            r"-ERR user_script:1: bad argument #2 to \'setmetatable\' (nil or table expected) script: sha, on @user_script:1.|",
        ),
        (
            "setmetatable(_G,{})",
            "-ERR Attempt to modify a readonly table script: sha, on @user_script:1.|",
        ),
        (
            "setmetatable(redis,1)",
            r"-ERR user_script:1: bad argument #2 to \'setmetatable\' (nil or table expected) script: sha, on @user_script:1.|",
        ),
        (
            "setmetatable(_G)",
            r"-ERR user_script:1: bad argument #2 to \'setmetatable\' (nil or table expected) script: sha, on @user_script:1.|",
        ),
        (
            "rawset(_G,1)",
            r"-ERR user_script:1: bad argument #3 to \'rawset\' (value expected) script: sha, on @user_script:1.|",
        ),
        (
            "rawset(_G,1,2)",
            "-ERR Attempt to modify a readonly table script: sha, on @user_script:1.|",
        ),
        (
            "table.insert(_G,1)",
            "-ERR Attempt to modify a readonly table script: sha, on @user_script:1.|",
        ),
        (
            "return _G[true]",
            "-ERR user_script:1: Second argument to luaProtectedTableError must be a string or number script: sha, on @user_script:1.|",
        ),
        (
            "return _G[1]",
            r"-ERR user_script:1: Script attempted to access nonexistent global variable \'1\' script: sha, on @user_script:1.|",
        ),
        (
            "return _G[{}]",
            "-ERR user_script:1: Second argument to luaProtectedTableError must be a string or number script: sha, on @user_script:1.|",
        ),
        (
            "return _G[1.5]",
            r"-ERR user_script:1: Script attempted to access nonexistent global variable \'1.5\' script: sha, on @user_script:1.|",
        ),
        (
            "return _G[print]",
            r"-ERR user_script:1: Script attempted to access nonexistent global variable \'print\' script: sha, on @user_script:1.|",
        ),
        (
            "return _G[cjson.null]",
            "-ERR user_script:1: Second argument to luaProtectedTableError must be a string or number script: sha, on @user_script:1.|",
        ),
        (
            "_G[true]=1",
            "-ERR user_script:1: Attempt to modify a readonly table script: sha, on @user_script:1.|",
        ),
        (
            "bit.bxor(1,'a',{})",
            r"-ERR user_script:1: bad argument #3 to \'bxor\' (number expected, got table) script: sha, on @user_script:1.|",
        ),
        (
            "bit.bxor(1,{},'a')",
            r"-ERR user_script:1: bad argument #3 to \'bxor\' (number expected, got string) script: sha, on @user_script:1.|",
        ),
        (
            "bit.band('a')",
            r"-ERR user_script:1: bad argument #1 to \'band\' (number expected, got string) script: sha, on @user_script:1.|",
        ),
        (
            "bit.band()",
            r"-ERR user_script:1: bad argument #1 to \'band\' (number expected, got no value) script: sha, on @user_script:1.|",
        ),
        (
            "bit.lshift('a','b')",
            r"-ERR user_script:1: bad argument #1 to \'lshift\' (number expected, got string) script: sha, on @user_script:1.|",
        ),
        (
            "bit.lshift(1)",
            r"-ERR user_script:1: bad argument #2 to \'lshift\' (number expected, got no value) script: sha, on @user_script:1.|",
        ),
        (
            "bit.tohex('a','b')",
            r"-ERR user_script:1: bad argument #1 to \'tohex\' (number expected, got string) script: sha, on @user_script:1.|",
        ),
        (
            "string.rep()",
            r"-ERR user_script:1: bad argument #1 to \'rep\' (string expected, got no value) script: sha, on @user_script:1.|",
        ),
        (
            "('x'):rep()",
            r"-ERR user_script:1: bad argument #1 to \'rep\' (number expected, got no value) script: sha, on @user_script:1.|",
        ),
        (
            "('x'):bad()",
            r"-ERR user_script:1: attempt to call method \'bad\' (a nil value) script: sha, on @user_script:1.|",
        ),
        (
            "coroutine.resume(1)",
            r"-ERR user_script:1: bad argument #1 to \'resume\' (coroutine expected) script: sha, on @user_script:1.|",
        ),
        (
            "local function f() return f() + 1 end f()",
            "-ERR user_script:1: stack overflow script: sha, on @user_script:1.|",
        ),
    ] {
        assert_eq!(escaped(code), reply, "{code}");
    }
}

#[test]
fn patterns_are_refused_where_the_script_uses_them() {
    let error = "malformed pattern (ends with '%')";
    let code = "local f = string.find f('a', '%')";
    let reply = format!("-ERR user_script:1: {error} script: sha, on @user_script:1.|");
    assert_eq!(run(code), reply);
    for caught in ["pcall(%)", "xpcall(%, function(e) return e end)"] {
        let code = "function() ('a'):gsub('@', '') end";
        let code = format!("return {{{}}}", caught.replace('%', code).replace('@', "%"));
        let reply = format!("*2|$-1|$48|user_script:1: {error}|");
        assert_eq!(run(&code), reply, "{code}");
    }
    assert_eq!(
        run("('a'):find({})"),
        "-ERR user_script:1: bad argument #1 to 'find' (string expected, got table) script: sha, on @user_script:1.|"
    );
}
