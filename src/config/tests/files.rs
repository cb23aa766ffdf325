//! Files, includes and the texts that stop the start.

use super::*;
use crate::config::{VERSION, files};

fn load_file(path: &str) -> Result<Settings, LoadError> {
    let cli::Invocation::Run(run) = cli::parse(arguments(&[path]))? else {
        panic!("{path} is a file");
    };
    load(&run, [], std::io::empty())
}

#[test]
fn an_error_names_file_line_and_what_is_wrong() {
    let scratch = Scratch::new("error");
    let path = scratch.write("a.conf", "port 1\nrepl-backlog-siez 10mb\n");
    let expected = format!(
        "\n*** FATAL CONFIG FILE ERROR (Keymesh {VERSION}) ***\n\
         Reading the configuration file, at line 2 of {path}\n\
         >>> 'repl-backlog-siez 10mb'\n\
         Bad directive or wrong number of arguments\n\
         Did you mean 'repl-backlog-size'?"
    );
    assert_eq!(load_file(&path).unwrap_err().to_string(), expected);
}

#[test]
fn bad_lines_stop_the_start_with_redis_words() {
    for (text, expected) in [
        ("foo bar", "Bad directive or wrong number of arguments"),
        ("port 1 2", "wrong number of arguments"),
        ("port", "wrong number of arguments"),
        ("PORT x", "argument couldn't be parsed into an integer"),
        (
            "port 99999",
            "argument must be between 0 and 65535 inclusive",
        ),
        (
            "requirepass \"abc",
            "Unbalanced quotes in configuration line",
        ),
        (
            "requirepass \"a\"b",
            "Unbalanced quotes in configuration line",
        ),
        (
            "loglevel x",
            "argument(s) must be one of the following: debug, verbose, notice, warning, nothing",
        ),
        ("appendonly x", "argument must be 'yes' or 'no'"),
        ("maxmemory x", "argument must be a memory value"),
        ("save 1", "Invalid save parameters"),
        ("save 100 1 200", "Invalid save parameters"),
        ("replicaof a", "wrong number of arguments"),
        ("replicaof a x", "Invalid master port"),
        ("replicaof a 99999", "Invalid master port"),
        (
            "client-output-buffer-limit normal 0 0",
            "Wrong number of arguments in buffer limit configuration.",
        ),
        (
            "sentinel monitor x",
            "sentinel directive while not in sentinel mode",
        ),
        ("user", "Bad directive or wrong number of arguments"),
        (
            "rename-command a",
            "Bad directive or wrong number of arguments",
        ),
        ("include", "Bad directive or wrong number of arguments"),
        ("\"\" x", "Bad directive or wrong number of arguments"),
        (
            "databases 0",
            "argument must be between 1 and 2147483647 inclusive",
        ),
        ("dir /nonexistent", "No such file or directory"),
        (
            "unixsocketperm 999",
            "argument couldn't be parsed as an octal number",
        ),
        (
            "unixsocketperm 1000",
            "argument must be between 0 and 777 inclusive",
        ),
        (
            "partitions 12",
            "argument must be a power of two between 1 and 1024 inclusive",
        ),
        (
            "trace-sample-ratio 1.5",
            "argument must be a number between 0 and 1 inclusive",
        ),
        (
            "storage-provider flash /x",
            "storage providers (FLASH) are not supported: data is kept in memory",
        ),
        ("db-s3-object /x", "snapshots in S3 are not supported"),
        ("masterauth \"\\xff\"", "argument must be valid UTF-8"),
    ] {
        assert_eq!(reason(&load_text(text).unwrap_err()), expected, "{text}");
    }
}

#[test]
fn a_missing_file_stops_the_start() {
    let error = load_file("/nonexistent/x.conf").unwrap_err().to_string();
    assert_eq!(
        error,
        "Fatal error, can't open config file '/nonexistent/x.conf': No such file or directory"
    );
}

#[test]
fn included_lines_stand_where_the_include_stands() {
    let scratch = Scratch::new("include");
    let inner = scratch.write("inner.conf", "port 2\nhz 20\n");
    let path = scratch.write(
        "outer.conf",
        format!("port 1\ninclude \"{inner}\"\nhz 30\n"),
    );
    let settings = load_file(&path).unwrap();
    assert_eq!((settings.port, settings.hz), (2, 30));
    assert_eq!(
        settings.config_file().unwrap().to_str(),
        Some(path.as_str())
    );
}

#[test]
fn an_include_may_be_a_glob_in_order_of_names_and_match_nothing() {
    let scratch = Scratch::new("glob");
    scratch.write("b.part", "port 2\n");
    scratch.write("a.part", "port 1\n");
    scratch.write(".hidden.part", "port 3\n");
    let folder = scratch.0.display();
    let settings = load_text(&format!(
        "include {folder}/*.part\ninclude {folder}/*.none\n"
    ))
    .unwrap();
    assert_eq!(settings.port, 2);
}

