//! How fast a large file becomes committed events, beside a parse of the same bytes in memory on one
//! thread: `cargo bench -p cli -p server --bench ingest -- [--mib N] [KIND]...`, 256 MiB a kind by default.
//!
//! The file is written first and lies in the page cache as it would after a download. Peak memory is that
//! of the process while it takes the file in.

#![expect(clippy::print_stdout, reason = "a benchmark's result goes to stdout")]

use std::fmt::Write as _;
use std::fs::{self, File};
use std::hint::black_box;
use std::io::{BufWriter, Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use chrono::Utc;
use mimalloc::MiMalloc;
use server::app::{Instance, ingestion};
use server::config::{DataDir, Settings};

/// As in the product.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// How much of the file is parsed in memory for comparison.
const COMPARED_BYTES: u64 = 96 << 20;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let mut mib = 256;
    let mut kinds = Vec::new();
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--mib" => mib = arguments.next().ok_or("--mib wants a number")?.parse()?,
            "activity" | "cost" | "flow" => kinds.push(argument),
            other => return Err(format!("'{other}' is none of --mib, activity, cost, flow").into()),
        }
    }
    if kinds.is_empty() {
        kinds = ["activity", "cost", "flow"].map(str::to_owned).to_vec();
    }
    let runtime = ingestion::runtime()?;
    println!(
        "{:<9} {:>8} {:>12} {:>10} {:>6} {:>9} {:>9}  beside",
        "kind", "MB", "records/s", "MB/s", "cores", "peak MB", "lake MB"
    );
    for kind in kinds {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join(format!("{kind}.{}", if kind == "cost" { "csv" } else { "json" }));
        write_file(&kind, &file, mib << 20)?;
        // What the comparison takes in memory must not count, so that it comes after.
        let measured = runtime.block_on(measure(&kind, &file, folder.path()))?;
        println!("{measured}  {}", compare(&kind, &file)?);
    }
    Ok(())
}

async fn measure(kind: &str, file: &Path, folder: &Path) -> Outcome<String> {
    let data = DataDir::new(folder.join("data"));
    let instance = Arc::new(Instance::open(data.clone(), &Settings::default()).await?);
    let files = ingest::discover(&[file.to_owned()])?;
    let megabytes = files[0].size_bytes as f64 / 1e6;
    // Peak memory counts from here.
    let _ = fs::write("/proc/self/clear_refs", "5");
    let (start, busy) = (Instant::now(), cpu_seconds()?);
    let report = ingestion::ingest(instance, files, Utc::now(), Arc::new(AtomicU64::new(0))).await?;
    let seconds = start.elapsed().as_secs_f64();
    let cores = (cpu_seconds()? - busy) / seconds;
    assert_eq!((report.quarantined, report.duplicates()), (0, 0));
    let lake: u64 = size(&data.lake())?;
    Ok(format!(
        "{kind:<9} {megabytes:>8.0} {:>12.0} {:>10.1} {cores:>6.2} {:>9} {:>9.1}",
        report.stored() as f64 / seconds,
        megabytes / seconds,
        peak_megabytes().unwrap_or_default(),
        lake as f64 / 1e6,
    ))
}

/// What the process has taken of processors so far, in user and system mode.
fn cpu_seconds() -> Outcome<f64> {
    /// Linux shows times in these, whatever its own tick is.
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = fs::read_to_string("/proc/self/stat")?;
    // The name of the program may hold blanks; `utime` and `stime` are the 12th and 13th value after it.
    let (_, after_name) = stat.rsplit_once(") ").ok_or("/proc/self/stat has no name")?;
    let values: Vec<&str> = after_name.split(' ').collect();
    let times = values.get(11..13).ok_or("/proc/self/stat is short")?;
    let ticks = times.iter().map(|ticks| ticks.parse::<f64>()).sum::<Result<f64, _>>()?;
    Ok(ticks / TICKS_PER_SECOND)
}

fn peak_megabytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? / 1000)
}

