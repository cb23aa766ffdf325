//! Every span, attribute, event and metric name, each written once.
//!
//! Names are a promise to dashboards: one that has been released is not renamed. Spans, attributes and
//! events use dots (OpenTelemetry), metrics use underscores and end in their unit (Prometheus).

/// Names of spans.
pub mod span {
    /// From a write to the last master's acknowledgement: the bar that users read.
    pub const CONVERGE: &str = "keymesh.converge";
    /// From the enqueueing of an effect for one peer to the socket write.
    pub const SEND: &str = "keymesh.send";
    /// From the receipt of an effect to its application.
    pub const APPLY: &str = "keymesh.apply";
    /// A relayed hop: an effect of another origin passed on.
    pub const FORWARD: &str = "keymesh.forward";
    /// One batch that carries effects of several traces; it links to each effect's span.
    pub const BATCH: &str = "keymesh.batch";
}

/// Names of attributes, on spans and on the resource.
pub mod attribute {
    /// The node that made the span.
    pub const NODE_ID: &str = "keymesh.node.id";
    /// The node that took the write.
    pub const ORIGIN_ID: &str = "keymesh.origin.id";
    /// The node at the other end of the link.
    pub const PEER_ID: &str = "keymesh.peer.id";
    /// The stamp of the effect.
    pub const STAMP: &str = "keymesh.stamp";
    /// How many links the effect has crossed.
    pub const HOP: &str = "keymesh.hop";
    /// Milliseconds from the origin's stamp to here.
    pub const LAG_MS: &str = "keymesh.lag_ms";
    /// The way the effect came; see [`super::path`].
    pub const PATH: &str = "keymesh.path";
    /// What became of the effect; see [`super::outcome`].
    pub const OUTCOME: &str = "keymesh.outcome";
    /// How many effects a batch carries.
    pub const EFFECT_COUNT: &str = "keymesh.effect.count";
    /// Hash of the key, always allowed.
    pub const KEY_HASH: &str = "keymesh.key.hash";
    /// The key itself, only when the operator opted in.
    pub const KEY: &str = "keymesh.key";
    /// Whether every live master acknowledged within the time limit.
    pub const CONVERGED: &str = "keymesh.converged";
    /// Measured offset between the two hosts' clocks, in milliseconds.
    pub const CLOCK_OFFSET_MS: &str = "keymesh.clock_offset_ms";
    /// The site (data centre) of the node; a resource attribute.
    pub const SITE: &str = "keymesh.site";
    /// Stamp of the write that won a conflict.
    pub const WINNER_STAMP: &str = "winner.stamp";
    /// Node whose write won a conflict.
    pub const WINNER_NODE: &str = "winner.node";

    /// Always [`super::DB_SYSTEM`].
    pub const DB_SYSTEM_NAME: &str = "db.system.name";
    /// The command's name.
    pub const DB_OPERATION_NAME: &str = "db.operation.name";
    /// The db's number, as a string.
    pub const DB_NAMESPACE: &str = "db.namespace";
    /// How many commands a MULTI or a pipeline holds.
    pub const DB_OPERATION_BATCH_SIZE: &str = "db.operation.batch.size";
    /// The error's prefix (`WRONGTYPE`, `MOVED`).
    pub const DB_RESPONSE_STATUS_CODE: &str = "db.response.status_code";
    /// Name or SHA1 of the script or function.
    pub const DB_STORED_PROCEDURE_NAME: &str = "db.stored_procedure.name";

    /// Resource: the service.
    pub const SERVICE_NAME: &str = "service.name";
    /// Resource: the node's id.
    pub const SERVICE_INSTANCE_ID: &str = "service.instance.id";
    /// Resource: the server's version.
    pub const SERVICE_VERSION: &str = "service.version";
    /// Resource: the host.
    pub const HOST_NAME: &str = "host.name";
}

/// Value of [`attribute::DB_SYSTEM_NAME`].
pub const DB_SYSTEM: &str = "redis";

/// Values of [`attribute::PATH`].
pub mod path {
    /// The live stream of a link.
    pub const STREAM: &str = "stream";
    /// A partial resynchronization out of the backlog.
    pub const PARTIAL: &str = "partial";
    /// A merged snapshot.
    pub const MERGE: &str = "merge";
    /// Repair after a digest comparison.
    pub const ANTI_ENTROPY: &str = "anti-entropy";
    /// Taken in from outside of the mesh.
    pub const IMPORT: &str = "import";
}

