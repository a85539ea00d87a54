//! A PostgreSQL server of a test's own.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, bail, ensure};
use postgres::{Client, NoTls};
use tempfile::TempDir;

const MISSING: &str = "PostgreSQL's server is missing: `cargo xtask test` finds or installs one; or install it yourself \
    (Debian: postgresql), or set POSTGRES_BIN to the folder that holds `initdb` and `pg_ctl`";

/// How clusters are made.
const INITDB: [&str; 6] =
    ["--username=exuvia", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--wal-segsize=1"];

/// A server with an empty cluster in a folder of its own, on a port of its own. It stops when it is dropped.
pub struct Server {
    folder: TempDir,
    bin: PathBuf,
    user: Option<User>,
    port: u16,
    fsync: &'static str,
    has_own_disk: bool,
}

/// Whom the server runs as: it refuses to run as root.
#[derive(Clone, Copy)]
struct User {
    uid: u32,
    gid: u32,
}

impl Server {
    /// One that is quick to make.
    #[allow(dead_code, reason = "measurements want a durable one")]
    pub fn start() -> Result<Self> {
        Self::start_with("off", None)
    }

    /// One on a disk of its own with so many megabytes; `None` where this process may mount none.
    #[allow(dead_code, reason = "measurements fill no disk")]
    pub fn start_on_disk_of(megabytes: u32) -> Result<Option<Self>> {
        match Self::start_with("off", Some(megabytes)) {
            Err(error) if error.is::<Unmounted>() => Ok(None),
            started => started.map(Some),
        }
    }

    /// One that waits for the disk, as servers do.
    #[allow(dead_code, reason = "tests need none that is durable")]
    pub fn start_durable() -> Result<Self> {
        Self::start_with("on", None)
    }

    fn start_with(fsync: &'static str, megabytes: Option<u32>) -> Result<Self> {
        let bin = find().context(MISSING)?;
        let folder = TempDir::new()?;
        if let Some(megabytes) = megabytes {
            let size = format!("size={megabytes}m");
            let mount = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder.path()).output();
            ensure!(mount.is_ok_and(|output| output.status.success()), Unmounted);
        }
        let user = if fs::metadata(folder.path())?.uid() == 0 { Some(User::nobody()?) } else { None };
        if let Some(User { uid, gid }) = user {
            chown(folder.path(), Some(uid), Some(gid))?;
        }
        let mut server = Self { folder, bin, user, port: 0, fsync, has_own_disk: megabytes.is_some() };
        server.make_cluster()?;
        // Another process may take a port that was free a moment ago.
        let mut tries = 0..5;
        loop {
            server.port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            match server.launch() {
                Ok(()) => return Ok(server),
                Err(error) if tries.next().is_none() => return Err(error),
                Err(_) => {}
            }
        }
    }

    /// Takes the cluster that an earlier test has made, or makes it and leaves it for later ones: making one costs more
    /// than most tests do in it.
    fn make_cluster(&self) -> Result<()> {
        let version = expect_success("initdb", Command::new(self.bin.join("initdb")).arg("--version").output()?)?;
        let made_by = format!("{} {INITDB:?} {}", String::from_utf8_lossy(&version.stdout), self.user.is_some());
        let shelf = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let kept = shelf.join(format!("cluster-{}", blake3::hash(made_by.as_bytes()).to_hex()));
        let data = self.folder.path().join("data");
        if kept.exists() {
            return copy(&kept, &data);
        }
        self.run("initdb", &INITDB)?;
        // Others find it whole or not at all.
        let draft = TempDir::new_in(shelf)?;
        copy(&data, &draft.path().join("data"))?;
        match fs::rename(draft.path().join("data"), &kept) {
            Err(error) if !kept.exists() => Err(error.into()),
            _ => Ok(()),
        }
    }

    fn launch(&self) -> Result<()> {
        let folder = self.folder.path();
        let Self { port, fsync, .. } = self;
        let options = format!("-p {port} -k {} -c listen_addresses=127.0.0.1 -c fsync={fsync}", folder.display());
        let log = folder.join("log");
        let arguments = ["start", "--wait", "--silent", "--log", &log.display().to_string(), "--options", &options];
        match self.run("pg_ctl", &arguments) {
            Ok(_) => Ok(()),
            Err(error) => Err(error.context(fs::read_to_string(log).unwrap_or_default())),
        }
    }

    /// Writes a file that nobody but the server reads.
    pub fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.folder.path().join(name);
        fs::write(&path, text)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        if let Some(User { uid, gid }) = self.user {
            chown(&path, Some(uid), Some(gid))?;
        }
        Ok(path)
    }

    /// Leaves no room on its disk, until the file that it answers with is removed.
    #[allow(dead_code, reason = "only one test fills a disk")]
    pub fn fill_disk(&self) -> Result<PathBuf> {
        let path = self.folder.path().join("filler");
        let mut file = fs::File::create(&path)?;
        while file.write_all(&[1; 4096]).is_ok() {}
        Ok(path)
    }

    /// Kills it, as a power failure does.
    pub fn kill(&self) -> Result<()> {
        let file = fs::read_to_string(self.folder.path().join("data/postmaster.pid"))?;
        let process = file.lines().next().context("expected the server's process in postmaster.pid, found none")?;
        expect_success("kill", Command::new("kill").args(["-KILL", process]).output()?).map(drop)
    }

    /// Starts it again after it was killed.
    pub fn restart(&self) -> Result<()> {
        // Its children take a moment to see that it is gone.
        let mut tries = 0..50;
        loop {
            match self.launch() {
                Err(_) if tries.next().is_some() => std::thread::sleep(std::time::Duration::from_millis(100)),
                launched => return launched,
            }
        }
    }

    pub fn connect(&self) -> Result<Client> {
        Ok(Client::connect(&self.url(), NoTls)?)
    }

    /// Where it is, as clients take it.
    pub fn url(&self) -> String {
        format!("postgresql://exuvia@127.0.0.1:{}/postgres", self.port)
    }

    /// Runs one of PostgreSQL's programs on the cluster.
    fn run(&self, program: &str, arguments: &[&str]) -> Result<Output> {
        let mut command = Command::new(self.bin.join(program));
        command.args(arguments).env("PGDATA", self.folder.path().join("data")).current_dir(self.folder.path());
        if let Some(User { uid, gid }) = self.user {
            command.uid(uid).gid(gid);
        }
        // The server inherits what pg_ctl is given, and would hold a pipe open.
        if program == "pg_ctl" {
            let status = command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).status()?;
            let output = Output { status, stdout: Vec::new(), stderr: Vec::new() };
            return expect_success(program, output);
        }
        expect_success(program, command.output()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nothing in it is needed any more; where it is gone already there is nothing to stop.
        drop(self.run("pg_ctl", &["stop", "--silent", "--mode=immediate"]));
        if self.has_own_disk {
            drop(Command::new("umount").arg("--lazy").arg(self.folder.path()).output());
        }
    }
}

