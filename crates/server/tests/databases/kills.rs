//! The command line, killed at moments that a seed chooses, and started again until it is done.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use exuvia_server::database::{Database, Event};

use crate::place::{BASELINE, BODIES, Place, documents, fill};

/// A project whose database is somewhere.
pub struct Project {
    pub file: PathBuf,
    url: Option<String>,
}

impl Project {
    pub fn new(place: &impl Place) -> Self {
        let (folder, database) = (place.folder(), place.environment());
        std::fs::create_dir_all(folder.join("chain")).unwrap();
        std::fs::write(folder.join("chain/0001-baseline.json"), BASELINE).unwrap();
        std::fs::write(folder.join("chain/0002-bodies.json"), BODIES).unwrap();
        let file = folder.join("exuvia.toml");
        let bound = "[collections.chats]\ntable = \"chats\"\nkey = \"id\"\ndocument = \"doc\"\n";
        std::fs::write(&file, format!("keep = 2\n{bound}[environments.here]\n{database}\n")).unwrap();
        let lock = exuvia(&["lock", "--chain", folder.join("chain").to_str().unwrap()]).status().unwrap();
        assert!(lock.success());
        Self { file, url: place.url() }
    }

    /// A run in short batches.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.plain(arguments);
        command.args(["--batch", "4", "--wait", "60"]);
        command
    }

    /// Any command.
    pub fn plain(&self, arguments: &[&str]) -> Command {
        let mut command = exuvia(arguments);
        command.args(["--config", self.file.to_str().unwrap()]);
        command.envs(self.url.iter().map(|url| ("DATABASE_URL", url)));
        command
    }

    /// Starts a run, and kills it after a while, unless it ends first. Answers with its exit code, if it had time for one.
    fn start(&self, arguments: &[&str], patience: Duration) -> Option<i32> {
        let mut child = self.command(arguments).spawn().unwrap();
        let begun = Instant::now();
        while begun.elapsed() < patience {
            if let Some(status) = child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        None
    }

    /// Until it is done, killed on the way.
    fn finish(&self, arguments: &[&str], whole: Duration, random: &mut fastrand::Rng) -> u32 {
        let mut kills = 0;
        loop {
            // The last starts are left alone: a run goes back when it was taken up too often.
            let patience = if kills < 8 { whole.mul_f64(random.f64() * 1.1) } else { Duration::from_secs(120) };
            match self.start(arguments, patience) {
                None => kills += 1,
                Some(0) => return kills,
                Some(code) => panic!("expected the run to be done or killed, found exit code {code}"),
            }
        }
    }
}

fn exuvia(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_exuvia"));
    command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Whoever comes late waits, and finds nothing left to do.
pub async fn of_eight_processes_at_once_one_moves_the_data<P: Place>() {
    let place = P::new().await;
    fill(&place, 400);
    let project = Project::new(&place);
    let started: Vec<_> = (0..8).map(|_| project.command(&["up"]).spawn().unwrap()).collect();
    for mut process in started {
        assert_eq!(process.wait().unwrap().code(), Some(0));
    }
    let log = place.open().await.log().await.unwrap();
    let events: Vec<_> = log.iter().map(|entry| entry.event).collect();
    assert_eq!(events, [Event::Started, Event::Writing, Event::Committed, Event::Finished]);
}

/// How many runs; more in the long test.
fn runs() -> u64 {
    std::env::var("SERVER_KILLS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(3)
}

/// What an undisturbed run makes of the data, and how long that takes, tells what a killed one must come to.
pub async fn whatever_is_killed_ends_in_the_new_data_and_back_in_the_old<P: Place>() {
    let oracle = P::new().await;
    fill(&oracle, 1_000);
    let old = documents(&oracle);
    let project = Project::new(&oracle);
    let begun = Instant::now();
    assert_eq!(project.start(&["up"], Duration::from_secs(120)), Some(0));
    let whole = begun.elapsed();
    let new = documents(&oracle);
    let mut kills = 0;
    for seed in 1..=runs() {
        let random = &mut fastrand::Rng::with_seed(seed);
        let place = P::new().await;
        fill(&place, 1_000);
        let project = Project::new(&place);
        kills += project.finish(&["up"], whole, random);
        assert_eq!(documents(&place), new, "seed {seed}: up");
        kills += project.finish(&["down", "--to", "1"], whole, random);
        assert_eq!(documents(&place), old, "seed {seed}: down");
    }
    println!("{} runs, {kills} kills, 0 lost", 2 * runs());
    assert!(kills > 0, "nothing was killed");
}
