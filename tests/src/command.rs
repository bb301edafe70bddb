//! The two programs in this process: what a command line prints and how it ends.

use std::ffi::OsString;
use std::io::{Cursor, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

use lorelint::cli;
use lorelintd::roles::{Io, run};

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The exit code.
    pub code: u8,
    /// Standard output.
    pub output: String,
    /// Standard error.
    pub errors: String,
}

/// Runs `lorelintd` with these arguments, an empty environment and this standard input.
pub async fn lorelintd(arguments: &[&str], input: &[u8]) -> Ended {
    let (output, errors) = (Shared::default(), Shared::default());
    let mut io = Io {
        input: Box::new(Cursor::new(input.to_vec())),
        output: Box::new(output.clone()),
        errors: Box::new(errors.clone()),
        is_watched: false,
    };
    let mut line = vec!["lorelintd".to_owned()];
    line.extend(arguments.iter().map(|it| (*it).to_owned()));
    let code = run(line, Vec::new(), &mut io).await;
    Ended {
        code,
        output: output.text(),
        errors: errors.text(),
    }
}

/// Runs `lorelint` in a directory with these arguments and this standard input, without cache and configuration.
pub fn lorelint(dir: &Path, arguments: &[&str], input: &[u8]) -> Ended {
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let mut input = input;
    let mut io = cli::Io {
        stdin: &mut input,
        stdout: &mut output,
        stderr: &mut errors,
        working_dir: dir.to_owned(),
        config_dir: None,
        cache_dir: None,
        is_terminal: false,
        is_watched: false,
    };
    let line = std::iter::once("lorelint").chain(arguments.iter().copied());
    let status = cli::run(line.map(OsString::from), &mut io);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ended {
        code: status.code(),
        output: text(&output),
        errors: text(&errors),
    }
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    fn text(&self) -> String {
        let bytes = self.0.lock().expect("no writer panics");
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0
            .lock()
            .expect("no writer panics")
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
