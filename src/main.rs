//! The `keymesh-server` daemon: arguments, configuration, runtime, run, drain.

use std::io::Write as _;
use std::process::ExitCode;

use keymesh::config::cli::{self, Invocation, parse};
use keymesh::config::{Settings, load};
use keymesh::server;

#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The words alone: operators grep for them.
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start() -> anyhow::Result<()> {
    match parse(std::env::args_os().skip(1))? {
        Invocation::Run(arguments) => {
            let settings = load(&arguments, std::env::vars_os(), std::io::stdin())?;
            runtime(&settings)?.block_on(server::run(settings))
        }
        Invocation::Version => say(&cli::version()),
        Invocation::Help => say(cli::HELP),
    }
}

fn say(text: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{}", text.trim_end())?;
    Ok(())
}

/// One thread needs no work stealing, and its wake-ups are cheaper without.
fn runtime(settings: &Settings) -> std::io::Result<tokio::runtime::Runtime> {
    let mut builder = match settings.server_threads {
        1 => tokio::runtime::Builder::new_current_thread(),
        threads => {
            let mut builder = tokio::runtime::Builder::new_multi_thread();
            builder.worker_threads(threads);
            builder
        }
    };
    builder.enable_all().build()
}
