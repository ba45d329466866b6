//! Builders of columns beyond those of Arrow: points in time, and values that are mostly absent or mostly
//! the same, which are counted and put in together. All make room for as many rows as the batch before had.

use arrow_array::builder::{
    BinaryBuilder, PrimitiveBuilder, StringBuilder, StringDictionaryBuilder, TimestampMicrosecondBuilder,
};
use arrow_array::cast::AsArray as _;
use arrow_array::types::{ArrowPrimitiveType, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{
    Array as _, BinaryArray, DictionaryArray, PrimitiveArray, StringArray, TimestampMicrosecondArray,
};

/// Texts that come again and again: a batch holds each once.
#[derive(Default)]
pub(crate) struct TextBuilder {
    builder: StringDictionaryBuilder<Int32Type>,
    /// The text of the last row, if it has one, and how many rows it has that are not put in yet.
    last: String,
    is_null: bool,
    waiting: usize,
}

impl TextBuilder {
    #[inline]
    pub(crate) fn append_option(&mut self, text: Option<&str>) {
        let is_same = match text {
            None => self.is_null,
            Some(text) => !self.is_null && self.last == text,
        };
        if !is_same {
            self.change(text);
        }
        self.waiting += 1;
    }

    /// Another row like the one before, which there must be.
    #[inline]
    pub(crate) fn repeat(&mut self) {
        self.waiting += 1;
    }

    fn change(&mut self, text: Option<&str>) {
        self.put();
        self.is_null = text.is_none();
        if let Some(text) = text {
            text.clone_into(&mut self.last);
        }
    }

    fn put(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        if waiting > 0 {
            self.builder.append_options((!self.is_null).then_some(self.last.as_str()), waiting);
        }
    }

    pub(crate) fn finish(&mut self) -> DictionaryArray<Int32Type> {
        self.put();
        let texts = self.builder.finish();
        let different = texts.values().as_string::<i32>();
        self.builder = StringDictionaryBuilder::with_capacity(
            texts.len(),
            different.len(),
            different.value_data().len(),
        );
        texts
    }
}

/// Texts of which each is its own.
#[derive(Default)]
pub(crate) struct OwnTextBuilder {
    builder: StringBuilder,
    nulls: usize,
}

impl OwnTextBuilder {
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

pub(crate) type FloatBuilder = NumberBuilder<Float64Type>;
pub(crate) type IntBuilder = NumberBuilder<Int64Type>;

/// Numbers. Absent ones are counted and put in together.
pub(crate) struct NumberBuilder<T: ArrowPrimitiveType> {
    builder: PrimitiveBuilder<T>,
    nulls: usize,
}

impl<T: ArrowPrimitiveType> Default for NumberBuilder<T> {
    fn default() -> Self {
        Self { builder: PrimitiveBuilder::new(), nulls: 0 }
    }
}

impl<T: ArrowPrimitiveType> NumberBuilder<T> {
    #[inline]
    pub(crate) fn append_option(&mut self, value: Option<T::Native>) {
        match value {
            None => self.nulls += 1,
            Some(value) => self.append_value(value),
        }
    }

    #[inline]
    pub(crate) fn append_value(&mut self, value: T::Native) {
        self.put_nulls();
        self.builder.append_value(value);
    }

    #[inline]
    fn put_nulls(&mut self) {
        if self.nulls > 0 {
            self.builder.append_nulls(self.nulls);
            self.nulls = 0;
        }
    }

    pub(crate) fn finish(&mut self) -> PrimitiveArray<T> {
        self.put_nulls();
        let numbers = self.builder.finish();
        self.builder = PrimitiveBuilder::with_capacity(numbers.len());
        numbers
    }
}

/// Hashes of 16 bytes; never absent.
#[derive(Default)]
pub(crate) struct HashBuilder(BinaryBuilder);

impl HashBuilder {
    #[inline]
    pub(crate) fn append_value(&mut self, value: [u8; 16]) {
        self.0.append_value(value);
    }

    pub(crate) fn finish(&mut self) -> BinaryArray {
        let hashes = self.0.finish();
        self.0 = BinaryBuilder::with_capacity(hashes.len(), hashes.value_data().len());
        hashes
    }
}

/// Hashes of which one is the same as the one before in nearly all rows.
#[derive(Default)]
pub(crate) struct SteadyHashBuilder {
    builder: HashBuilder,
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
pub(crate) struct UtcBuilder(NumberBuilder<TimestampMicrosecondType>);

impl UtcBuilder {
    #[inline]
    pub(crate) fn append_option(&mut self, micros: Option<i64>) {
        self.0.append_option(micros);
    }

    pub(crate) fn finish(&mut self) -> TimestampMicrosecondArray {
        self.0.finish().with_timezone("UTC")
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::Float64Array;

    use super::*;

    #[test]
    fn values_come_out_as_they_went_in() {
        let texts = [None, None, Some("a"), Some("a"), None, Some("b"), None, Some(""), Some("a")];
        let (mut repeated, mut own) = (TextBuilder::default(), OwnTextBuilder::default());
        let times = [Some(1), Some(1), None, Some(2)];
        let (mut time, mut steady_time) = (UtcBuilder::default(), SteadyTimeBuilder::default());
        let numbers = [None, Some(1.0), None, None, Some(2.0)];
        let mut number = FloatBuilder::default();
        let hashes = [[0; 16], [0; 16], [1; 16], [0; 16]];
        let (mut hash, mut steady_hash) = (HashBuilder::default(), SteadyHashBuilder::default());
        for _ in 0..2 {
            texts.iter().for_each(|text| repeated.append_option(*text));
            let found = repeated.finish();
            assert_eq!(found.downcast_dict::<StringArray>().unwrap().into_iter().collect::<Vec<_>>(), texts);
            repeated.repeat();
            let last = repeated.finish();
            assert_eq!(
                last.downcast_dict::<StringArray>().unwrap().into_iter().collect::<Vec<_>>(),
                [Some("a")]
            );
            assert_eq!(found.values().len(), 3, "each once");
            texts.iter().for_each(|text| own.append_option(*text));
            assert_eq!(own.finish(), StringArray::from(texts.to_vec()));
            let expected = TimestampMicrosecondArray::from(times.to_vec()).with_timezone("UTC");
            times.iter().for_each(|at| time.append_option(*at));
            assert_eq!(time.finish(), expected);
            times.iter().for_each(|at| steady_time.append_option(*at));
            assert_eq!(steady_time.finish(), expected);
            numbers.iter().for_each(|one| number.append_option(*one));
            assert_eq!(number.finish(), Float64Array::from(numbers.to_vec()));
            hashes.iter().for_each(|one| hash.append_value(*one));
            hashes.iter().for_each(|one| steady_hash.append_option(Some(*one)));
            for found in [hash.finish(), steady_hash.finish()] {
                assert_eq!(found.iter().flatten().collect::<Vec<_>>(), hashes);
            }
        }
        assert!(repeated.finish().is_empty() && own.finish().is_empty() && steady_hash.finish().is_empty());
    }
}
