use super::head::{Head, Merge, Phase, Reach, Refusal, Run, Seal, Source};
use super::report::{Cause, Outcome, Problem, Stage, State, Status};
use super::target::{Found, Target};
use crate::chain::{Chain, Chains, Link, Route, Standing, Version};
use crate::error::{Error, ErrorKind, Result};

/// A run that dies this often goes back: something in it kills.
const ATTEMPTS: u32 = 12;

/// So often in a row a store or a vault may fail before a person is asked: each start tries once.
const TRIES: u32 = 3;

/// What somebody wants of the data.
#[derive(Clone, Debug)]
pub enum Request {
    /// The chain's tip.
    Migrate {
        /// Also where the last attempt was refused.
        retry: bool,
    },
    /// Staged records brought in.
    Import {
        /// Where they wait, at the chain's tip.
        staged: Seal,
        /// How they meet what is there.
        merge: Merge,
    },
    /// A snapshot again.
    Restore {
        /// Which.
        seal: Seal,
        /// The line that its data has run.
        line: Vec<Link>,
    },
    /// Another version of the chain, with everything that was written since. The data stays there, until it is asked for
    /// again by `Migrate { retry: true }` or a build with another chain has opened it.
    Revert {
        /// Which.
        to: Version,
    },
}

/// The state of the stored data; changes nothing.
///
/// # Errors
/// [`ErrorKind::Store`] where the store cannot be read.
pub async fn status<T: Target>(target: &T, chain: &Chain) -> Result<Status> {
    let report = |state, head: Option<&Head>, problem| Status {
        state,
        version: head.map_or(Version(0), |head| head.version),
        target: chain.tip(),
        problem,
        last_run: head.and_then(|head| head.last_run.clone()),
    };
    let found = match target.find().await {
        Err(error) if error.kind() == ErrorKind::Newer => {
            return Ok(report(State::Newer, None, Some(Problem::from(&error))));
        }
        found => found?,
    };
    let head = match found {
        Found::Fresh => return Ok(report(State::Fresh, None, None)),
        Found::Lost => return Ok(report(State::Lost, None, Some(Problem::from(&lost())))),
        Found::Unmarked => return Ok(Status { version: Version(1), ..report(State::Behind, None, None) }),
        Found::Marked(head) => *head,
    };
    if let Some(run) = &head.run {
        let state = if run.stuck.is_some() { State::Stuck } else { State::Moving };
        return Ok(report(state, Some(&head), run.stuck.clone()));
    }
    let is_held = head.held.as_deref() == Some(chain.lock().head());
    let refusal = head.refused.as_ref().filter(|refusal| refusal.tip == chain.lock().head());
    let way = match standing(chain, &head) {
        Ok(version) if version == chain.tip() => return Ok(report(State::Current, Some(&head), None)),
        Ok(_) => State::Behind,
        Err(error) if can_leave(&error) && chains(target, chain, &head).await?.find(&head.line).is_some() => {
            State::Ahead
        }
        Err(error) => return Ok(report(state_of(error.kind()), Some(&head), Some(Problem::from(&error)))),
    };
    Ok(match refusal {
        Some(refusal) => report(State::Refused, Some(&head), Some(refusal.problem.clone())),
        None if is_held => report(State::Held, Some(&head), None),
        None => report(way, Some(&head), None),
    })
}

