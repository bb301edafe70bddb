//! Parses every C source and header below some directories with tree-sitter, and does nothing else: what a reader of
//! whole kernels is measured against.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

fn main() {
    let roots = std::env::args_os().skip(1).map(PathBuf::from);
    let mut files = Vec::new();
    for root in roots {
        collect(&root, &mut files);
    }
    files.par_iter().for_each_init(
        || {
            let mut parser = tree_sitter::Parser::new();
            let language = tree_sitter_c::LANGUAGE.into();
            parser.set_language(&language).expect("the grammar fits");
            parser
        },
        |parser, file| {
            let text = std::fs::read(file).unwrap_or_default();
            drop(parser.parse(text, None));
        },
    );
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let (path, kind) = (entry.path(), entry.file_type());
        if kind.as_ref().is_ok_and(std::fs::FileType::is_dir) {
            collect(&path, files);
        } else if kind.is_ok_and(|it| it.is_file())
            && path.extension().is_some_and(|it| it == "c" || it == "h")
        {
            files.push(path);
        }
    }
}
