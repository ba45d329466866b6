//! The functions of the query language that SQLite has not, or has otherwise. Every connection gets them.
//!
//! `sql::dialect` writes them into statements; nothing in the schema names them, so other programs can
//! open the file. Each gives null for null. What they do is told by `odata::checked::Function` and
//! `odata::checked::Arithmetic`.

use chrono::{DateTime, Datelike, Utc};
use odata::checked::WHITE_SPACE;
use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{ToSql, ToSqlOutput, Value, ValueRef};

use crate::sql::double;
use crate::sql::scalar::microseconds;

/// Adds the functions to a connection.
pub(super) fn register(connection: &Connection) -> rusqlite::Result<()> {
    let functions = Functions(connection);
    texts(&functions)?;
    whole_numbers(&functions)?;
    doubles(&functions)?;
    times(&functions)
}

fn texts(functions: &Functions<'_>) -> rusqlite::Result<()> {
    functions.add("odata_length", |[text]| Some(length(text.text()?)))?;
    functions.add("odata_index_of", |[text, part]| {
        let text = text.text()?;
        Some(text.find(part.text()?).and_then(|at| text.get(..at)).map_or(-1, length))
    })?;
    functions.add("odata_substring", |[text, start]| {
        let (text, start) = (text.text()?, start.count()?);
        Some(text.chars().skip(start).collect::<String>())
    })?;
    functions.add("odata_substring", |[text, start, count]| {
        let (text, start, count) = (text.text()?, start.count()?, count.count()?);
        Some(text.chars().skip(start).take(count).collect::<String>())
    })?;
    functions.add("odata_to_lower", |[text]| Some(text.text()?.to_lowercase()))?;
    functions.add("odata_to_upper", |[text]| Some(text.text()?.to_uppercase()))?;
    functions.add("odata_trim", |[text]| {
        Some(text.text()?.trim_matches(|letter| WHITE_SPACE.contains(letter)).to_owned())
    })?;
    functions.add("odata_concat", |[first, second]| Some([first.text()?, second.text()?].concat()))?;
    functions.add("odata_starts_with", |[text, part]| Some(text.text()?.starts_with(part.text()?)))?;
    functions.add("odata_ends_with", |[text, part]| Some(text.text()?.ends_with(part.text()?)))
}

fn whole_numbers(functions: &Functions<'_>) -> rusqlite::Result<()> {
    functions.add("odata_add", |[x, y]| x.whole()?.checked_add(y.whole()?))?;
    functions.add("odata_sub", |[x, y]| x.whole()?.checked_sub(y.whole()?))?;
    functions.add("odata_mul", |[x, y]| x.whole()?.checked_mul(y.whole()?))?;
    functions.add("odata_div", |[x, y]| x.whole()?.checked_div(y.whole()?))?;
    functions.add("odata_mod", |[x, y]| match (x.whole()?, y.whole()?) {
        (_, 0) => None,
        // The division that would tell does not fit, but leaves nothing.
        (x, y) => Some(x.wrapping_rem(y)),
    })
}

fn doubles(functions: &Functions<'_>) -> rusqlite::Result<()> {
    functions.add("odata_add_double", |[x, y]| double::add(x.double()?, y.double()?))?;
    functions.add("odata_sub_double", |[x, y]| double::add(x.double()?, -y.double()?))?;
    functions.add("odata_mul_double", |[x, y]| double::mul(x.double()?, y.double()?))?;
    functions.add("odata_div_double", |[x, y]| double::div(x.double()?, y.double()?))?;
    functions.add("odata_mod_double", |[x, y]| double::rem(x.double()?, y.double()?))?;
    functions.add("odata_round", |[x]| Some(x.double()?.round()))?;
    functions.add("odata_floor", |[x]| Some(x.double()?.floor()))?;
    functions.add("odata_ceiling", |[x]| Some(x.double()?.ceil()))
}

fn times(functions: &Functions<'_>) -> rusqlite::Result<()> {
    functions.add("odata_moment", |[text]| {
        let moment = text.text()?.parse::<DateTime<Utc>>().ok()?;
        Some(microseconds(with_four_digits(moment)?))
    })?;
    functions.add("odata_after", |[moment, length]| {
        moment_at(moment.whole()?.checked_add(length.whole()?)?).map(microseconds)
    })?;
    functions.add("odata_before", |[moment, length]| {
        moment_at(moment.whole()?.checked_sub(length.whole()?)?).map(microseconds)
    })?;
    functions.add("odata_year", |[moment]| Some(i64::from(moment_at(moment.whole()?)?.year())))?;
    functions.add("odata_month", |[moment]| Some(i64::from(moment_at(moment.whole()?)?.month())))?;
    functions.add("odata_day", |[moment]| Some(i64::from(moment_at(moment.whole()?)?.day())))?;
    functions.add("odata_date", |[moment]| {
        Some(i64::from(moment_at(moment.whole()?)?.date_naive().to_epoch_days()))
    })
}

fn length(text: &str) -> i64 {
    i64::try_from(text.chars().count()).unwrap_or(i64::MAX)
}

/// The moment, if its year has four digits.
fn moment_at(microseconds: i64) -> Option<DateTime<Utc>> {
    with_four_digits(DateTime::from_timestamp_micros(microseconds)?)
}

fn with_four_digits(moment: DateTime<Utc>) -> Option<DateTime<Utc>> {
    (1..=9999).contains(&moment.year()).then_some(moment)
}

struct Functions<'a>(&'a Connection);

impl Functions<'_> {
    /// Adds a function of so many operands. It gives `None` for null.
    fn add<const N: usize, T: ToSql + 'static>(
        &self,
        name: &str,
        function: impl for<'a> Fn([Given<'a>; N]) -> Option<T> + Send + 'static,
    ) -> rusqlite::Result<()> {
        // Only a count that is as it was declared comes here.
        let operands = i32::try_from(N).unwrap_or(-1);
        let flags = FunctionFlags::SQLITE_UTF8
            | FunctionFlags::SQLITE_DETERMINISTIC
            | FunctionFlags::SQLITE_INNOCUOUS;
        self.0.create_scalar_function(name, operands, flags, move |context: &Context<'_>| {
            let given = std::array::from_fn(|n| Given(context.get_raw(n)));
            function(given).map_or(Ok(ToSqlOutput::Owned(Value::Null)), |result| owned(&result))
        })
    }
}

fn owned(result: &impl ToSql) -> rusqlite::Result<ToSqlOutput<'static>> {
    Ok(match result.to_sql()? {
        ToSqlOutput::Owned(value) => ToSqlOutput::Owned(value),
        ToSqlOutput::Borrowed(value) => ToSqlOutput::Owned(value.try_into()?),
        _ => ToSqlOutput::Owned(Value::Null),
    })
}

/// A value handed to a function. What is of another type than wanted reads as null.
#[derive(Clone, Copy)]
struct Given<'a>(ValueRef<'a>);

impl<'a> Given<'a> {
    fn text(self) -> Option<&'a str> {
        self.0.as_str_or_null().ok().flatten()
    }

    fn whole(self) -> Option<i64> {
        self.0.as_i64_or_null().ok().flatten()
    }

    fn double(self) -> Option<f64> {
        self.0.as_f64_or_null().ok().flatten()
    }

    /// A number of letters; none if it is negative.
    fn count(self) -> Option<usize> {
        Some(usize::try_from(Ord::max(self.whole()?, 0)).unwrap_or(usize::MAX))
    }
}
