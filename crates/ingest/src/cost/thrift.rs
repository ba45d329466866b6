//! Looks over the framing of a Parquet file before its data is read: the footer and the headers of pages.
//!
//! Sizes and counts that a damaged or hostile file declares would be allocated before they are found to be
//! wrong. So what is declared is held against what is there. Both are in Thrift's compact protocol; only
//! as much of it is read as is needed to pass over values.
//! Source: apache/thrift, doc/specs/thrift-compact-protocol.md; apache/parquet-format, parquet.thrift.

/// Structures in structures deeper than Parquet's own are refused.
const DEPTH_MAX: usize = 24;

/// What the header of a page declares.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct PageHeader {
    /// How long the header itself is, in bytes.
    pub(super) header_bytes: usize,
    pub(super) uncompressed_bytes: i64,
    pub(super) compressed_bytes: i64,
    /// Values in a page of data or of a dictionary.
    pub(super) values: i64,
    pub(super) is_dictionary: bool,
}

/// Passes over the bytes of one structure; `None` if they are none.
pub(super) fn skip_struct(bytes: &[u8]) -> Option<()> {
    Compact { bytes, at: 0 }.structure(DEPTH_MAX, &mut |_, _| None)
}

/// Reads the header of a page; `None` if the bytes hold none, or not all of it.
pub(super) fn page_header(bytes: &[u8]) -> Option<PageHeader> {
    let mut header = PageHeader::default();
    let mut compact = Compact { bytes, at: 0 };
    compact.structure(DEPTH_MAX, &mut |field, compact| {
        match field {
            2 => header.uncompressed_bytes = compact.integer()?,
            3 => header.compressed_bytes = compact.integer()?,
            // Headers of a page of data, of a dictionary, and of a page of data of version 2.
            5 | 7 | 8 => {
                header.is_dictionary = field == 7;
                compact.structure(DEPTH_MAX, &mut |field, compact| {
                    if field != 1 {
                        return None;
                    }
                    header.values = compact.integer()?;
                    Some(())
                })?;
            }
            _ => return None,
        }
        Some(())
    })?;
    header.header_bytes = compact.at;
    Some(header)
}

/// A place in bytes of the compact protocol.
struct Compact<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// Takes the value of a field, or takes nothing and gives `None` to have it passed over.
type Take<'t> = &'t mut dyn FnMut(i64, &mut Compact<'_>) -> Option<()>;

impl Compact<'_> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn integer(&mut self) -> Option<i64> {
        let number = self.varint()?;
        Some((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    fn pass(&mut self, count: u64) -> Option<()> {
        let end = self.at.checked_add(usize::try_from(count).ok()?)?;
        (end <= self.bytes.len()).then(|| self.at = end)
    }

    /// Passes over a structure, and gives each of its fields to `take`.
    fn structure(&mut self, depth: usize, take: Take<'_>) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        let mut id = 0i64;
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Some(());
            }
            id = match head >> 4 {
                0 => self.integer()?,
                delta => id.checked_add(i64::from(delta))?,
            };
            let start = self.at;
            if take(id, self).is_none() {
                self.at = start;
                self.value(head & 0x0f, depth)?;
            }
        }
    }

    /// Passes over a value of a type.
    fn value(&mut self, kind: u8, depth: usize) -> Option<()> {
        match kind {
            // True and false are their types.
            1 | 2 => Some(()),
            3 => self.pass(1),
            4..=6 => self.varint().map(drop),
            7 => self.pass(8),
            8 => {
                let size = self.varint()?;
                self.pass(size)
            }
            9 | 10 => self.list(depth),
            12 => self.structure(depth, &mut |_, _| None),
            // Parquet has no maps.
            _ => None,
        }
    }

    fn list(&mut self, depth: usize) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        let head = self.byte()?;
        let size = match head >> 4 {
            15 => self.varint()?,
            size => u64::from(size),
        };
        // Every item takes a byte at least, so that this also bounds the work.
        if size > (self.bytes.len() - self.at) as u64 {
            return None;
        }
        for _ in 0..size {
            match head & 0x0f {
                1 | 2 => self.pass(1)?,
                kind => self.value(kind, depth)?,
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_headers_are_read() {
        // type 0, uncompressed 300, compressed 20, data page header with 7 values, encoding 0.
        let header = [0x15, 0x00, 0x15, 0xd8, 0x04, 0x15, 0x28, 0x2c, 0x15, 0x0e, 0x15, 0x00, 0x00, 0x00];
        let expected = PageHeader {
            header_bytes: header.len(),
            uncompressed_bytes: 300,
            compressed_bytes: 20,
            values: 7,
            is_dictionary: false,
        };
        assert_eq!(page_header(&header), Some(expected));
        for end in 0..header.len() {
            assert_eq!(page_header(&header[..end]), None, "{end}");
        }
    }

    #[test]
    fn what_is_declared_but_not_there_is_refused() {
        let check =
            |bytes: &[u8], is_sound: bool| assert_eq!(skip_struct(bytes).is_some(), is_sound, "{bytes:?}");
        check(&[0x00], true);
        check(&[], false);
        // A text of 3 bytes, then one of 300 that is not there.
        check(&[0x18, 0x03, b'a', b'b', b'c', 0x00], true);
        check(&[0x18, 0xac, 0x02, b'a', 0x00], false);
        // A list of two bytes; a list of a thousand million structures.
        check(&[0x19, 0x23, 1, 2, 0x00], true);
        check(&[0x19, 0xfc, 0x80, 0x94, 0xeb, 0xdc, 0x03, 0x00], false);
        check(&[0x1c; 1000], false);
    }
}
