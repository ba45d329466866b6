//! The day's traffic of a subscription's machines: visitors, updates, databases, names, scans.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::calendar::{hours_in_day, midnight, next_midnight};
use crate::dice::Dice;
use crate::estate::{Conversation, Customer, Hours, Machine, Nic, Style, Subscription, Workload, address};

/// Connections of one machine on a busy day.
const CONNECTIONS_A_DAY: f64 = 12.0;

/// A standing connection is dropped and made anew after so many tuples.
const TUPLES_A_CONNECTION: i64 = 40;

/// Azure's own resolver, the same in every virtual network.
const RESOLVER: &str = "168.63.129.16";

/// The file server of every made-up network.
const FILE_SERVER: &str = "10.31.0.4";

const TCP: u8 = 6;
const UDP: u8 = 17;

/// One flow tuple.
#[derive(Debug, Clone)]
pub(crate) struct Talk<'a> {
    /// Milliseconds since 1970.
    pub(crate) at_ms: i64,
    /// The interface that saw it.
    pub(crate) nic: &'a Nic,
    /// The other side.
    pub(crate) remote: Cow<'a, str>,
    /// The interface's port.
    pub(crate) local_port: u16,
    /// The other side's port.
    pub(crate) remote_port: u16,
    /// IANA number.
    pub(crate) protocol: u8,
    /// Whether the interface asked.
    pub(crate) outbound: bool,
    /// Where the connection stands.
    pub(crate) state: TalkState,
    /// Bytes from the one who asked, since the last tuple of this connection.
    pub(crate) sent: u64,
    /// Bytes back.
    pub(crate) received: u64,
}

/// Where a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TalkState {
    /// It begins; no counts yet.
    Begin,
    /// It goes on.
    Continuing,
    /// It ends.
    End,
    /// It was refused.
    Denied,
}

/// Appends the day's ordinary traffic, in no order.
pub(crate) fn ordinary_traffic<'a>(
    customer: &'a Customer,
    subscription: &'a Subscription,
    day: NaiveDate,
    dice: &mut Dice,
    talks: &mut Vec<Talk<'a>>,
) {
    let business = customer.holidays.business(day);
    let machines: Vec<&Machine> = subscription.script.machines.iter().collect();
    for machine in machines.iter().filter(|machine| machine.exists_on(day)) {
        let Some((from, until)) = awake(machine, day, business) else { continue };
        for _ in 0..dice.count(CONNECTIONS_A_DAY * (0.35 + 0.65 * business)) {
            let at = dice.moment(from, until);
            connection(customer, subscription, machine, &machines, at, dice, talks);
        }
        if dice.chance(0.5) {
            talks.push(scan(machine, dice.moment(from, until), dice));
        }
    }
}

/// The part of the day in which a machine is up.
fn awake(machine: &Machine, day: NaiveDate, business: f64) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let from = machine.from.max(midnight(day));
    let until = machine.until.min(next_midnight(day)) - TimeDelta::minutes(10);
    let (from, until) = match machine.hours {
        Hours::Always => (from, until),
        Hours::Office(hours) if business > 0.5 => {
            let open = midnight(day) + TimeDelta::hours(7);
            (from.max(open), until.min(open + TimeDelta::hours(i64::from(hours))))
        }
        Hours::Office(_) => return None,
    };
    (from < until).then_some((from, until))
}

fn connection<'a>(
    customer: &'a Customer,
    subscription: &Subscription,
    machine: &'a Machine,
    machines: &[&'a Machine],
    at: DateTime<Utc>,
    dice: &mut Dice,
    talks: &mut Vec<Talk<'a>>,
) {
    let serves_visitors = subscription.workload == Workload::WebShop;
    let ephemeral = dice.between(49_152, 65_000) as u16;
    let mut talk = Talk {
        at_ms: at.timestamp_millis(),
        nic: &machine.nic,
        remote: Cow::Borrowed(""),
        local_port: ephemeral,
        remote_port: 443,
        protocol: TCP,
        outbound: true,
        state: TalkState::Begin,
        sent: (dice.long_tailed(30.0) * 900.0) as u64,
        received: (dice.long_tailed(60.0) * 2600.0) as u64,
    };
    match dice.below(10) {
        0..=3 if serves_visitors => {
            talk.remote = Cow::Owned(address::anyone(dice));
            (talk.local_port, talk.remote_port, talk.outbound) = (443, ephemeral, false);
        }
        0..=1 => {
            let name_server = dice.chance(0.8);
            talk.remote = Cow::Borrowed(if name_server { RESOLVER } else { &customer.services[0] });
            talk.remote_port = if name_server { 53 } else { 123 };
            talk.protocol = UDP;
            (talk.sent, talk.received) = (dice.between(60, 90) as u64, dice.between(90, 300) as u64);
        }
        2..=5 => {
            let peer = &machines[dice.below(machines.len())].nic;
            // A machine that would talk to itself talks to the file server that every network has.
            talk.remote = Cow::Borrowed(if *peer == machine.nic { FILE_SERVER } else { &peer.address });
            talk.remote_port = dice.pick(&[1433, 1433, 445, 5432, 8080]);
        }
        6 => talk.remote = Cow::Owned(address::anyone(dice)),
        _ => talk.remote = Cow::Borrowed(&customer.services[dice.below(customer.services.len())]),
    }
    let continues = talk.protocol == TCP && dice.chance(0.25);
    let length_ms = dice.between(800, if continues { 540_000 } else { 50_000 });
    push_connection(talk, length_ms, continues, talks);
}

