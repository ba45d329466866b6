//! Whose events a run has to see: a look at the window alone, before weeks of history are read.
//!
//! Most detectors ask about few: whoever did something rare within the window. Their folder has a second query for
//! that, `candidates.sql`. Its columns are named for what they restrict: `"activity.subscription_id"` is a list of
//! subscriptions, and the detector's query then sees no activity of others. Of a table that several columns
//! name it sees the rows that one of them names; of a table that none names, or of which one names `*`, all. It may
//! name the parts (`with`) of the detector's query, so that what counts is written once.
//!
//! It may be several queries. Each after the first sees only what the one before it names, so that a look at weeks of
//! those whom a minute brings up can tell who of them is left; the last names the candidates.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::ControlFlow;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, BooleanArray, RecordBatch, StringArray};
use arrow_schema::{DataType, Schema};
use datafusion::arrow::compute::cast;
use datafusion::common::{DataFusionError, Result, exec_err};
use datafusion::dataframe::DataFrame;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::prelude::{Expr, col, lit};
use datafusion::sql::sqlparser::ast::helpers::attached_token::AttachedToken;
use datafusion::sql::sqlparser::ast::{Cte, Query, Statement, Visit, With, visit_relations};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;
use ingest::schema::Kind;

/// Up to so many values are written out in the condition, so that files and pages without them are left out; more are
/// looked up in a set.
const WRITTEN_OUT_MAX: usize = 20;

/// The value that names all of a table.
const ALL: &str = "*";

/// The function that asks for whom [`Candidates`] name.
pub(crate) const IS_AMONG: &str = "is_among";

/// Values of a column, each once.
type Values = Arc<HashSet<String>>;

/// Whose events a run has to see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Candidates {
    values: BTreeMap<Kind, BTreeMap<String, Values>>,
    /// Tables of which all was named.
    whole: BTreeSet<Kind>,
}

impl Candidates {
    /// Whether there is nobody, so that there is nothing to find.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.whole.is_empty()
            && self.values.values().flat_map(BTreeMap::values).all(|values| values.is_empty())
    }

    /// What is wrong with the columns of a query for candidates; `None` if nothing is.
    pub(crate) fn problem(schema: &Schema, inputs: &[Kind]) -> Option<String> {
        if schema.fields().is_empty() {
            return Some("candidates.sql gives no column".to_owned());
        }
        schema.fields().iter().find_map(|field| {
            let name = field.name();
            let Some((kind, column)) = named(name) else {
                return Some(format!(
                    "column \"{name}\" of candidates.sql names no column of a table; write \"activity.subscription_id\""
                ));
            };
            if !inputs.contains(&kind) {
                return Some(format!("column \"{name}\" of candidates.sql: '{}' is none of the detector's inputs", kind.name()));
            }
            match kind.schema().field_with_name(column) {
                Err(_) => Some(format!("column \"{name}\" of candidates.sql: '{}' has no column '{column}'", kind.name())),
                // Of costs, statements replace each other, those of an account all together.
                Ok(_) if kind == Kind::Cost && !["subscription_id", "customer_tenant_id"].contains(&column) => {
                    Some(format!(
                        "column \"{name}\" of candidates.sql: 'cost' can be restricted by subscription_id or customer_tenant_id alone"
                    ))
                }
                Ok(of_table) if *of_table.data_type() != DataType::Utf8 => {
                    Some(format!("column \"{name}\" of candidates.sql: only columns of text can restrict a table"))
                }
                Ok(_) if !is_text(field.data_type()) => {
                    Some(format!("column \"{name}\" of candidates.sql is no text, but {}", field.data_type()))
                }
                Ok(_) => None,
            }
        })
    }

    /// Reads the rows of a query whose columns were checked; nulls name nobody, `*` names all.
    pub(crate) fn read(batches: &[RecordBatch]) -> Result<Self> {
        let mut values: BTreeMap<Kind, BTreeMap<String, HashSet<String>>> = BTreeMap::new();
        let mut whole = BTreeSet::new();
        for batch in batches {
            let schema = batch.schema();
            for (field, column) in schema.fields().iter().zip(batch.columns()) {
                let Some((kind, name)) = named(field.name()) else { continue };
                let texts = cast(column, &DataType::Utf8)?;
                let texts: &StringArray = texts.as_string();
                if texts.iter().flatten().any(|text| text == ALL) {
                    whole.insert(kind);
                }
                let of_column = values.entry(kind).or_default().entry(name.to_owned()).or_default();
                for text in texts.iter().flatten() {
                    if !of_column.contains(text) {
                        of_column.insert(text.to_owned());
                    }
                }
            }
        }
        let shared = |columns: BTreeMap<_, HashSet<_>>| {
            columns.into_iter().map(|(name, values)| (name, Arc::new(values))).collect()
        };
        values.retain(|kind, _| !whole.contains(kind));
        let values = values.into_iter().map(|(kind, columns)| (kind, shared(columns))).collect();
        Ok(Self { values, whole })
    }

    /// Of these events those that have to be seen.
    ///
    /// # Errors
    ///
    /// If the events have no column of that name.
    pub fn of(&self, kind: Kind, events: DataFrame) -> Result<DataFrame> {
        let Some(columns) = self.values.get(&kind) else { return Ok(events) };
        let any = columns.iter().map(|(column, values)| is_among(column, values)).reduce(Expr::or);
        match any {
            Some(condition) => events.filter(condition),
            None => Ok(events),
        }
    }

    /// Whether a table is restricted.
    #[must_use]
    pub fn restricts(&self, kind: Kind) -> bool {
        self.values.contains_key(&kind)
    }

    /// Whether a table is restricted by one column, and by no other.
    pub(crate) fn restricts_by(&self, kind: Kind, column: &str) -> bool {
        self.values.get(&kind).is_some_and(|columns| columns.len() == 1 && columns.contains_key(column))
    }

    /// How many values there are, of all columns.
    pub(crate) fn len(&self) -> usize {
        self.values.values().flat_map(BTreeMap::values).map(|values| values.len()).sum()
    }

    /// Adds whoever another names for a table.
    pub fn add(&mut self, kind: Kind, other: &Self) {
        let Some(columns) = other.values.get(&kind) else { return };
        let own = self.values.entry(kind).or_default();
        for (column, values) in columns {
            let own = own.entry(column.clone()).or_default();
            if own.is_empty() {
                *own = Arc::clone(values);
            } else {
                Arc::make_mut(own).extend(values.iter().cloned());
            }
        }
    }
}

