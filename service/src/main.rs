//! The `lorelintd` program.

#[global_allocator]
static GLOBAL: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use lorelintd::roles::{Io, run};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_env("LORELINT_LOG")
        .unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let mut io = Io {
        input: Box::new(std::io::stdin()),
        output: Box::new(std::io::stdout()),
        errors: Box::new(std::io::stderr()),
        is_watched: std::io::stderr().is_terminal(),
    };
    // Arguments and variables that are no UTF-8 name nothing that we know.
    let arguments = std::env::args_os()
        .map(|it| it.to_string_lossy().into_owned())
        .collect();
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!("cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(run(arguments, environment, &mut io));
    // A lint that runs cannot be interrupted: its lease ends, and another worker takes it.
    runtime.shutdown_background();
    ExitCode::from(code)
}