/// Finishes whatever was interrupted, then does what is asked.
///
/// The answer is a [`Status`], also where the data is newer, forked or refused: those are states of the data, and it is
/// as it was.
///
/// # Errors
/// [`ErrorKind::Busy`] where another runner goes on, [`ErrorKind::Store`] where nothing can be read or written, and for
/// an import or a restore the reason why it was not done.
pub async fn run<T: Target>(target: &T, chain: &Chain, request: Request) -> Result<Status> {
    let _guard = target.acquire().await?;
    let mut runner = Runner { target, chain, chains: Chains::own(chain) };
    let (mut head, ground) = match runner.settle().await {
        // A head that only a newer Exuvia can read: the status says so.
        Err(error) if error.kind() == ErrorKind::Newer && matches!(request, Request::Migrate { .. }) => {
            return status(target, chain).await;
        }
        settled => settled?,
    };
    match (ground, &request) {
        (Ground::AtRest, _) => {}
        // The ways out where nobody knows what the data is: what is there is saved, and all of it replaced.
        (Ground::Lost, Request::Restore { .. } | Request::Import { merge: Merge::Replace, .. }) => head.lost = true,
        (Ground::Stuck, Request::Restore { .. } | Request::Import { merge: Merge::Replace, .. }) => {}
        (_, Request::Migrate { .. }) => return status(target, chain).await,
        (Ground::Lost, _) => return Err(lost()),
        (Ground::Stuck, _) => return Err(stuck()),
    }
    match request {
        Request::Migrate { retry } => {
            if let Some(run) = runner.plan_migration(&head, retry) {
                // A refusal is noted in the head, which the status reads.
                let _ = runner.start(head, run).await?;
            } else if head.held.is_some() && head.line == chain.lock().line {
                // At home with another chain: the one that it was held against may come again as an update.
                head.held = None;
                runner.put(&mut head).await?;
            }
        }
        Request::Import { staged, merge } => {
            let version = if head.is_known() { standing(chain, &head)? } else { Version(0) };
            if version != chain.tip() && head.is_known() {
                return Err(Error::new(
                    ErrorKind::Busy,
                    "expected data at the chain's tip before an import, found it elsewhere; migrate first",
                ));
            }
            let source = Source::Staged { seal: staged, merge };
            let run = runner.plan(&head, Cause::Import, version, chain.lock().line, source);
            runner.start(head, run.ok_or_else(unknown_way)?).await??;
        }
        Request::Restore { seal, line } => {
            let version = if head.is_known() { head.version } else { Version(0) };
            let run = runner.plan(&head, Cause::Restore, version, line, Source::Snapshot { seal });
            runner.start(head, run.ok_or_else(unknown_way)?).await??;
        }
        Request::Revert { to } => runner.revert(head, to).await?,
    }
    status(target, chain).await
}

/// How a store was left by those before.
enum Ground {
    AtRest,
    /// Nobody knows what the data is.
    Lost,
    /// A run is in the way that cannot be finished now.
    Stuck,
}

struct Runner<'r, T> {
    target: &'r T,
    chain: &'r Chain,
    chains: Chains<'r>,
}

