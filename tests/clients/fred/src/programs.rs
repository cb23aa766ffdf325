//! What goes to the server as one piece: pipelines, transactions, scripts, functions, and commands of the caller's own; and what it
//! refuses.

use fred::prelude::*;
use fred::types::scripts::{Library, Script};
use fred::types::{ClusterHash, CustomCommand};
use fred::{cmd, util};

use crate::{Checks, Place, text, texts};

/// pipeline.rs and misc.rs
pub async fn pipelines(check: &mut Checks, _: &Place, client: &Client) -> FredResult<()> {
    let pipeline = client.pipeline();
    check.equal(
        "queued",
        pipeline
            .incr::<Value, _>("n")
            .await
            .map(|value| value.is_queued()),
        true,
    );
    pipeline.incr::<(), _>("n").await?;
    check.equal("all", pipeline.all().await, (1, 2));
    check.equal("used again", pipeline.last().await, 4);
    check.equal("and again", pipeline.last().await, 6);
    let pipeline = client.pipeline();
    pipeline.incr::<(), _>("n").await?;
    pipeline.hgetall::<(), _>("n").await?;
    pipeline.get::<(), _>("n").await?;
    let results = pipeline.try_all::<i64>().await;
    let kinds = results
        .iter()
        .map(|one| one.as_ref().map_err(|error| error.kind().clone()).copied());
    check.equal(
        "try_all",
        Ok(kinds.collect()),
        vec![Ok(7), Err(ErrorKind::InvalidArgument), Ok(7)],
    );
    let detail = "WRONGTYPE Operation against a key holding the wrong kind of value";
    check.refused(
        "all with a refusal",
        pipeline.all().await,
        ErrorKind::InvalidArgument,
        detail,
    );
    let pipeline = client.pipeline();
    for at in 0..1000 {
        pipeline
            .set::<(), _, _>(format!("k{at}"), at, None, None, false)
            .await?;
    }
    check.equal("a thousand", pipeline.all().await, vec![text("OK"); 1000]);
    let options = Options {
        max_attempts: Some(5),
        ..Options::default()
    };
    let pipeline = client.pipeline().with_options(&options);
    pipeline.get::<(), _>("k1").await?;
    pipeline.get::<(), _>("nothing").await?;
    check.equal("with options", pipeline.all().await, (Some(1), None::<i64>));
    check.equal(
        "options of one command",
        client.with_options(&options).get("k999").await,
        999,
    );
    let all = futures_util::future::try_join_all((0..500).map(|_| client.incr("parallel")));
    check.equal("in parallel", all.await, (1..=500).collect::<Vec<i64>>());
    Ok(())
}

/// transactions.rs
pub async fn transactions(check: &mut Checks, _: &Place, client: &Client) -> FredResult<()> {
    let trx = client.multi();
    let queued = trx
        .get::<Value, _>("foo")
        .await
        .map(|value| value.is_queued());
    check.equal("queued", queued, true);
    trx.set::<(), _, _>("foo", "bar", None, None, false).await?;
    trx.get::<(), _>("foo").await?;
    check.equal("len", Ok(trx.len()), 3);
    check.equal(
        "exec",
        trx.exec(true).await,
        (None::<String>, text("OK"), text("bar")),
    );
    let trx = client.multi();
    trx.incr::<(), _>("foo").await?;
    trx.set::<(), _, _>("after", 1, None, None, false).await?;
    let detail = "ERR value is not an integer or out of range";
    check.refused("an error", trx.exec(true).await, ErrorKind::Unknown, detail);
    check.equal("does not stop the others", client.get("after").await, 1);
    let trx = client.multi();
    trx.set::<(), _, _>("before", 1, None, None, false).await?;
    trx.custom::<(), _>(cmd!("GET"), Vec::<String>::new())
        .await?;
    let detail = "ERR wrong number of arguments for 'get' command";
    check.refused(
        "a refused command",
        trx.exec(true).await,
        ErrorKind::Unknown,
        detail,
    );
    check.equal("ends the transaction", client.exists("before").await, false);
    Ok(())
}

