//! One flow tuple: a text of 8 or 13 parts between commas.
//!
//! NSG: `seconds,src,dst,srcPort,dstPort,T|U,I|O,A|D` and, from version 2,
//! `,B|C|E,packetsSent,bytesSent,packetsReceived,bytesReceived`.
//! VNet: `milliseconds,src,dst,srcPort,dstPort,protocolNumber,I|O,B|C|E|D,encryption,` and the counts.
//! The unit of the time is told by its magnitude, since documents disagree about it.

use std::net::IpAddr;

use crate::json::loose::trim;
use crate::time::Instant;

/// Which format a tuple is in; it cannot be told from the tuple alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Network security group, version 1 or 2.
    Nsg = 1,
    /// Virtual network, version 4.
    Vnet = 2,
}

/// Where in its life a flow was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Begin = 1,
    Continuing = 2,
    End = 3,
}

impl State {
    /// The word for it in the table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Begin => "begin",
            Self::Continuing => "continuing",
            Self::End => "end",
        }
    }
}

/// A tuple, read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tuple<'a> {
    pub(crate) at: Instant,
    pub(crate) src_ip: IpAddr,
    pub(crate) dst_ip: IpAddr,
    /// The addresses as written, where that is their usual spelling already.
    pub(crate) written: [&'a str; 2],
    pub(crate) src_port: u16,
    pub(crate) dst_port: u16,
    pub(crate) protocol: u8,
    pub(crate) is_inbound: bool,
    pub(crate) is_denied: bool,
    pub(crate) state: Option<State>,
    /// Packets sent, bytes sent, packets received, bytes received.
    pub(crate) counts: [Option<i64>; 4],
}

/// More parts than any version has, so that a longer tuple is noticed.
const PARTS_MAX: usize = 16;

impl<'a> Tuple<'a> {
    /// Reads a tuple, or says which part is wrong.
    pub(crate) fn parse(text: &'a str, format: Format) -> Result<Self, String> {
        let mut parts = [""; PARTS_MAX];
        let count = split(text, &mut parts).ok_or_else(|| wrong_count(text.split(',').count()))?;
        let is_known = match format {
            Format::Nsg => count == 8 || count == 13,
            Format::Vnet => count == 13,
        };
        if !is_known {
            return Err(wrong_count(count));
        }
        Self::from_parts(&parts, format, count).map_err(|number| {
            let shown: String = parts[number - 1].chars().take(60).collect();
            format!("part {number} of the flow tuple (`{shown}`) is no {}", part_name(number, format))
        })
    }

