//! Protobuf wire format, read and written directly: varints, tags, length prefixes, the gRPC frame.
//!
//! Knows bytes only; what they mean is in `schema`. `decode` and `params` write with it, `encode`, `call` and `health`
//! read with it. Transcoding walks the wire so that no message tree stands between JSON and bytes.

use crate::in_process::FRAME_PREFIX;

/// Bytes that are no protobuf message. Only a fault of this service produces them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// The value of one record, not yet interpreted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Raw<'a> {
    /// Integers, booleans and enums.
    Varint(u64),
    /// 8 bytes: double, fixed64, sfixed64.
    Fixed64(u64),
    /// 4 bytes: float, fixed32, sfixed32.
    Fixed32(u32),
    /// Strings, bytes, messages and packed lists.
    Bytes(&'a [u8]),
}

/// Reads the records of one message.
#[derive(Debug, Clone)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    pub(super) fn position(&self) -> usize {
        self.position
    }

    pub(super) fn is_empty(&self) -> bool {
        self.position >= self.bytes.len()
    }

    /// The next field number and value; `None` at the end.
    pub(super) fn record(&mut self) -> Result<Option<(u32, Raw<'a>)>, Malformed> {
        if self.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).map_err(|_| Malformed)?;
        let raw = match tag & 7 {
            0 => Raw::Varint(self.varint()?),
            1 => Raw::Fixed64(self.fixed64()?),
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| Malformed)?;
                Raw::Bytes(self.take(length)?)
            }
            5 => Raw::Fixed32(self.fixed32()?),
            _ => return Err(Malformed),
        };
        Ok(Some((number, raw)))
    }

    pub(super) fn varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.bytes.get(self.position).ok_or(Malformed)?;
            self.position += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Malformed)
    }

    pub(super) fn fixed64(&mut self) -> Result<u64, Malformed> {
        let bytes = self.take(8)?.try_into().map_err(|_| Malformed)?;
        Ok(u64::from_le_bytes(bytes))
    }

    pub(super) fn fixed32(&mut self) -> Result<u32, Malformed> {
        let bytes = self.take(4)?.try_into().map_err(|_| Malformed)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let end = self.position.checked_add(length).ok_or(Malformed)?;
        let taken = self.bytes.get(self.position..end).ok_or(Malformed)?;
        self.position = end;
        Ok(taken)
    }
}

/// The wire type that a record's tag carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WireType {
    Varint = 0,
    Fixed64 = 1,
    Bytes = 2,
    Fixed32 = 5,
}

pub(super) fn put_tag(out: &mut Vec<u8>, number: u32, wire_type: WireType) {
    put_varint(out, u64::from(number) << 3 | wire_type as u64);
}

pub(super) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub(super) fn put_bytes(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    put_tag(out, number, WireType::Bytes);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Opens a length-delimited record; what is appended until `close` is its content.
pub(super) fn open(out: &mut Vec<u8>, number: u32) -> usize {
    put_tag(out, number, WireType::Bytes);
    out.push(0);
    out.len()
}

/// Writes the length of the record that `open` began. One byte was kept for it; a longer length moves the content.
pub(super) fn close(out: &mut Vec<u8>, start: usize) {
    let length = out.len() - start;
    if length < 0x80 {
        out[start - 1] = length as u8;
        return;
    }
    let mut prefix = Vec::with_capacity(5);
    put_varint(&mut prefix, length as u64);
    let extra = prefix.len() - 1;
    out.resize(out.len() + extra, 0);
    out.copy_within(start..start + length, start + extra);
    out[start - 1..start + extra].copy_from_slice(&prefix);
}

/// A gRPC frame to append one message to; `finish_frame` completes it.
pub(super) fn new_frame(capacity: usize) -> Vec<u8> {
    let mut frame = Vec::with_capacity(FRAME_PREFIX + capacity);
    frame.extend_from_slice(&[0; FRAME_PREFIX]);
    frame
}

/// Writes the message's length into the frame. Fails where it does not fit in 32 bits.
pub(super) fn finish_frame(frame: &mut [u8]) -> Result<(), Malformed> {
    let length = u32::try_from(frame.len() - FRAME_PREFIX).map_err(|_| Malformed)?;
    frame[1..FRAME_PREFIX].copy_from_slice(&length.to_be_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::in_process::frame_length;

    #[test]
    fn a_nested_record_of_any_length_reads_back() {
        for length in [0usize, 1, 127, 128, 16_383, 16_384, 70_000] {
            let mut out = vec![0x08, 0x01];
            let outer = open(&mut out, 2);
            let inner = open(&mut out, 3);
            out.extend(std::iter::repeat_n(b'x', length));
            close(&mut out, inner);
            close(&mut out, outer);

            let mut reader = Reader::new(&out);
            assert_eq!(reader.record(), Ok(Some((1, Raw::Varint(1)))));
            let Ok(Some((2, Raw::Bytes(content)))) = reader.record() else {
                panic!("no outer record for {length}")
            };
            let Ok(Some((3, Raw::Bytes(text)))) = Reader::new(content).record() else {
                panic!("no inner record")
            };
            assert_eq!(text.len(), length);
            assert!(reader.is_empty());
        }
    }

    #[test]
    fn varints_of_every_width_read_back() {
        for value in [0u64, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX] {
            let mut out = Vec::new();
            put_varint(&mut out, value);
            assert_eq!(Reader::new(&out).varint(), Ok(value));
        }
    }

    #[test]
    fn truncated_bytes_are_refused() {
        for bytes in [&[0x80u8][..], &[0x0a, 5, 1], &[0x09, 1, 2], &[0x0d, 1], &[0x0b]] {
            assert_eq!(Reader::new(bytes).record(), Err(Malformed));
        }
    }

    #[test]
    fn a_frame_carries_its_length() {
        let mut frame = new_frame(3);
        frame.extend_from_slice(b"abc");
        finish_frame(&mut frame).expect("fits");
        assert_eq!(frame, b"\0\0\0\0\x03abc");
        assert_eq!(frame_length(&frame), Some(3));
        assert_eq!(frame_length(b"\x01\0\0\0\x03"), None);
    }
}