fn push_connection<'a>(talk: Talk<'a>, length_ms: i64, continues: bool, talks: &mut Vec<Talk<'a>>) {
    let mut begin = talk.clone();
    (begin.sent, begin.received) = (0, 0);
    let mut end = talk.clone();
    (end.state, end.at_ms) = (TalkState::End, talk.at_ms + length_ms);
    talks.push(begin);
    if continues {
        let mut middle = talk;
        (middle.state, middle.at_ms) = (TalkState::Continuing, middle.at_ms + length_ms / 2);
        (middle.sent, middle.received) = (middle.sent * 3 / 4, middle.received * 3 / 4);
        // Counts are increments: what the middle has reported, the end leaves out.
        (end.sent, end.received) = (end.sent - middle.sent, end.received - middle.received);
        talks.push(middle);
    }
    talks.push(end);
}

/// Somebody on the internet tries a port, and is refused.
fn scan<'a>(machine: &'a Machine, at: DateTime<Utc>, dice: &mut Dice) -> Talk<'a> {
    Talk {
        at_ms: at.timestamp_millis(),
        nic: &machine.nic,
        remote: Cow::Owned(address::anyone(dice)),
        local_port: dice.pick(&[22, 3389, 23, 445, 8080, 3333]),
        remote_port: dice.between(30_000, 60_000) as u16,
        protocol: TCP,
        outbound: false,
        state: TalkState::Denied,
        sent: 0,
        received: 0,
    }
}

/// Appends the part of the conversations that lies in the day and before `end`, in no order.
pub(crate) fn scripted_traffic<'a>(
    conversations: &'a [Conversation],
    day: NaiveDate,
    end: DateTime<Utc>,
    dice: &mut Dice,
    talks: &mut Vec<Talk<'a>>,
) {
    for conversation in conversations {
        let until = conversation.until.min(end);
        if hours_in_day(day, conversation.from, until) > 0.0 {
            one_conversation(conversation, day, until, dice, talks);
        }
    }
}

fn one_conversation<'a>(
    conversation: &'a Conversation,
    day: NaiveDate,
    until: DateTime<Utc>,
    dice: &mut Dice,
    talks: &mut Vec<Talk<'a>>,
) {
    let start_ms = conversation.from.timestamp_millis();
    let every_ms = conversation.every.num_milliseconds().max(1_000);
    let day_start_ms = midnight(day).timestamp_millis().max(start_ms);
    let day_end_ms = next_midnight(day).min(until).timestamp_millis();
    let first = (day_start_ms - start_ms + every_ms - 1) / every_ms;
    for tick in first.. {
        let at_ms = start_ms + tick * every_ms;
        if at_ms >= day_end_ms {
            break;
        }
        let amount =
            |mean: f64, dice: &mut Dice| (mean * (1.0 + conversation.noise * dice.bell())).max(40.0) as u64;
        let mut talk = Talk {
            at_ms,
            nic: &conversation.nic,
            remote: Cow::Borrowed(&conversation.remote),
            local_port: own_port(conversation, tick),
            remote_port: conversation.port,
            protocol: TCP,
            outbound: true,
            state: TalkState::Begin,
            sent: amount(conversation.sent, dice),
            received: amount(conversation.received, dice),
        };
        match conversation.style {
            Style::Short => {
                let length_ms = dice.between(300, 4_000).min(day_end_ms - at_ms - 1).max(0);
                push_connection(talk, length_ms, false, talks);
            }
            Style::Standing => {
                talk.state = match tick % TUPLES_A_CONNECTION {
                    0 => TalkState::Begin,
                    last if last == TUPLES_A_CONNECTION - 1 => TalkState::End,
                    _ => TalkState::Continuing,
                };
                if talk.state == TalkState::Begin {
                    (talk.sent, talk.received) = (0, 0);
                }
                talks.push(talk);
            }
        }
    }
}

/// The interface's port: one for each connection, the same in all its tuples.
fn own_port(conversation: &Conversation, tick: i64) -> u16 {
    let connection = match conversation.style {
        Style::Standing => tick / TUPLES_A_CONNECTION,
        Style::Short => tick,
    };
    let salt: i64 = conversation.nic.mac.bytes().map(i64::from).sum();
    (49_152 + (connection * 37 + salt * 101) % 15_000) as u16
}
