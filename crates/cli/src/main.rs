//! `tenantwatch`: watches Azure subscriptions of a partner's customers for fraud.
//!
//! One file a subcommand. Data goes to standard output, talk to standard error. Exit codes: 0 done,
//! 1 failed, 2 wrong use of the command line.

mod alerts;
mod customers;
mod demo;
mod detect;
mod detectors;
mod evaluate;
mod explain;
mod ingest;
mod installation;
mod keys;
mod lake;
mod money;
mod output;
mod prices;
mod progress;
mod quarantine;
mod replay;
mod score;
mod serve;
mod simulate;
mod sources;
mod stop;
mod token;
mod tuning;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use mimalloc::MiMalloc;

/// Threads that serve requests allocate without waiting for each other.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Watches Azure subscriptions of a partner's customers for fraud, and serves the alerts over
/// Microsoft Graph's partner security alert API.
#[derive(Debug, Parser)]
#[command(
    name = "tenantwatch",
    version,
    max_term_width = 100,
    after_help = "Start here:\n  tenantwatch demo        a simulated estate with attacks, on a page\n\nExit codes: 0 done, 1 failed, 2 wrong use of the command line.\nData goes to standard output, talk to standard error. RUST_LOG=debug shows more."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Demo),
    Serve(serve::Serve),
    Ingest(ingest::Ingest),
    Sources(sources::Sources),
    Customers(customers::Customers),
    Keys(keys::Keys),
    Quarantine(quarantine::Quarantine),
    Lake(lake::Lake),
    Detect(detect::Detect),
    Detectors(detectors::Detectors),
    Explain(explain::Explain),
    Replay(replay::Replay),
    Tuning(tuning::Tuning),
    Alerts(alerts::Alerts),
    Money(money::Money),
    Prices(prices::Prices),
    Score(score::Score),
    Token(token::Token),
    Simulate(simulate::Simulate),
    Evaluate(evaluate::Evaluate),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    start_log();
    let runtime = match &cli.command {
        // Who follows reads many inputs at once, each in a thread that waits until it is stored: few would wait for ever.
        Command::Ingest(ingest) if !ingest.follow => server::app::ingestion::runtime(),
        _ => tokio::runtime::Builder::new_multi_thread().enable_all().build(),
    };
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return fail(&anyhow::Error::new(error).context("starting the runtime")),
    };
    match runtime.block_on(run(cli.command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Demo(demo) => demo.run().await,
        Command::Serve(serve) => serve.run().await,
        Command::Ingest(ingest) => ingest.run().await,
        Command::Sources(sources) => sources.run().await,
        Command::Customers(customers) => customers.run().await,
        Command::Keys(keys) => keys.run().await,
        Command::Quarantine(quarantine) => quarantine.run().await,
        Command::Lake(lake) => lake.run().await,
        Command::Detect(detect) => detect.run().await,
        Command::Detectors(detectors) => detectors.run().await,
        Command::Explain(explain) => explain.run().await,
        Command::Replay(replay) => replay.run().await,
        Command::Tuning(tuning) => tuning.run().await,
        Command::Alerts(alerts) => alerts.run().await,
        Command::Money(money) => money.run().await,
        Command::Prices(prices) => prices.run().await,
        Command::Score(score) => score.run().await,
        Command::Token(token) => token.run(),
        Command::Simulate(simulate) => simulate.run().await,
        Command::Evaluate(evaluate) => evaluate.run().await,
    }
}

fn start_log() {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("warn,server=info,deltalake_core::kernel::transaction=off"));
    let terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| progress::LogWriter)
        .with_ansi(terminal)
        .with_target(false)
        .init();
}

fn fail(error: &anyhow::Error) -> ExitCode {
    // A reader that went away, such as `head`, is no failure.
    let pipe_closed = error.chain().any(|cause| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
    });
    if pipe_closed {
        return ExitCode::SUCCESS;
    }
    output::say(&format!("tenantwatch: {}", output::chain(error)));
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    /// The help of a command and of all below it, each under its name.
    fn explain(command: &mut clap::Command, name: &str, text: &mut String) {
        let help = command.render_long_help().to_string();
        let has_example =
            ["Example:\n", "Examples:\n", "Start here:\n"].iter().any(|word| help.contains(word));
        assert!(has_example, "`{name} --help` has no example");
        text.push_str(&format!("# {name}\n{help}\n\n"));
        for below in command.get_subcommands_mut().filter(|below| below.get_name() != "help") {
            let name = format!("{name} {}", below.get_name());
            explain(below, &name, text);
        }
    }

    #[test]
    fn every_command_explains_itself() {
        let (mut command, mut text) = (Cli::command(), String::new());
        command.build();
        explain(&mut command, "tenantwatch", &mut text);
        insta::assert_snapshot!(text);
    }
}
