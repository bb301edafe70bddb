//! Times as pages show them.

use crate::model::Timestamp;

/// How long ago, in one unit: `now`, `5 min`, `3 h`, `12 d`, `4 mon`, `2 y`.
pub(crate) fn age(now: Timestamp, at: Timestamp) -> String {
    const MINUTE: i64 = 60;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;
    let seconds = now.seconds_since(at);
    match seconds {
        ..MINUTE => "now".to_owned(),
        MINUTE..HOUR => format!("{} min", seconds / MINUTE),
        HOUR..DAY => format!("{} h", seconds / HOUR),
        _ if seconds < 60 * DAY => format!("{} d", seconds / DAY),
        _ if seconds < 730 * DAY => format!("{} mon", seconds / (30 * DAY)),
        _ => format!("{} y", seconds / (365 * DAY)),
    }
}

/// `2025-09-17 12:44`, UTC.
pub(crate) fn minute(at: Timestamp) -> String {
    let text = at.to_string();
    match text.split_once('T') {
        Some((day, time)) => format!("{day} {}", time.get(..5).unwrap_or(time)),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_have_one_unit() {
        let ages: Vec<String> = [0, -9, 61, 7_200, 172_800, 86_400 * 90, 86_400 * 800]
            .iter()
            .map(|&it| {
                age(
                    Timestamp::from_seconds(100_000_000),
                    Timestamp::from_seconds(100_000_000 - it),
                )
            })
            .collect();
        assert_eq!(ages, ["now", "now", "1 min", "2 h", "2 d", "3 mon", "2 y"]);
        assert_eq!(
            minute(Timestamp::from_seconds(1_758_113_044)),
            "2025-09-17 12:44"
        );
    }
}
