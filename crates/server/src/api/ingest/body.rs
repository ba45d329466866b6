//! The body of a push: read and decompressed within bounds.

use std::io::Read;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
use flate2::read::MultiGzDecoder;
use graph::ApiError;
use graph::error::Kind as ErrorKind;
use graph::http::read_body;

use super::RETRY_AFTER_S;
use crate::app::intake::{Room, Space};

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// How long a request waits for room before its sender is told to come again.
const WAIT_FOR_ROOM: Duration = Duration::from_secs(2);

/// Reads the body, decompressed to at most so many bytes, and the room that it takes until its events are
/// stored. Compression is told by the first bytes, whether or not `Content-Encoding` names it.
pub(super) async fn read(
    room: &Room,
    limit: usize,
    headers: &HeaderMap,
    body: Body,
) -> Result<(Bytes, Space), ApiError> {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    // Where it is not told, or grows by decompression, all that it may become is set aside.
    let expected = length.filter(|_| !headers.contains_key(header::CONTENT_ENCODING)).unwrap_or(limit);
    let mut space = enter(room, expected.min(limit)).await?;
    let sent = read_body(body, limit).await?;
    if !sent.starts_with(GZIP) && !sent.starts_with(ZSTD) {
        space.shrink(sent.len());
        return Ok((sent, space));
    }
    drop(space);
    let mut space = enter(room, limit).await?;
    let text =
        tokio::task::spawn_blocking(move || decompress(&sent, limit)).await.map_err(ApiError::internal)??;
    space.shrink(text.len());
    Ok((Bytes::from(text), space))
}

async fn enter(room: &Room, bytes: usize) -> Result<Space, ApiError> {
    tokio::time::timeout(WAIT_FOR_ROOM, room.take(bytes)).await.map_err(|_| {
        let message =
            "More is coming in than can be stored at the moment. Send the records again, a little later.";
        ApiError::new(ErrorKind::Throttled { retry_after_s: RETRY_AFTER_S }, message.to_owned())
    })
}

fn decompress(sent: &[u8], limit: usize) -> Result<Vec<u8>, ApiError> {
    let damaged = |error: std::io::Error| {
        ApiError::bad_request(format!(
            "The body is compressed and damaged: {error}. Nothing was stored; send it again."
        ))
    };
    let mut text = Vec::new();
    // One byte more than may be, to see whether there is more.
    let bound = limit as u64 + 1;
    let read = if sent.starts_with(GZIP) {
        MultiGzDecoder::new(sent).take(bound).read_to_end(&mut text)
    } else {
        zstd::Decoder::with_buffer(sent).map_err(damaged)?.take(bound).read_to_end(&mut text)
    };
    read.map_err(damaged)?;
    if text.len() > limit {
        let message = format!(
            "The body may have at most {limit} bytes once it is decompressed. Send the records in several requests."
        );
        return Err(ApiError::new(ErrorKind::TooLarge, message));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn refusal(result: Result<Vec<u8>, ApiError>) -> String {
        format!("{:?}", result.unwrap_err())
    }

    #[test]
    fn compressed_bodies_are_bounded() {
        let text = b"{}\n".repeat(1000);
        for sent in [gzip(&text), zstd::encode_all(&text[..], 1).unwrap()] {
            assert_eq!(decompress(&sent, text.len()).unwrap(), text);
            assert!(refusal(decompress(&sent, text.len() - 1)).contains("at most 2999 bytes"));
            let cut = refusal(decompress(&sent[..sent.len() - 6], text.len()));
            assert!(cut.contains("compressed and damaged"), "{cut}");
        }
        // Two members, as tools that append to a file make them.
        let two = [gzip(b"a"), gzip(b"b")].concat();
        assert_eq!(decompress(&two, 10).unwrap(), b"ab");
    }
}
