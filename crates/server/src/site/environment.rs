use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use exuvia_server::database::{Pace, Policy};

use super::project::{Bounds, Environment as Rules};

/// Which project, and which of its environments.
#[derive(Args, Clone)]
pub(crate) struct Environment {
    /// The project's file
    #[arg(long, value_name = "FILE", default_value = "exuvia.toml")]
    pub(crate) config: PathBuf,
    /// The environment; `development`, or the only one, where it is not given
    #[arg(long, short, value_name = "NAME")]
    pub(crate) environment: Option<String>,
}

/// How a run goes about it.
#[derive(Args, Clone)]
pub(crate) struct Pressure {
    /// Go on although a rule forbids it; the log remembers
    #[arg(long, value_name = "RULE")]
    allow: Vec<String>,
    /// Answer every question with yes
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// How long one batch may take, and other writers wait for it, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 80, value_parser = clap::value_parser!(u64).range(1..))]
    batch: u64,
    /// The share of the time that the run works, in percent; the rest it pauses
    #[arg(long, value_name = "PERCENT", default_value_t = 100, value_parser = clap::value_parser!(u8).range(1..=100))]
    share: u8,
    #[command(flatten)]
    bounds: Bounds,
    /// How long to wait for another runner, in seconds
    #[arg(long, value_name = "S", default_value_t = 10)]
    wait: u64,
}

impl Pressure {
    /// For what changes no data.
    pub(crate) fn none() -> Self {
        Self { allow: Vec::new(), yes: false, batch: 80, share: 100, bounds: Bounds::default(), wait: 10 }
    }

    pub(super) fn policy(&self, environment: &Rules) -> Policy {
        Policy {
            allowed: self.allow.iter().chain(&environment.allow).cloned().collect(),
            pace: Pace {
                batch: Duration::from_millis(self.batch),
                share: f64::from(self.share) / 100.0,
                limits: self.bounds.limits().or(environment.limits.limits()),
            },
            wait: Duration::from_secs(self.wait),
            who: who(),
        }
    }
}

/// Who runs it, and where, as the system names them.
fn who() -> String {
    let user = ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| std::env::var(name).ok());
    let host = gethostname::gethostname().to_string_lossy().into_owned();
    format!("{}@{host}", user.unwrap_or_else(|| "somebody".to_owned()))
}
