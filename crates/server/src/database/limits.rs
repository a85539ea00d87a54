use std::time::Duration;

/// How busy a database, and what follows it, may be while a run goes on. Above any of these the run waits between batches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// How far a replica may be behind.
    pub lag: Option<Duration>,
    /// How many bytes of log (WAL) may be kept for a replication slot.
    pub log: Option<u64>,
    /// How many other sessions may be at work.
    pub sessions: Option<u32>,
}

/// How busy it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// How far the last replica is behind; `None` where there is none.
    pub lag: Option<Duration>,
    /// Bytes of log that are kept for the last replication slot.
    pub log: u64,
    /// Other sessions at work.
    pub sessions: u32,
    /// Whether who asks may see replicas and other sessions.
    pub is_seen: bool,
}

impl Limits {
    /// Whether there is nothing to keep to.
    #[must_use]
    pub fn are_none(&self) -> bool {
        *self == Self::default()
    }

    /// These limits, and others where these say nothing.
    #[must_use]
    pub fn or(self, others: Self) -> Self {
        Self { lag: self.lag.or(others.lag), log: self.log.or(others.log), sessions: self.sessions.or(others.sessions) }
    }

    /// What is above its limit, in words.
    #[must_use]
    pub fn exceeded(&self, load: &Load) -> Option<String> {
        let lag = self.lag.zip(load.lag).filter(|(limit, found)| found > limit);
        let log = self.log.filter(|limit| load.log > *limit);
        let sessions = self.sessions.filter(|limit| load.sessions > *limit);
        let lag = lag.map(|(limit, found)| {
            format!("a replica is {:.1} s behind, of {:.1} allowed", found.as_secs_f64(), limit.as_secs_f64())
        });
        let log = log.map(|limit| format!("a slot keeps {} bytes of WAL, of {limit} allowed", load.log));
        let sessions = sessions.map(|limit| format!("{} sessions are at work, of {limit} allowed", load.sessions));
        let causes: Vec<_> = [lag, log, sessions].into_iter().flatten().collect();
        (!causes.is_empty()).then(|| causes.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_above_its_limit_is_told() {
        let load = Load { lag: Some(Duration::from_secs(3)), log: 1_000, sessions: 4, is_seen: true };
        let second = Some(Duration::from_secs(1));
        let none = Limits::default();
        for (limits, words) in [
            (Limits { lag: second, ..none }, Some("3.0 s behind, of 1.0")),
            (Limits { lag: Some(Duration::from_secs(3)), log: Some(1_000), sessions: Some(4) }, None),
            (Limits { log: Some(999), ..none }, Some("1000 bytes of WAL, of 999")),
            (Limits { sessions: Some(3), ..none }, Some("4 sessions are at work, of 3")),
            (Limits { log: Some(0), sessions: Some(0), ..none }, Some("of 0 allowed; 4 sessions")),
            (none, None),
        ] {
            let told = limits.exceeded(&load);
            assert_eq!(told.is_some(), words.is_some(), "{limits:?}: {told:?}");
            assert!(told.unwrap_or_default().contains(words.unwrap_or_default()), "{limits:?}");
        }
        assert_eq!(Limits { lag: second, ..none }.exceeded(&Load::default()), None, "no replica is behind");
    }

    #[test]
    fn what_is_asked_for_goes_before_what_is_usual() {
        let usual = Limits { lag: Some(Duration::from_secs(9)), log: Some(5), sessions: None };
        let asked = Limits { log: Some(7), ..Limits::default() };
        assert_eq!(asked.or(usual), Limits { log: Some(7), ..usual });
    }
}
