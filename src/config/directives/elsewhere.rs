//! Directives of Redis's cluster mode and TLS, which are not offered.

use super::{Directive, INT, Kind, LONG, accepted};

const NO_CLUSTER: &str = "cluster mode is not offered: every node holds all keys";
const NO_TLS: &str = "TLS is not offered yet: connections are not encrypted";

pub(super) const ROWS: &[Directive] = &[
    accepted("cluster-enabled", Kind::Bool, "no", NO_CLUSTER).immutable(),
    accepted("cluster-config-file", Kind::Text, "nodes.conf", NO_CLUSTER).immutable(),
    accepted("cluster-node-timeout", Kind::Integer(0, LONG), "15000", NO_CLUSTER),
    accepted("cluster-port", Kind::Integer(0, 65535), "0", NO_CLUSTER).immutable(),
    accepted("cluster-replica-validity-factor", Kind::Integer(0, INT), "10", NO_CLUSTER)
        .alias(&["cluster-slave-validity-factor"]),
    accepted("cluster-migration-barrier", Kind::Integer(0, INT), "1", NO_CLUSTER),
    accepted("cluster-allow-replica-migration", Kind::Bool, "yes", NO_CLUSTER),
    accepted("cluster-require-full-coverage", Kind::Bool, "yes", NO_CLUSTER),
    accepted("cluster-replica-no-failover", Kind::Bool, "no", NO_CLUSTER).alias(&["cluster-slave-no-failover"]),
    accepted("cluster-allow-reads-when-down", Kind::Bool, "no", NO_CLUSTER),
    accepted("cluster-allow-pubsubshard-when-down", Kind::Bool, "yes", NO_CLUSTER),
    accepted("cluster-link-sendbuf-limit", Kind::Memory(0, u64::MAX), "0", NO_CLUSTER),
    accepted("cluster-announce-ip", Kind::Text, "", NO_CLUSTER),
    accepted("cluster-announce-hostname", Kind::Text, "", NO_CLUSTER),
    accepted("cluster-announce-human-nodename", Kind::Text, "", NO_CLUSTER),
    accepted("cluster-announce-port", Kind::Integer(0, 65535), "0", NO_CLUSTER),
    accepted("cluster-announce-tls-port", Kind::Integer(0, 65535), "0", NO_CLUSTER),
    accepted("cluster-announce-bus-port", Kind::Integer(0, 65535), "0", NO_CLUSTER),
    accepted(
        "cluster-preferred-endpoint-type",
        Kind::Enum(&["ip", "hostname", "unknown-endpoint"]),
        "ip",
        NO_CLUSTER,
    ),
    accepted("tls-port", Kind::Integer(0, 65535), "0", NO_TLS),
    accepted("tls-cluster", Kind::Bool, "no", NO_TLS),
    accepted("tls-replication", Kind::Bool, "no", NO_TLS),
    accepted("tls-auth-clients", Kind::Enum(&["no", "yes", "optional"]), "yes", NO_TLS),
    accepted("tls-prefer-server-ciphers", Kind::Bool, "no", NO_TLS),
    accepted("tls-session-caching", Kind::Bool, "yes", NO_TLS),
    accepted("tls-session-cache-size", Kind::Integer(0, INT), "20480", NO_TLS),
    accepted("tls-session-cache-timeout", Kind::Integer(0, INT), "300", NO_TLS),
    accepted("tls-cert-file", Kind::Text, "", NO_TLS),
    accepted("tls-key-file", Kind::Text, "", NO_TLS),
    accepted("tls-key-file-pass", Kind::Text, "", NO_TLS),
    accepted("tls-client-cert-file", Kind::Text, "", NO_TLS),
    accepted("tls-client-key-file", Kind::Text, "", NO_TLS),
    accepted("tls-client-key-file-pass", Kind::Text, "", NO_TLS),
    accepted("tls-dh-params-file", Kind::Text, "", NO_TLS),
    accepted("tls-ca-cert-file", Kind::Text, "", NO_TLS),
    accepted("tls-ca-cert-dir", Kind::Text, "", NO_TLS),
    accepted("tls-protocols", Kind::Text, "", NO_TLS),
    accepted("tls-ciphers", Kind::Text, "", NO_TLS),
    accepted("tls-ciphersuites", Kind::Text, "", NO_TLS),
];
