//! How much one query may ask for.

/// What one query may be at most. Each limit has a default and its reason.
///
/// The trees are walked by recursion, here and in stores, so two limits have a ceiling that no
/// setting lifts: [`Limits::NODES_CEILING`] and [`Limits::DEPTH_CEILING`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one option's decoded text: 8 KiB, what common servers allow for a whole request line.
    pub option_bytes: usize,
    /// Bytes of a `$skiptoken` or `$deltatoken`: 16 KiB, because they repeat sort keys' values or the
    /// query's options, which may be long.
    pub token_bytes: usize,
    /// Nodes of a filter's tree: 200, more than people write and few enough for any database.
    pub filter_nodes: usize,
    /// How deep parentheses, `not`, `-`, calls and lambdas may nest: 50, far below what the stack holds.
    pub filter_depth: usize,
    /// How deep conditions on collections may nest: 3, each is a loop inside a loop for a database.
    pub lambda_depth: usize,
    /// Values in one list after `in`: 250, each is a bound parameter and databases cap those.
    pub in_items: usize,
    /// Keys of `$orderby`: 8, each widens the condition that finds the next page.
    pub orderby_keys: usize,
    /// Items of `$select`: 100, more than an entity has properties.
    pub select_items: usize,
    /// Words and phrases of `$search`: 20, each is a look-up in the text index.
    pub search_terms: usize,
    /// `$top`, the page size: 1,000, so that a page stays a few megabytes.
    pub top: u32,
    /// `$skip`: 1,000,000, because passing over rows costs as much as reading them.
    pub skip: u64,
}

impl Limits {
    /// No filter has more nodes than this, whatever [`Limits::filter_nodes`] says. A chain of `and` is
    /// half as deep as it has nodes, and an unoptimised build spends kilobytes of stack on each level
    /// of a thread's usual two megabytes: 1,000 levels were seen to overflow it.
    pub const NODES_CEILING: usize = 500;
    /// No filter nests deeper than this, whatever [`Limits::filter_depth`] says.
    pub const DEPTH_CEILING: usize = 100;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            option_bytes: 8 * 1024,
            token_bytes: 16 * 1024,
            filter_nodes: 200,
            filter_depth: 50,
            lambda_depth: 3,
            in_items: 250,
            orderby_keys: 8,
            select_items: 100,
            search_terms: 20,
            top: 1_000,
            skip: 1_000_000,
        }
    }
}