impl<T: Target> Runner<'_, T> {
    /// Brings the store to rest: without a run.
    async fn settle(&mut self) -> Result<(Head, Ground)> {
        let mut head = match self.target.find().await? {
            Found::Marked(head) => *head,
            Found::Unmarked => Head::unmarked(),
            Found::Lost => return Ok((Head::unmarked(), Ground::Lost)),
            Found::Fresh => {
                let mut head = Head::unmarked().on_line(self.chain.lock().line);
                self.target.keep(self.chain).await?;
                self.put(&mut head).await?;
                head
            }
        };
        self.chains = chains(self.target, self.chain, &head).await?;
        // One that has taken the place of another, and is not committed, leaves that other to be finished.
        while let Some(run) = head.run.clone() {
            let is_at_rest = self.adopt(&mut head, run).await?;
            // A restore brings back the chain of its snapshot with the data.
            self.chains = chains(self.target, self.chain, &head).await?;
            if !is_at_rest {
                return Ok((head, Ground::Stuck));
            }
        }
        let ground = if head.lost { Ground::Lost } else { Ground::AtRest };
        Ok((head, ground))
    }

    /// Somebody died. Takes the run over under a new token and brings it to its end, if it can.
    async fn adopt(&self, head: &mut Head, mut run: Run) -> Result<bool> {
        run.token = self.target.token();
        run.attempts += 1;
        let known = self.route(head, &run);
        let route = known.unwrap_or_else(|| self.nowhere());
        match run.phase {
            Phase::Up if run.attempts > ATTEMPTS => return self.turn_back(head, &mut run, &route, &too_often()).await,
            Phase::Up if known.is_none() => return self.turn_back(head, &mut run, &route, &unknown_way()).await,
            // What an import leaves can be told only by a build that knows its version.
            Phase::Sweep if known.is_none() && run.source != Source::Chain => return Ok(false),
            _ => self.note(head, &run).await?,
        }
        match run.phase {
            Phase::Capture => {
                self.target.sweep(&run, &route).await?;
                self.let_go(&run).await;
                self.rest(head).await?;
            }
            Phase::Up => {
                if run.source == Source::Chain {
                    match self.secure(head, &mut run, &route).await {
                        Ok(()) => self.note(head, &run).await?,
                        // A vault that does not answer now may do so at the next start.
                        Err(error) if passes_on(&error) || error.kind() == ErrorKind::Store => return Err(error),
                        Err(error) => return self.turn_back(head, &mut run, &route, &error).await,
                    }
                }
                return self.go_up(head, &mut run, &route).await;
            }
            Phase::Back => return self.go_back(head, &mut run, &route).await,
            Phase::Sweep => self.finish(head, &run, &route).await?,
        }
        Ok(true)
    }

    /// Sees to it that the run's snapshot is whole. Two stores have no common order: after a power failure the head may be
    /// there and the snapshot not. Then the data itself says what it was, to whoever knows the run's way.
    async fn secure(&self, head: &Head, run: &mut Run, route: &Route<'_>) -> Result<()> {
        if let Some(seal) = &run.seal
            && self.target.verify(seal).await?
        {
            return Ok(());
        }
        let knows_way = self.route(head, run).is_some();
        // What was read back as something else than what was written is no witness of what was there before.
        let damaged = run.problem.as_ref().is_some_and(|problem| problem.kind == ErrorKind::Validation.name());
        if run.source != Source::Chain || !knows_way || damaged {
            let message = "expected the run's snapshot, found it missing or damaged; the data is left as it is";
            return Err(Error::new(ErrorKind::Snapshot, message));
        }
        run.seal = Some(self.target.recapture(run, route).await?);
        Ok(())
    }

    fn plan_migration(&self, head: &Head, retry: bool) -> Option<Run> {
        let lock = self.chain.lock();
        let for_good = |refusal: &Refusal| refusal.tip == lock.head() && !refusal.may_pass();
        let refused = head.refused.as_ref().is_some_and(for_good);
        let held = head.held.as_deref() == Some(lock.head());
        if head.line == lock.line || (refused || held) && !retry {
            return None;
        }
        match standing(self.chain, head) {
            Err(error) if !can_leave(&error) => return None,
            _ => {}
        }
        self.plan(head, Cause::Migrate, head.version.max(Version(1)), lock.line, Source::Chain)
    }

    /// Along the chain to one of its versions, where the data stays.
    async fn revert(&self, mut head: Head, to: Version) -> Result<()> {
        let tip = self.chain.tip();
        if to == Version(0) || to > tip {
            let message = format!("expected a version from 1 to {tip}, found {to}");
            return Err(Error::new(ErrorKind::Chain, message));
        }
        let line: Vec<_> = self.chain.line(to).cloned().collect();
        if head.line == line {
            head.held = self.hold(to);
            return self.put(&mut head).await;
        }
        if let Err(error) = standing(self.chain, &head)
            && !(can_leave(&error) && self.chains.find(&head.line).is_some())
        {
            return Err(error);
        }
        let from = head.version.max(Version(1));
        let mut run = self.plan(&head, Cause::Revert, from, line, Source::Chain).ok_or_else(unknown_way)?;
        run.holds = self.hold(to);
        self.start(head, run).await?
    }

    /// What keeps data at a version that is not the tip.
    fn hold(&self, at: Version) -> Option<String> {
        (at != self.chain.tip()).then(|| self.chain.lock().head().to_owned())
    }

    /// Where the data stands and where the run leads, each on a chain that knows the line.
    fn route(&self, head: &Head, run: &Run) -> Option<Route<'_>> {
        let end = self.chains.find(&run.to_line);
        let start = match (head.version.min(run.from), &run.source) {
            // Of no version: the first of the chain that the run leads along, whoever finishes it.
            (Version(0), Source::Chain) => end.map(|(chain, _)| (chain, run.from)),
            (Version(0), Source::Staged { .. } | Source::Snapshot { .. }) => Some((self.chain, run.from)),
            // The head is at the end already.
            (_, Source::Chain) if run.phase == Phase::Sweep => end.map(|(chain, _)| (chain, run.from.min(chain.tip()))),
            _ => self.chains.find(&head.line),
        };
        match run.source {
            Source::Chain | Source::Staged { .. } => Some(Route::between(start?, end?)),
            // Brought back as it is, whatever chain it is of.
            Source::Snapshot { .. } => {
                let nowhere = (self.chain, Version(0));
                Some(Route::between(start.unwrap_or(nowhere), end.unwrap_or(nowhere)))
            }
        }
    }

    /// For what goes no way along the chain.
    fn nowhere(&self) -> Route<'_> {
        Route::between((self.chain, Version(0)), (self.chain, Version(0)))
    }

    /// A run as it starts; `None` where nobody knows the way.
    fn plan(&self, head: &Head, cause: Cause, from: Version, to_line: Vec<Link>, source: Source) -> Option<Run> {
        let mut run = Run::new(self.target.token(), self.target.now(), cause, from, to_line, source);
        let route = self.route(head, &run)?;
        run.uses = Reach::of_all(route.after());
        run.leaves = match run.finds_unknown() {
            // It may be of any version, and of two.
            true => Reach::of_any(self.chain),
            false => Reach::left_by(&route),
        };
        Some(run)
    }

    /// A new run, to its end. The inner result says whether it was committed.
    async fn start(&self, mut head: Head, mut run: Run) -> Result<Result<()>> {
        let route = self.route(&head, &run).ok_or_else(unknown_way)?;
        if let Some(unfinished) = head.run.take() {
            run.replace(unfinished);
        }
        self.note(&mut head, &run).await?;
        match self.prepare(&mut run, &route).await {
            Ok(seal) => run.seal = Some(seal),
            Err(error) if passes_on(&error) => return Err(error),
            Err(error) => {
                self.refuse(&mut head, &run, &route, &error).await?;
                return Ok(Err(error));
            }
        }
        run.phase = Phase::Up;
        self.note(&mut head, &run).await?;
        if !self.go_up(&mut head, &mut run, &route).await? {
            let message = "the way back is not finished yet; each start tries again, and the snapshot is kept";
            return Ok(Err(Error::new(ErrorKind::Stuck, message)));
        }
        Ok(match run.problem {
            None => Ok(()),
            Some(problem) => Err(Error::new(
                ErrorKind::Validation,
                format!("the run failed and the old data is back: {}", problem.message),
            )),
        })
    }

    async fn prepare(&self, run: &mut Run, route: &Route<'_>) -> Result<Seal> {
        self.target.enter(run, Stage::Inspect);
        self.target.inspect(run, route).await?;
        self.target.enter(run, Stage::Assess);
        if run.source == Source::Chain {
            route.check()?;
        }
        let seal = self.target.capture(run, route).await?;
        // Before the first record is written, so that there is a chain for the line at every moment. A snapshot that is
        // brought back holds its own.
        if !matches!(run.source, Source::Snapshot { .. }) {
            run.keeps = Some(self.target.keep(self.chain).await?);
        }
        Ok(seal)
    }

    /// Nothing was written: the head says so, and why.
    async fn refuse(&self, head: &mut Head, run: &Run, route: &Route<'_>, error: &Error) -> Result<()> {
        let problem = Problem::from(error);
        let report = run.report(Outcome::Refused, self.target.now(), Some(problem.clone()));
        head.refused = (run.cause == Cause::Migrate).then(|| Refusal::again(head, run, problem));
        head.last_run = Some(report);
        self.target.sweep(run, route).await?;
        self.let_go(run).await;
        self.rest(head).await
    }

    /// To the end of the run, whether that is ahead or back; `false` where it could not be brought there.
    async fn go_up(&self, head: &mut Head, run: &mut Run, route: &Route<'_>) -> Result<bool> {
        let mut written = self.write(run, route).await;
        let lost = written.as_ref().is_err_and(|error| error.kind() == ErrorKind::Snapshot);
        if lost && run.source == Source::Chain && self.secure(head, run, route).await.is_ok() {
            self.note(head, run).await?;
            written = self.write(run, route).await;
        }
        match written {
            Ok(()) => self.commit(head, run, route).await.map(|()| true),
            Err(error) if passes_on(&error) => Err(error),
            Err(error) => self.turn_back(head, run, route, &error).await,
        }
    }

    async fn write(&self, run: &Run, route: &Route<'_>) -> Result<()> {
        self.target.enter(run, Stage::Apply);
        self.target.apply(run, route).await?;
        self.target.enter(run, Stage::Validate);
        self.target.validate(run, route).await
    }

    /// One write changes the version. From here on the new data stands.
    async fn commit(&self, head: &mut Head, run: &mut Run, route: &Route<'_>) -> Result<()> {
        self.target.enter(run, Stage::Commit);
        run.phase = Phase::Sweep;
        run.over.clear();
        head.last_run = Some(run.report(Outcome::Committed, self.target.now(), None));
        // A snapshot of data that nobody knew is still that.
        head.lost = run.to_line.is_empty();
        head.held.clone_from(&run.holds);
        head.refused = None;
        head.move_to(run.to_line.clone());
        self.note(head, run).await?;
        self.finish(head, run, route).await
    }

    async fn finish(&self, head: &mut Head, run: &Run, route: &Route<'_>) -> Result<()> {
        self.target.enter(run, Stage::Sweep);
        match self.target.sweep(run, route).await {
            // The new data stands; what cannot be told from it any more is better kept than guessed.
            Err(error) if error.kind() == ErrorKind::Snapshot => {
                let note = format!("records that the run was to remove may still be there: {error}");
                head.last_run.iter_mut().for_each(|report| report.notes.push(note.clone()));
            }
            swept => swept?,
        }
        let strays = self.target.strays(run).await?;
        head.last_run.iter_mut().for_each(|report| report.notes.extend(strays.iter().cloned()));
        self.rest(head).await?;
        // Only now: until the gate is open the run may have to be finished from what the vault holds.
        self.let_go(run).await;
        Ok(())
    }

    /// The data is safe whether or not this succeeds, and a vault that cannot be opened must not keep the gate shut: what
    /// stays now is let go of after the next run.
    async fn let_go(&self, run: &Run) {
        let _ = self.target.retain(run).await;
    }

    async fn turn_back(&self, head: &mut Head, run: &mut Run, route: &Route<'_>, error: &Error) -> Result<bool> {
        run.phase = Phase::Back;
        run.problem = Some(Problem::from(error));
        run.damage = self.target.damage();
        self.note(head, run).await?;
        self.go_back(head, run, route).await
    }

    /// The old data again. Where that fails the gate stays shut, and each start tries again.
    async fn go_back(&self, head: &mut Head, run: &mut Run, route: &Route<'_>) -> Result<bool> {
        self.target.enter(run, Stage::Restore);
        let mut restored = self.secure(head, run, route).await;
        self.note(head, run).await?;
        if restored.is_ok() {
            restored = self.target.restore(run, route).await;
        }
        match restored {
            Ok(()) => {}
            Err(error) if passes_on(&error) => return Err(error),
            Err(error) => {
                let message = format!("the way back is not finished: {error}");
                run.stuck = Some(Problem::from(&Error::new(ErrorKind::Stuck, message)));
                self.note(head, run).await?;
                return Ok(false);
            }
        }
        // A build that does not know the way says nothing of the chain that does.
        let says = |problem: &Problem| run.cause == Cause::Migrate && problem.kind != ErrorKind::Fork.name();
        let said = run.problem.clone().filter(says);
        head.refused = said.map(|problem| Refusal::again(head, run, problem));
        let mut report = run.report(Outcome::Restored, self.target.now(), run.problem.clone());
        self.target.sweep(run, route).await?;
        report.notes.extend(self.target.strays(run).await?);
        head.last_run = Some(report);
        self.rest(head).await?;
        self.let_go(run).await;
        Ok(true)
    }

    /// Writes where the run stands.
    async fn note(&self, head: &mut Head, run: &Run) -> Result<()> {
        head.run = Some(run.clone());
        self.put(head).await
    }

    /// Writes that the run is not under way any more.
    async fn rest(&self, head: &mut Head) -> Result<()> {
        head.run = head.run.take().and_then(Run::replaced);
        self.put(head).await
    }

    async fn put(&self, head: &mut Head) -> Result<()> {
        head.epoch += 1;
        self.target.put(head).await
    }
}

