//! An image as the sections of a file: numbers that are used where they lie.
//!
//! Whoever reads them has made sure that they are as they were written, by this build.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use super::files::Files;
use super::image::Image;
use super::items::Items;
use super::table::Table;
use crate::rows::{Lent, Rows};
use crate::warm::Memo;

impl Image {
    /// The sections; `None` where something cannot be written.
    pub(crate) fn write(&self) -> Option<Vec<Vec<u8>>> {
        let mut sections = vec![
            postcard::to_stdvec(&(&self.domains, &self.gaps, self.homes(), self.limits_headers))
                .ok()?,
        ];
        sections.extend(self.files.write()?);
        sections.extend([
            self.items.write(),
            self.refs.write(),
            self.pairs.write(),
            self.first_item.write(),
            self.item_file.write(),
            self.suspects.write(),
            self.own_members.write(),
            self.making.write(),
            self.pasting.write(),
        ]);
        sections.extend(self.functions.write());
        sections.extend(self.macros.write());
        sections.extend(self.types.write());
        sections.extend(self.objects.write());
        sections.extend(self.tagged.write());
        sections.extend(self.setters.write());
        sections.extend(self.users.write());
        sections.extend(self.callers.write());
        sections.extend(self.values.write());
        Some(sections)
    }

    /// Takes what [`Image::write`] wrote.
    pub(crate) fn read(mut sections: impl Iterator<Item = Lent>) -> Option<Self> {
        let (domains, gaps, homes, limits_headers): (_, _, BTreeSet<String>, _) =
            postcard::from_bytes(sections.next()?.bytes()).ok()?;
        let mut next = || sections.next();
        Some(Self {
            domains,
            gaps,
            files: Files::read(next()?, next()?)?,
            items: Items::read(next()?)?,
            refs: Rows::read(next()?)?,
            pairs: Rows::read(next()?)?,
            first_item: Rows::read(next()?)?,
            item_file: Rows::read(next()?)?,
            suspects: Rows::read(next()?)?,
            own_members: Rows::read(next()?)?,
            making: Rows::read(next()?)?,
            pasting: Rows::read(next()?)?,
            limits_headers,
            functions: Table::read(next()?, next()?)?,
            macros: Table::read(next()?, next()?)?,
            types: Table::read(next()?, next()?)?,
            objects: Table::read(next()?, next()?)?,
            tagged: Table::read(next()?, next()?)?,
            setters: Table::read(next()?, next()?)?,
            users: Table::read(next()?, next()?)?,
            callers: Table::read(next()?, next()?)?,
            values: Table::read(next()?, next()?)?,
            homes: homes.into(),
            includes: Memo::new(),
            macros_using: Memo::new(),
            functions_setting: Memo::new(),
            lent: OnceLock::new(),
            handing: OnceLock::new(),
        })
    }
}
