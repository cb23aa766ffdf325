//! The process around a node: from settings to a server that serves, and to its orderly end.
//!
//! Invariant: whatever ends the process early is said on standard error, and in the log where that is not standard output.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use keymesh_observability::{
    LogConfig, LogFormat, LogRole, Protocol, SampleRatio, Telemetry, TelemetryConfig, log,
    syslog::SyslogConfig,
};
use tokio::signal::unix::{SignalKind, signal};

use super::process::{PidFile, Supervision, prepare, refuse_huge_pages};
use super::shutdown::{Signals, Waited, insist, save_before_end, wait_for_replicas};
use super::{Identity, Running, build, start};
use crate::clients::{Configuration, EVENT_INTERVAL, ListenError, Listeners, files_limit};
use crate::config::{self, LogLevel, Options, OtlpProtocol, Settings, VERSION, cli};
use crate::db::NodeId;

/// How long the last spans may take to leave.
const TELEMETRY_PATIENCE: Duration = Duration::from_secs(3);

/// Serves until somebody wants the end. May return in another process than it was called in, see [`Options::daemonize`].
pub fn serve(settings: Settings) -> anyhow::Result<()> {
    let options = settings.options().clone();
    let supervision = prepare(&options)?;
    let log = log_config(&options);
    let is_replica = is_replica(&options);
    let outcome = runtime(&options)
        .context("the server did not start")
        .and_then(|runtime| runtime.block_on(run(settings, supervision, &log)));
    if let Err(error) = &outcome {
        log::last_words(&log, is_replica, &format!("{error:#}"));
    }
    outcome
}

/// One thread needs no work stealing, and its wake-ups are cheaper without.
fn runtime(options: &Options) -> std::io::Result<tokio::runtime::Runtime> {
    let mut builder = match options.server_threads {
        1 => tokio::runtime::Builder::new_current_thread(),
        threads => {
            let mut builder = tokio::runtime::Builder::new_multi_thread();
            builder.worker_threads(threads);
            builder
        }
    };
    builder.event_interval(EVENT_INTERVAL);
    builder.enable_all().build()
}

async fn run(
    mut settings: Settings,
    supervision: Supervision,
    log: &LogConfig,
) -> anyhow::Result<()> {
    let options = settings.options().clone();
    let identity = Identity::load(&options)?;
    let telemetry = Telemetry::start(&telemetry_config(&options, identity.node, log))
        .context("telemetry did not start")?;
    greet(&settings);
    supervision.tell(&options);
    refuse_huge_pages(&options);
    for warning in settings.warnings() {
        tracing::warn!("{warning}");
    }
    let served = files_limit::raise(options.maxclients);
    anyhow::ensure!(
        served > 0,
        "Your current 'ulimit -n' is not enough for the server to start. Please increase your open file limit to at least {}. Exiting.",
        files_limit::RESERVED + 1
    );
    if served < options.maxclients {
        settings.set(&[("maxclients", served.to_string())])?;
    }
    let listeners = Listeners::bind(&options).inspect_err(|error| {
        if let ListenError::Tcp { port, .. } = error {
            tracing::warn!("Failed listening on port {port} (TCP), aborting.");
        }
    })?;
    let parts = build(settings, identity, options.port, Some(&telemetry))?;
    // Set once, here.
    let _ = parts.context.supervised.set(supervision.name());
    let pid_file = PidFile::write(&options, supervision);
    let node = parts.replication.node().origin();
    let mut running = start(parts, listeners).await?;
    let mut signals = Signals::listen()?;
    for thread in 0..options.server_threads {
        tracing::info!("Thread {thread} alive.");
    }
    tracing::info!(node = %node.node, incarnation = node.incarnation.0, port = options.port, "Ready to accept connections");
    supervision.ready();

    let configuration = Arc::clone(&running.context.configuration);
    let outcome = tokio::select! {
        outcome = ending(&mut running, &mut signals, supervision) => outcome,
        never = tend_log(&telemetry, &configuration, &log.role) => never,
    };
    running.stop().await;
    pid_file.remove();
    tracing::info!("Keymesh is now ready to exit, bye bye...");
    // Blocks until the last spans are away, so not on a thread that serves.
    tokio::task::spawn_blocking(move || telemetry.shutdown(TELEMETRY_PATIENCE)).await?;
    outcome
}

