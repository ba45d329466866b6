//! Scores a folder laid out like NAB, without the rest of the program:
//! `cargo run --release -p evaluation --example nab -- ../shared/data/nab`

#![expect(clippy::print_stdout, reason = "it is what an example is for")]

use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).ok_or("name a folder laid out like NAB")?;
    println!("{}", evaluation::nab::evaluate(Path::new(&folder))?);
    Ok(())
}