    /// The error is the number of the wrong part, from 1.
    fn from_parts(parts: &[&'a str; PARTS_MAX], format: Format, count: usize) -> Result<Self, usize> {
        let (is_denied, state) = match format {
            Format::Nsg => (
                decision(parts[7]).ok_or(8usize)?,
                if count == 13 { state(parts[8]).ok_or(9usize)? } else { None },
            ),
            Format::Vnet if parts[7] == "D" => (true, None),
            Format::Vnet => (false, state(parts[7]).ok_or(8usize)?),
        };
        let mut counts = [None; 4];
        if count == 13 {
            for (at, place) in counts.iter_mut().enumerate() {
                *place = amount(parts[9 + at]).ok_or(10 + at)?;
            }
        }
        Ok(Self {
            at: time(parts[0]).ok_or(1usize)?,
            src_ip: parts[1].parse().map_err(|_| 2usize)?,
            dst_ip: parts[2].parse().map_err(|_| 3usize)?,
            written: [parts[1], parts[2]],
            src_port: port(parts[3]).ok_or(4usize)?,
            dst_port: port(parts[4]).ok_or(5usize)?,
            protocol: protocol(parts[5]).ok_or(6usize)?,
            is_inbound: direction(parts[6]).ok_or(7usize)?,
            is_denied,
            state,
            counts,
        })
    }
}

/// Puts what stands between commas into `parts`; gives how many there are, or `None` if they are too many.
///
/// Parts have some six bytes: a search for one comma after another would begin anew for each of them. So all commas of
/// eight bytes are found at once.
fn split<'a>(text: &'a str, parts: &mut [&'a str; PARTS_MAX]) -> Option<usize> {
    let mut count = 0;
    let mut start = 0;
    let mut put = |end: usize| {
        *parts.get_mut(count)? = trim(&text[start..end]);
        start = end + 1;
        count += 1;
        Some(())
    };
    for (at, eight) in text.as_bytes().chunks(8).enumerate() {
        let mut commas = commas(eight);
        while commas != 0 {
            put(at * 8 + commas.trailing_zeros() as usize / 8)?;
            commas &= commas - 1;
        }
    }
    put(text.len())?;
    Some(count)
}

/// The highest bit of each byte that is a comma, of up to eight bytes; the first is the lowest.
fn commas(bytes: &[u8]) -> u64 {
    const LOW_BITS: u64 = u64::from_ne_bytes([0x7f; 8]);
    const COMMAS: u64 = u64::from_ne_bytes([b','; 8]);
    let mut eight = [0; 8];
    eight[..bytes.len()].copy_from_slice(bytes);
    // A comma becomes zero, which is the only byte of which neither the sum nor the byte itself has the highest bit.
    let other = u64::from_le_bytes(eight) ^ COMMAS;
    !(((other & LOW_BITS) + LOW_BITS) | other | LOW_BITS)
}

/// A count without a sign; `None` if it is none or too large.
fn digits(part: &str) -> Option<u64> {
    let add = |sum: u64, byte: u8| {
        let digit = byte.wrapping_sub(b'0');
        (digit <= 9).then_some(())?;
        sum.checked_mul(10)?.checked_add(digit.into())
    };
    if part.is_empty() { None } else { part.bytes().try_fold(0, add) }
}

fn wrong_count(count: usize) -> String {
    format!("the flow tuple has {count} parts; 8 or 13 are known, so its version is not")
}

fn part_name(number: usize, format: Format) -> &'static str {
    match (number, format) {
        (1, _) => "time since 1970 between 2008 and 2100",
        (2 | 3, _) => "address",
        (4 | 5, _) => "port",
        (6, _) => "protocol (T, U or an IANA number)",
        (7, _) => "direction (I or O)",
        (8, Format::Nsg) => "decision (A or D)",
        (8, Format::Vnet) => "state (B, C, E or D)",
        (9, _) => "state (B, C or E)",
        _ => "count",
    }
}

fn decision(part: &str) -> Option<bool> {
    match part {
        "A" => Some(false),
        "D" => Some(true),
        _ => None,
    }
}

fn direction(part: &str) -> Option<bool> {
    match part {
        "I" => Some(true),
        "O" => Some(false),
        _ => None,
    }
}

fn state(part: &str) -> Option<Option<State>> {
    match part {
        "B" => Some(Some(State::Begin)),
        "C" => Some(Some(State::Continuing)),
        "E" => Some(Some(State::End)),
        "" => Some(None),
        _ => None,
    }
}

fn protocol(part: &str) -> Option<u8> {
    match part {
        "T" => Some(6),
        "U" => Some(17),
        _ => part.parse().ok(),
    }
}

fn time(part: &str) -> Option<Instant> {
    Instant::from_epoch(digits(part)?.try_into().ok()?)
}

/// Protocols without ports leave them out.
fn port(part: &str) -> Option<u16> {
    if part.is_empty() { Some(0) } else { digits(part)?.try_into().ok() }
}