/// How many values each column has: `activity.subscription_id 12`.
impl fmt::Display for Candidates {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.values.iter().flat_map(|(kind, columns)| {
            columns.iter().map(|(column, values)| format!("{}.{column} {}", kind.name(), values.len()))
        });
        formatter.write_str(&columns.collect::<Vec<_>>().join(", "))
    }
}

/// The queries for candidates, in their order, each with those parts that it names of the detector's query and of the
/// queries before it.
///
/// # Errors
///
/// If one of the texts cannot be parsed, or holds something else than queries.
pub(crate) fn steps(candidates_sql: &str, detector_sql: &str) -> Result<Vec<String>> {
    let mut of_detector = queries(detector_sql)?;
    let (Some(detector), true) = (of_detector.pop(), of_detector.is_empty()) else {
        return Err(DataFusionError::Plan("it must be one query".to_owned()));
    };
    let mut parts = detector.with.map(|with| with.cte_tables).unwrap_or_default();
    let steps = queries(candidates_sql)?;
    if steps.is_empty() {
        return Err(DataFusionError::Plan("it must have a query".to_owned()));
    }
    let with_parts = |mut step: Query| {
        parts.extend(step.with.take().map(|with| with.cte_tables).unwrap_or_default());
        step.with = parts_for(&step, &parts);
        step.to_string()
    };
    Ok(steps.into_iter().map(with_parts).collect())
}

/// Those of some parts that a query names, and that these name; each names only parts before it.
fn parts_for(query: &Query, parts: &[Cte]) -> Option<With> {
    let mut wanted = names_in(query);
    let mut needed: Vec<Cte> = Vec::new();
    for part in parts.iter().rev() {
        if wanted.contains(&part.alias.name.value) {
            wanted.extend(names_in(part));
            needed.push(part.clone());
        }
    }
    needed.reverse();
    let with_token = AttachedToken::empty();
    (!needed.is_empty()).then_some(With { with_token, recursive: false, cte_tables: needed })
}

fn queries(sql: &str) -> Result<Vec<Query>> {
    let statements = Parser::parse_sql(&GenericDialect {}, sql)
        .map_err(|error| DataFusionError::SQL(Box::new(error), None))?;
    let query = |statement| match statement {
        Statement::Query(query) => Ok(*query),
        _ => Err(DataFusionError::Plan("it must hold queries alone".to_owned())),
    };
    statements.into_iter().map(query).collect()
}

