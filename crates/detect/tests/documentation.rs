//! `docs/detection.md` has the catalogue as the manifests say it.

use std::fs;
use std::path::Path;

use detect::Catalogue;

const BEGIN: &str = "<!-- catalogue -->\n";
const END: &str = "<!-- end of the catalogue -->";

/// With `UPDATE_DOCS=1`, writes the table anew.
#[test]
fn the_catalogue_is_documented() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/detection.md");
    let text = fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (table, after) = rest.split_once(END).unwrap();
    let expected = Catalogue::builtin().to_markdown();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, format!("{before}{BEGIN}{expected}{END}{after}")).unwrap();
        return;
    }
    assert_eq!(table, expected, "UPDATE_DOCS=1 cargo test -p detect --test documentation writes it");
}
