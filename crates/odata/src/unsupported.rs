//! What OData has and this server has not, by name, so that it can be refused by name.

/// Operators between operands that OData 4.01 has and we refuse.
pub(crate) const OPERATORS: &[&str] = &["has"];

/// The canonical functions of OData 4.01 part 2 that we refuse, and one of OData 2 that people still write.
const FUNCTIONS: &[&str] = &[
    "case",
    "cast",
    "geo.distance",
    "geo.intersects",
    "geo.length",
    "hassubsequence",
    "hassubset",
    "isof",
    "matchespattern",
    "substringof",
];

/// System query options that OData defines and we refuse, without their `$`.
const OPTIONS: &[&str] = &["apply", "compute", "expand", "id", "index", "levels", "schemaversion"];

/// Whether it is one of the refused operators.
pub(crate) fn is_operator(word: &str) -> bool {
    contains(OPERATORS, word)
}

/// Whether it is one of the refused functions.
pub(crate) fn is_function(name: &str) -> bool {
    contains(FUNCTIONS, name)
}

/// Whether it is `any` or `all`.
pub(crate) fn is_lambda(name: &str) -> bool {
    contains(&["any", "all"], name)
}

/// Whether it is one of the refused options; with or without its `$`.
pub(crate) fn is_option(name: &str) -> bool {
    contains(OPTIONS, name.strip_prefix('$').unwrap_or(name))
}

fn contains(names: &[&str], name: &str) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}
