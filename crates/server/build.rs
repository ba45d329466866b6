//! Says what to do when the console has not been built: without it there is nothing to embed.

use std::path::Path;

fn main() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/dist/index.html");
    println!("cargo::rerun-if-changed={}", page.display());
    assert!(
        page.is_file(),
        "the console is not built: run `make web` first (it needs Node 18 or later), then cargo again"
    );
}
