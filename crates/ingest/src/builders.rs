//! Builders of columns beyond those of Arrow: points in time, and values that are mostly absent or mostly
//! the same, which are counted and put in together.

use arrow_array::builder::TimestampMicrosecondBuilder;
pub(crate) use arrow_array::builder::{BinaryBuilder, Float64Builder, Int64Builder, StringBuilder};
use arrow_array::{Array, BinaryArray, Float64Array, StringArray, TimestampMicrosecondArray};

/// Texts. Absent ones are counted and put in together; a batch has room for as much as the one before.
#[derive(Default)]
pub(crate) struct TextBuilder {
    builder: StringBuilder,
    nulls: usize,
}

impl TextBuilder {
    #[inline]
    pub(crate) fn append_option(&mut self, value: Option<&str>) {
        match value {
            None => self.nulls += 1,
            Some(value) => {
                self.put_nulls();
                self.builder.append_value(value);
            }
        }
    }

    fn put_nulls(&mut self) {
        if self.nulls > 0 {
            self.builder.append_nulls(self.nulls);
            self.nulls = 0;
        }
    }

    pub(crate) fn finish(&mut self) -> StringArray {
        self.put_nulls();
        let texts = self.builder.finish();
        self.builder = StringBuilder::with_capacity(texts.len(), texts.value_data().len());
        texts
    }
}

/// Numbers, as [`TextBuilder`] has texts.
#[derive(Default)]
pub(crate) struct FloatBuilder {
    builder: Float64Builder,
    nulls: usize,
}

impl FloatBuilder {
    #[inline]
    pub(crate) fn append_option(&mut self, value: Option<f64>) {
        match value {
            None => self.nulls += 1,
            Some(value) => {
                self.put_nulls();
                self.builder.append_value(value);
            }
        }
    }

    fn put_nulls(&mut self) {
        if self.nulls > 0 {
            self.builder.append_nulls(self.nulls);
            self.nulls = 0;
        }
    }

    pub(crate) fn finish(&mut self) -> Float64Array {
        self.put_nulls();
        let numbers = self.builder.finish();
        self.builder = Float64Builder::with_capacity(numbers.len());
        numbers
    }
}

/// Texts of which one is the same as the one before in nearly all rows.
#[derive(Default)]
pub(crate) struct SteadyTextBuilder {
    builder: StringBuilder,
    value: Option<String>,
    count: usize,
}

impl SteadyTextBuilder {
    #[inline]
    pub(crate) fn append_option(&mut self, value: Option<&str>) {
        if self.value.as_deref() != value {
            self.put();
            self.value = value.map(str::to_owned);
        }
        self.count += 1;
    }

    fn put(&mut self) {
        match &self.value {
            None => self.builder.append_nulls(self.count),
            Some(value) => (0..self.count).for_each(|_| self.builder.append_value(value)),
        }
        self.count = 0;
    }

    pub(crate) fn finish(&mut self) -> StringArray {
        self.put();
        self.builder.finish()
    }
}

/// Hashes of which one is the same as the one before in nearly all rows.
#[derive(Default)]
pub(crate) struct SteadyHashBuilder {
    builder: BinaryBuilder,
    value: [u8; 16],
    count: usize,
}

impl SteadyHashBuilder {
    #[inline]
    pub(crate) fn append_option(&mut self, value: Option<[u8; 16]>) {
        // Hashes are never absent; the macro that declares columns hands all values over so.
        let value = value.unwrap_or_default();
        if self.value != value {
            self.put();
            self.value = value;
        }
        self.count += 1;
    }

    fn put(&mut self) {
        (0..self.count).for_each(|_| self.builder.append_value(self.value));
        self.count = 0;
    }

    pub(crate) fn finish(&mut self) -> BinaryArray {
        self.put();
        self.builder.finish()
    }
}

/// Points in time, in microseconds since 1970, of which one is the same as the one before in nearly all
/// rows.
#[derive(Default)]
pub(crate) struct SteadyTimeBuilder {
    builder: TimestampMicrosecondBuilder,
    micros: Option<i64>,
    count: usize,
}

impl SteadyTimeBuilder {
    #[inline]
    pub(crate) fn append_option(&mut self, micros: Option<i64>) {
        if self.micros != micros {
            self.put();
            self.micros = micros;
        }
        self.count += 1;
    }

    fn put(&mut self) {
        match self.micros {
            None => self.builder.append_nulls(self.count),
            Some(micros) => self.builder.append_value_n(micros, self.count),
        }
        self.count = 0;
    }

    pub(crate) fn finish(&mut self) -> TimestampMicrosecondArray {
        self.put();
        self.builder.finish().with_timezone("UTC")
    }
}

/// Points in time: microseconds since 1970 in UTC.
#[derive(Default)]
pub(crate) struct UtcBuilder(TimestampMicrosecondBuilder);

impl UtcBuilder {
    pub(crate) fn append_option(&mut self, micros: Option<i64>) {
        self.0.append_option(micros);
    }

    pub(crate) fn finish(&mut self) -> TimestampMicrosecondArray {
        self.0.finish().with_timezone("UTC")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_out_as_they_went_in() {
        let texts = [None, None, Some("a"), Some("a"), None, Some("b"), None];
        let (mut sparse, mut steady) = (TextBuilder::default(), SteadyTextBuilder::default());
        let times = [Some(1), Some(1), None, Some(2)];
        let mut time = SteadyTimeBuilder::default();
        let numbers = [None, Some(1.0), None, None, Some(2.0)];
        let mut number = FloatBuilder::default();
        let hashes = [[0; 16], [0; 16], [1; 16], [0; 16]];
        let mut hash = SteadyHashBuilder::default();
        for _ in 0..2 {
            texts.iter().for_each(|text| sparse.append_option(*text));
            assert_eq!(sparse.finish(), StringArray::from(texts.to_vec()));
            texts.iter().for_each(|text| steady.append_option(*text));
            assert_eq!(steady.finish(), StringArray::from(texts.to_vec()));
            times.iter().for_each(|at| time.append_option(*at));
            let expected = TimestampMicrosecondArray::from(times.to_vec()).with_timezone("UTC");
            assert_eq!(time.finish(), expected);
            numbers.iter().for_each(|one| number.append_option(*one));
            assert_eq!(number.finish(), Float64Array::from(numbers.to_vec()));
            hashes.iter().for_each(|one| hash.append_option(Some(*one)));
            assert_eq!(hash.finish().iter().flatten().collect::<Vec<_>>(), hashes);
        }
        assert!(sparse.finish().is_empty() && steady.finish().is_empty() && hash.finish().is_empty());
    }
}
