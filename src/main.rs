//! The `keymesh-server` daemon: arguments, configuration, run, drain.

use std::io::Write as _;
use std::process::ExitCode;

use keymesh::acl::file::Declared;
use keymesh::commands::Renames;
use keymesh::config::cli::{self, Invocation, parse};
use keymesh::config::load_checked;
use keymesh::{playground, server};

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
    let mut words = std::env::args_os().skip(1);
    if words.next().is_some_and(|word| word == "playground") {
        let words = words.map(|word| word.to_string_lossy().into_owned());
        let arguments = playground::Arguments::parse(words).map_err(anyhow::Error::msg)?;
        return playground::run(arguments);
    }
    match parse(std::env::args_os().skip(1))? {
        Invocation::Run(arguments) => {
            let mut names = Renames::default();
            let (environment, input) = (std::env::vars_os(), std::io::stdin());
            let mut users = Declared::default();
            let settings = load_checked(&arguments, environment, input, |words| match words {
                [name, from, to] if name.eq_ignore_ascii_case(b"rename-command") => {
                    names.rename(from, to).map_err(str::to_owned)
                }
                [name, ..] if name.eq_ignore_ascii_case(b"user") => users.check(words),
                _ => Ok(()),
            })?;
            names.put_in_force();
            server::serve(settings)
        }
        Invocation::Version => say(&cli::version()),
        Invocation::Help => say(cli::HELP),
    }
}

fn say(text: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{}", text.trim_end())?;
    Ok(())
}
