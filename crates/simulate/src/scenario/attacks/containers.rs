//! Containers that mine.

use serde_json::json;

use super::hasty_name;
use super::worker::{Worker, entry, found_after};
use crate::catalog::{Region, meter};
use crate::estate::{Rhythm, address};
use crate::scenario::Stage;
use crate::script::Failure;

/// What an image is called once its owner's name is before it: some say what they are, most do not.
const IMAGES: [&str; 8] = [
    "xmrig:6.21.0",
    "monero-miner:latest",
    "alpine:99",
    "nginx:1.0",
    "worker:latest",
    "node-exporter:v1",
    "app:2",
    "cpu:new",
];

/// Groups of containers by the dozen, each as large as the service allows, from an image in a public
/// registry, in one to four regions. After the images of miners that Unit 42 counted on Docker Hub
/// (June 2020) and Microsoft found in clusters of its customers (June 2020); MITRE T1496.001, T1610.
pub(crate) fn container_mining(stage: &mut Stage<'_>) {
    let caller = entry(stage);
    let mut worker = Worker::new(stage, caller);
    let group = hasty_name(stage);
    worker.makes_group(stage, &group);
    let mut regions = {
        let count = stage.dice.between(1, 4) as usize;
        stage.unused_regions(count)
    };
    if stage.dice.chance(0.35) {
        regions[0] = stage.subscription.regions[0];
    }
    let spec = Spec {
        image: image(stage),
        vcpus: stage.dice.pick(&[2, 4, 4, 4]),
        argument: stage.dice.chance(0.4).then(|| address::hostile(&mut stage.dice)),
    };
    let prefix = stage.dice.pick(&["c", "web", "worker", "job", "test", "aci"]);
    let count = stage.dice.between(8, 36);
    let refused_share = stage.dice.real(0.0, 0.35);
    for number in 0..count {
        let region = regions[number as usize * regions.len() / count as usize];
        let refused = number >= 5 && stage.dice.chance(refused_share);
        let name = format!("{prefix}-{number:03}");
        let made_at = make(stage, &mut worker, (&group, &name), region, &spec, refused);
        if let Some(made_at) = made_at {
            let per_day = (spec.vcpus * 24) as f64;
            let meter = meter("container-vcpu");
            let mut usage = stage.subscription.usage(meter, &group, &name, per_day, stage.forever());
            usage.from = made_at;
            usage.region = region;
            usage.rhythm = Rhythm::Flat;
            usage.noise = 0.01;
            stage.script.usages.push(usage);
        }
    }
    found_after(stage, 14, 160);
}

struct Spec {
    image: String,
    vcpus: i64,
    /// The pool, if it is not written into the image.
    argument: Option<String>,
}

fn image(stage: &mut Stage<'_>) -> String {
    let registry = stage.dice.pick(&["", "docker.io/", "ghcr.io/"]);
    let owner = format!("{:07x}", stage.dice.below(1 << 28));
    format!("{registry}u{owner}/{}", stage.dice.pick(&IMAGES))
}

/// Makes one group, or fails to.
fn make(
    stage: &mut Stage<'_>,
    worker: &mut Worker,
    (group, name): (&str, &str),
    region: &'static Region,
    spec: &Spec,
    refused: bool,
) -> Option<chrono::DateTime<chrono::Utc>> {
    let mut container = json!({
        "image": spec.image,
        "ports": [],
        "resources": {"requests": {"cpu": spec.vcpus as f64, "memoryInGB": (spec.vcpus * 2) as f64}},
    });
    if let Some(pool) = &spec.argument {
        container["command"] =
            json!(["./run", "-o", format!("{pool}:3333"), "--threads", spec.vcpus.to_string()]);
    }
    let body = json!({
        "location": region.id,
        "properties": {
            "sku": "Standard",
            "osType": "Linux",
            "restartPolicy": "Always",
            "containers": [{"name": name, "properties": container}],
        },
    });
    let resource = stage.subscription.resource(group, "Microsoft.ContainerInstance/containerGroups", name);
    let create = worker
        .act(stage, "Microsoft.ContainerInstance/containerGroups/write", resource)
        .accepted(true, &mut stage.dice)
        .echoed(&body, "Microsoft.ContainerInstance/containerGroups");
    if refused {
        stage.script.actions.push(create.failed(Failure::containers(region, spec.vcpus)));
        return None;
    }
    let made_at = create.settled_at();
    stage.script.actions.push(create);
    Some(made_at)
}
