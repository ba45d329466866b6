//! Finds where a JSON value ends, without reading it.
//!
//! A scan goes byte by byte over structure and by leaps over strings. It can stop at the end of the
//! bytes at hand and go on when there are more. It checks only what is needed to notice that a record
//! was cut off and another begins: brackets that do not match, strings that run over a line end,
//! values in places where none can be.

/// Values nested deeper are refused; the parser behind would refuse them at 128.
const DEPTH_MAX: u32 = 120;

/// The members of wrappers that hold the records: of Event Hubs, of REST, of Resource Graph.
pub(crate) const LIST_NAMES: [&str; 3] = ["records", "value", "data"];

/// How far a scan came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// The bytes are used up before the value ended.
    Open,
    /// The value ends before this place.
    End(usize),
    /// The value is a wrapper: its list of records starts at this place, after the bracket.
    List(usize),
    /// The value is damaged at this place.
    Damaged(usize, &'static str),
}

/// A scan of one object or list, under way.
#[derive(Debug)]
pub(crate) struct Scan {
    at: usize,
    depth: u32,
    /// One bit for each open bracket, the innermost lowest: set for an object.
    objects: u128,
    in_string: bool,
    string_start: usize,
    /// The last byte that meant something; 0 before the first, `"` for a string, `0` for a scalar.
    last: u8,
    /// The name of the last member of the outermost object says that it wraps records.
    names_records: bool,
    /// Whether a wrapper may be met.
    finds_lists: bool,
}

impl Scan {
    /// A scan of a value that may be a wrapper.
    pub(crate) fn of_document() -> Self {
        Self { finds_lists: true, ..Self::of_value() }
    }

    /// A scan of a value that is a record.
    pub(crate) fn of_value() -> Self {
        Self {
            at: 0,
            depth: 0,
            objects: 0,
            in_string: false,
            string_start: 0,
            last: 0,
            names_records: false,
            finds_lists: false,
        }
    }

    /// A scan of what follows the list of records in a wrapper.
    pub(crate) fn of_rest() -> Self {
        Self { depth: 1, objects: 1, last: b'0', ..Self::of_document() }
    }

    /// Goes on over `bytes`, which start where they started at the first call.
    pub(crate) fn go_on(&mut self, bytes: &[u8]) -> Progress {
        while self.at < bytes.len() {
            let progress = if self.in_string { self.string(bytes) } else { self.structure(bytes) };
            if let Some(progress) = progress {
                return progress;
            }
        }
        Progress::Open
    }

    fn string(&mut self, bytes: &[u8]) -> Option<Progress> {
        let Some(found) = memchr::memchr3(b'"', b'\\', b'\n', &bytes[self.at..]) else {
            self.at = bytes.len();
            return Some(Progress::Open);
        };
        let place = self.at + found;
        match bytes[place] {
            // The byte after a backslash may not be there yet: wait at the backslash.
            b'\\' if place + 1 >= bytes.len() => {
                self.at = place;
                return Some(Progress::Open);
            }
            b'\\' => self.at = place + 2,
            b'\n' => return Some(Progress::Damaged(place, "a text runs over the end of a line")),
            _ => {
                self.in_string = false;
                self.at = place + 1;
                let is_name = self.depth == 1 && self.objects & 1 == 1 && matches!(self.last, b'{' | b',');
                if is_name {
                    let name = &bytes[self.string_start..place];
                    self.names_records =
                        LIST_NAMES.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()));
                }
                self.last = b'"';
            }
        }
        None
    }

    fn structure(&mut self, bytes: &[u8]) -> Option<Progress> {
        let place = self.at;
        let byte = bytes[place];
        self.at += 1;
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => return None,
            b'"' => {
                if !self.may_start_value() && !self.may_start_name() {
                    return Some(Progress::Damaged(place, "a text stands where none can be"));
                }
                self.in_string = true;
                self.string_start = self.at;
                return None;
            }
            b'{' | b'[' => {
                if !self.may_start_value() {
                    return Some(Progress::Damaged(place, "a value starts before the last one ended"));
                }
                let is_list_of_records =
                    byte == b'[' && self.depth == 1 && self.names_records && self.finds_lists;
                if is_list_of_records {
                    return Some(Progress::List(self.at));
                }
                if self.depth == DEPTH_MAX {
                    return Some(Progress::Damaged(place, "values are nested too deep"));
                }
                self.depth += 1;
                self.objects = self.objects << 1 | u128::from(byte == b'{');
            }
            b'}' | b']' => {
                let closes_what_is_open = self.depth > 0 && (self.objects & 1 == 1) == (byte == b'}');
                if !closes_what_is_open {
                    return Some(Progress::Damaged(place, "brackets do not match"));
                }
                self.depth -= 1;
                self.objects >>= 1;
                if self.depth == 0 {
                    return Some(Progress::End(self.at));
                }
            }
            _ => {}
        }
        self.last = match byte {
            b'{' | b'[' | b',' | b':' => byte,
            _ => b'0',
        };
        None
    }

    fn is_in_object(&self) -> bool {
        self.depth > 0 && self.objects & 1 == 1
    }

    fn may_start_value(&self) -> bool {
        match self.last {
            0 | b':' => true,
            b'[' | b',' => !self.is_in_object(),
            _ => false,
        }
    }

    fn may_start_name(&self) -> bool {
        self.is_in_object() && matches!(self.last, b'{' | b',')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_found_however_the_bytes_come() {
        let check = |json: &str, expected: Progress| {
            assert_eq!(Scan::of_document().go_on(json.as_bytes()), expected, "{json}");
            // One byte more at a time gives the same.
            let mut scan = Scan::of_document();
            let steps = (1..=json.len()).map(|end| scan.go_on(&json.as_bytes()[..end]));
            let stepped = steps.into_iter().find(|progress| *progress != Progress::Open);
            assert_eq!(stepped.unwrap_or(Progress::Open), expected, "{json} in steps");
        };
        check(r#"{"a":{"b":"}"},"c":[1,"]"]} x"#, Progress::End(27));
        check(r#"{"a":"\\\"}"}"#, Progress::End(13));
        check(r#"{"a":"#, Progress::Open);
        check(r#"{"Records": [{"#, Progress::List(13));
        check(r#"{"nextLink":"u","value":[{"#, Progress::List(25));
        check(r#"{"count":1,"data":[{"#, Progress::List(19));
        check(r#"{"data":{"columns":[]}}"#, Progress::End(23));
        check(r#"{"a":{"records":[]}}"#, Progress::End(20));
        check(r#"{"a":"records","b":[]}"#, Progress::End(22));
        check("{\"a\":1\n{", Progress::Damaged(7, "a value starts before the last one ended"));
        check("{\"a\":1,\n{", Progress::Damaged(8, "a value starts before the last one ended"));
        check("{\"a\n", Progress::Damaged(3, "a text runs over the end of a line"));
        check("{\"a\":[}", Progress::Damaged(6, "brackets do not match"));
        check(&"[".repeat(200), Progress::Damaged(120, "values are nested too deep"));
    }

    #[test]
    fn the_rest_of_a_wrapper_ends_with_it() {
        assert_eq!(Scan::of_rest().go_on(br#" , "nextLink": "x" } "#), Progress::End(20));
        assert_eq!(
            Scan::of_rest().go_on(br#",{"#),
            Progress::Damaged(1, "a value starts before the last one ended")
        );
    }
}
