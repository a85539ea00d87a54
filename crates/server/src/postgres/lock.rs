//! One runner at a time.

use std::sync::Arc;

use exuvia_core::Result;
use tokio_postgres::Client;

use super::control;
use super::error;
use super::session::Session;

/// The advisory lock's number: "exuvia" in ASCII.
const NUMBER: i64 = 0x6578_7576_6961;

/// Holds other runners off until it is dropped, or the connection ends.
pub struct Lock {
    client: Arc<Client>,
}

impl Drop for Lock {
    fn drop(&mut self) {
        let client = Arc::clone(&self.client);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            // Where it cannot be told any more, the session ends with the process, and the lock with the session.
            runtime.spawn(async move { client.batch_execute(&format!("SELECT pg_advisory_unlock({NUMBER})")).await });
        }
    }
}

/// Never waits in the server: whoever does holds a snapshot that an index being built concurrently waits for.
pub(super) async fn take(session: &Session) -> Result<Option<Lock>> {
    let is_taken = session.one::<bool>(&format!("SELECT pg_try_advisory_lock({NUMBER})"), &[]).await?;
    if !is_taken {
        return Ok(None);
    }
    let lock = Lock { client: Arc::clone(session.client()) };
    let known = session.token.borrow().clone();
    let token = known.unwrap_or_else(|| format!("{:016x}", fastrand::u64(..)));
    control::create(session).await?;
    match control::lease(session, &token).await {
        Ok(()) => {
            session.token.replace(Some(token));
            Ok(Some(lock))
        }
        // Behind a pooler: another runner is writing this very moment.
        Err(trouble) if trouble.is_passing() => Ok(None),
        Err(trouble) => Err(trouble.into()),
    }
}

/// Who holds it: the session, and what it says of itself.
pub(super) async fn holder(session: &Session) -> Result<Option<String>> {
    let sql = format!(
        "SELECT format('%s as %s%s, process %s of the server, since %s UTC', coalesce(nullif(a.application_name, ''), 'a session'),
                a.usename, coalesce(' from ' || host(a.client_addr), ''), a.pid, to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'))
         FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
         WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
           AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
           AND (l.classid::bigint << 32 | l.objid::bigint) = {NUMBER}"
    );
    let rows: error::Result<_> = session.ask(&sql, &[]).await;
    Ok(rows?.first().map(|row| row.get(0)))
}
