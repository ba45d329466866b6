//! What ran when, from what was done.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

/// Whether the platform may take a machine away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// It may not.
    Regular,
    /// It may: spare capacity at a discount.
    Spot,
}

impl Priority {
    /// The word that it is kept and shown by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Regular => "regular",
            Self::Spot => "spot",
        }
    }
}

/// So many machines of one kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Machines {
    /// The size, such as `standard_d4s_v5`, in lower case; or what is billed in another way, such as
    /// `container group`, which has no price by the hour.
    pub size: String,
    /// Whether they may be taken away.
    pub priority: Priority,
    /// How many.
    pub count: u32,
}

/// Something that was done to computing, and succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComputeEvent {
    /// When.
    pub at: DateTime<Utc>,
    /// Path of the resource, in lower case.
    pub path: String,
    /// Names of who did it, in lower case: an id, a user's name.
    pub callers: Vec<String>,
    /// What was done.
    pub act: Act,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// It was made or changed, and has these machines since.
    Write {
        /// The machines; none if the record does not say.
        machines: Vec<Machines>,
        /// The region's id.
        region: Option<String>,
        /// Whether the answer says that it was made rather than changed; `None` if it does not say.
        created: Option<bool>,
    },
    /// It costs no more by the hour until it is started again.
    Stop,
    /// It runs again.
    Start,
    /// It is gone, and all that lies below its path.
    End,
}

/// Machines that ran, or still run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Path of the resource.
    pub path: String,
    /// The machines.
    pub machines: Vec<Machines>,
    /// The region's id, if a record named it.
    pub region: Option<String>,
    /// Since when.
    pub from: DateTime<Utc>,
    /// Until when; `None` while they run.
    pub until: Option<DateTime<Utc>>,
    /// Who made them, by whatever name.
    pub callers: BTreeSet<String>,
    /// Whether the first record says that the resource was there before.
    pub was_there: bool,
}

/// Something that is billed on its own: the first resource of a path. What lies below it is billed with it, such as
/// the pools of an account or the instances of a scale set.
#[must_use]
pub fn home(path: &str) -> &str {
    // Before it comes a slash, then `subscriptions`, the id, `resourcegroups`, the group, `providers`, the provider,
    // the type and the name.
    const SLASHES: usize = 9;
    path.match_indices('/').nth(SLASHES - 1).map_or(path, |(end, _)| &path[..end])
}

/// What is known of a resource.
struct Known {
    machines: Vec<Machines>,
    region: Option<String>,
    callers: BTreeSet<String>,
    was_there: bool,
    /// Since when these machines run; `None` while they are stopped.
    since: Option<DateTime<Utc>>,
}

/// The runs that events tell of, in the order of their ends, then of those that go on. The events are of one
/// subscription and come in order of time. Several records of one request say the same, and count once.
#[must_use]
pub fn runs(events: &[ComputeEvent]) -> Vec<Run> {
    let mut known: BTreeMap<&str, Known> = BTreeMap::new();
    let mut regions: BTreeMap<&str, &str> = BTreeMap::new();
    let mut runs = Vec::new();
    for event in events {
        let path = event.path.as_str();
        match &event.act {
            Act::Write { machines, region, created } => {
                if let Some(region) = region {
                    regions.insert(path, region);
                }
                write(&mut known, &mut runs, event, machines, region.as_deref(), *created);
            }
            Act::Stop => {
                if let Some(resource) = known.get_mut(path) {
                    runs.extend(resource.close(path, event.at));
                }
            }
            Act::Start => {
                if let Some(resource) = known.get_mut(path) {
                    resource.since.get_or_insert(event.at);
                }
            }
            Act::End => {
                known.retain(|other, resource| {
                    let is_gone = lies_in(other, path);
                    if is_gone {
                        runs.extend(resource.close(other, event.at));
                    }
                    !is_gone
                });
            }
        }
    }
    for (path, mut resource) in known {
        if let Some(since) = resource.since.take() {
            runs.push(resource.run(path, since, None));
        }
    }
    // What lies below a resource, such as a pool in an account, is where that is.
    for run in &mut runs {
        if run.region.is_none() {
            run.region = regions.get(home(&run.path)).map(|region| (*region).to_owned());
        }
    }
    runs
}

fn write<'e>(
    known: &mut BTreeMap<&'e str, Known>,
    runs: &mut Vec<Run>,
    event: &'e ComputeEvent,
    machines: &[Machines],
    region: Option<&str>,
    created: Option<bool>,
) {
    if machines.is_empty() {
        return;
    }
    let mut machines = machines.to_vec();
    machines.sort();
    let path = event.path.as_str();
    let Some(resource) = known.get_mut(path) else {
        let new = Known {
            machines,
            region: region.map(str::to_owned),
            callers: event.callers.iter().cloned().collect(),
            was_there: created == Some(false),
            since: Some(event.at),
        };
        known.insert(path, new);
        return;
    };
    if resource.region.is_none() {
        resource.region = region.map(str::to_owned);
    }
    if resource.machines == machines {
        return;
    }
    let was_running = resource.since.is_some();
    runs.extend(resource.close(path, event.at));
    resource.machines = machines;
    resource.callers.extend(event.callers.iter().cloned());
    resource.since = was_running.then_some(event.at);
}

impl Known {
    /// Ends what runs.
    fn close(&mut self, path: &str, at: DateTime<Utc>) -> Option<Run> {
        let since = self.since.take()?;
        Some(self.run(path, since, Some(at)))
    }

    fn run(&self, path: &str, from: DateTime<Utc>, until: Option<DateTime<Utc>>) -> Run {
        Run {
            path: path.to_owned(),
            machines: self.machines.clone(),
            region: self.region.clone(),
            from,
            until,
            callers: self.callers.clone(),
            was_there: self.was_there,
        }
    }
}

/// Whether a path is another or lies below it.
pub(super) fn lies_in(path: &str, other: &str) -> bool {
    path.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