/// Waits until the server is to end and may.
async fn ending(
    running: &mut Running,
    signals: &mut Signals,
    supervision: Supervision,
) -> anyhow::Result<()> {
    loop {
        let context = Arc::clone(&running.context);
        let request = tokio::select! {
            request = signals.requested(&context) => request,
            // Every child is restarted for ever, so only a bug leads here; who watches the process starts it again.
            ended = &mut running.root.ended => anyhow::bail!("the supervision tree has ended: {ended:?}"),
        };
        let insisting = insist()?;
        tracing::info!("User requested shutdown...");
        supervision.stopping();
        let waited = match wait_for_replicas(&context, request).await {
            Waited::Ready => save_before_end(&context, request).await,
            Waited::Aborted => Waited::Aborted,
        };
        match waited {
            Waited::Ready => return Ok(()),
            Waited::Aborted => {
                insisting.abort();
                supervision.ready_again();
            }
        }
    }
}

/// Keeps the log as the settings say, and opens it anew at SIGHUP.
async fn tend_log<T>(
    telemetry: &Telemetry,
    configuration: &Configuration,
    role: &LogRole,
) -> anyhow::Result<T> {
    // As in Redis: a terminal that goes away ends nothing.
    let mut hang_ups = signal(SignalKind::hangup())?;
    let mut changes = configuration.subscribe();
    let mut before = log_level(&configuration.options());
    loop {
        tokio::select! {
            Ok(()) = changes.changed() => {}
            Some(()) = hang_ups.recv() => {
                if let Err(error) = telemetry.reopen_log() {
                    tracing::error!(%error, "the log file could not be opened anew");
                }
            }
            else => std::future::pending::<()>().await,
        }
        let options = Arc::clone(&changes.borrow_and_update());
        role.set(is_replica(&options));
        let level = log_level(&options);
        let is_changed = std::mem::replace(&mut before, level) != level;
        let filter = LogConfig::filter_at(level);
        if is_changed && let Err(error) = telemetry.set_log_filter(&filter) {
            tracing::error!(%error, "loglevel could not be changed");
        }
    }
}

/// The first lines of a log.
fn greet(settings: &Settings) {
    let (process, bits) = (std::process::id(), usize::BITS);
    tracing::info!("oO0OoO0OoO0Oo Keymesh is starting oO0OoO0OoO0Oo");
    tracing::info!(
        "Keymesh version={VERSION}, bits={bits}, commit={}, modified={}, pid={process}, just started",
        cli::COMMIT,
        cli::MODIFIED
    );
    if std::env::args_os().len() > 1 {
        tracing::info!("Configuration loaded");
    } else {
        tracing::warn!(
            "Warning: no config file specified, using the default config. In order to specify a config file use keymesh-server /path/to/keymesh.conf"
        );
    }
    let is_seen =
        settings.logfile.is_none() && !settings.syslog_enabled && std::io::stdout().is_terminal();
    let port = settings.port;
    if settings.always_show_logo || is_seen {
        tracing::info!(
            "Keymesh {VERSION} {bits} bit, standalone mode, Port: {port}, PID: {process}"
        );
    } else {
        tracing::info!("Running mode=standalone, port={port}.");
    }
}

fn is_replica(options: &Options) -> bool {
    !options.replicaof.is_empty() && !options.active_replica
}

fn log_level(options: &Options) -> &'static str {
    match options.loglevel {
        LogLevel::Debug => "trace",
        LogLevel::Verbose => "debug",
        LogLevel::Notice => "info",
        LogLevel::Warning => "warn",
        LogLevel::Nothing => "off",
    }
}

fn log_config(options: &Options) -> LogConfig {
    let role = LogRole::default();
    role.set(is_replica(options));
    LogConfig {
        filter: LogConfig::filter_at(log_level(options)),
        format: match options.log_format {
            config::LogFormat::Redis => LogFormat::Redis,
            config::LogFormat::Plain => LogFormat::Plain,
            config::LogFormat::Json => LogFormat::Json,
        },
        file: options.logfile.clone(),
        syslog: options
            .syslog_enabled
            .then(|| SyslogConfig::new(&options.syslog_ident, &options.syslog_facility)),
        role,
    }
}

fn telemetry_config(options: &Options, node: NodeId, log: &LogConfig) -> TelemetryConfig {
    TelemetryConfig {
        endpoint: options.otlp_endpoint.clone(),
        protocol: options
            .otlp_endpoint
            .as_ref()
            .map(|_| match options.otlp_protocol {
                OtlpProtocol::Grpc => Protocol::Grpc,
                OtlpProtocol::HttpProtobuf => Protocol::HttpProtobuf,
            }),
        instance_id: node.to_string(),
        sample_ratio: SampleRatio::from_fraction(options.trace_sample_ratio),
        traces_per_second: options.trace_max_per_second,
        log: log.clone(),
        ..TelemetryConfig::default()
    }
    .with_environment(&keymesh_observability::Environment::of_process())
}