#[test]
fn a_missing_include_names_the_line_that_asked_for_it() {
    let error = load_text("\ninclude /nonexistent.conf").unwrap_err();
    assert_eq!(
        reason(&error),
        "can't open config file '/nonexistent.conf': No such file or directory"
    );
    assert!(
        error.to_string().contains("at line 2 of standard input"),
        "{error}"
    );
}

#[test]
fn a_file_that_includes_itself_is_an_error() {
    let scratch = Scratch::new("cycle");
    let path = scratch.0.join("a.conf");
    std::fs::write(&path, format!("include {}", path.display())).unwrap();
    let error = load_file(path.to_str().unwrap()).unwrap_err();
    assert_eq!(
        reason(&error),
        format!(
            "include goes deeper than {} files",
            files::INCLUDE_DEPTH_LIMIT
        )
    );
}

#[test]
fn an_error_in_an_included_file_names_that_file() {
    let scratch = Scratch::new("nested");
    let inner = scratch.write("inner.conf", "\n\nprot 1\n");
    let error = load_text(&format!("include {inner}"))
        .unwrap_err()
        .to_string();
    assert!(error.contains(&format!("at line 3 of {inner}")), "{error}");
    assert!(error.ends_with("Did you mean 'port'?"), "{error}");
}

#[test]
fn a_generated_file_for_keydb_loads() {
    let scratch = Scratch::new("keydb");
    let folder = scratch.0.display();
    let settings = load_text(&format!(
        "always-show-logo yes\nnotify-keyspace-events KEA\ndaemonize no\npidfile /var/run/keydb.pid\nport 21111\n\
         timeout 0\nbind 127.0.0.1\nloglevel verbose\nlogfile ''\ndatabases 16\nlatency-monitor-threshold 1\n\
         save 900 1\nsave 300 10\nsave 60 10000\nrdbcompression yes\ndbfilename dump.rdb\ndir {folder}\n\
         slave-serve-stale-data yes\nappendonly no\nappendfsync everysec\nno-appendfsync-on-rewrite no\n\
         activerehashing yes\nunixsocket {folder}/socket\ntestmode yes\nactive-replica yes\nmulti-master yes\n\
         replicaof 127.0.0.1 21112\nhz 500\nclient-output-buffer-limit replica 1mb 1mb 60\nserver-threads 4\n\
         server-thread-affinity true\n"
    ))
    .unwrap();
    assert_eq!(
        (settings.port, settings.hz, settings.server_threads),
        (21111, 500, 4)
    );
    assert!(settings.testmode && settings.multi_master && !settings.replica_read_only);
    assert_eq!(shown(&settings, "save"), "900 1 300 10 60 10000");
    let about = settings
        .warnings()
        .into_iter()
        .map(|warning| warning.about)
        .collect::<Vec<_>>();
    assert_eq!(about, ["server-thread-affinity"]);
}

/// The directives that a distribution's redis.conf sets, in this project's own words.
const STOCK: &str = r#"
# network
bind 127.0.0.1 -::1
protected-mode yes
port 6379
tcp-backlog 511
timeout 0
tcp-keepalive 300
# process
daemonize yes
pidfile /run/redis/redis-server.pid
loglevel notice
logfile /var/log/redis/redis-server.log
databases 16
always-show-logo no
set-proc-title yes
proc-title-template "{title} {listen-addr} {server-mode}"
# files
stop-writes-on-bgsave-error yes
rdbcompression yes
rdbchecksum yes
dbfilename dump.rdb
rdb-del-sync-files no
dir /tmp
appendonly no
appendfilename "appendonly.aof"
appenddirname "appendonlydir"
appendfsync everysec
auto-aof-rewrite-percentage 100
auto-aof-rewrite-min-size 64mb
# replicas
replica-serve-stale-data yes
replica-read-only yes
repl-diskless-sync yes
repl-diskless-sync-delay 5
repl-diskless-load disabled
replica-priority 100
# the rest
acllog-max-len 128
lazyfree-lazy-eviction no
oom-score-adj no
oom-score-adj-values 0 200 800
slowlog-log-slower-than 10000
notify-keyspace-events ""
hash-max-listpack-entries 512
list-max-listpack-size -2
client-output-buffer-limit normal 0 0 0
client-output-buffer-limit replica 256mb 64mb 60
client-output-buffer-limit pubsub 32mb 8mb 60
hz 10
dynamic-hz yes
jemalloc-bg-thread yes
include /nonexistent/redis.conf.d/*.conf
"#;

#[test]
fn a_distributions_redis_conf_loads_without_a_warning() {
    let settings = load_text(STOCK).unwrap();
    assert!(settings.daemonize);
    assert_eq!(settings.bind.len(), 2);
    assert!(settings.bind[1].optional && settings.bind[1].host() == "::1");
    let warnings = settings.warnings();
    let about: Vec<&str> = warnings
        .iter()
        .map(|warning| warning.about.as_str())
        .collect();
    assert_eq!(about, [""; 0]);
}
