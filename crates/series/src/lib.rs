//! Placeholder.

/// A scored point.
pub struct Scored {
    /// Score.
    pub score: f64,
}

/// Scores.
pub fn score(points: &[(i64, f64)]) -> Vec<Scored> {
    points.iter().map(|_| Scored { score: 0.0 }).collect()
}
