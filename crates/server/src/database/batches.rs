use std::time::Duration;

use super::Limits;

/// How hard a run may press on its database.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How long one batch may take, and so how long a writer may wait for it.
    pub batch: Duration,
    /// The share of the time that the run works; the rest of it pauses. 1 is all of it.
    pub share: f64,
    /// Above which it waits.
    pub limits: Limits,
}

impl Default for Pace {
    fn default() -> Self {
        Self { batch: Duration::from_millis(80), share: 1.0, limits: Limits::default() }
    }
}

/// The size of the next batch, from how long the last ones took.
///
/// As GitLab does it ("Batched background migrations", documentation of its optimizer): the moving average of the
/// efficiency, time over time allowed, is led to between 0.9 and 0.95, and a size grows by a fifth at most.
#[derive(Debug)]
pub(super) struct Tuner {
    pace: Pace,
    rows: u32,
    efficiency: Option<f64>,
}

const FIRST: u32 = 1_000;
const LEAST: u32 = 10;
const MOST: u32 = 20_000;
const GROWTH: f64 = 1.2;
/// The weight of what was before in the moving average.
const INERTIA: f64 = 0.6;
const WANTED: std::ops::RangeInclusive<f64> = 0.9..=0.95;

impl Tuner {
    pub(super) fn new(pace: Pace) -> Self {
        Self { pace, rows: FIRST, efficiency: None }
    }

    pub(super) fn rows(&self) -> u32 {
        self.rows
    }

    pub(super) fn limits(&self) -> Limits {
        self.pace.limits
    }

    /// Learns from a batch, and answers how long to pause after it.
    pub(super) fn note(&mut self, rows: u64, took: Duration) -> Duration {
        // A batch at the table's end says little of a full one.
        if rows >= u64::from(self.rows) {
            let found = took.as_secs_f64() / self.pace.batch.as_secs_f64();
            let average = self.efficiency.map_or(found, |before| before * INERTIA + found * (1.0 - INERTIA));
            self.efficiency = Some(average);
            if !WANTED.contains(&average) {
                let factor = (WANTED.end() / average.max(f64::EPSILON)).min(GROWTH);
                self.rows = ((f64::from(self.rows) * factor) as u32).clamp(LEAST, MOST);
            }
        }
        took.mul_f64((1.0 / self.pace.share.clamp(0.01, 1.0)) - 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(rows_a_second: f64) -> u32 {
        let mut tuner = Tuner::new(Pace::default());
        for _ in 0..200 {
            let took = Duration::from_secs_f64(f64::from(tuner.rows()) / rows_a_second);
            tuner.note(tuner.rows().into(), took);
        }
        tuner.rows()
    }

    #[test]
    fn batches_grow_and_shrink_to_the_time_that_they_may_take() {
        for rows_a_second in [500.0, 10_000.0, 200_000.0] {
            let wanted = rows_a_second * Pace::default().batch.as_secs_f64();
            let found = f64::from(settled(rows_a_second));
            assert!((0.75..=1.05).contains(&(found / wanted)), "{found} of {wanted} rows at {rows_a_second} rows/s");
        }
    }

    #[test]
    fn a_batch_grows_by_a_fifth_at_most() {
        let mut tuner = Tuner::new(Pace::default());
        let before = tuner.rows();
        tuner.note(before.into(), Duration::from_micros(1));
        assert!(f64::from(tuner.rows()) <= f64::from(before) * GROWTH);
    }

    #[test]
    fn half_the_share_pauses_as_long_as_it_works() {
        let mut tuner = Tuner::new(Pace { share: 0.5, ..Pace::default() });
        assert_eq!(tuner.note(1, Duration::from_millis(40)), Duration::from_millis(40));
    }
}
