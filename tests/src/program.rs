//! `lorelintd` as a process of its own: the test binary once more, started at the test `program::entry`.
//!
//! For what cannot be seen from inside: being killed, exit codes, peak memory, being started by a mail server.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lorelintd::roles::{Io, run};

/// Arguments, one a line.
const ARGUMENTS: &str = "LORELINT_TEST_ARGUMENTS";
/// A file for the peak of resident memory in bytes.
const PEAK: &str = "LORELINT_TEST_PEAK";

/// The command that runs `lorelintd` with these arguments.
pub fn lorelintd_process(arguments: &[&str]) -> Command {
    let mut command = Command::new(this_binary());
    command
        .args(["--exact", "program::entry", "--nocapture", "--quiet"])
        .env(ARGUMENTS, arguments.join("\n"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// The same, and where the process writes the peak of its resident memory, in bytes.
pub fn measured_process(arguments: &[&str], peak: &Path) -> Command {
    let mut command = lorelintd_process(arguments);
    command.env(PEAK, peak);
    command
}

/// A shell script at `path` that runs `lorelintd` with these arguments, for servers that start programs.
///
/// # Panics
///
/// When the script cannot be written.
pub fn write_script(path: &Path, arguments: &[&str]) {
    use std::os::unix::fs::PermissionsExt as _;
    let text = format!(
        "#!/bin/sh\n{ARGUMENTS}='{}'\nexport {ARGUMENTS}\nexec '{}' --exact program::entry --nocapture --quiet\n",
        arguments.join("\n"),
        this_binary().display()
    );
    std::fs::write(path, text).expect("a script can be written");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
        .expect("an own file can be made executable");
}

fn this_binary() -> PathBuf {
    std::env::current_exe().expect("a running program has a file")
}

/// Becomes `lorelintd` in a process that was started for it, and does nothing in others.
#[expect(clippy::exit, reason = "the exit code is what the test looks at")]
pub fn become_lorelintd() {
    let Ok(arguments) = std::env::var(ARGUMENTS) else {
        return;
    };
    let mut line = vec!["lorelintd".to_owned()];
    line.extend(arguments.split('\n').map(str::to_owned));
    let mut io = Io {
        input: Box::new(std::io::stdin()),
        output: Box::new(std::io::stdout()),
        errors: Box::new(std::io::stderr()),
        is_watched: false,
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    let code = runtime.block_on(run(line, Vec::new(), &mut io));
    if let Some(file) = std::env::var_os(PEAK) {
        std::fs::write(file, peak_bytes().to_string()).expect("a file can be written");
    }
    std::process::exit(i32::from(code));
}

/// `VmHWM` of this process; 0 where the system does not tell.
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|it| it.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}
