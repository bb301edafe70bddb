//! The `lorelint` program: hands the process's own streams and directories to [`lorelint::cli::run`].

#[global_allocator]
static GLOBAL: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

use std::io::{IsTerminal, stderr, stdin, stdout};
use std::path::PathBuf;
use std::process::ExitCode;

use lorelint::cli::{Io, run};

fn main() -> ExitCode {
    let directory = |name: &str, below_home: &str| {
        std::env::var_os(name)
            .filter(|it| !it.is_empty())
            .map(PathBuf::from)
            .or_else(|| std::env::home_dir().map(|home| home.join(below_home)))
    };
    let mut io = Io {
        stdin: &mut stdin().lock(),
        stdout: &mut stdout().lock(),
        stderr: &mut stderr().lock(),
        working_dir: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
        config_dir: directory("XDG_CONFIG_HOME", ".config"),
        cache_dir: directory("XDG_CACHE_HOME", ".cache"),
        is_terminal: stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
        is_watched: stderr().is_terminal(),
    };
    run(std::env::args_os(), &mut io).into()
}
