//! Small numbers in the form that Parquet keeps levels and places in dictionaries in: runs of one number, and
//! groups of eight packed bit by bit. See "RLE / Bit-Packing Hybrid" in the format's description of encodings.

/// Numbers of one group.
const GROUP: usize = 8;

/// A shorter run is packed: that takes no more room, and is read faster than many small runs.
const RUN_MIN: usize = 2 * GROUP;

/// How many bits the numbers up to `greatest` need, at least one.
pub(super) fn width_of(greatest: u32) -> u32 {
    (u32::BITS - greatest.leading_zeros()).max(1)
}

/// Appends `numbers`, each of which fits into `width` bits.
pub(super) fn encode(numbers: &[u32], width: u32, out: &mut Vec<u8>) {
    // What was seen and is not written yet starts here; it is to be packed.
    let mut pending = 0;
    let mut at = 0;
    while let Some(number) = numbers.get(at) {
        let run = numbers[at..].iter().take_while(|other| *other == number).count();
        // Packed groups are whole, so that a run gives some of its numbers to the last one.
        let lent = (at - pending).next_multiple_of(GROUP) - (at - pending);
        if run >= RUN_MIN + lent {
            pack(&numbers[pending..at + lent], width, out);
            encode_run(*number, run - lent, width, out);
            pending = at + run;
        }
        at += run;
    }
    pack(&numbers[pending..], width, out);
}

/// Appends one number, `count` times.
pub(super) fn encode_run(number: u32, count: usize, width: u32, out: &mut Vec<u8>) {
    if count > 0 {
        put_length((count as u64) << 1, out);
        let bytes = width.div_ceil(u8::BITS) as usize;
        out.extend_from_slice(&number.to_le_bytes()[..bytes]);
    }
}

/// Appends numbers bit by bit, filled up with zeros to a whole group.
fn pack(numbers: &[u32], width: u32, out: &mut Vec<u8>) {
    if numbers.is_empty() {
        return;
    }
    let groups = numbers.len().div_ceil(GROUP);
    put_length((groups as u64) << 1 | 1, out);
    let end = out.len() + groups * width as usize;
    let (mut bits, mut held) = (0u64, 0);
    for number in numbers {
        bits |= u64::from(*number) << held;
        held += width;
        while held >= u8::BITS {
            out.push(bits as u8);
            bits >>= u8::BITS;
            held -= u8::BITS;
        }
    }
    if held > 0 {
        out.push(bits as u8);
    }
    out.resize(end, 0);
}

/// Appends a length in groups of seven bits, the lowest first.
fn put_length(mut length: u64, out: &mut Vec<u8>) {
    while length >= 0x80 {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads back, as the format's description has it.
    fn decode(mut bytes: &[u8], width: u32, count: usize) -> Vec<u32> {
        let mut numbers = Vec::new();
        while numbers.len() < count {
            let (mut length, mut shift) = (0u64, 0);
            loop {
                let (byte, rest) = bytes.split_first().unwrap();
                bytes = rest;
                length |= u64::from(byte & 0x7f) << shift;
                shift += 7;
                if byte & 0x80 == 0 {
                    break;
                }
            }
            if length & 1 == 0 {
                let (value, rest) = bytes.split_at(width.div_ceil(8) as usize);
                bytes = rest;
                let mut whole = [0; 4];
                whole[..value.len()].copy_from_slice(value);
                let run = (length >> 1) as usize;
                numbers.extend(std::iter::repeat_n(u32::from_le_bytes(whole), run));
            } else {
                let groups = (length >> 1) as usize;
                let (packed, rest) = bytes.split_at(groups * width as usize);
                bytes = rest;
                let bit = |at: usize| u32::from(packed[at / 8] >> (at % 8) & 1);
                let width = width as usize;
                numbers.extend(
                    (0..groups * 8).map(|n| (0..width).fold(0, |sum, b| sum | bit(n * width + b) << b)),
                );
            }
        }
        assert!(bytes.is_empty(), "nothing is left over");
        numbers.truncate(count);
        numbers
    }

    #[test]
    fn numbers_come_back() {
        let run = |number: u32, count: usize| vec![number; count];
        let cases: [Vec<u32>; 9] = [
            vec![],
            vec![0],
            run(1, 15),
            run(1, 16),
            run(0, 100_000),
            (0..1000).collect(),
            [vec![1, 2, 3], run(3, 40), vec![7], run(2, 17)].concat(),
            [run(5, 20), run(6, 20), vec![1, 2, 3, 4, 5, 6, 7, 8, 9], run(9, 30)].concat(),
            (0..5000)
                .map(|n: u32| n.wrapping_mul(2_654_435_761) >> 12 & if n % 300 > 200 { 0 } else { 0xffff })
                .collect(),
        ];
        for numbers in cases {
            let needed = width_of(numbers.iter().copied().max().unwrap_or_default());
            for width in [needed, needed + 1, 32] {
                let mut bytes = Vec::new();
                encode(&numbers, width, &mut bytes);
                assert_eq!(decode(&bytes, width, numbers.len()), numbers, "{width} bits");
            }
        }
    }

    #[test]
    fn runs_are_short() {
        let mut bytes = Vec::new();
        encode(&vec![3; 1_000_000], 2, &mut bytes);
        assert_eq!(bytes.len(), 4);
        let checks = [(0, 1), (1, 1), (2, 2), (255, 8), (256, 9), (u32::MAX, 32)];
        checks.iter().for_each(|(greatest, width)| assert_eq!(width_of(*greatest), *width, "{greatest}"));
    }
}
