//! Which branch a series is for, where neither it nor its blobs say: its subject's tags, and MAINTAINERS.

use crate::tree::TreePath;

/// The largest MAINTAINERS that is read, in bytes. The kernel's has about a megabyte.
const MAX_MAINTAINERS_BYTES: usize = 8 << 20;

/// A `T:` line of MAINTAINERS whose section covers files of a series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaintainedTree {
    /// The title of the section.
    pub section: String,
    /// As written, such as `git://git.kernel.org/pub/scm/linux/kernel/git/tytso/ext4.git`.
    pub url: String,
    /// The branch, where the line names one.
    pub branch: Option<String>,
    /// How many of the files the section covers.
    pub files: usize,
}

impl MaintainedTree {
    /// The last part of the URL without `.git`: `ext4`.
    pub fn name(&self) -> &str {
        last_part(&self.url)
    }
}

/// The last part of a URL or path, without `.git`.
pub fn last_part(url: &str) -> &str {
    let url = url.trim_end_matches('/');
    let name = url.rsplit(['/', ':']).next().unwrap_or(url);
    name.strip_suffix(".git").unwrap_or(name)
}

/// The git trees that MAINTAINERS names for `paths`: those of the sections that cover most of them first.
///
/// A section that covers everything (`THE REST`) counts for nothing. `X:` excludes; `N:` and `K:` are not read.
/// Time is O(length of the text + patterns × paths).
///
/// Source: MAINTAINERS, "Descriptions of section entries".
pub fn maintained_trees(maintainers: &[u8], paths: &[TreePath]) -> Vec<MaintainedTree> {
    let text =
        String::from_utf8_lossy(&maintainers[..maintainers.len().min(MAX_MAINTAINERS_BYTES)]);
    let mut found: Vec<(usize, MaintainedTree)> = Vec::new();
    for section in text.split("\n\n") {
        let mut lines = section.lines().filter(|it| !it.is_empty());
        let Some(title) = lines.next() else { continue };
        let field = |tag: char| {
            section.lines().filter_map(move |it| {
                let rest = it.strip_prefix(tag)?.strip_prefix(':')?;
                Some(rest.trim())
            })
        };
        if field('T').next().is_none() {
            continue;
        }
        let covers = |path: &&TreePath| {
            // The longest pattern tells how special the section is.
            let depth = field('F').filter(|it| matches(it, path.as_str()));
            let is_out = field('X').any(|it| matches(it, path.as_str()));
            depth.map(str::len).max().filter(|it| !is_out && *it > 2)
        };
        let depths: Vec<usize> = paths.iter().filter_map(|it| covers(&it)).collect();
        let Some(depth) = depths.iter().copied().max() else {
            continue;
        };
        for line in field('T') {
            let mut words = line.split_whitespace();
            if words.next() == Some("git")
                && let Some(url) = words.next()
            {
                let tree = MaintainedTree {
                    section: title.to_owned(),
                    url: url.to_owned(),
                    branch: words.next().map(str::to_owned),
                    files: depths.len(),
                };
                found.push((depth, tree));
            }
        }
    }
    found.sort_by_key(|(depth, it)| std::cmp::Reverse((it.files, *depth)));
    found.into_iter().map(|it| it.1).collect()
}

/// `fs/ext4/`: everything below; `fs/ext4/*`: files directly there; `*` and `?` stay inside of one directory.
fn matches(pattern: &str, path: &str) -> bool {
    if pattern.ends_with('/') && !pattern.contains('*') {
        return path.starts_with(pattern);
    }
    let (mut patterns, mut parts) = (pattern.trim_end_matches('/').split('/'), path.split('/'));
    loop {
        match (patterns.next(), parts.next()) {
            (Some(pattern), Some(part)) if wild(pattern.as_bytes(), part.as_bytes()) => {}
            // A pattern that names a directory covers what is below it.
            (None, Some(_)) => return !pattern.ends_with('*'),
            (None, None) => return true,
            _ => return false,
        }
    }
}

