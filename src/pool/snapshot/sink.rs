//! Text on its way to a callback, in pieces of some size: a call for each word would be dear.

use core::fmt::{self, Write};

const BYTES: usize = 4096;

/// Collects text, and hands it on when there is enough.
pub(super) struct Sink<'put> {
    put: &'put mut dyn FnMut(&[u8]) -> bool,
    bytes: [u8; BYTES],
    length: usize,
}

impl<'put> Sink<'put> {
    pub(super) fn new(put: &'put mut dyn FnMut(&[u8]) -> bool) -> Self {
        Self { put, bytes: [0; BYTES], length: 0 }
    }

    /// Hands on what is left. An error: nothing more is wanted.
    pub(super) fn flush(&mut self) -> fmt::Result {
        let bytes = &self.bytes[..core::mem::take(&mut self.length)];
        if bytes.is_empty() || (self.put)(bytes) { Ok(()) } else { Err(fmt::Error) }
    }
}

impl Write for Sink<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            if self.length == BYTES {
                self.flush()?;
            }
            let (now, later) = rest.split_at(rest.len().min(BYTES - self.length));
            self.bytes[self.length..][..now.len()].copy_from_slice(now);
            self.length += now.len();
            rest = later;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_arrives_in_order_and_nothing_after_no() {
        let text: String = (0..3000).map(|number| format!("{number},")).collect();
        let mut got = vec![];
        let mut put = |bytes: &[u8]| {
            got.extend_from_slice(bytes);
            true
        };
        let mut sink = Sink::new(&mut put);
        text.split_inclusive(',').for_each(|word| sink.write_str(word).expect("wanted"));
        sink.flush().expect("wanted");
        assert_eq!(got, text.as_bytes());
        let mut calls = 0;
        let mut refuse = |_: &[u8]| {
            calls += 1;
            false
        };
        assert!(Sink::new(&mut refuse).write_str(&text).is_err());
        assert_eq!(calls, 1);
    }
}