/// The tables and parts that something names.
fn names_in(sql: &impl Visit) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let _ = visit_relations(sql, |name| {
        names.insert(name.to_string());
        ControlFlow::<()>::Continue(())
    });
    names
}

/// The table and the column that a column of the query for candidates names.
fn named(name: &str) -> Option<(Kind, &str)> {
    let (table, column) = name.split_once('.')?;
    let kind = Kind::ALL.into_iter().find(|kind| kind.name() == table)?;
    Some((kind, column))
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null)
        || matches!(data_type, DataType::Dictionary(_, value) if is_text(value))
}

fn is_among(column: &str, values: &Values) -> Expr {
    if values.len() <= WRITTEN_OUT_MAX {
        let mut sorted: Vec<&String> = values.iter().collect();
        sorted.sort_unstable();
        return col(column).in_list(sorted.into_iter().map(|value| lit(value.as_str())).collect(), false);
    }
    ScalarUDF::from(IsAmong::new(Arc::clone(values))).call(vec![col(column)])
}

/// Whether a text is one of many. A list of thousands of literals would be walked through by each step of planning.
#[derive(Debug)]
struct IsAmong {
    signature: Signature,
    values: Values,
}

impl IsAmong {
    fn new(values: Values) -> Self {
        let texts = vec![DataType::Utf8, DataType::Utf8View];
        Self { signature: Signature::uniform(1, texts, Volatility::Immutable), values }
    }
}

/// Two are the same if they share their values.
impl PartialEq for IsAmong {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.values, &other.values)
    }
}

impl Eq for IsAmong {}

impl Hash for IsAmong {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.values).hash(state);
    }
}

impl ScalarUDFImpl for IsAmong {
    fn name(&self) -> &str {
        IS_AMONG
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [texts] = arguments.args.as_slice() else { return exec_err!("is_among takes a text") };
        let texts = texts.to_array(arguments.number_rows)?;
        let found = if let Some(texts) = texts.as_string_opt::<i32>() {
            self.are_among(texts.iter())
        } else if let Some(texts) = texts.as_string_view_opt() {
            self.are_among(texts.iter())
        } else {
            return exec_err!("is_among takes a text, not {}", texts.data_type());
        };
        Ok(ColumnarValue::Array(Arc::new(found)))
    }
}

