//! Directives about the process: identity, logs, diagnosis, access to dangerous commands.

use super::{Directive, INT, Kind, LONG, RENAME_COMMAND, USER, accepted, row};

const WHO: &[&str] = &["no", "yes", "local"];
const ON_SIGNAL: &[&str] = &["default", "save", "nosave", "now", "force"];
const FACILITIES: &[&str] = &[
    "user", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
];
const PERCENTILES: &str = "latency-tracking-info-percentiles";

const NOT_PINNED: &str = "threads are not pinned to processors";
const NO_TITLE: &str = "the process keeps its title";
const NO_DEPRECATED: &str = "scripts have no deprecated functions here";

pub(super) const ROWS: &[Directive] = &[
    row(
        "databases",
        Kind::Integer(1, INT),
        "16",
        "number of databases",
    )
    .immutable(),
    row(
        "requirepass",
        Kind::Text,
        "",
        "password of the default user; empty means none",
    ),
    row(
        "daemonize",
        Kind::Bool,
        "no",
        "go into the background, unless a supervisor is told",
    )
    .immutable(),
    row(
        "pidfile",
        Kind::Text,
        "",
        "file that holds the process id; empty means none, in the background /var/run/keymesh.pid",
    )
    .immutable(),
    row(
        "loglevel",
        Kind::Enum(&["debug", "verbose", "notice", "warning", "nothing"]),
        "notice",
        "least severity of log lines",
    ),
    row(
        "logfile",
        Kind::Text,
        "",
        "file of log lines, opened anew when it was renamed and at SIGHUP; empty means standard output",
    )
    .immutable(),
    row(
        "dir",
        Kind::Directory,
        ".",
        "directory of all files the server writes",
    )
    .protected(),
    row(
        "hz",
        Kind::Clamped(1, 500),
        "10",
        "rounds of background work per second",
    ),
    row(
        "server-threads",
        Kind::Integer(1, 128),
        "1",
        "threads that serve clients",
    )
    .alias(&["io-threads"])
    .immutable(),
    row(
        "always-show-logo",
        Kind::Bool,
        "no",
        "show the logo even when the log is not a terminal",
    )
    .immutable(),
    row(
        "slowlog-log-slower-than",
        Kind::Integer(-1, LONG),
        "10000",
        "microseconds; -1 logs none, 0 all commands",
    ),
    row(
        "slowlog-max-len",
        Kind::Integer(0, LONG),
        "128",
        "entries of the slow log",
    ),
    row(
        "latency-monitor-threshold",
        Kind::Integer(0, LONG),
        "0",
        "milliseconds an event must take; 0 means off",
    ),
    row(
        "enable-debug-command",
        Kind::Enum(WHO),
        "no",
        "who may use DEBUG",
    )
    .immutable(),
    row(
        "enable-protected-configs",
        Kind::Enum(WHO),
        "no",
        "who may set protected directives",
    )
    .immutable(),
    row(
        "testmode",
        Kind::Bool,
        "no",
        "a test suite drives this server",
    )
    .immutable(),
    row(
        "lazyfree-lazy-eviction",
        Kind::Bool,
        "no",
        "free evicted values in the background",
    ),
    row(
        "lazyfree-lazy-expire",
        Kind::Bool,
        "no",
        "free expired values in the background",
    ),
    row(
        "lazyfree-lazy-server-del",
        Kind::Bool,
        "no",
        "free overwritten values in the background",
    ),
    row(
        "lazyfree-lazy-user-del",
        Kind::Bool,
        "no",
        "DEL behaves as UNLINK",
    ),
    row(
        "lazyfree-lazy-user-flush",
        Kind::Bool,
        "no",
        "FLUSHALL and FLUSHDB are asynchronous unless told otherwise",
    ),
    row(
        "enable-module-command",
        Kind::Enum(WHO),
        "no",
        "who is told that no module can be loaded, instead of being refused",
    )
    .immutable(),
    accepted(
        "loadmodule",
        Kind::Lines(1, usize::MAX),
        "",
        "modules are not offered",
    )
    .file_only(),
    row(
        USER,
        Kind::Lines(1, usize::MAX),
        "",
        "a user of this node and its rules; not together with aclfile, and not told to other nodes",
    )
    .file_only(),
    row(
        "aclfile",
        Kind::Text,
        "",
        "the file that holds the users of this node, for ACL LOAD and ACL SAVE; empty for none",
    )
    .immutable(),
    row(
        "acllog-max-len",
        Kind::Integer(0, LONG),
        "128",
        "entries that ACL LOG keeps at most",
    ),
    row(
        "acl-pubsub-default",
        Kind::Enum(&["allchannels", "resetchannels"]),
        "resetchannels",
        "which channels new users may use",
    ),
    row(
        RENAME_COMMAND,
        Kind::Lines(2, 2),
        "",
        "a command's name and the one it gets instead; an empty one takes the command away",
    )
    .file_only(),
    row(
        "supervised",
        Kind::Enum(&["upstart", "systemd", "auto", "no"]),
        "no",
        "whom to tell that the server is ready: upstart, systemd, or whichever started it",
    )
    .immutable(),
    row(
        "syslog-enabled",
        Kind::Bool,
        "no",
        "send log lines to the system's log, too",
    )
    .immutable(),
    row(
        "syslog-ident",
        Kind::Text,
        "redis",
        "what lines in the system's log begin with",
    )
    .immutable(),
    row(
        "syslog-facility",
        Kind::Enum(FACILITIES),
        "local0",
        "facility of lines in the system's log",
    )
    .immutable(),
    accepted(
        "hide-user-data-from-log",
        Kind::Bool,
        "no",
        "user data is never logged",
    ),
    accepted("set-proc-title", Kind::Bool, "yes", NO_TITLE).immutable(),
    accepted(
        "proc-title-template",
        Kind::TitleTemplate,
        "{title} {listen-addr} {server-mode}",
        NO_TITLE,
    ),
    accepted(
        "crash-log-enabled",
        Kind::Bool,
        "yes",
        "a panic is always logged",
    ),
    accepted(
        "crash-memcheck-enabled",
        Kind::Bool,
        "yes",
        "memory is not tested after a panic",
    ),
    accepted("server_cpulist", Kind::Text, "", NOT_PINNED).immutable(),
    accepted("bio_cpulist", Kind::Text, "", NOT_PINNED).immutable(),
    accepted("aof_rewrite_cpulist", Kind::Text, "", NOT_PINNED).immutable(),
    accepted("bgsave_cpulist", Kind::Text, "", NOT_PINNED).immutable(),
    accepted(
        "io-threads-do-reads",
        Kind::Bool,
        "no",
        "every server thread reads and writes",
    )
    .immutable(),
    accepted(
        "dynamic-hz",
        Kind::Bool,
        "yes",
        "background work keeps the rate of hz",
    ),
    accepted(
        "activerehashing",
        Kind::Bool,
        "yes",
        "tables grow without rehashing pauses",
    ),
    accepted(
        "ignore-warnings",
        Kind::Text,
        "",
        "Redis's checks of the system are not made",
    ),
    row(
        "disable-thp",
        Kind::Bool,
        "yes",
        "no transparent huge pages for this process: the first touch of one can take milliseconds",
    )
    .immutable(),
    accepted(
        "oom-score-adj",
        Kind::Enum(&["no", "yes", "relative", "absolute"]),
        "no",
        "the score is left alone",
    ),
    accepted(
        "oom-score-adj-values",
        Kind::OomScores,
        "0 200 800",
        "the score is left alone",
    ),
    row(
        "shutdown-timeout",
        Kind::Integer(0, INT),
        "10",
        "seconds that replicas get to catch up before the server ends",
    ),
    row(
        "shutdown-on-sigint",
        Kind::Flags(ON_SIGNAL),
        "default",
        "what SHUTDOWN is to be said at SIGINT; the second one ends the server at once",
    ),
    row(
        "shutdown-on-sigterm",
        Kind::Flags(ON_SIGNAL),
        "default",
        "what SHUTDOWN is to be said at SIGTERM",
    ),
    row(
        "latency-tracking",
        Kind::Bool,
        "yes",
        "keep histograms of how long commands take",
    ),
    row(
        PERCENTILES,
        Kind::Percentiles,
        "50 99 99.9",
        "which percentiles INFO latencystats shows",
    ),
    row(
        "busy-reply-threshold",
        Kind::Integer(0, LONG),
        "5000",
        "milliseconds that a script may run before other clients get BUSY, and may kill it; 0 means for ever",
    )
    .alias(&["lua-time-limit"]),
    accepted("lua-enable-deprecated-api", Kind::Bool, "no", NO_DEPRECATED)
        .immutable()
        .hidden(),
    accepted(
        "lua-replicate-commands",
        Kind::Lines(1, 1),
        "",
        "scripts always replicate their effects",
    )
    .file_only(),
    accepted(
        "watchdog-period",
        Kind::Integer(0, INT),
        "0",
        "there is no software watchdog",
    )
    .hidden(),
    accepted(
        "locale-collate",
        Kind::Text,
        "",
        "SORT ALPHA compares bytes",
    ),
    accepted(
        "gopher-enabled",
        Kind::Bool,
        "no",
        "the gopher protocol is not offered",
    ),
    super::refused("sentinel", "sentinel directive while not in sentinel mode"),
];