/// Errors after which nothing may be decided: somebody else decides, or the store does not answer.
fn passes_on(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Fenced | ErrorKind::Busy | ErrorKind::Paused)
}

impl Refusal {
    /// One more refusal of the way that a run was to go.
    fn again(head: &Head, run: &Run, problem: Problem) -> Self {
        let tip = head_of(&run.to_line);
        let before = head.refused.as_ref().filter(|before| before.tip == tip && before.may_pass());
        Self { tip, problem, tries: before.map_or(0, |before| before.tries) + 1 }
    }

    /// Whether the next start may find it gone: a read or a write that failed, a vault that did not open.
    fn may_pass(&self) -> bool {
        let passing = [ErrorKind::Store, ErrorKind::Snapshot].map(ErrorKind::name);
        passing.contains(&&*self.problem.kind) && self.tries < TRIES
    }
}

fn standing(chain: &Chain, head: &Head) -> Result<Version> {
    let error = |kind, message: &str, migration: &str| Err(Error::new(kind, message).in_migration(migration));
    match chain.standing(&head.line) {
        Standing::At(version) => Ok(version),
        Standing::Newer { migration } => error(
            ErrorKind::Newer,
            "expected data that this chain knows, found it written by a newer one; update the extension",
            &migration,
        ),
        Standing::Edited { migration } => error(
            ErrorKind::Edited,
            "expected the migration that the data has run, found it edited since; undo the edit and add a new migration",
            &migration,
        ),
        Standing::Fork { migration, .. } => error(
            ErrorKind::Fork,
            "expected data that has run this chain, found a migration that it does not have; merge the two branches",
            &migration,
        ),
    }
}

