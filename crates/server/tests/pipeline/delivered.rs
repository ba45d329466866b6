//! What sources deliver: pieces of what grows, and whole objects with the manifest beside them.

use bytes::Bytes;
use datafusion::arrow::util::display::array_value_to_string;
use datafusion::prelude::SessionContext;
use server::app::following::Follower;
use server::app::intake::{Intake, Room};
use sources::{Batch, Content, Delivery, Manifest};

use super::*;

fn delivery(key: &str, text: &str, is_whole: bool, manifest: Option<Manifest>) -> Delivery {
    Delivery {
        key: key.to_owned(),
        name: format!("container costs: {key}"),
        content: Content::Bytes(Bytes::from(text.to_owned())),
        modified_at: Some(at("2031-02-05T00:00:00Z")),
        is_whole,
        span: None,
        manifest,
        position: "a position".into(),
    }
}

/// Takes in deliveries as one batch; gives how many records were read.
async fn take_in(here: &Installation, deliveries: Vec<Delivery>) -> u64 {
    let (intake, _) = Intake::open(here.instance.clone());
    let follower = Follower {
        instance: here.instance.clone(),
        intake,
        room: Room::new(1 << 20),
        tally: Default::default(),
    };
    let batch = Batch { deliveries, ..Batch::default() };
    follower.take_in("source", &batch).await.unwrap().records
}

async fn rows(here: &Installation, query: &str) -> Vec<Vec<String>> {
    let session = SessionContext::new();
    here.instance.lake.register(&session).await.unwrap();
    let batches = session.sql(query).await.unwrap().collect().await.unwrap();
    let row = |batch: &datafusion::arrow::array::RecordBatch, at: usize| {
        batch.columns().iter().map(|column| array_value_to_string(column, at).unwrap()).collect()
    };
    batches.iter().flat_map(|batch| (0..batch.num_rows()).map(move |at| row(batch, at))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_records_of_a_piece_hide_nothing_and_a_foreign_object_is_refused_as_a_whole() {
    let here = Installation::new(&[]).await;
    let good = deletion("2026-10-01T10:00:00Z", "VM1");
    let text = format!("{}{good}\n", "{\"unknown\":1}\n".repeat(150));
    assert_eq!(take_in(&here, vec![delivery("PT1H.json", &text, false, None)]).await, 151);
    assert_eq!(rows(&here, "select count(*) from activity").await, [["1"]]);
    let kept = quarantine(&here);
    assert_eq!(kept.iter().map(|(_, lines)| lines.len()).sum::<usize>(), 150);
    assert!(kept[0].1.iter().all(|kept| kept.complete && kept.record == "{\"unknown\":1}"));
    fs::remove_file(&kept[0].0).unwrap();

    assert_eq!(take_in(&here, vec![delivery("other.json", &text, true, None)]).await, 1);
    let kept = quarantine(&here);
    assert_eq!((kept.len(), kept[0].1.len(), kept[0].1[0].complete), (1, 1, false));
}

/// The parts of an export in a container whose names say nothing of it.
#[tokio::test(flavor = "multi_thread")]
async fn the_manifest_of_an_export_says_what_its_costs_are() {
    let here = Installation::new(&[]).await;
    let manifest = r#"{"exportConfig":{"type":"AmortizedCost"},
        "runInfo":{"runId":"0f0e0d0c-aaaa-4000-8000-00000000000a","submittedTime":"2031-02-03T04:05:06Z"},
        "blobs":[{"blobName":"costs/daily/part_0_0001.csv"},{"blobName":"costs/daily/part_1_0001.csv"}]}"#;
    let text = "SubscriptionId,Date,MeterId,Quantity,Cost\ns-1,2031-02-01,m-1,1,2.5\n";
    let part = |name: &str| {
        let manifest = Manifest { text: Bytes::from(manifest), part: name.to_owned() };
        delivery(&format!("costs/daily/{name}"), text, true, Some(manifest))
    };
    let listed = vec![part("part_0_0001.csv"), part("part_1_0001.csv")];
    assert_eq!(take_in(&here, listed).await, 2);
    assert_eq!(take_in(&here, vec![delivery("alone.csv", text, true, None), part("unlisted.csv")]).await, 2);
    let found = rows(
        &here,
        "select dataset, stated_at = '2031-02-03T04:05:06Z' as is_submitted, count(*), count(distinct statement_id)
         from cost group by 1, 2 order by 1",
    )
    .await;
    assert_eq!(found, [["actual", "false", "2", "2"], ["amortized", "true", "2", "1"]]);
}