impl IsAmong {
    /// Files are sorted by subscription, so that a value mostly repeats the one before.
    fn are_among<'a>(&self, texts: impl Iterator<Item = Option<&'a str>>) -> BooleanArray {
        let mut before: Option<(&str, bool)> = None;
        let mut is_among = |text: &'a str| match before {
            Some((same, found)) if same == text => found,
            _ => {
                let found = self.values.contains(text);
                before = Some((text, found));
                found
            }
        };
        texts.map(|text| text.map(&mut is_among)).collect()
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::record_batch;
    use arrow_schema::Field;
    use datafusion::datasource::MemTable;
    use datafusion::prelude::SessionContext;

    use super::*;

    #[test]
    fn parts_that_are_named_are_taken_over() {
        let query = "with records as (select * from activity), known as (select * from records), other as (select 1 as one)
            select * from known";
        for (candidates, expected) in [
            ("select a from activity", "SELECT a FROM activity"),
            (
                "select a from known",
                "WITH records AS (SELECT * FROM activity), known AS (SELECT * FROM records) SELECT a FROM known",
            ),
            (
                "with mine as (select * from records) select a from mine where b >= $since",
                "WITH records AS (SELECT * FROM activity), mine AS (SELECT * FROM records) SELECT a FROM mine WHERE b >= $since",
            ),
        ] {
            assert_eq!(steps(candidates, query).unwrap(), [expected]);
        }
        assert_eq!(steps("select a from t", "select 1").unwrap(), ["SELECT a FROM t"]);
        for (wrong, expected) in [("selec a", "Expected"), ("drop table t", "queries alone"), ("", "a query")]
        {
            let error = steps(wrong, query).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        assert!(steps("select 1", "select 1; select 2").unwrap_err().to_string().contains("one query"));
    }

    #[test]
    fn each_step_has_the_parts_that_it_names() {
        let query = "with one as (select * from t), two as (select * from one) select * from two";
        assert_eq!(
            steps(
                "with own as (select 1 as x) select a from one, own;\n-- Then:\nselect b from two, own;",
                query
            )
            .unwrap(),
            [
                "WITH one AS (SELECT * FROM t), own AS (SELECT 1 AS x) SELECT a FROM one, own",
                "WITH one AS (SELECT * FROM t), two AS (SELECT * FROM one), own AS (SELECT 1 AS x) SELECT b FROM two, own",
            ]
        );
    }

    #[test]
    fn columns_are_named_for_what_they_restrict() {
        let problem = |name: &str, data_type: DataType| {
            let schema = Schema::new(vec![Field::new(name, data_type, true)]);
            Candidates::problem(&schema, &[Kind::Activity, Kind::Cost]).unwrap_or_default()
        };
        assert_eq!(problem("activity.subscription_id", DataType::Utf8), "");
        assert_eq!(problem("activity.subscription_id", DataType::Null), "");
        for (name, data_type, expected) in [
            ("subscription_id", DataType::Utf8, "names no column of a table"),
            ("events.caller", DataType::Utf8, "names no column of a table"),
            ("sign_in.user_id", DataType::Utf8, "'sign_in' is none of the detector's inputs"),
            ("activity.user_id", DataType::Utf8, "'activity' has no column 'user_id'"),
            ("activity.event_at", DataType::Utf8, "only columns of text"),
            ("cost.resource_id", DataType::Utf8, "by subscription_id or customer_tenant_id alone"),
            ("activity.caller_id", DataType::Int64, "is no text, but Int64"),
        ] {
            let told = problem(name, data_type);
            assert!(told.contains(expected) && told.contains(name), "{told}");
        }
        assert!(Candidates::problem(&Schema::empty(), &[]).unwrap().contains("gives no column"));
    }

    /// The callers that are seen of some, for candidates with so many callers beside 'b'.
    async fn seen(others: usize) -> Vec<String> {
        let many = (0..others).map(|number| format!("other-{number}")).chain(["b".to_owned()]);
        let callers: StringArray = many.map(Some).chain([None]).collect();
        let field = Field::new("activity.caller_id", DataType::Utf8, true);
        let batch =
            RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![Arc::new(callers)]).unwrap();
        let mut candidates = Candidates::read(&[batch]).unwrap();
        let more =
            record_batch!(("activity.caller", Utf8, ["by name"]), ("cost.subscription_id", Utf8, ["s"]));
        candidates.add(Kind::Activity, &Candidates::read(&[more.unwrap()]).unwrap());
        assert!(candidates.restricts(Kind::Activity) && !candidates.restricts(Kind::Cost));
        assert!(!candidates.is_empty());
        assert_eq!(candidates.to_string(), format!("activity.caller 1, activity.caller_id {}", others + 1));

        let rows = record_batch!(
            ("caller_id", Utf8, [Some("a"), Some("b"), Some("b"), None, None]),
            ("caller", Utf8, [Some("x"), None, Some("y"), Some("by name"), Some("z")])
        )
        .unwrap();
        let session = SessionContext::new();
        session
            .register_table("t", Arc::new(MemTable::try_new(rows.schema(), vec![vec![rows]]).unwrap()))
            .unwrap();
        let events = session.table("t").await.unwrap();
        let kept = candidates.of(Kind::Activity, events.clone()).unwrap().collect().await.unwrap();
        let of_another_kind = candidates.of(Kind::Flow, events).unwrap().count().await.unwrap();
        assert_eq!(of_another_kind, 5, "a table that none names is seen whole");
        let name = |text: Option<&str>| text.unwrap_or("-").to_owned();
        kept.iter()
            .flat_map(|batch| batch["caller"].as_string::<i32>().iter().map(name).collect::<Vec<_>>())
            .collect()
    }

    #[tokio::test]
    async fn rows_that_any_column_names_are_seen() {
        for others in [0, WRITTEN_OUT_MAX, 1000] {
            assert_eq!(seen(others).await, ["-", "y", "by name"], "{others} others");
        }
    }

    #[test]
    fn a_star_names_all_of_a_table() {
        let rows = record_batch!(
            ("cost.subscription_id", Utf8, [Some("a"), Some("*")]),
            ("activity.subscription_id", Utf8, [Some("a"), None])
        )
        .unwrap();
        let some = Candidates::read(&[rows]).unwrap();
        assert!(!some.restricts(Kind::Cost) && some.restricts(Kind::Activity));
        let all = record_batch!(("cost.subscription_id", Utf8, ["*"])).unwrap();
        assert!(!Candidates::read(&[all]).unwrap().is_empty());
    }

    #[test]
    fn nobody_is_nobody() {
        let empty = record_batch!(("activity.caller", Utf8, [None::<&str>])).unwrap();
        assert!(Candidates::read(&[empty]).unwrap().is_empty());
        assert!(Candidates::read(&[]).unwrap().is_empty());
    }
}
