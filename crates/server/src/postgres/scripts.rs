//! Migrations in SQL.

use exuvia_core::{Error, ErrorKind};
use tokio_postgres::SimpleQueryMessage;

use super::control;
use super::error::Result;
use super::hold::Holds;
use super::session::Session;
use crate::database::{Direction, Entry, Finding, Known, Script};

pub(super) async fn known(session: &Session) -> exuvia_core::Result<Vec<Known>> {
    Ok(noted(session).await?)
}

async fn noted(session: &Session) -> Result<Vec<Known>> {
    if !control::has(session, "exuvia.script").await? {
        return Ok(Vec::new());
    }
    let rows = session.ask("SELECT name, digest, is_done FROM exuvia.script ORDER BY name", &[]).await?;
    let known = |row: &tokio_postgres::Row| {
        Ok(Known { name: row.try_get(0)?, digest: row.try_get(1)?, is_done: row.try_get(2)? })
    };
    rows.iter().map(known).collect()
}

pub(super) async fn run(
    session: &Session,
    script: &Script,
    direction: Direction,
    entry: Option<&Entry>,
) -> exuvia_core::Result<Vec<Finding>> {
    if script.is_alone {
        return run_alone(session, script, direction, entry).await.map(|()| Vec::new());
    }
    let work = async || {
        let holds = Holds::begin(session).await?;
        execute(session, script, direction).await?;
        let held = holds.end(session).await?;
        let is_open = "SELECT coalesce(current_setting('exuvia.run', true), '') = 'on'";
        if !session.one::<bool>(is_open, &[]).await? {
            let message = "expected statements that leave their transaction open, found one that ended it; take COMMIT and ROLLBACK out";
            return Err(Error::new(ErrorKind::Chain, message).into());
        }
        note(session, script, direction, entry).await?;
        Ok(held)
    };
    session.write(work).await
}

/// The intent first, then the statement, then the questions: they decide. A try that was cut off may have left half of it,
/// an index that is not valid, say, which the way back removes.
async fn run_alone(
    session: &Session,
    script: &Script,
    direction: Direction,
    entry: Option<&Entry>,
) -> exuvia_core::Result<()> {
    let was_begun = known(session).await?.iter().any(|known| known.name == script.name && !known.is_done);
    session.write(async || begun(session, script).await).await?;
    if was_begun && direction == Direction::Up && script.down.is_some() {
        execute(session, script, Direction::Down).await?;
    }
    execute(session, script, direction).await?;
    session.write(async || note(session, script, direction, entry).await).await
}

async fn execute(session: &Session, script: &Script, direction: Direction) -> Result<()> {
    match direction {
        Direction::Up => {
            session.batch(&script.up).await?;
            verify(session, script).await
        }
        Direction::Down => session.batch(script.down.as_deref().unwrap_or_default()).await,
    }
}

async fn verify(session: &Session, script: &Script) -> Result<()> {
    let mut answers = Vec::new();
    for message in session.client().simple_query(&script.verify).await? {
        match message {
            SimpleQueryMessage::Row(row) => answers.push(row.get(0).map(str::to_owned)),
            SimpleQueryMessage::CommandComplete(_) => {
                if !matches!(&answers[..], [Some(answer)] if answer == "t") {
                    let message = format!(
                        "expected each question of `-- verify` answered by one true value, found {} other answers",
                        answers.len()
                    );
                    return Err(Error::new(ErrorKind::Validation, message).into());
                }
                answers.clear();
            }
            _ => {}
        }
    }
    Ok(())
}

async fn begun(session: &Session, script: &Script) -> Result<()> {
    let sql = "INSERT INTO exuvia.script VALUES ($1, $2, false) ON CONFLICT (name) DO UPDATE SET is_done = false";
    session.change(sql, &[&script.name, &script.digest]).await.map(drop)
}

async fn note(session: &Session, script: &Script, direction: Direction, entry: Option<&Entry>) -> Result<()> {
    match direction {
        Direction::Up => {
            let sql = "INSERT INTO exuvia.script VALUES ($1, $2, true)
                ON CONFLICT (name) DO UPDATE SET (digest, is_done) = (excluded.digest, true)";
            session.change(sql, &[&script.name, &script.digest]).await?;
        }
        Direction::Down => {
            session.change("DELETE FROM exuvia.script WHERE name = $1", &[&script.name]).await?;
        }
    }
    match entry {
        Some(entry) => control::append(session, entry).await,
        None => Ok(()),
    }
}
