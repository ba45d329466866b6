//! What is said of alerts afterwards: why they fired, and when they would have come.

use server::app::detection::Events;
use server::app::explanation;
use server::app::replay::Replay;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn an_explanation_shows_the_events_of_the_subscription_and_the_sign_ins_of_its_customer() {
    let here = Installation::new(&[("deletions", QUERY)]).await;
    let manifest = here.folder.path().join("detectors/deletions/detector.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace("[\"activity\"]", "[\"activity\", \"sign_in\"]")).unwrap();
    let here = here.opened_again().await;
    let sign_in = |tenant: &str| {
        format!(
            r#"{{"time":"2026-10-01T10:00:30Z","resourceId":"/tenants/{tenant}/providers/Microsoft.aadiam","operationName":"Sign-in activity","category":"SignInLogs","tenantId":"{tenant}","resultType":"0","callerIpAddress":"203.0.113.9","correlationId":"c","properties":{{"id":"{tenant}","createdDateTime":"2026-10-01T10:00:30Z","userPrincipalName":"ann@customer.example","userId":"u","appId":"a","ipAddress":"203.0.113.9","isInteractive":true,"status":{{"errorCode":0}}}}}}"#
        )
    };
    let other = CUSTOMER.replace('c', "d");
    let lines = [
        deletion("2026-10-01T10:00:00Z", "VM1"),
        deletion("2026-10-01T10:01:00Z", "VM2"),
        sign_in(CUSTOMER),
        sign_in(&other),
    ];
    assert_eq!(counts(&here.take_in(&here.write("a.json", &lines)).await), (4, 4, 0, 0));
    let report = here.detect(Utc::now()).await;
    let [alert] = report
        .raised
        .iter()
        .filter(|alert| alert.body.alert_type == "Test_Deletions")
        .collect::<Vec<_>>()[..]
    else {
        panic!("{:?}", report.raised);
    };
    let told = explanation::explain(&here.instance, &here.instance.scope(), &alert.body.id).await.unwrap();
    let shown: Vec<(&str, usize)> =
        told.events.iter().map(|events| (events.kind.name(), events.rows.len())).collect();
    assert_eq!(shown, [("activity", 2), ("sign_in", 1)], "the sign-in of another customer is not shown");
    assert_eq!(told.series.unwrap().points.last().unwrap().1, 2.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_weak_sign_is_not_when_an_alert_would_have_come() {
    let query = QUERY.replace(
        "from activity",
        ", case when count(*) > 1 then 'medium' else 'low' end as severity,
        case when count(*) > 1 then 'medium' else 'low' end as confidence
        from activity",
    );
    let here = Installation::new(&[("deletions", &query)]).await;
    let lines = [deletion("2026-10-01T10:01:00Z", "VM1"), deletion("2026-10-01T10:31:00Z", "VM2")];
    here.take_in(&here.write("a.json", &lines)).await;
    let report = here.detect(Utc::now()).await;
    let alert = report.raised.iter().find(|alert| alert.body.alert_type == "Test_Deletions").unwrap();
    let detector =
        here.instance.detectors.iter().find(|detector| detector.manifest.id == "deletions").unwrap();
    let replay = Replay::of(&here.instance, &Events::of(&here.instance), &[alert]).await.unwrap();
    let first = replay.first_detection(detector, alert).await.unwrap();
    // The second deletion can be read five minutes after it happened, and runs come every five minutes.
    assert_eq!(first, Some(at("2026-10-01T10:41:00Z")));
}

/// Delegated administrators work for many customers: where they were before a change may stand in the log of another.
#[tokio::test(flavor = "multi_thread")]
async fn an_alert_that_rests_on_a_sign_in_to_another_customer_is_dated() {
    let query = "
select
  activity.subscription_id,
  min(activity.event_at) as first_observed_at,
  max(activity.event_at) as last_observed_at,
  'a machine deleted by somebody who signed in' as description
from activity
join sign_in
  on sign_in.USER
  and sign_in.event_at <= activity.event_at
where activity.operation = 'microsoft.compute/virtualmachines/delete'
group by activity.subscription_id
";
    let links = [("by_person", "user_id = activity.caller_id"), ("by_address", "ip = activity.caller_ip")];
    for (name, on) in links {
        let here = Installation::new(&[(name, &query.replace("USER", on))]).await;
        let manifest = here.folder.path().join(format!("detectors/{name}/detector.toml"));
        let text = fs::read_to_string(&manifest).unwrap();
        fs::write(&manifest, text.replace("[\"activity\"]", "[\"activity\", \"sign_in\"]")).unwrap();
        let here = here.opened_again().await;
        let other = CUSTOMER.replace('c', "d");
        let sign_in = format!(
            r#"{{"time":"2026-10-01T09:00:00Z","resourceId":"/tenants/{other}/providers/Microsoft.aadiam","operationName":"Sign-in activity","category":"SignInLogs","tenantId":"{other}","resultType":"0","callerIpAddress":"203.0.113.9","correlationId":"c","properties":{{"id":"{other}","createdDateTime":"2026-10-01T09:00:00Z","userPrincipalName":"kim@partner.example","userId":"0f0e0d0c-5555-4000-8000-00000000000e","appId":"a","ipAddress":"203.0.113.9","isInteractive":true,"status":{{"errorCode":0}}}}}}"#
        );
        let claims = r#"{"http://schemas.microsoft.com/identity/claims/objectidentifier":"0f0e0d0c-5555-4000-8000-00000000000e","appid":"a"}"#;
        let change = deletion("2026-10-01T10:01:00Z", "VM1").replace(r#"{"appid":"a"}"#, claims);
        here.take_in(&here.write("a.json", &[sign_in, change])).await;
        let report = here.detect(Utc::now()).await;
        let alert = report.raised.iter().find(|alert| alert.body.alert_type == "Test_Deletions").expect(name);
        let detector = here.instance.detectors.iter().find(|detector| detector.manifest.id == name).unwrap();
        let replay = Replay::of(&here.instance, &Events::of(&here.instance), &[alert]).await.unwrap();
        let first = replay.first_detection(detector, alert).await.unwrap();
        assert_eq!(first, Some(at("2026-10-01T10:11:00Z")), "{name}");
    }
}
