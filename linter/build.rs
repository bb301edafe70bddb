//! Names the sources that this program is built from: what another build left in the cache is not for this one.

use std::path::{Path, PathBuf};

fn main() {
    let root = Path::new("src");
    println!("cargo::rerun-if-changed={}", root.display());
    println!("cargo::rerun-if-changed=Cargo.toml");
    let mut files = Vec::new();
    collect(root, &mut files);
    files.sort();
    // FNV-1a: no more than a name for a build.
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for file in files {
        for byte in std::fs::read(&file).expect("sources can be read") {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    println!("cargo::rustc-env=LORELINT_SOURCES={hash:016x}");
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(directory).expect("sources can be listed");
    for entry in entries {
        let path = entry.expect("sources can be listed").path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}
