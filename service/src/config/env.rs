//! Overrides from the environment: `LORELINT_WEB__LISTEN` sets `listen` of `[web]`.

use toml::{Table, Value};

/// Puts every `LORELINT_SECTION__KEY`, `LORELINT_LISTS`, `LORELINT_TREES` and `LORELINT_LOGINS` into the table.
///
/// A value that reads as TOML (`12`, `true`, `["a"]`) is that, any other is text.
pub(super) fn apply(table: &mut Table, environment: impl Iterator<Item = (String, String)>) {
    let mut overrides: Vec<(String, String)> = environment
        .filter_map(|(name, value)| Some((name.strip_prefix("LORELINT_")?.to_lowercase(), value)))
        .collect();
    overrides.sort();
    for (name, text) in overrides {
        let value = read(&text);
        match name.split_once("__") {
            Some((section, key)) => {
                let entry = table
                    .entry(section.to_owned())
                    .or_insert_with(|| Value::Table(Table::new()));
                if let Value::Table(section) = entry {
                    section.insert(key.to_owned(), value);
                }
            }
            None if matches!(name.as_str(), "lists" | "trees" | "logins") => {
                table.insert(name, value);
            }
            // Variables without a section, such as LORELINT_LOG, are not the configuration's.
            None => {}
        }
    }
}

fn read(text: &str) -> Value {
    toml::from_str::<Table>(&format!("value = {text}"))
        .ok()
        .filter(|table| table.len() == 1)
        .and_then(|mut table| table.remove("value"))
        .unwrap_or_else(|| Value::String(text.to_owned()))
}
