//! What was acknowledged stays, and once: through kills at any moment, and through a disk that fills up.
#![expect(clippy::unwrap_used, reason = "tests; clippy excuses only the bodies of test functions")]

mod disk;
mod kills;
mod lake;
mod server;

/// How many records a batch has: a request is stored whole or not at all.
const RECORDS_PER_BATCH: u64 = 25;

/// The records of one request; each is known by its batch and number.
fn batch(name: &str) -> String {
    let record = |number: u64| {
        format!(
            r#"{{"time":"2031-02-03T04:05:06Z","resourceId":"/subscriptions/s-1/resourceGroups/{name}/providers/Microsoft.Compute/virtualMachines/vm{number}","operationName":"Microsoft.Compute/virtualMachines/write","category":"Administrative","resultType":"Success"}}"#
        )
    };
    (0..RECORDS_PER_BATCH).map(record).collect::<Vec<_>>().join("\n")
}
