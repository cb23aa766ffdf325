//! A minimal runner: settings, one keyspace, the clients, until a signal or SHUTDOWN ends it. The full tree replaces it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use keymesh_supervisors::{Slot, SupervisorSpec};

use crate::clients::acceptor::{Acceptor, AcceptorArguments};
use crate::clients::alone::Alone;
use crate::clients::{Configuration, Context, Listeners};
use crate::config::Settings;
use crate::db::{Hlc, Incarnation, NodeId, Origin, Origins};
use crate::journal::Journal;
use crate::keyspace::{Keyspace, KeyspaceConfig};

/// How long clients may take to read their last replies.
const DRAIN_PATIENCE: Duration = Duration::from_secs(5);

/// What sessions share, for a node without links.
pub fn context(settings: Settings) -> anyhow::Result<Context> {
    let origins = Arc::new(Origins::default());
    let node = NodeId(rand::random());
    let own = origins.intern(Origin {
        node,
        incarnation: Incarnation(1),
    })?;
    let config = KeyspaceConfig {
        partitions: settings.partitions,
        databases: settings.databases,
        hash_seed: rand::random(),
        stamped: settings.active_replica,
    };
    let journal = Journal::new(own, Hlc::ZERO, settings.repl_backlog_size);
    Ok(Context::new(
        Arc::new(Keyspace::new(config, origins, journal)),
        Arc::new(Alone::new(node)),
        Arc::new(Configuration::new(settings)),
    ))
}

/// Serves until it is told to stop.
pub async fn run(settings: Settings) -> anyhow::Result<()> {
    let listeners = Listeners::bind(settings.options())?;
    let context = Arc::new(context(settings)?);
    let arguments = AcceptorArguments {
        context: Arc::clone(&context),
        listeners: Arc::new(listeners),
    };
    let acceptor = Slot::new();
    let spec = SupervisorSpec::new("clients").child(Acceptor::spec(arguments, acceptor));
    let root = spec.spawn().await.context("the clients did not start")?;
    let mut shutdown = context.shutdown.subscribe();
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        _ = shutdown.wait_for(Option::is_some) => {}
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    root.handle.shutdown().await;
    context.clients.drain(DRAIN_PATIENCE).await;
    Ok(())
}
