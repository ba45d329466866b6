//! Texts of several columns, put together.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::StringBuilder;
use ingest::Texts;

/// The texts at the places given, each a column and a row.
pub(crate) fn gather(columns: &[Texts<'_>], places: &[(usize, usize)]) -> ArrayRef {
    let texts = || places.iter().map(|(column, row)| columns[*column].get(*row));
    let bytes = texts().flatten().map(str::len).sum();
    let mut gathered = StringBuilder::with_capacity(places.len(), bytes);
    texts().for_each(|text| gathered.append_option(text));
    Arc::new(gathered.finish())
}

#[cfg(test)]
mod tests {
    use arrow_array::cast::AsArray as _;
    use arrow_array::types::Int32Type;
    use arrow_array::{DictionaryArray, StringArray};

    use super::*;

    #[test]
    fn texts_come_from_where_they_are() {
        let plain: StringArray = [Some("a"), None].into_iter().collect();
        let repeated: DictionaryArray<Int32Type> =
            [Some("b"), Some("b"), Some("c"), None].into_iter().collect();
        let columns = [Texts::of(&plain).unwrap(), Texts::of(&repeated).unwrap()];
        let gathered = gather(&columns, &[(1, 2), (0, 0), (1, 1), (0, 1), (1, 3), (1, 0)]);
        let found: Vec<_> = gathered.as_string::<i32>().iter().collect();
        assert_eq!(found, [Some("c"), Some("a"), Some("b"), None, None, Some("b")]);
    }
}
