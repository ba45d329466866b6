//! Columns of texts as batches have them.

use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::Int32Type;
use arrow_array::{Array, ArrayRef, Int32Array, StringArray};
use arrow_schema::DataType;

use crate::builders::TextBuilder;

/// How a batch holds texts that come again and again: each once, and rows name it by number. In tables, all texts
/// are plain.
#[must_use]
pub fn repeated_text() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

/// A column that holds each of the texts once.
pub fn repeated<'a>(texts: impl IntoIterator<Item = Option<&'a str>>) -> ArrayRef {
    let mut column = TextBuilder::default();
    texts.into_iter().for_each(|text| column.append_option(text));
    Arc::new(column.finish())
}

/// A column of texts, whichever way a batch holds them.
#[derive(Debug, Clone, Copy)]
pub struct Texts<'a> {
    texts: &'a StringArray,
    /// The number of each row's text; `None` where each row has its own.
    numbers: Option<&'a Int32Array>,
}

impl<'a> Texts<'a> {
    /// The texts of a column; `None` if it holds something else.
    #[must_use]
    pub fn of(column: &'a dyn Array) -> Option<Self> {
        match column.as_dictionary_opt::<Int32Type>() {
            None => Some(Self { texts: column.as_string_opt()?, numbers: None }),
            Some(repeated) => {
                Some(Self { texts: repeated.values().as_string_opt()?, numbers: Some(repeated.keys()) })
            }
        }
    }

    /// The text of a row, which must be one of the column's; `None` if it is null.
    #[must_use]
    #[inline]
    pub fn get(&self, row: usize) -> Option<&'a str> {
        match self.numbers {
            None => self.texts.is_valid(row).then(|| self.texts.value(row)),
            Some(numbers) => {
                let number = numbers.is_valid(row).then(|| numbers.value(row))?;
                usize::try_from(number).ok().map(|number| self.texts.value(number))
            }
        }
    }

    /// The texts of all rows, in order.
    pub fn iter(self) -> impl Iterator<Item = Option<&'a str>> {
        let rows = self.numbers.map_or(self.texts.len(), Array::len);
        (0..rows).map(move |row| self.get(row))
    }

    /// How many rows have no text.
    #[must_use]
    pub fn null_count(&self) -> usize {
        self.numbers.map_or(self.texts.null_count(), Array::null_count)
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::{DictionaryArray, Int64Array};

    use super::*;

    #[test]
    fn both_ways_give_the_same() {
        let texts = [Some("a"), None, Some("b"), Some("a")];
        let plain: StringArray = texts.into_iter().collect();
        let repeated = repeated(texts);
        assert_eq!(*repeated.data_type(), repeated_text());
        for column in [&plain as &dyn Array, &*repeated] {
            let found = Texts::of(column).unwrap();
            assert_eq!(found.iter().collect::<Vec<_>>(), texts);
            assert_eq!((found.get(3), found.null_count()), (Some("a"), 1));
        }
        assert!(Texts::of(&Int64Array::from(vec![1])).is_none());
        let numbers: DictionaryArray<Int32Type> =
            DictionaryArray::new(Int32Array::from(vec![0]), Arc::new(Int64Array::from(vec![1])));
        assert!(Texts::of(&numbers).is_none());
    }
}
