//! What receivers get when something fails.

use axum::http::Method;
use chrono::TimeDelta;
use serde_json::json;

use super::super::Courier;
use super::Post;
use super::receiver::Mood;

const NOTHING: [String; 0] = [];

#[tokio::test]
async fn a_receiver_that_was_down_has_missed_nothing_and_hears_it_in_order() {
    let post = Post::new().await;
    post.subscribe(&post.token(), json!({})).await;
    let mut courier = Courier::new(post.office());
    let moods = [Mood::Answers(500), Mood::Answers(503), Mood::Hangs, Mood::Answers(301)];
    for (round, mood) in moods.into_iter().cycle().take(8).enumerate() {
        post.receiver.be(mood);
        let status = if round % 2 == 0 { "investigating" } else { "active" };
        post.change("alert-1", status).await;
        if round == 3 {
            post.change("alert-2", "investigating").await;
        }
        post.send(&mut courier).await;
        post.pass(TimeDelta::minutes(25));
    }
    assert_eq!(post.receiver.heard(), NOTHING);
    post.receiver.be(Mood::Takes);
    post.change("alert-3", "investigating").await;
    post.send(&mut courier).await;
    let heard = post.receiver.heard();
    let of = |alert: &str| -> Vec<&str> {
        heard.iter().filter_map(|words| words.strip_prefix(&format!("updated {alert} "))).collect()
    };
    let all: Vec<_> = (2..=9).map(|version| format!("W/\"{version}\"")).collect();
    assert_eq!(of("alert-1"), all);
    assert_eq!(of("alert-2"), ["W/\"2\""]);
    assert_eq!(of("alert-3"), ["W/\"2\""]);
}

#[tokio::test]
async fn what_four_hours_could_not_deliver_is_told_as_missed() {
    let post = Post::new().await;
    post.subscribe(&post.token(), json!({})).await;
    let mut courier = Courier::new(post.office());
    post.receiver.be(Mood::Answers(500));
    post.change("alert-1", "investigating").await;
    for _ in 0..24 {
        post.send(&mut courier).await;
        post.pass(TimeDelta::minutes(10));
    }
    // Of the last attempt, at the end of the window.
    post.send(&mut courier).await;
    post.receiver.be(Mood::Takes);
    post.pass(TimeDelta::minutes(10));
    post.send(&mut courier).await;
    assert_eq!(post.receiver.heard(), ["missed"]);
    post.change("alert-1", "active").await;
    post.send(&mut courier).await;
    assert_eq!(post.receiver.heard(), ["updated alert-1 W/\"3\""]);
}

#[tokio::test]
async fn an_alert_that_is_refused_holds_up_no_other() {
    let post = Post::new().await;
    post.subscribe(&post.token(), json!({})).await;
    let mut courier = Courier::new(post.office());
    post.receiver.be(Mood::RefusesAlert("alert-2"));
    for number in 1..=3 {
        post.change(&format!("alert-{number}"), "investigating").await;
    }
    post.send(&mut courier).await;
    assert_eq!(post.receiver.heard(), ["updated alert-1 W/\"2\"", "updated alert-3 W/\"2\""]);
    post.change("alert-3", "active").await;
    post.change("alert-2", "active").await;
    post.send(&mut courier).await;
    assert_eq!(post.receiver.heard(), ["updated alert-3 W/\"3\""]);
    post.receiver.be(Mood::Takes);
    post.pass(TimeDelta::minutes(1));
    post.send(&mut courier).await;
    assert_eq!(post.receiver.heard(), ["updated alert-2 W/\"2\"", "updated alert-2 W/\"3\""]);
}

#[tokio::test]
async fn a_crash_between_sending_and_settling_sends_again_under_the_same_id() {
    let post = Post::new().await;
    post.subscribe(&post.token(), json!({})).await;
    post.change("alert-1", "investigating").await;
    post.receiver.be(Mood::TakesAndHangs);
    let mut courier = Courier::new(post.office());
    courier.collect().await.unwrap();
    let first = loop {
        let mut taken = post.receiver.taken();
        if let Some(first) = taken.pop() {
            break first;
        }
        tokio::task::yield_now().await;
    };
    drop(courier);

    let mut next = Courier::new(post.office());
    post.receiver.be(Mood::Takes);
    post.send(&mut next).await;
    assert_eq!(post.receiver.heard(), NOTHING, "the lease still holds");
    post.pass(TimeDelta::seconds(61));
    post.send(&mut next).await;
    let again = post.receiver.taken();
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].body, first.body);
}

#[tokio::test]
async fn a_subscription_that_was_deleted_hears_no_more() {
    let post = Post::new().await;
    let subscription = post.subscribe(&post.token(), json!({})).await;
    let mut courier = Courier::new(post.office());
    post.receiver.be(Mood::Answers(500));
    post.change("alert-1", "investigating").await;
    post.send(&mut courier).await;
    let path = format!("/beta/subscriptions/{}", subscription["id"].as_str().unwrap());
    let reply = post.server.call(Method::DELETE, &path, Some(&post.token()), None).await;
    assert_eq!(reply.status.as_u16(), 204, "{}", reply.text);
    post.receiver.be(Mood::Takes);
    post.pass(TimeDelta::hours(1));
    post.change("alert-1", "active").await;
    post.send(&mut courier).await;
    assert_eq!(post.receiver.heard(), NOTHING);
}