/// WATCH on a client of its own, while another one writes.
pub async fn conflicts(check: &mut Checks, place: &Place, client: &Client) -> FredResult<()> {
    let own = place.connect().await?;
    check.equal("watch", own.watch("t").await, ());
    check.equal(
        "the other's write",
        client.set("t", 50, None, None, false).await,
        (),
    );
    let trx = own.multi();
    trx.set::<(), _, _>("t", 99, None, None, false).await?;
    check.equal(
        "a conflict",
        trx.exec::<Value>(true).await.map(|value| value.is_null()),
        true,
    );
    check.equal("the write stays", client.get("t").await, 50);
    own.watch("t").await?;
    let trx = own.multi();
    trx.incr::<(), _>("t").await?;
    check.equal("without a conflict", trx.exec(true).await, vec![51]);
    own.watch("t").await?;
    check.equal("unwatch", own.unwatch().await, ());
    client.set::<(), _, _>("t", 1, None, None, false).await?;
    let trx = own.multi();
    trx.incr::<(), _>("t").await?;
    check.equal("after unwatch", trx.exec(true).await, vec![2]);
    own.quit().await
}

/// lua.rs
pub async fn scripts(check: &mut Checks, _: &Place, client: &Client) -> FredResult<()> {
    const SOURCE: &str = "return {KEYS[1],KEYS[2],ARGV[1],ARGV[2]}";
    let (keys, args) = (vec!["foo", "bar"], vec![1, 2]);
    let expected = (text("foo"), text("bar"), 1, 2);
    let hash = util::sha1_hash(SOURCE);
    check.equal("script_flush", client.script_flush(false).await, ());
    check.equal(
        "script_exists",
        client.script_exists(hash.as_str()).await,
        false,
    );
    let answer = client
        .evalsha(hash.as_str(), keys.clone(), args.clone())
        .await;
    let detail = "NOSCRIPT No matching script. Please use EVAL.";
    check.refused("evalsha", answer, ErrorKind::Unknown, detail);
    let script = Script::from_lua(SOURCE);
    let answer = script.evalsha_with_reload(client, keys.clone(), args.clone());
    check.equal("evalsha_with_reload", answer.await, expected.clone());
    check.equal(
        "evalsha again",
        script.evalsha(client, keys.clone(), args.clone()).await,
        expected.clone(),
    );
    check.equal(
        "script_load",
        client.script_load("return 1").await,
        util::sha1_hash("return 1"),
    );
    let exist = client.script_exists(vec![hash, "0".repeat(40)]);
    check.equal("script_exists of two", exist.await, vec![true, false]);
    check.equal("eval", client.eval(SOURCE, keys, args).await, expected);
    let answer = client.eval("return {1, 3.7, false, 'a'}", (), ()).await;
    check.equal("types", answer, (1, 3, None::<String>, text("a")));
    let answer = client
        .eval("return redis.error_reply('MINE it was')", (), ())
        .await;
    check.refused(
        "an error of its own",
        answer,
        ErrorKind::Unknown,
        "MINE it was",
    );
    Ok(())
}

/// The other half of lua.rs
pub async fn functions(check: &mut Checks, _: &Place, client: &Client) -> FredResult<()> {
    const CODE: &str = "#!lua name=lib\n\
        redis.register_function('echo', function(keys, args) return {keys[1], args[1]} end)\n\
        redis.register_function{function_name='add', flags={'no-writes'}, \
        callback=function(keys, args) return redis.call('GET', keys[1]) + args[1] end}";
    check.equal("function_flush", client.function_flush(false).await, ());
    let library = Library::from_code(client, CODE).await?;
    check.equal("its name", Ok(library.name().to_string()), text("lib"));
    let mut names: Vec<String> = library
        .functions()
        .keys()
        .map(ToString::to_string)
        .collect();
    names.sort();
    check.equal("its functions", Ok(names), texts(&["add", "echo"]));
    let missing = || Error::new(ErrorKind::NotFound, "no function");
    let echo = library.functions().get("echo").ok_or_else(missing)?;
    check.equal(
        "fcall",
        echo.fcall(client, vec!["k"], vec!["a"]).await,
        texts(&["k", "a"]),
    );
    client.set::<(), _, _>("k", 17, None, None, false).await?;
    let add = library.functions().get("add").ok_or_else(missing)?;
    check.equal(
        "fcall_ro",
        add.fcall_ro(client, vec!["k"], vec![25]).await,
        42,
    );
    check.equal("by name", client.fcall("add", vec!["k"], vec![1]).await, 18);
    let answer = client.fcall("none", vec!["k"], vec![1]).await;
    check.refused(
        "no such function",
        answer,
        ErrorKind::Unknown,
        "ERR Function not found",
    );
    let answer = client.function_load(false, CODE).await;
    check.refused(
        "once only",
        answer,
        ErrorKind::Unknown,
        "ERR Library 'lib' already exists",
    );
    check.equal(
        "replaced",
        client.function_load(true, CODE).await,
        text("lib"),
    );
    let dump: Value = client.function_dump().await?;
    check.equal("function_delete", client.function_delete("lib").await, ());
    let list = client.function_list(None::<String>, false).await;
    check.equal("function_list", list, Vec::<Value>::new());
    if let Value::Bytes(dump) = dump {
        let answer = client.function_restore(dump, "FLUSH").await;
        check.equal("function_restore", answer, ());
    }
    let again = Library::from_name(client, "lib")
        .await
        .map(|library| library.functions().len());
    check.equal("it is there again", again, 2);
    client.function_flush(false).await
}