/// Values of [`label::PATH`].
pub mod way {
    /// From the node that took the write.
    pub const DIRECT: &str = "direct";
    /// By way of another node.
    pub const FORWARDED: &str = "forwarded";
}

/// Values of [`label::SOURCE`].
pub mod source {
    /// Effects of the node that sends them.
    pub const ORIGIN: &str = "origin";
    /// Effects of others, passed on.
    pub const FORWARD: &str = "forward";
}

/// Values of [`attribute::OUTCOME`].
pub mod outcome {
    /// The effect changed the data.
    pub const APPLIED: &str = "applied";
    /// Another write had won already.
    pub const SUPERSEDED: &str = "superseded";
    /// Both sides' values were joined.
    pub const MERGED: &str = "merged";
    /// The effect had arrived before.
    pub const DUPLICATE: &str = "duplicate";
    /// The effect waits for another one.
    pub const DEFERRED: &str = "deferred";
}

/// Names of span events.
pub mod event {
    /// The effect lost; carries the winner's stamp and node.
    pub const CONFLICT: &str = "conflict";
    /// A member did not acknowledge in time; carries its node id.
    pub const NOT_ACKED: &str = "not_acked";
    /// The effect left the link's queue for the socket.
    pub const DEQUEUED: &str = "dequeued";
    /// The standard event of an error.
    pub const EXCEPTION: &str = "exception";
}

