//! A public-inbox archive that another machine serves: mirrored here by `git`, then read like a local one.
//!
//! git does the transport because administrators know its settings for proxies and certificates.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::manifest::{self, MAX_EPOCHS, Manifest};
use super::net::Access;
use super::source::SourceError;

/// In the repository of an epoch: its fingerprint in the manifest when it was last fetched.
const FINGERPRINT: &str = "lorelint-fingerprint";

/// Fetches what changed of `url` into `home` and returns the directory of the mirror.
///
/// # Errors
///
/// [`SourceError::Git`] when the first epoch cannot be fetched, or a known one any more.
pub(super) fn sync(url: &str, home: &Path, access: &Access) -> Result<PathBuf, SourceError> {
    let url = url.trim_end_matches('/');
    let mirror = home.join(&blake3::hash(url.as_bytes()).to_hex()[..24]);
    let folder = mirror.join("git");
    std::fs::create_dir_all(&folder).map_err(|source| SourceError::Read {
        path: folder.clone(),
        source,
    })?;
    if let Some(manifest) = manifest::ask(url, access) {
        follow(url, &folder, &manifest)?;
        return Ok(mirror);
    }
    for epoch in 0..MAX_EPOCHS {
        let repository = folder.join(format!("{epoch}.git"));
        if repository.is_dir() {
            fetch(&repository)?;
        } else if let Err(error) = clone(url, epoch, &repository) {
            // The epoch after the last one is not there: that is how the last is known.
            if epoch == 0 {
                return Err(error);
            }
            break;
        }
    }
    Ok(mirror)
}

/// Fetches the epochs whose fingerprints differ from those of the last time.
fn follow(url: &str, folder: &Path, manifest: &Manifest) -> Result<(), SourceError> {
    for (epoch, fingerprint) in manifest {
        let repository = folder.join(format!("{epoch}.git"));
        let note = repository.join(FINGERPRINT);
        if !repository.is_dir() {
            clone(url, *epoch, &repository)?;
        } else if std::fs::read_to_string(&note).is_ok_and(|it| it == *fingerprint)
            && !fingerprint.is_empty()
        {
            continue;
        } else {
            fetch(&repository)?;
        }
        std::fs::write(&note, fingerprint).map_err(|source| SourceError::Read {
            path: note.clone(),
            source,
        })?;
    }
    Ok(())
}

fn fetch(repository: &Path) -> Result<(), SourceError> {
    // Forced, because a purge rewrites history.
    git(
        repository,
        &[
            "fetch",
            "--quiet",
            "--force",
            "origin",
            "+refs/heads/*:refs/heads/*",
        ],
    )
}

/// `URL/N` is how public-inbox-httpd serves an epoch, `URL/git/N.git` how a copied directory has it.
fn clone(url: &str, epoch: u32, repository: &Path) -> Result<(), SourceError> {
    let folder = repository.parent().unwrap_or(Path::new("."));
    let partial = repository.with_extension("partial");
    let mut result = Ok(());
    for from in [format!("{url}/{epoch}"), format!("{url}/git/{epoch}.git")] {
        if partial.exists() {
            std::fs::remove_dir_all(&partial).map_err(|source| SourceError::Read {
                path: partial.clone(),
                source,
            })?;
        }
        let to = partial.to_string_lossy().into_owned();
        result = git(
            folder,
            &[
                "clone",
                "--quiet",
                "--mirror",
                "--end-of-options",
                &from,
                &to,
            ],
        );
        if result.is_ok() {
            return std::fs::rename(&partial, repository).map_err(|source| SourceError::Read {
                path: repository.to_owned(),
                source,
            });
        }
    }
    result
}

fn git(directory: &Path, arguments: &[&str]) -> Result<(), SourceError> {
    let failed = |reason: String| SourceError::Git {
        path: directory.to_owned(),
        reason,
    };
    let output = Command::new("git")
        // A server that sends nothing for a minute is given up.
        .args([
            "-c",
            "http.lowSpeedLimit=1000",
            "-c",
            "http.lowSpeedTime=60",
            "-c",
            "gc.auto=0",
        ])
        .args(arguments)
        .current_dir(directory)
        .env("GIT_TERMINAL_PROMPT", "0")
        .output()
        .map_err(|error| failed(format!("git cannot be started: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let last = text.lines().rev().find(|it| !it.trim().is_empty());
    Err(failed(
        last.unwrap_or("git failed without a word").to_owned(),
    ))
}
