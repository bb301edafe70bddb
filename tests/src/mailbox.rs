//! Mails and cases of series from the lines of `fixtures/mail/series.txt`.

use std::fmt::Write as _;

use lorelint_mail::{Assembly, MessageClass, Series, parse_message};

/// 2025-09-17T12:00:00Z, when all invented mail begins.
const EPOCH: i64 = 1_758_110_400;

/// One case: mails and what assembly makes of them.
pub struct SeriesCase {
    /// The line after `==`.
    pub name: String,
    /// Id and raw bytes of each mail.
    pub mails: Vec<(String, Vec<u8>)>,
    /// The lines after `--`.
    pub expected: String,
}

/// Reads the cases of a fixture.
pub fn series_cases(text: &str) -> Vec<SeriesCase> {
    let mut cases = Vec::new();
    for block in text.split("\n== ").skip(1) {
        let (name, rest) = block.split_once('\n').expect("a case has lines");
        let (mails, expected) = rest.split_once("\n--\n").expect("a case has a `--` line");
        cases.push(SeriesCase {
            name: name.to_owned(),
            mails: mails.lines().map(mail).collect(),
            expected: expected.trim().to_owned(),
        });
    }
    cases
}

fn mail(line: &str) -> (String, Vec<u8>) {
    let fields: Vec<&str> = line.splitn(6, '|').map(str::trim).collect();
    let [id, sender, seconds, parent, subject, body] = fields[..] else {
        panic!("six fields: {line}")
    };
    let seconds: i64 = seconds.parse().expect("seconds");
    let (sender, author) = sender.split_once('+').unwrap_or((sender, ""));
    let mut raw = format!(
        "From: {}\nTo: list@example.org\nSubject: {subject}\n",
        person(sender)
    );
    let date = rfc2822(EPOCH + seconds);
    let _infallible = write!(raw, "Date: {date}\nMessage-ID: <{id}@example.org>\n");
    if parent != "-" {
        let parent = parent.trim_start_matches('?');
        let _infallible = write!(
            raw,
            "In-Reply-To: <{parent}@example.org>\nReferences: <{parent}@example.org>\n"
        );
    }
    raw.push_str("Content-Type: text/plain; charset=utf-8\n\n");
    if !author.is_empty() {
        let _infallible = write!(raw, "From: {}\n\n", person(author));
    }
    raw.push_str(&text(id, body));
    (id.to_owned(), raw.into_bytes())
}

fn person(letter: &str) -> String {
    format!("{letter} Person <{}@example.org>", letter.to_lowercase())
}

fn text(id: &str, body: &str) -> String {
    let (kind, rest) = body.split_once(' ').unwrap_or((body, ""));
    let log = "Log.\n\nSigned-off-by: A Person <a@example.org>\n---\n";
    match kind {
        "patch" => format!("{log}{}", diff(if rest.is_empty() { id } else { rest })),
        "change" => format!("{log}{}-- \n2.50\nchange-id: {rest}\n", diff(id)),
        "supersedes" | "depends" => {
            let key = if kind == "depends" { "Depends-on" } else { "Supersedes" };
            let named = format!("{key}: <{rest}@example.org>\n---\n");
            format!("{}{}", log.replace("---\n", &named), diff(id))
        }
        "cover" => {
            let mut text = "Why.\n\n".to_owned();
            if !rest.is_empty() {
                text.push_str("A Person (2):\n");
                for title in rest.split(';') {
                    let _infallible = writeln!(text, "  {}", title.trim());
                }
                text.push('\n');
            }
            text + " x.c | 2 +-\n 1 file changed, 1 insertion(+), 1 deletion(-)\n"
        }
        "interdiff" => format!("Why.\n\nInterdiff against v1:\n{}", diff("interdiff")),
        "pull" => "The following changes since commit 0123456:\n\nare available in the Git repository at:\n\n  https://git.example/x.git tags/y\n".to_owned(),
        "trailers" => "Reviewed-by: B Person <b@example.org>\n".to_owned(),
        "text" => "Words.\n".to_owned(),
        other => panic!("unknown body {other}"),
    }
}

fn diff(name: &str) -> String {
    format!(
        "diff --git a/x.c b/x.c\nindex 1111111..2222222 100644\n--- a/x.c\n+++ b/x.c\n@@ -1 +1 @@\n-old\n+new {name}\n"
    )
}

/// A date as mail has it, in UTC.
fn rfc2822(seconds: i64) -> String {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Civil date from days since the epoch. Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_part = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_part + 2) / 5 + 1;
    let month = if month_part < 10 {
        month_part + 3
    } else {
        month_part - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let name = MONTHS[usize::try_from(month - 1).expect("a month")];
    format!(
        "{day} {name} {year} {:02}:{:02}:{:02} +0000",
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    )
}

/// Assembles mails given in any order; the archive's order is that of the case.
pub fn assemble(mails: &[(usize, &[u8])]) -> Assembly {
    let heads: Vec<_> = mails
        .iter()
        .map(|(position, raw)| {
            let mut head = parse_message(raw).head(None);
            head.archived = Some(i64::try_from(*position).expect("few mails"));
            head
        })
        .collect();
    lorelint_mail::assemble(&heads)
}

/// An assembly in the form of the fixtures.
pub fn render(assembly: &Assembly) -> String {
    let short = |id: &str| id.split('@').next().unwrap_or(id).to_owned();
    let mut out = String::new();
    for series in &assembly.series {
        let own = series.patches.len() - series.missing.len();
        let total = series.total.map_or("n".to_owned(), |it| it.to_string());
        let _infallible = write!(
            out,
            "v{} {own}/{total} {}",
            series.version,
            series.state.as_str()
        );
        if let Some(older) = &series.supersedes {
            let _infallible = write!(out, " replaces {}", short(older));
        }
        out.push(':');
        if let Some(cover) = &series.cover {
            let _infallible = write!(out, " [{}]", short(cover.id.as_str()));
        }
        for (slot, number) in series.patches.iter().zip(1..) {
            out.push(' ');
            out.push_str(&slot_text(
                series,
                slot.as_ref().map(|it| short(it.id.as_str())),
                number,
            ));
        }
        out.push('\n');
    }
    let mut outside: Vec<String> = assembly
        .placements
        .iter()
        .filter(|it| !matches!(it.class, MessageClass::Patch | MessageClass::Cover))
        .map(|it| format!("{} {}", it.class.as_str(), short(it.message.as_str())))
        .collect();
    outside.sort();
    out.push_str(&outside.join("\n"));
    out.trim().to_owned()
}

fn slot_text(series: &Series, id: Option<String>, number: u32) -> String {
    match id {
        None => "_".to_owned(),
        Some(id) if series.missing.contains(&number) => format!("({id})"),
        Some(id) => id,
    }
}
