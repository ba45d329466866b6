//! Embeds the detectors anew when a file is added to their folder or taken from it.

fn main() {
    println!("cargo:rerun-if-changed=../../detectors");
}