/// custom.rs
pub async fn custom(check: &mut Checks, _: &Place, client: &Client) -> FredResult<()> {
    client.rpush::<(), _, _>("foo", vec![1, 2, 3]).await?;
    check.equal(
        "custom",
        client.custom(cmd!("LRANGE"), vec!["foo", "0", "3"]).await,
        texts(&["1", "2", "3"]),
    );
    let command = CustomCommand::new("LRANGE", ClusterHash::FirstKey, false);
    let frame = client.custom_raw(command, vec!["foo", "0", "1"]).await;
    let value = frame
        .and_then(Value::try_from)
        .and_then(|value: Value| value.convert());
    check.equal("custom_raw", value, vec![1, 2]);
    let answer = client
        .custom(cmd!("BITCOUNT", blocking: false), vec!["nothing"])
        .await;
    check.equal("bitcount", answer, 0);
    client.set::<(), _, _>("n", 12, None, None, false).await?;
    let answer = client.custom(cmd!("OBJECT"), vec!["ENCODING", "n"]).await;
    check.equal("object encoding", answer, text("int"));
    let answer = client
        .custom(cmd!("SINTERCARD"), vec!["1", "nothing"])
        .await;
    check.equal("sintercard", answer, 0);
    Ok(())
}

pub async fn refusals(check: &mut Checks, _: &Place, client: &Client) -> FredResult<()> {
    client
        .set::<(), _, _>("text", "abc", None, None, false)
        .await?;
    let detail = "ERR value is not an integer or out of range";
    check.refused(
        "incr of text",
        client.incr("text").await,
        ErrorKind::Unknown,
        detail,
    );
    let detail = "WRONGTYPE Operation against a key holding the wrong kind of value";
    check.refused(
        "another type",
        client.lpush("text", 1).await,
        ErrorKind::InvalidArgument,
        detail,
    );
    let answer = client.custom(cmd!("NOSUCH"), vec!["a"]).await;
    let detail = "ERR unknown command 'NOSUCH', with args beginning with: 'a' ";
    check.refused("no such command", answer, ErrorKind::Unknown, detail);
    let answer = client
        .set("a", 1, Some(Expiration::EX(0)), None, false)
        .await;
    let detail = "ERR invalid expire time in 'set' command";
    check.refused("a time to live", answer, ErrorKind::Unknown, detail);
    let detail = "ERR no such key";
    check.refused(
        "no such key",
        client.rename::<Value, _, _>("x", "y").await,
        ErrorKind::Unknown,
        detail,
    );
    let detail = "ERR index out of range";
    client.rpush::<(), _, _>("l", 1).await?;
    check.refused(
        "an index",
        client.lset("l", 5, 1).await,
        ErrorKind::Unknown,
        detail,
    );
    let missing = client
        .get::<i64, _>("nothing")
        .await
        .map_err(|error| error.kind().clone());
    check.equal("nothing as a number", Ok(missing), Err(ErrorKind::NotFound));
    check.equal(
        "the connection goes on",
        client.ping(Some(text("on"))).await,
        text("on"),
    );
    Ok(())
}
