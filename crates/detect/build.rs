//! Embeds the detectors anew when a file is added to their folder or taken from it.

#[expect(clippy::print_stdout, reason = "this is how a build script talks to cargo")]
fn main() {
    println!("cargo:rerun-if-changed=../../detectors");
}
