//! Events for benchmarks: made from their number, so that any of them can be made again.
#![allow(dead_code, reason = "no benchmark uses all of it")]

use std::path::Path;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, BinaryArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow_schema::{ArrowError, DataType};
use ingest::schema::Kind;

/// 2026-11-20 in days since 1970.
pub(crate) const FIRST_DAY: i32 = 20_777;
const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;

/// Events of a kind on one day.
#[derive(Clone, Copy)]
pub(crate) struct Source {
    pub(crate) kind: Kind,
    /// Days since 1970.
    pub(crate) day: i32,
    /// Customers, with a subscription each, that the events are spread over.
    pub(crate) customers: u64,
}

impl Source {
    /// The events with these numbers.
    pub(crate) fn events(&self, numbers: &[u64]) -> Result<RecordBatch, ArrowError> {
        let schema = self.kind.schema();
        let columns = schema.fields().iter();
        let columns = columns.map(|field| self.column(field.name(), field.data_type(), numbers)).collect();
        RecordBatch::try_new(schema, columns)
    }

    /// The subscription of an event.
    pub(crate) fn subscription(&self, number: u64) -> String {
        format!("0f0e0d0c-0000-4000-8000-{:012}", scattered(number) % self.customers)
    }

    fn column(&self, name: &str, data_type: &DataType, numbers: &[u64]) -> ArrayRef {
        let customer = |n: u64| scattered(n) % self.customers;
        // A different number for each column, so that they do not go together.
        let salt = name.bytes().fold(0, |sum: u64, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        let any = |n: u64| scattered(scattered(n ^ salt));
        match data_type {
            DataType::Date32 => Arc::new(Date32Array::from(vec![self.day; numbers.len()])),
            DataType::Timestamp(..) => {
                let start = i64::from(self.day) * MICROSECONDS_PER_DAY;
                let within = |n: u64| (scattered(n ^ 1) % MICROSECONDS_PER_DAY.unsigned_abs()).cast_signed();
                let times = numbers.iter().map(|n| start + within(*n));
                Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC"))
            }
            DataType::Binary if name == "statement_id" => {
                Arc::new(BinaryArray::from_iter_values(numbers.iter().map(|_| i128::from(self.day).to_be_bytes())))
            }
            DataType::Binary => {
                let id = |n: u64| (u128::from(any(n)) << 64 | u128::from(n)).to_be_bytes();
                Arc::new(BinaryArray::from_iter_values(numbers.iter().map(|n| id(*n))))
            }
            DataType::Int64 => Arc::new(Int64Array::from_iter_values(
                numbers.iter().map(|n| if name.ends_with("port") { any(*n) % 60_000 } else { any(*n) % 100_000 }.cast_signed()),
            )),
            DataType::Float64 => {
                Arc::new(Float64Array::from_iter_values(numbers.iter().map(|n| (any(*n) % 10_000) as f64 / 8.0)))
            }
            _ => Arc::new(StringArray::from_iter_values(numbers.iter().map(|n| match name {
                "partner_tenant_id" => "0f0e0d0c-0001-4000-8000-000000000001".to_owned(),
                "customer_tenant_id" => format!("0f0e0d0c-0002-4000-8000-{:012}", customer(*n)),
                "subscription_id" => self.subscription(*n),
                "resource_id" => format!(
                    "/subscriptions/{}/resourcegroups/rg-{}/providers/microsoft.compute/virtualmachines/vm{}",
                    self.subscription(*n), any(*n) % 3, any(*n) % 7
                ),
                "dataset" => "actual".to_owned(),
                "src_ip" => format!("10.0.{}.{}", customer(*n) % 256, any(*n) % 20),
                "dst_ip" => format!("203.0.113.{}", any(*n) % 256),
                "correlation_id" | "properties" | "tags" => format!(
                    "{{\"correlation\":\"{:016x}-{:016x}\",\"category\":\"Administrative\",\"entity\":\"/subscriptions/{}\",\"message\":\"Microsoft.Compute/virtualMachines/write\",\"hierarchy\":\"{:08x}\"}}",
                    any(*n), any(*n ^ 7), self.subscription(*n), customer(*n)
                ),
                _ => format!("{name}-{}", any(*n) % 97),
            }))),
        }
    }
}

fn scattered(number: u64) -> u64 {
    let mixed = (number ^ (number >> 31)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) ^ (mixed >> 32)
}

/// Copies a folder with all that is in it.
pub(crate) fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let (path, to) = {
            let entry = entry?;
            (entry.path(), to.join(entry.file_name()))
        };
        if path.is_dir() {
            copy(&path, &to)?;
        } else {
            std::fs::copy(&path, &to)?;
        }
    }
    Ok(())
}

/// Takes the files of a folder out of the system's cache (with the `dd` of GNU).
pub(crate) fn forget_cached(folder: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            forget_cached(&path)?;
        } else {
            let file = format!("if={}", path.display());
            std::process::Command::new("dd")
                .args([&file, "iflag=nocache", "count=0", "status=none"])
                .status()?;
        }
    }
    Ok(())
}

/// Starts measuring the memory anew; see [`peak_mb`].
pub(crate) fn forget_peak() {
    // Without the permission, the peak is that since the start.
    std::fs::write("/proc/self/clear_refs", "5").ok();
}

/// The most memory that this process had since [`forget_peak`], and what it has now, in MB.
pub(crate) fn peak_and_now_mb() -> (f64, f64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let of = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|kb| kb.parse::<f64>().ok()).unwrap_or(0.0) / 1000.0
    };
    (of("VmHWM:"), of("VmRSS:"))
}