/// Shell patterns without brackets; backtracks to the last star only, so the time is bounded by the product.
fn wild(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p, t));
            p += 1;
        } else if pattern
            .get(p)
            .is_some_and(|it| *it == b'?' || *it == text[t])
        {
            p += 1;
            t += 1;
        } else if let Some((at, from)) = star {
            star = Some((at, from + 1));
            p = at + 1;
            t = from + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|it| *it == b'*')
}

/// Which of `branches` a tag of the subject names: itself, its last part, or a stable kernel's branch.
///
/// `[PATCH bpf-next]` names `bpf-next`, `origin/bpf-next` and `for-bpf-next`; `[PATCH 6.12]` names `linux-6.12.y`.
pub fn branch_of_prefix<'a>(
    prefixes: &[String],
    branches: &'a [String],
) -> Option<(&'a str, String)> {
    for prefix in prefixes {
        let wanted = prefix.to_lowercase();
        let stable = wanted.trim_start_matches('v').trim_end_matches(".y");
        let is_stable =
            stable.contains('.') && stable.bytes().all(|it| it == b'.' || it.is_ascii_digit());
        let names = |branch: &&String| {
            let last = branch.rsplit('/').next().unwrap_or(branch).to_lowercase();
            let is_kernel = is_stable && last == format!("linux-{stable}.y");
            branch.to_lowercase() == wanted
                || last == wanted
                || last == format!("for-{wanted}")
                || is_kernel
        };
        if let Some(branch) = branches.iter().find(names) {
            return Some((branch, prefix.clone()));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_cover_what_maintainers_says() {
        assert!(matches("fs/ext4/", "fs/ext4/a/b.c"));
        assert!(matches("fs/ext4/*", "fs/ext4/b.c"));
        assert!(!matches("fs/ext4/*", "fs/ext4/a/b.c"));
        assert!(matches("include/*/ceph.h", "include/linux/ceph.h"));
        assert!(matches("fs/inode.c", "fs/inode.c"));
        assert!(matches("fs/*", "fs/inode.c"));
        assert!(!matches("fs/inode.c", "fs/inode.cc"));
        assert!(!matches("net/ceph/", "fs/ceph/a.c"));
        assert!(matches("*/", "fs"));
    }

    #[test]
    fn the_section_that_covers_most_comes_first() {
        let text = b"List of maintainers\n\nEXT4\nM:\tA <a@b>\nT:\tgit git://host/x/ext4.git dev\nF:\tfs/ext4/\n\n\
            FS\nT:\tgit https://host/vfs.git\nF:\tfs/*\nF:\tinclude/linux/fs.h\n\nTHE REST\nT:\tgit git://host/linux.git\nF:\t*\nF:\t*/\n";
        let paths: Vec<TreePath> = ["fs/ext4/inode.c", "fs/ext4/super.c", "fs/inode.c"]
            .iter()
            .map(|it| TreePath::parse(it).unwrap())
            .collect();
        let found = maintained_trees(text, &paths);
        let names: Vec<(&str, Option<&str>, usize)> = found
            .iter()
            .map(|it| (it.name(), it.branch.as_deref(), it.files))
            .collect();
        assert_eq!(names, [("ext4", Some("dev"), 2), ("vfs", None, 1)]);
    }

    #[test]
    fn a_tag_names_a_branch() {
        let branches: Vec<String> = ["main", "origin/bpf-next", "linux-6.12.y"]
            .map(str::to_owned)
            .to_vec();
        let named = |tag: &str| branch_of_prefix(&[tag.to_owned()], &branches).map(|it| it.0);
        assert_eq!(named("bpf-next"), Some("origin/bpf-next"));
        assert_eq!(named("6.12"), Some("linux-6.12.y"));
        assert_eq!(named("6.12.y"), Some("linux-6.12.y"));
        assert_eq!(named("RFC"), None);
    }
}