fn amount(part: &str) -> Option<Option<i64>> {
    if part.is_empty() {
        return Some(None);
    }
    digits(part)?.try_into().ok().map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNTS: [Option<i64>; 4] = [Some(40), Some(5200), Some(38), Some(6100)];

    #[test]
    fn both_formats_say_the_same() {
        let nsg = "1927000000,10.0.0.4,198.51.100.7,50112,3333,T,O,A,C,40,5200,38,6100";
        let vnet = "1927000000000,10.0.0.4,198.51.100.7,50112,3333,6,O,C,NX,40,5200,38,6100";
        let tuple = Tuple::parse(nsg, Format::Nsg).unwrap();
        assert_eq!(Tuple::parse(vnet, Format::Vnet).unwrap(), tuple);
        assert_eq!((tuple.protocol, tuple.is_inbound, tuple.is_denied), (6, false, false));
        assert_eq!((tuple.state, tuple.counts), (Some(State::Continuing), COUNTS));
    }

    #[test]
    fn parts_stand_between_commas() {
        let check = |text: &str| {
            let mut parts = [""; PARTS_MAX];
            let expected: Vec<&str> = text.split(',').map(str::trim).collect();
            match split(text, &mut parts) {
                Some(count) => assert_eq!(parts[..count], expected[..], "{text}"),
                None => assert!(expected.len() > PARTS_MAX, "{text}"),
            }
        };
        for text in [
            "",
            ",",
            ",,,,,,,,,",
            "a",
            "a,b",
            "1234567,9",
            "12345678,9",
            "-,-,+,\u{ac},\u{2c80},é,",
            " a , b ",
        ] {
            check(text);
            check(&text.repeat(5));
        }
        (0..40).for_each(|count| check(&"x,".repeat(count)));
    }

    #[test]
    fn counts_have_digits_only() {
        for text in
            ["", "0", "007", "18446744073709551615", "18446744073709551616", "1x", "+1", "-1", " 1", "١"]
        {
            let expected = text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
            assert_eq!(digits(text), expected, "{text}");
        }
    }

    #[test]
    fn versions_and_denials() {
        let v1 = Tuple::parse("1927000000,10.0.0.4,2001:db8::1,50112,53,U,I,D", Format::Nsg).unwrap();
        assert_eq!((v1.is_denied, v1.state, v1.counts, v1.protocol), (true, None, [None; 4], 17));
        let begin = Tuple::parse("1927000000,10.0.0.4,10.0.0.5,50112,53,U,I,A,B,,,,", Format::Nsg).unwrap();
        assert_eq!((begin.state, begin.counts), (Some(State::Begin), [None; 4]));
        let seconds = "1927000000,10.0.0.4,10.0.0.5,0,0,1,I,D,NX,0,0,0,0";
        let denied = Tuple::parse(seconds, Format::Vnet).unwrap();
        assert_eq!((denied.is_denied, denied.state, denied.protocol), (true, None, 1));
        assert_eq!(denied.at.micros, 1_927_000_000_000_000, "seconds in a VNet log, as the document has it");
    }

    #[test]
    fn a_wrong_part_is_named() {
        let check = |text: &str, format: Format, part: &str| {
            let reason = Tuple::parse(text, format).unwrap_err();
            assert!(reason.contains(part), "{reason}");
        };
        check("1,2", Format::Nsg, "has 2 parts");
        check("", Format::Vnet, "has 1 parts");
        check(&",".repeat(40), Format::Vnet, "has 41 parts");
        check("7,10.0.0.4,10.0.0.5,1,2,T,I,A", Format::Nsg, "part 1 ");
        check(
            "1927000000,host,10.0.0.5,1,2,T,I,A",
            Format::Nsg,
            "part 2 of the flow tuple (`host`) is no address",
        );
        check("1927000000,10.0.0.4,10.0.0.5,70000,2,T,I,A", Format::Nsg, "part 4 ");
        check("1927000000,10.0.0.4,10.0.0.5,1,2,X,I,A", Format::Nsg, "part 6 ");
        check("1927000000,10.0.0.4,10.0.0.5,1,2,T,X,A", Format::Nsg, "part 7 ");
        check("1927000000,10.0.0.4,10.0.0.5,1,2,T,I,X", Format::Nsg, "part 8 ");
        check("1927000000,10.0.0.4,10.0.0.5,1,2,T,I,A,B,1,-2,3,4", Format::Nsg, "part 11 ");
        check("1927000000,10.0.0.4,10.0.0.5,1,2,T,I,A", Format::Vnet, "has 8 parts");
    }
}