/// The chains that the lines in a head can be followed on.
pub(crate) async fn chains<'c, T: Target>(target: &T, own: &'c Chain, head: &Head) -> Result<Chains<'c>> {
    let mut chains = Chains::own(own);
    let lines = [Some(&head.line), head.run.as_ref().map(|run| &run.to_line)];
    if lines.into_iter().flatten().any(|line| chains.find(line).is_none()) {
        target.chains().await?.iter().for_each(|text| chains.add(text));
    }
    Ok(chains)
}

/// Whether data in this state may leave its line, along a chain that knows it.
fn can_leave(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Newer | ErrorKind::Fork)
}

fn state_of(kind: ErrorKind) -> State {
    match kind {
        ErrorKind::Newer => State::Newer,
        ErrorKind::Edited => State::Edited,
        _ => State::Fork,
    }
}

fn head_of(line: &[Link]) -> String {
    line.last().map(|link| link.head.clone()).unwrap_or_default()
}

fn stuck() -> Error {
    let message = "expected data at rest, found a run that cannot be finished now; restore a snapshot, or import a file in place of everything";
    Error::new(ErrorKind::Stuck, message)
}

fn lost() -> Error {
    Error::new(
        ErrorKind::Lost,
        "expected the control key beside the data, found it gone; restore a snapshot, or import a file in place of everything",
    )
}

fn too_often() -> Error {
    Error::new(
        ErrorKind::Store,
        format!("expected the run to end within {ATTEMPTS} attempts, found it interrupted each time"),
    )
}

fn unknown_way() -> Error {
    Error::new(
        ErrorKind::Fork,
        "expected the chain that the run was started with, found another that does not know the way; the run goes back",
    )
}
