//! A mean that forgets.

/// An exponentially weighted mean. Until it has seen as many values as its span, it is their plain mean, so
/// that the first value does not weigh for long.
#[derive(Debug, Clone)]
pub(crate) struct Mean {
    value: f64,
    count: f64,
    span: f64,
}

impl Mean {
    /// A mean over about the last `span` values.
    pub(crate) fn over(span: f64) -> Self {
        Self { value: 0.0, count: 0.0, span }
    }

    pub(crate) fn value(&self) -> f64 {
        self.value
    }

    /// Takes a value in, and gives the new mean.
    pub(crate) fn add(&mut self, value: f64) -> f64 {
        self.count = (self.count + 1.0).min(self.span);
        self.value += (value - self.value) / self.count;
        self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_plain_at_first_and_then_forgets() {
        let mut mean = Mean::over(4.0);
        assert_eq!(mean.value(), 0.0);
        assert_eq!([8.0, 4.0, 0.0].map(|value| mean.add(value)), [8.0, 6.0, 4.0]);
        for _ in 0..100 {
            mean.add(1.0);
        }
        assert!((mean.value() - 1.0).abs() < 1e-6);
    }
}
