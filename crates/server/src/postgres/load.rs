//! How busy the server is.

use std::time::Duration;

use super::error::Result;
use super::session::Session;
use crate::database::Load;

/// A replica with nothing to replay has no lag.
const LOAD: &str = "SELECT
    (SELECT extract(epoch FROM max(replay_lag))::float8 FROM pg_stat_replication),
    (SELECT coalesce(max(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)), 0)::int8 FROM pg_replication_slots),
    (SELECT count(*) FROM pg_stat_activity
     WHERE state = 'active' AND backend_type = 'client backend' AND application_name <> 'exuvia'),
    pg_has_role('pg_read_all_stats', 'USAGE')";

pub(super) async fn look(session: &Session) -> Result<Load> {
    let mut load = Load::default();
    for row in session.ask(LOAD, &[]).await? {
        let lag: Option<f64> = row.try_get(0)?;
        load.lag = lag.map(|seconds| Duration::from_secs_f64(seconds.max(0.0)));
        load.log = u64::try_from(row.try_get::<_, i64>(1)?).unwrap_or_default();
        load.sessions = u32::try_from(row.try_get::<_, i64>(2)?).unwrap_or(u32::MAX);
        load.is_seen = row.try_get(3)?;
    }
    Ok(load)
}
