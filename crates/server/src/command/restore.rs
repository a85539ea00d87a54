use std::rc::Rc;

use clap::Args;
use exuvia_core::document::Json;
use exuvia_core::protocol::{Found, Head, Phase, Target};
use exuvia_server::database::{Database, Entry, Event};

use crate::failure::Failure;
use crate::output::Output;
use crate::site::{Errand, Pressure, Site, Watch, Where, confirm};

/// Make the whole database what a backup holds: the way back when nothing else works
///
/// What is there now is backed up first, and the backup that is restored is verified first. Everything written since that
/// backup is gone from the database afterwards; to keep it, use `exuvia down`.
#[derive(Args)]
pub(crate) struct Restore {
    #[command(flatten)]
    place: Where,
    /// Which backup, as `exuvia backup --list` names it
    backup: String,
    /// Answer every question with yes
    #[arg(long, short)]
    yes: bool,
}

struct BringBack {
    backup: String,
    yes: bool,
    output: Output,
}

impl Restore {
    pub(crate) fn run(self, output: Output) -> Result<(), Failure> {
        self.place.go(&Pressure::none(), BringBack { backup: self.backup, yes: self.yes, output })
    }
}

impl Errand for BringBack {
    async fn run<D: Database>(self, site: &Site<'_, D>) -> Result<(), Failure> {
        let manifest = site.verify(&self.backup).await?;
        if !self.yes {
            let question = format!(
                "{} ({}) becomes what it was at version {} in backup {}; what was written since is gone from it",
                site.name,
                site.database.describe(),
                manifest.version,
                manifest.id
            );
            confirm(&question, site.name)?;
        }
        let present = site.save(self.output).await?;
        let target = site.target(Rc::new(Watch::silent()));
        let _lock = target.acquire().await?;
        let log = site.database.log().await?;
        site.database.restore(&site.backups.file(&self.backup), &present).await?;
        // Exuvia's own tables came back too, and know nothing of what happened since. Those of another database never did.
        let known = site.database.log().await?;
        let mut since = log.strip_prefix(known.as_slice()).unwrap_or_default().to_vec();
        let head = match target.find().await? {
            // A run that had written nothing is forgotten. What was half-way is that still, and has to be finished.
            Found::Marked(head) => Head { run: head.run.filter(|run| run.phase != Phase::Capture), ..*head },
            _ => Head::unmarked(),
        };
        since.push(Entry {
            at: target.now(),
            run: manifest.id.clone(),
            event: Event::BroughtBack,
            cause: "restore".to_owned(),
            from: present.version,
            to: manifest.version,
            migration: head.line.last().map(|link| link.id.clone()).unwrap_or_default(),
            fingerprint: head.head.clone(),
            who: site.policy.who.clone(),
            records: "{}".to_owned(),
            note: format!("what was there before is in backup {}", present.id),
        });
        site.database.write_head(&head.to_json(), &since).await?;
        self.output.print(&site.report(site.status().await?))
    }
}