fn size(folder: &Path) -> Outcome<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        bytes += if entry.file_type()?.is_dir() { size(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(bytes)
}

/// What a plain parse of the beginning of the file does, in memory and on one thread.
fn compare(kind: &str, file: &Path) -> Outcome<String> {
    let mut text = Vec::new();
    File::open(file)?.take(COMPARED_BYTES).read_to_end(&mut text)?;
    let start = Instant::now();
    let (name, records) = if kind == "cost" {
        let mut reader = csv::Reader::from_reader(&text[..]);
        let mut record = csv::ByteRecord::new();
        let mut records = 0;
        while reader.read_byte_record(&mut record).unwrap_or(false) {
            black_box(&record);
            records += 1;
        }
        ("csv, raw records", records)
    } else {
        let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let parsed =
            lines.filter(|line| black_box(serde_json::from_slice::<serde_json::Value>(line)).is_ok());
        ("serde_json::Value", parsed.count())
    };
    let seconds = start.elapsed().as_secs_f64();
    let megabytes = text.len() as f64 / 1e6;
    Ok(format!("{name}: {:.0} MB/s, {:.0} records/s", megabytes / seconds, records as f64 / seconds))
}

fn write_file(kind: &str, path: &Path, bytes: u64) -> Outcome<()> {
    let mut file = BufWriter::new(File::create(path)?);
    let mut written = 0;
    let mut text = String::new();
    if kind == "cost" {
        text.push_str(COST_HEADER);
    }
    let mut number = 0;
    while written < bytes {
        match kind {
            "activity" => activity(&mut text, number),
            "cost" => cost(&mut text, number),
            _ => flow(&mut text, number),
        }
        number += 1;
        written += text.len() as u64;
        file.write_all(text.as_bytes())?;
        text.clear();
    }
    file.flush()?;
    Ok(())
}

/// 500 records a second, in the order of time: what 20,000 customers with 2 million records an hour write.
fn activity(text: &mut String, n: u64) {
    let second = n / 500;
    let body = format!(
        r#"{{\"location\":\"westeurope\",\"properties\":{{\"hardwareProfile\":{{\"vmSize\":\"Standard_D{}s_v5\"}},\"provisioningState\":\"Creating\"}}}}"#,
        n % 64
    );
    let _ = writeln!(
        text,
        r#"{{"time":"2031-02-{:02}T{:02}:{:02}:{:02}.{:07}Z","resourceId":"/SUBSCRIPTIONS/0F0E0D0C-0000-4000-8000-{:012}/RESOURCEGROUPS/RG-{}/PROVIDERS/MICROSOFT.COMPUTE/VIRTUALMACHINES/VM{n}","operationName":"MICROSOFT.COMPUTE/VIRTUALMACHINES/WRITE","category":"Administrative","resultType":"Accept","resultSignature":"Accepted.Created","durationMs":0,"callerIpAddress":"203.0.113.{}","correlationId":"0f0e0d0c-1111-4000-8000-{n:012}","identity":{{"authorization":{{"scope":"/subscriptions/s","action":"Microsoft.Compute/virtualMachines/write","evidence":{{"role":"Contributor","principalId":"0f0e0d0c333340008000000000000001","principalType":"User"}}}},"claims":{{"aud":"https://management.core.windows.net/","iss":"https://sts.windows.net/0f0e0d0c-4444-4000-8000-000000000001/","appid":"0f0e0d0c-2222-4000-8000-00000000000b","http://schemas.microsoft.com/identity/claims/objectidentifier":"0f0e0d0c-3333-4000-8000-000000000001","http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn":"ann@contoso.example","http://schemas.microsoft.com/claims/authnmethodsreferences":"pwd,mfa"}}}},"level":"Information","properties":{{"statusCode":"Created","serviceRequestId":"0f0e0d0c-5555-4000-8000-{n:012}","eventCategory":"Administrative","responseBody":"{body}"}}}}"#,
        second / 86_400 % 28 + 1,
        second / 3600 % 24,
        second / 60 % 60,
        second % 60,
        n % 500 * 20_000,
        n % 5000,
        n % 7,
        n % 250
    );
}

const COST_HEADER: &str = "InvoiceSectionName,AccountName,SubscriptionId,SubscriptionName,Date,BillingPeriodEndDate,Product,PartNumber,\
         MeterId,ServiceFamily,MeterCategory,MeterSubCategory,MeterRegion,MeterName,Quantity,EffectivePrice,Cost,\
         UnitPrice,BillingCurrency,ResourceLocation,ConsumedService,ResourceId,ResourceName,ServiceInfo1,\
         AdditionalInfo,Tags,UnitOfMeasure,ResourceGroup,ChargeType,Frequency,PublisherType\n";

fn cost(text: &mut String, n: u64) {
    let _ = writeln!(
        text,
        "Section,Account,0f0e0d0c-0000-4000-8000-{:012},Production {},02/{:02}/2031,02/28/2031,Virtual Machines Dsv5,\
             AAF-{:05},0f0e0d0c-6666-4000-8000-{:012},Compute,Virtual Machines,Dsv5 Series,EU West,D4s v5,{}.5,0.192,{}.25,\
             0.192,EUR,EU West,Microsoft.Compute,/subscriptions/0f0e0d0c-0000-4000-8000-{:012}/resourceGroups/rg-{}/providers/Microsoft.Compute/virtualMachines/vm{n},\
             vm{n},,\"{{\"\"ServiceType\"\":\"\"Standard_D4s_v5\"\",\"\"UsageType\"\":\"\"ComputeHR\"\"}}\",\
             \"{{\"\"env\"\":\"\"prod\"\"}}\",1 Hour,rg-{},Usage,UsageBased,Azure",
        n % 5000,
        n % 5000,
        n / 300_000 % 28 + 1,
        n % 90,
        n % 40,
        n % 24,
        n % 90,
        n % 5000,
        n % 7,
        n % 7
    );
}

/// One record of 200 tuples.
fn flow(text: &mut String, number: u64) {
    let record = number % 65536;
    let _ = write!(
        text,
        r#"{{"time":"2031-02-03T04:05:06.7890123Z","flowLogVersion":4,"flowLogGUID":"0f0e0d0c-7777-4000-8000-000000000001","macAddress":"000D3AF8{record:04X}","category":"FlowLogFlowEvent","flowLogResourceID":"/SUBSCRIPTIONS/S/RESOURCEGROUPS/NW/PROVIDERS/MICROSOFT.NETWORK/NETWORKWATCHERS/NW/FLOWLOGS/F","targetResourceID":"/subscriptions/0f0e0d0c-0000-4000-8000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v","operationName":"FlowLogFlowEvent","flowRecords":{{"flows":[{{"aclID":"0f0e0d0c-8888-4000-8000-000000000001","flowGroups":[{{"rule":"DefaultRule_AllowInternetOutBound","flowTuples":["#
    );
    for n in 0..200 {
        let comma = if n > 0 { "," } else { "" };
        let _ = write!(
            text,
            r#"{comma}"19270{:08},10.0.{}.{},198.51.100.{},{},3333,6,O,C,NX,{},{},{},{}""#,
            number * 150 + n,
            record % 250,
            n % 250,
            n % 250,
            50_000 + n,
            n + 40,
            n * 130 + 5200,
            n + 38,
            n * 150 + 6100
        );
    }
    text.push_str("]}]}]}}\n");
}
