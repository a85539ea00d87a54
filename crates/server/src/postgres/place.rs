//! Where a database is, and whom it is entered as.

use std::time::Duration;

use exuvia_core::{Error, ErrorKind, Result};
use tokio_postgres::Config;
use tokio_postgres::config::Host;

use super::tls::Security;

/// A server, a database and a user.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) config: Config,
    pub(super) security: Security,
    /// For a scratch database, the one that it was made from.
    pub(super) origin: Option<Box<Place>>,
}

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);
/// After so long without an answer the server is taken for gone.
const SILENCE: Duration = Duration::from_secs(30);

impl Place {
    pub(super) fn parse(url: &str) -> Result<Self> {
        // What the parser says of a text may quote it, and it may hold a password.
        let (rest, security) = Security::take(url)?;
        let mut config: Config = rest.parse().map_err(|_| {
            let message = "expected `postgresql://user:password@host:port/database` or `host=… user=… dbname=…`, found something else; special characters in a password are written as % and two digits";
            Error::new(ErrorKind::Store, message)
        })?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        config.tcp_user_timeout(SILENCE);
        config.ssl_mode(security.ssl_mode());
        Ok(Self { config, security, origin: None })
    }

    pub(super) fn database(&self) -> &str {
        self.config.get_dbname().unwrap_or_else(|| self.user())
    }

    pub(super) fn user(&self) -> &str {
        self.config.get_user().unwrap_or("postgres")
    }

    /// Another database of the same server, made from this one.
    pub(super) fn scratch(&self, database: &str) -> Self {
        let mut config = self.config.clone();
        config.dbname(database);
        Self { config, security: self.security.clone(), origin: Some(Box::new(self.clone())) }
    }

    /// For people, without the password.
    pub(super) fn describe(&self) -> String {
        format!("postgresql://{}@{}/{}", self.user(), self.hosts(), self.database())
    }

    pub(super) fn hosts(&self) -> String {
        let hosts: Vec<_> =
            self.host_names().into_iter().zip(self.ports()).map(|(host, port)| format!("{host}:{port}")).collect();
        hosts.join(",")
    }

    pub(super) fn host_names(&self) -> Vec<String> {
        let name = |host: &Host| match host {
            Host::Tcp(name) => name.clone(),
            #[cfg(unix)]
            Host::Unix(path) => path.display().to_string(),
        };
        self.config.get_hosts().iter().map(name).collect()
    }

    /// A port for each host.
    pub(super) fn ports(&self) -> Vec<u16> {
        let ports = self.config.get_ports();
        let port = |index: usize| ports.get(index).or(ports.first()).copied().unwrap_or(5432);
        (0..self.config.get_hosts().len()).map(port).collect()
    }
}