/// Names of metrics, as in the Prometheus text.
pub mod metric {
    /// Histogram: origin's stamp to applied here; labels origin, path.
    pub const LAG_SECONDS: &str = "keymesh_lag_seconds";
    /// Histogram: write to acknowledged by all; of traced writes.
    pub const CONVERGE_SECONDS: &str = "keymesh_converge_seconds";
    /// Counter: traced writes that somebody did not acknowledge in time.
    pub const CONVERGE_GIVEN_UP_TOTAL: &str = "keymesh_converge_given_up_total";
    /// Gauge, 0 or 1; labels peer, address, direction.
    pub const LINK_UP: &str = "keymesh_link_up";
    /// Gauge, the state's number; labels peer, address, direction.
    pub const LINK_STATE: &str = "keymesh_link_state";
    /// Gauge: age of the last moment up to which all has arrived; label origin.
    pub const VV_GAP_SECONDS: &str = "keymesh_vv_gap_seconds";
    /// Counter; labels peer, direction.
    pub const BYTES_TOTAL: &str = "keymesh_bytes_total";
    /// Counter; labels peer, direction, source.
    pub const EFFECTS_TOTAL: &str = "keymesh_effects_total";
    /// Counter, the alarm for amplification; label peer.
    pub const DUPLICATES_FILTERED_TOTAL: &str = "keymesh_duplicates_filtered_total";
    /// Counter; label outcome.
    pub const CONFLICTS_TOTAL: &str = "keymesh_conflicts_total";
    /// Gauge: now minus the local watermark; label member that holds it back.
    pub const WATERMARK_AGE_SECONDS: &str = "keymesh_watermark_age_seconds";
    /// Gauge.
    pub const TOMBSTONES: &str = "keymesh_tombstones";
    /// Gauge.
    pub const UNSTABLE_BYTES: &str = "keymesh_unstable_bytes";
    /// Counter; labels kind (partial, full), result.
    pub const SYNC_TOTAL: &str = "keymesh_sync_total";
    /// Gauge: how far back the journal reaches: how long a cut can last before a full synchronization is needed.
    pub const BACKLOG_SECONDS: &str = "keymesh_backlog_seconds";
    /// Gauge.
    pub const CLOCK_SKEW_SECONDS: &str = "keymesh_clock_skew_seconds";
    /// Gauge: bytes over a link's connections; labels peer, address, direction.
    pub const LINK_BYTES: &str = "keymesh_link_bytes";
    /// Gauge; labels peer, address, direction.
    pub const REPLICA_LAG_SECONDS: &str = "keymesh_replica_lag_seconds";
    /// Counter.
    pub const REROUTES_TOTAL: &str = "keymesh_reroutes_total";
    /// Counter; label result.
    pub const OWNER_COMMANDS_TOTAL: &str = "keymesh_owner_commands_total";
    /// Gauge.
    pub const UNSETTLED_KEYS: &str = "keymesh_unsettled_keys";
    /// Gauge.
    pub const MEMBERS: &str = "keymesh_members";
    /// Gauge, 1 while it is raised, else 0; label kind.
    pub const ALARM: &str = "keymesh_alarm";
    /// Gauge, always 1: which node this is; labels node, version.
    pub const NODE_INFO: &str = "keymesh_node_info";
    /// Gauge.
    pub const UPTIME_SECONDS: &str = "keymesh_uptime_seconds";
    /// Gauge.
    pub const CONNECTED_CLIENTS: &str = "keymesh_connected_clients";
    /// Counter.
    pub const CONNECTIONS_TOTAL: &str = "keymesh_connections_total";
    /// Counter.
    pub const CONNECTIONS_REJECTED_TOTAL: &str = "keymesh_connections_rejected_total";
    /// Counter; label direction.
    pub const CLIENT_BYTES_TOTAL: &str = "keymesh_client_bytes_total";
    /// Gauge; label kind.
    pub const MEMORY_BYTES: &str = "keymesh_memory_bytes";
    /// Gauge.
    pub const RESIDENT_BYTES: &str = "keymesh_resident_bytes";
    /// Counter; label kind.
    pub const CPU_SECONDS_TOTAL: &str = "keymesh_cpu_seconds_total";
    /// Counter; label command.
    pub const COMMANDS_TOTAL: &str = "keymesh_commands_total";
    /// Counter; label command.
    pub const COMMAND_SECONDS_TOTAL: &str = "keymesh_command_seconds_total";
    /// Counter; label command.
    pub const COMMANDS_FAILED_TOTAL: &str = "keymesh_commands_failed_total";
    /// Counter; label code.
    pub const ERRORS_TOTAL: &str = "keymesh_errors_total";
    /// Counter.
    pub const HITS_TOTAL: &str = "keymesh_keyspace_hits_total";
    /// Counter.
    pub const MISSES_TOTAL: &str = "keymesh_keyspace_misses_total";
    /// Counter.
    pub const EXPIRED_TOTAL: &str = "keymesh_expired_keys_total";
    /// Gauge; label db.
    pub const KEYS: &str = "keymesh_keys";
    /// Gauge; label db.
    pub const TIMED_KEYS: &str = "keymesh_timed_keys";
    /// Counter: spans that reached the collector.
    pub const TRACE_SPANS_EXPORTED_TOTAL: &str = "keymesh_trace_spans_exported_total";
    /// Counter: spans lost to a full queue or a collector that did not take them.
    pub const TRACE_SPANS_DROPPED_TOTAL: &str = "keymesh_trace_spans_dropped_total";
    /// Counter: label sets refused because their family was full.
    pub const METRIC_SERIES_REFUSED_TOTAL: &str = "keymesh_metric_series_refused_total";
}

/// Names of metric labels.
pub mod label {
    /// The id of the node at the other end of a link.
    pub const PEER: &str = "peer";
    /// Host and port of the other end of a link.
    pub const ADDRESS: &str = "address";
    /// The id of the node that answers.
    pub const NODE: &str = "node";
    /// The server's version.
    pub const VERSION: &str = "version";
    /// `in` or `out`.
    pub const DIRECTION: &str = "direction";
    /// The id of the node that took the write.
    pub const ORIGIN: &str = "origin";
    /// See [`super::way`].
    pub const PATH: &str = "path";
    /// See [`super::source`].
    pub const SOURCE: &str = "source";
    /// Kind of a conflict or of a synchronization.
    pub const KIND: &str = "kind";
    /// The type of the key.
    pub const TYPE: &str = "type";
    /// See [`super::outcome`].
    pub const OUTCOME: &str = "outcome";
    /// How a synchronization ended.
    pub const RESULT: &str = "result";
    /// A command.
    pub const COMMAND: &str = "command";
    /// The first word of an error.
    pub const CODE: &str = "code";
    /// The number of a database.
    pub const DB: &str = "db";
    /// The member that holds a watermark back.
    pub const MEMBER: &str = "member";
}