/// No disk can be mounted by this process.
#[derive(Debug)]
struct Unmounted;

impl std::fmt::Display for Unmounted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("expected to mount a disk, found that this process may not")
    }
}

impl std::error::Error for Unmounted {}

impl User {
    fn nobody() -> Result<Self> {
        let id = |flag: &str| -> Result<u32> {
            let output = Command::new("id").args([flag, "nobody"]).output()?;
            Ok(String::from_utf8(output.stdout)?.trim().parse()?)
        };
        Ok(Self { uid: id("-u")?, gid: id("-g")? })
    }
}

/// Copies a folder with its owners and permissions, which the server insists on.
fn copy(from: &Path, to: &Path) -> Result<()> {
    expect_success("cp", Command::new("cp").arg("-a").args([from, to]).output()?).map(drop)
}

fn expect_success(program: &str, output: Output) -> Result<Output> {
    if !output.status.success() {
        bail!("{program} failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(output)
}

/// The folder of the server's programs: the one that is named, Debian's newest, or the one in the PATH.
fn find() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("POSTGRES_BIN") {
        return Some(named.into());
    }
    let has_server = |bin: &PathBuf| bin.join("initdb").exists() && bin.join("pg_ctl").exists();
    let mut found: Vec<_> = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().collect();
    found.sort_by_key(|entry| entry.file_name().to_string_lossy().parse::<u32>().unwrap_or(0));
    let debian = found.into_iter().rev().map(|entry| entry.path().join("bin")).find(has_server);
    let in_path = || {
        let initdb = fs::canonicalize(which::which("initdb").ok()?).ok()?;
        initdb.parent().map(Path::to_owned).filter(has_server)
    };
    debian.or_else(in_path)
}
