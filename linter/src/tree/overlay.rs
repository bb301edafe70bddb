//! A tree with patches applied in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{FileChanges, FileContent, FileEntry, TreeError, TreePath, TreeSource};

/// A base tree and the files that patches changed in it.
///
/// [`Overlay::with`] stacks: its cost is that of the touched files, whatever the size of the tree and the number
/// of patches below, and no content is copied.
#[derive(Clone)]
pub struct Overlay<'a> {
    base: &'a dyn TreeSource,
    changes: FileChanges,
    /// Every content that a patch ever made, for the `index` lines of later patches of the series.
    made: BTreeMap<String, Arc<[u8]>>,
}

impl<'a> Overlay<'a> {
    /// The base as it is.
    pub fn new(base: &'a dyn TreeSource) -> Self {
        Self {
            base,
            changes: FileChanges::new(),
            made: BTreeMap::new(),
        }
    }

    /// This state with further changes.
    #[must_use]
    pub fn with(&self, changes: impl IntoIterator<Item = (TreePath, Option<FileContent>)>) -> Self {
        let mut next = self.clone();
        for (path, content) in changes {
            if let Some(content) = &content {
                next.made
                    .insert(content.blob.to_hex(), Arc::clone(&content.data));
            }
            next.changes.insert(path, content);
        }
        next
    }

    /// The files that differ, or may differ, from the base.
    pub fn changes(&self) -> &FileChanges {
        &self.changes
    }

    /// The hex id of the git tree of this state; `None` where the base is no git tree.
    pub fn tree_id(&self) -> Result<Option<String>, TreeError> {
        self.base.tree_id_with(&self.changes)
    }

    fn entry_of(path: &TreePath, content: &FileContent) -> FileEntry {
        FileEntry {
            path: path.clone(),
            blob: Some(content.blob),
            mode: content.mode,
        }
    }
}

impl TreeSource for Overlay<'_> {
    fn files(&self) -> Result<Vec<FileEntry>, TreeError> {
        let base = self.base.files()?;
        let mut files = Vec::with_capacity(base.len() + self.changes.len());
        let mut changes = self.changes.iter().peekable();
        for entry in base {
            while let Some((path, content)) = changes.next_if(|(path, _)| **path < entry.path) {
                files.extend(content.as_ref().map(|it| Self::entry_of(path, it)));
            }
            match changes.next_if(|(path, _)| **path == entry.path) {
                Some((path, content)) => {
                    files.extend(content.as_ref().map(|it| Self::entry_of(path, it)));
                }
                None => files.push(entry),
            }
        }
        for (path, content) in changes {
            files.extend(content.as_ref().map(|it| Self::entry_of(path, it)));
        }
        Ok(files)
    }

    fn entry(&self, path: &TreePath) -> Result<Option<FileEntry>, TreeError> {
        match self.changes.get(path) {
            Some(content) => Ok(content.as_ref().map(|it| Self::entry_of(path, it))),
            None => self.base.entry(path),
        }
    }

    fn read(&self, path: &TreePath) -> Result<Option<Vec<u8>>, TreeError> {
        match self.changes.get(path) {
            Some(content) => Ok(content.as_ref().map(|it| it.data.to_vec())),
            None => self.base.read(path),
        }
    }

    fn read_into(&self, path: &TreePath, text: &mut Vec<u8>) -> Result<bool, TreeError> {
        let Some(content) = self.changes.get(path) else {
            return self.base.read_into(path, text);
        };
        text.clear();
        text.extend_from_slice(content.as_ref().map_or(&[][..], |it| &it.data));
        Ok(content.is_some())
    }

    fn is_directory(&self, path: &TreePath) -> Result<bool, TreeError> {
        let under = |it: &TreePath| it != path && it.is_under(path.as_str());
        let mut touched = self.changes.iter().filter(|(it, _)| under(it)).peekable();
        if touched.peek().is_none() {
            return self.base.is_directory(path);
        }
        if touched.any(|(_, content)| content.is_some()) {
            return Ok(true);
        }
        // Only removals: the directory stays while the base has a file there that none of them names.
        let base = self.base.files()?;
        Ok(base
            .iter()
            .any(|it| under(&it.path) && !self.changes.contains_key(&it.path)))
    }

    fn blob(&self, hex: &str) -> Result<Option<Vec<u8>>, TreeError> {
        let mut made = self
            .made
            .range(hex.to_owned()..)
            .take_while(|(id, _)| id.starts_with(hex));
        let found = made.next();
        if found.is_some() && made.next().is_some() {
            return Ok(None);
        }
        match found {
            Some((_, data)) => Ok(Some(data.to_vec())),
            None => self.base.blob(hex),
        }
    }

    fn tree_id_with(&self, changes: &FileChanges) -> Result<Option<String>, TreeError> {
        let mut all = self.changes.clone();
        all.extend(changes.iter().map(|(path, it)| (path.clone(), it.clone())));
        self.base.tree_id_with(&all)
    }
}
