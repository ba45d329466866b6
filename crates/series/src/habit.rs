//! What was strange lately is less strange now.
//!
//! Without this, an incident of an hour would be twelve alerts, and the return to the old state more of them.
//! Each aspect remembers its greatest surprise, which fades; a surprise counts by how far it exceeds most
//! of that memory. Because it is most and not all, something as strange as the worst of late still
//! counts for something, and something stranger counts in full.

/// The number of aspects.
pub(crate) const ASPECTS: usize = 5;

/// This part of the remembered surprise is taken off.
const DISCOUNT: f64 = 0.7;

/// What one aspect finds strange is remembered by the others to this part: a jump is also a move of the
/// level a few points later.
const SHARED: f64 = 0.6;

/// The aspect with the second most to say adds this part: two witnesses are better than one.
const SECOND: f64 = 0.15;

/// The memory halves in this many points,
const FADES_IN_MAX: f64 = 400.0;

/// or, in a series that is short yet, in this part of its length,
const FADES_IN_PART: f64 = 0.5;

/// but not faster than in this many points.
const FADES_IN_MIN: f64 = 20.0;

#[derive(Debug, Clone)]
pub(crate) struct Habit {
    remembered: [f64; ASPECTS],
    points: u32,
    fading: f64,
}

impl Habit {
    pub(crate) fn new() -> Self {
        Self { remembered: [0.0; ASPECTS], points: 0, fading: fading(0) }
    }

    /// What the surprises of a point are worth after what was before, and the aspect that says most.
    pub(crate) fn weigh(&mut self, surprises: [f64; ASPECTS]) -> (f64, usize) {
        self.points = self.points.saturating_add(1);
        if self.points.is_multiple_of(64) {
            self.fading = fading(self.points);
        }
        let mut first = (f64::NEG_INFINITY, 0);
        let mut second = f64::NEG_INFINITY;
        let mut greatest = 0.0_f64;
        for (aspect, surprise) in surprises.into_iter().enumerate() {
            let remembered = &mut self.remembered[aspect];
            *remembered *= self.fading;
            let news = surprise - DISCOUNT * *remembered;
            *remembered = remembered.max(surprise);
            greatest = greatest.max(surprise);
            if news > first.0 {
                second = first.0;
                first = (news, aspect);
            } else {
                second = second.max(news);
            }
        }
        for remembered in &mut self.remembered {
            *remembered = remembered.max(SHARED * greatest);
        }
        ((first.0 + SECOND * second.max(0.0)).max(0.0), first.1)
    }
}

/// What is left of the memory after one point.
fn fading(points: u32) -> f64 {
    let fades_in = (f64::from(points) * FADES_IN_PART).clamp(FADES_IN_MIN, FADES_IN_MAX);
    0.5_f64.powf(1.0 / fades_in)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weigh(habit: &mut Habit, surprise: f64) -> f64 {
        habit.weigh([surprise, 0.0, 0.0, 0.0, 0.0]).0
    }

    #[test]
    fn the_first_surprise_counts_in_full_and_its_repetition_little() {
        let mut habit = Habit::new();
        assert_eq!(weigh(&mut habit, 3.0), 3.0);
        assert!(weigh(&mut habit, 3.0) < 1.1);
        assert!(weigh(&mut habit, 6.0) > 3.5);
    }

    #[test]
    fn it_is_forgotten() {
        let mut habit = Habit::new();
        weigh(&mut habit, 3.0);
        for _ in 0..2000 {
            weigh(&mut habit, 0.0);
        }
        assert!(weigh(&mut habit, 3.0) > 2.8);
    }

    #[test]
    fn other_aspects_know_of_it() {
        let mut habit = Habit::new();
        weigh(&mut habit, 5.0);
        let (news, aspect) = habit.weigh([0.0, 0.0, 0.0, 2.0, 0.0]);
        assert!(news < 0.1, "{news}");
        assert_eq!(aspect, 3);
    }

    #[test]
    fn a_second_witness_adds() {
        let (alone, _) = Habit::new().weigh([0.0, 2.0, 0.0, 0.0, 0.0]);
        let (together, aspect) = Habit::new().weigh([0.0, 2.0, 1.9, 0.0, 0.0]);
        assert!(together > alone + 0.2);
        assert_eq!(aspect, 1);
    }
}
