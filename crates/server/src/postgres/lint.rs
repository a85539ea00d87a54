//! What the text of a script says, by the rules of [squawk](https://squawkhq.com/docs/rules).

use squawk_linter::{Linter, Rule, Violation};
use squawk_syntax::SourceFile;

use crate::database::{Finding, Level, Script};

/// Rules of taste, and those that a run of Exuvia obeys by itself: it sets timeouts, and what is half done is undone.
const LEFT_OUT: [Rule; 11] = [
    Rule::BanCharField,
    Rule::PreferBigintOverInt,
    Rule::PreferBigintOverSmallint,
    Rule::PreferIdentity,
    Rule::PreferRepack,
    Rule::PreferRobustStmts,
    Rule::PreferTextField,
    Rule::PreferTimestampTz,
    Rule::RequireLockTimeout,
    Rule::RequireStatementTimeout,
    Rule::UnusedIgnore,
];

/// How much of a statement is shown.
const SHOWN: usize = 60;

/// The findings of a script's `up`, for a server of a major version.
pub(super) fn findings(script: &Script, major: u32) -> Vec<Finding> {
    let text = &script.up;
    let file = SourceFile::parse(text);
    if let Some(error) = file.errors().first() {
        let message = format!(
            "{}.sql: expected statements that can be reviewed, found one that is not understood ({}); look it over by hand",
            script.name,
            error.message()
        );
        return vec![Finding::new("sql-not-reviewed", Level::Warning, message)];
    }
    let mut linter = Linter::with_rules(&[], &LEFT_OUT);
    linter.settings.pg_version = major.to_string().parse().unwrap_or_default();
    linter.settings.assume_in_transaction = !script.is_alone;
    linter.lint(&file, text).iter().map(|violation| finding(script, violation)).collect()
}

/// A text tells what may be: whether anything is lost or anybody waits, the copy shows.
fn finding(script: &Script, violation: &Violation) -> Finding {
    let Violation { code, message, help, text_range, .. } = violation;
    let start = usize::from(text_range.start()).min(script.up.len());
    let statement = script.up.get(start..).and_then(|text| text.trim_start().lines().next()).unwrap_or_default();
    let shown: String = statement.chars().take(SHOWN).collect();
    let help = help.as_ref().map(|help| format!(" {help}")).unwrap_or_default();
    Finding::new(
        format!("sql-{code}"),
        Level::Warning,
        format!("{}.sql, at `{}`: {message}{help}", script.name, shown.trim_end()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(up: &str, head: &str) -> Vec<String> {
        let text = format!("{head}-- up\n{up}\n-- verify\nSELECT true;\n");
        let script = Script::parse("0001-x", &text).unwrap();
        findings(&script, 16).into_iter().map(|finding| finding.rule.into_owned()).collect()
    }

    #[test]
    fn what_may_lose_break_or_hold_up_is_found_by_its_rule() {
        for (up, expected) in [
            ("ALTER TABLE notes DROP COLUMN body;", "sql-ban-drop-column"),
            ("DROP TABLE notes;", "sql-ban-drop-table"),
            ("CREATE INDEX by_owner ON notes (owner);", "sql-require-concurrent-index-creation"),
            ("ALTER TABLE notes ALTER COLUMN id TYPE bigint;", "sql-changing-column-type"),
            ("ALTER TABLE notes RENAME COLUMN body TO text;", "sql-renaming-column"),
            (
                "SELECT 1;\nCREATE INDEX CONCURRENTLY by_owner ON notes (owner);",
                "sql-ban-concurrent-index-creation-in-transaction",
            ),
        ] {
            let found = rules(up, "");
            assert!(found.iter().any(|rule| rule == expected), "{up}: {found:?}");
        }
    }

    #[test]
    fn what_is_made_for_the_purpose_is_passed() {
        assert_eq!(
            rules("CREATE INDEX CONCURRENTLY by_owner ON notes (owner);", "-- outside a transaction\n"),
            [""; 0]
        );
        assert_eq!(rules("CREATE TABLE tags (name text);\nCREATE INDEX by_name ON tags (name);", ""), [""; 0]);
        assert_eq!(rules("-- squawk-ignore ban-drop-table\nDROP TABLE notes;", ""), [""; 0]);
    }

    #[test]
    fn a_text_that_is_no_sql_is_named_and_not_passed_over() {
        assert_eq!(rules("CREATE TABEL notes (id text);", ""), ["sql-not-reviewed"]);
    }
}
