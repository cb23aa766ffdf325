//! What fred gets over RESP2 and RESP3: what its README and its examples do, as far as one server without modules answers it, with exact
//! answers and the kinds of its errors. `values` has the types of values, `keys` keys and iterators, `programs` what goes to the server as
//! one piece, `streams` streams and what waits, `events` what comes unasked, `connections` clients, pools and users.
//!
//! `keymesh-fred <port>` deletes the server's data, its functions, and the users that it makes. Ends with one line, `fred <version>: <n>
//! checks, <n> failed`, and with status 1 where one failed. The server may be a real redis-server: what is expected here is what that one
//! answers.

mod connections;
mod events;
mod keys;
mod programs;
mod streams;
mod values;

use std::fmt::Debug;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use fred::prelude::*;
use fred::types::{InfoKind, RespVersion};
use tokio::sync::broadcast::Receiver;

/// As Cargo.toml pins it.
const VERSION: &str = "10.1.0";

/// How long anything here may take that waits for something.
const LIMIT: Duration = Duration::from_secs(20);

/// What was checked and what failed; a failure is said at once, with its place, and the next check goes on.
pub struct Checks {
    count: usize,
    failures: usize,
    place: String,
}

impl Checks {
    pub fn equal<T: PartialEq + Debug>(&mut self, what: &str, actual: FredResult<T>, expected: T) {
        self.count += 1;
        if !actual.as_ref().is_ok_and(|actual| *actual == expected) {
            self.failures += 1;
            eprintln!(
                "fred, {}: {what}: {actual:?} instead of {expected:?}",
                self.place
            );
        }
    }

    pub fn refused(
        &mut self,
        what: &str,
        actual: FredResult<Value>,
        kind: ErrorKind,
        detail: &str,
    ) {
        let seen = actual.map_err(|error| (error.kind().clone(), error.details().to_owned()));
        self.equal(what, Ok(seen), Err((kind, detail.to_owned())));
    }
}

/// How clients of this run are made.
#[derive(Clone)]
pub struct Place {
    pub config: Config,
    pub resp: RespVersion,
}

impl Place {
    pub fn builder(&self) -> Builder {
        let mut builder = Builder::from_config(self.config.clone());
        builder.with_connection_config(|config| {
            config.connection_timeout = LIMIT;
            config.internal_command_timeout = LIMIT;
        });
        builder.set_policy(ReconnectPolicy::new_constant(0, 1));
        builder
    }

    pub async fn connect(&self) -> FredResult<Client> {
        let client = self.builder().build()?;
        client.init().await?;
        Ok(client)
    }
}

/// The next one that comes unasked.
pub async fn next<T: Clone>(receiver: &mut Receiver<T>) -> FredResult<T> {
    match tokio::time::timeout(LIMIT, receiver.recv()).await {
        Ok(received) => {
            received.map_err(|error| Error::new(ErrorKind::Canceled, error.to_string()))
        }
        Err(_) => Err(Error::new(ErrorKind::Timeout, "nothing came")),
    }
}

/// Asks until the answer is this one.
pub async fn until<T: PartialEq + Debug>(
    ask: impl AsyncFn() -> FredResult<T>,
    expected: T,
) -> FredResult<()> {
    let start = Instant::now();
    while start.elapsed() < LIMIT {
        if ask().await? == expected {
            return Ok(());
        }
    }
    Err(Error::new(
        ErrorKind::Timeout,
        format!("never {expected:?}"),
    ))
}

/// Waits until so many clients wait for something at the server.
pub async fn blocked(client: &Client, count: usize) -> FredResult<()> {
    let line = format!("blocked_clients:{count}");
    let told = async || {
        let info: String = client.info(Some(InfoKind::Clients)).await?;
        Ok(info.lines().any(|other| other == line))
    };
    until(told, true).await
}

/// An owned text, as most answers are.
pub fn text(value: &str) -> String {
    value.to_owned()
}

pub fn texts(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| text(value)).collect()
}

/// Runs each family on a server without data.
macro_rules! families {
    ($check:expr, $place:expr, $client:expr, $name:expr; $($module:ident :: $family:ident),* $(,)?) => {
        $(
            $check.place = format!("{}, {}", $name, stringify!($family));
            $check.equal("flushall", $client.flushall(false).await, text("OK"));
            let ended = tokio::time::timeout(3 * LIMIT, $module::$family($check, $place, $client)).await;
            let ended = ended.unwrap_or_else(|_| Err(Error::new(ErrorKind::Timeout, "takes too long")));
            $check.equal("to its end", ended, ());
        )*
    };
}

async fn run(check: &mut Checks, port: u16) -> FredResult<()> {
    for (name, resp) in [("RESP2", RespVersion::RESP2), ("RESP3", RespVersion::RESP3)] {
        check.place = text(name);
        let config = Config {
            server: ServerConfig::new_centralized("127.0.0.1", port),
            version: resp.clone(),
            ..Config::default()
        };
        let place = &Place { config, resp };
        let client = &place.connect().await?;
        families!(
            check, place, client, name;
            values::strings, values::hashes, values::lists, values::sets, values::sorted_sets, values::places,
            keys::keys, keys::scans, keys::json,
            programs::pipelines, programs::transactions, programs::conflicts, programs::scripts, programs::functions,
            programs::custom, programs::refusals,
            streams::streams, streams::groups, streams::blocking,
            events::messages, events::subscriptions, events::notifications, events::monitor, events::tracking,
            connections::clients, connections::again, connections::pools, connections::users, connections::server,
        );
        client.quit().await?;
    }
    Ok(())
}

fn main() -> ExitCode {
    let Some(port) = std::env::args().nth(1).and_then(|port| port.parse().ok()) else {
        eprintln!("keymesh-fred <port>");
        return ExitCode::from(2);
    };
    let mut check = Checks {
        count: 0,
        failures: 0,
        place: text("start"),
    };
    let ended = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::new(ErrorKind::IO, error.to_string()))
        .and_then(|runtime| runtime.block_on(run(&mut check, port)));
    if let Err(error) = ended {
        check.failures += 1;
        eprintln!("fred, {}: {error}", check.place);
    }
    println!(
        "fred {VERSION}: {} checks, {} failed",
        check.count, check.failures
    );
    ExitCode::from(u8::from(check.failures > 0))
}
