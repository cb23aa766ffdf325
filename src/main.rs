//! The `keymesh-server` daemon: arguments, configuration, telemetry, runtime, run, drain.

#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    Ok(())
}
