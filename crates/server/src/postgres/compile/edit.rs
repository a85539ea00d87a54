use exuvia_core::lens::{Edit, Function, Way};

use super::Result;
use super::body::Kept;
use super::function::{Applied, apply};
use super::routine::Routine;
use super::site::Site;

/// A value changes by a function, and back by another; see [`Edit`].
pub(super) fn write(op: &Edit, kept: &Kept, site: &Site, routine: &mut Routine) -> Result<()> {
    kept.expect("memo", routine);
    let source = (!op.sources.is_empty()).then(|| routine.json());
    if let Some(source) = &source {
        let places: Vec<_> = op.sources.iter().map(|place| site.focus.get(place)).collect::<Result<_>>()?;
        routine.line(format_args!("{source} := coalesce({});", places.join(", ")));
    }
    let is_whole = op.at.tokens().len() == 0;
    if !is_whole {
        routine.open_if(format_args!("{}", site.focus.encloses(&op.at)?));
    }
    let change = Change::new(&op.forward, &op.backward, source, routine);
    routine.line(format_args!("{} := {};", change.current, site.focus.get(&op.at)?));
    let is_worth_keeping = change.write(kept.entry.as_deref(), site, routine)?;
    let Change { current, next, .. } = &change;
    routine.open_if(format_args!("{next} IS DISTINCT FROM {current}"));
    routine.open_if(format_args!("{next} IS NOT NULL"));
    site.focus.set(&op.at, next, routine)?;
    routine.or_else();
    match is_whole {
        true => routine.line("RETURN;"),
        false => site.focus.remove(&op.at, routine)?,
    }
    routine.end_if();
    routine.end_if();
    // What is forgotten is never written down; on the way down only what the newer version had there is new.
    if !(op.forgets && site.way == Way::Up) {
        routine.open_if(format_args!("{is_worth_keeping}"));
        kept.keep(&change.memo("NULL", "NULL", site), site, routine);
        routine.end_if();
    }
    if !is_whole {
        routine.end_if();
    }
    Ok(())
}

/// Two functions between an older value and a newer one, with the variables that a change takes.
pub(super) struct Change<'f> {
    forward: &'f Function,
    backward: &'f Function,
    /// What the first function sees instead of the older value.
    source: Option<String>,
    /// The value before.
    pub(super) current: String,
    /// The value after.
    pub(super) next: String,
}

impl<'f> Change<'f> {
    pub(super) fn new(
        forward: &'f Function,
        backward: &'f Function,
        source: Option<String>,
        routine: &mut Routine,
    ) -> Self {
        let [current, next] = [routine.json(), routine.json()];
        Self { forward, backward, source, current, next }
    }

    /// Sets the value after, and answers with whether the pair is worth keeping, since the functions alone would not lead
    /// here again, and back: a condition that is never NULL. `entry` holds the pair that is remembered, or NULL.
    pub(super) fn write(&self, entry: Option<&str>, site: &Site, routine: &mut Routine) -> Result<String> {
        match entry {
            Some(entry) => self.write_recalling(entry, site, routine),
            None => self.write_anew(site, routine),
        }
    }

    fn write_anew(&self, site: &Site, routine: &mut Routine) -> Result<String> {
        let again = routine.json();
        let Self { current, next, .. } = self;
        match self.withdrawn(site.way) {
            Some(_) => routine.line(format_args!("{next} := NULL;")),
            None => {
                let plain = self.apply(site.way, current, next, site, routine)?;
                if let Some(fails) = &plain.fails {
                    routine.leave_when(fails);
                }
                if plain.value != *next {
                    routine.line(format_args!("{next} := {};", plain.value));
                }
            }
        }
        Ok(self.apply_back(next, &again, site, routine)?.misses(current))
    }

    fn write_recalling(&self, entry: &str, site: &Site, routine: &mut Routine) -> Result<String> {
        let [is_worth_keeping, ahead, again] = [routine.truth(), routine.json(), routine.json()];
        let Self { current, next, .. } = self;
        let (here, there) = super::sides(site.way, "older", "newer");
        let plain = self.apply(site.way, current, &ahead, site, routine)?;

        routine.open_if(format_args!("{entry} IS NOT NULL AND {entry}->'{here}' IS NOT DISTINCT FROM {current}"));
        routine.line(format_args!("{next} := {entry}->'{there}';"));
        routine.line(format_args!("{is_worth_keeping} := {};", plain.misses(next)));
        match self.withdrawn(site.way) {
            Some(fits) => {
                let fits = routine.fits(fits, current)?;
                let was_there = format!("{entry} IS NOT NULL AND {entry}->'{there}' IS NOT NULL");
                routine.else_if(format_args!("{was_there} AND {current} IS NOT NULL AND {fits}"));
                routine.line(format_args!("{next} := {current};"));
                routine.line(format_args!("{is_worth_keeping} := true;"));
                routine.or_else();
                routine.line(format_args!("{next} := NULL;"));
                routine.line(format_args!("{is_worth_keeping} := false;"));
            }
            None => {
                routine.or_else();
                if let Some(fails) = &plain.fails {
                    routine.leave_when(fails);
                }
                routine.line(format_args!("{next} := {};", plain.value));
                routine.line(format_args!("{is_worth_keeping} := false;"));
            }
        }
        routine.end_if();

        let back = self.apply_back(next, &again, site, routine)?;
        Ok(format!("{is_worth_keeping} OR {}", back.misses(current)))
    }

    /// An expression for the pair, with the item's place on either side where there is one.
    pub(super) fn memo(&self, here_at: &str, there_at: &str, site: &Site) -> String {
        let (older, newer) = super::sides(site.way, &self.current, &self.next);
        let (older_at, newer_at) = super::sides(site.way, here_at, there_at);
        format!("exuvia.memo({older}, {newer}, {older_at}, {newer_at})")
    }

    fn apply(&self, way: Way, input: &str, out: &str, site: &Site, routine: &mut Routine) -> Result<Applied> {
        match (way, &self.source) {
            (Way::Up, Some(source)) => apply(self.forward, source, out, site, routine),
            (Way::Up, None) => apply(self.forward, input, out, site, routine),
            (Way::Down, _) => apply(self.backward, input, out, site, routine),
        }
    }

    fn apply_back(&self, input: &str, out: &str, site: &Site, routine: &mut Routine) -> Result<Applied> {
        let back = match site.way {
            Way::Up => Way::Down,
            Way::Down => Way::Up,
        };
        self.apply(back, input, out, site, routine)
    }

    /// What a value must fit to stay, where the function of this way takes it away unless it was there before.
    fn withdrawn(&self, way: Way) -> Option<&'f exuvia_core::schema::Schema> {
        match (way, self.forward, self.backward, &self.source) {
            (Way::Up, Function::Withdraw(fits), _, None) | (Way::Down, _, Function::Withdraw(fits), _) => Some(fits),
            _ => None,
        }
    }
}

impl Applied {
    /// Whether the function leads elsewhere than to a value, or nowhere. Never NULL.
    fn misses(&self, value: &str) -> String {
        let elsewhere = format!("{} IS DISTINCT FROM {value}", self.value);
        self.fails.as_ref().map_or_else(|| elsewhere.clone(), |fails| format!("({fails} OR {elsewhere})"))
    }
}
