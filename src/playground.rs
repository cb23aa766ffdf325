//! Three masters on free ports with the traces of every write in the browser, for who wants to see what this is in a minute:
//! `keymesh-server playground`.
//!
//! The masters are processes of their own, of this same program; here is what watches them: it takes their spans over OTLP and
//! serves one page. Everything is gone when it ends.

mod masters;
mod page;
mod store;
mod workload;

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::playground::masters::Masters;
use crate::playground::page::Playground;
use crate::playground::store::Store;

/// What `playground --help` prints.
pub const HELP: &str = "\
Usage: keymesh-server playground [--workload] [--port <port>]

Starts three masters on free ports of this machine and a page that shows the way of every write.

  --workload       writes a little on each master all the time
  --port <port>    where the page is served; without it on a free port
";

/// What the command line asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Arguments {
    workload: bool,
    port: u16,
    help: bool,
}

impl Arguments {
    /// Reads what stands after `playground`.
    pub fn parse(words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut arguments = Self::default();
        let mut words = words;
        while let Some(word) = words.next() {
            match word.as_str() {
                "--workload" => arguments.workload = true,
                "--help" | "-h" => arguments.help = true,
                "--port" => {
                    let port = words.next().and_then(|port| port.parse().ok());
                    arguments.port = port.ok_or("--port needs a number up to 65535")?;
                }
                other => return Err(format!("unknown option '{other}'\n\n{HELP}")),
            }
        }
        Ok(arguments)
    }
}

/// Runs until it is told to stop.
pub fn run(arguments: Arguments) -> anyhow::Result<()> {
    if arguments.help {
        return say(HELP);
    }
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the playground did not start")?
        .block_on(play(arguments))
}

async fn play(arguments: Arguments) -> anyhow::Result<()> {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], arguments.port)))
        .await
        .context("the page cannot be served")?;
    let address = listener.local_addr()?;
    let mut masters = Masters::start(address).await?;
    let ports = masters.ports();
    let playground = Arc::new(Playground {
        masters: ports.clone(),
        store: Store::default(),
        address,
    });
    let mut text = format!("Three masters run. Traces of every write: http://{address}/\n\n");
    for port in &ports {
        text.push_str(&format!("    redis-cli -p {port}\n"));
    }
    text.push_str("\nCtrl-C ends them and forgets everything.\n");
    say(&text)?;
    let writing = async {
        if arguments.workload {
            workload::run(&ports).await;
        }
        std::future::pending::<()>().await;
    };
    let mut terminate = signal(SignalKind::terminate())?;
    let outcome = tokio::select! {
        () = page::serve(playground, listener) => Ok(()),
        () = writing => Ok(()),
        ended = masters.ended() => Err(ended),
        _ = terminate.recv() => Ok(()),
        _ = tokio::signal::ctrl_c() => Ok(()),
    };
    masters.stop().await;
    outcome
}

fn say(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read_and_slips_are_told() {
        let parse = |text: &str| Arguments::parse(text.split_whitespace().map(str::to_owned));
        assert_eq!(parse(""), Ok(Arguments::default()));
        let both = parse("--port 8000 --workload").unwrap();
        assert_eq!((both.port, both.workload), (8000, true));
        assert!(parse("--port x").unwrap_err().contains("number"));
        assert!(parse("--port").is_err());
        assert!(parse("--wrkload").unwrap_err().contains("'--wrkload'"));
    }
}
