"""Takes a batch's records out of their compression, whatever the codec, and never more of them than a bound."""

import struct
import zlib
from collections.abc import Callable

import cramjam

# What a batch may unfold to. A mebibyte of zstd can hold gigabytes of nothing, which no process here would outlive.
MOST = 16 * 1024 * 1024

_XERIAL = b"\x82SNAPPY\x00"
_XERIAL_BEGINS = 16  # after the marker and two version numbers
_GZIP = 31  # zlib's word for a gzip header


class Unexpandable(Exception):
    """The bytes are not what their codec says, or unfold to more than `MOST`."""


def expand(codec: int, data: bytes) -> bytes:
    """Return what `data` was before the codec of that number in Kafka's batch attributes; raise `Unexpandable`."""
    try:
        return _EXPAND[codec](data)
    except (KeyError, ValueError, struct.error, zlib.error, cramjam.DecompressionError) as error:
        raise Unexpandable from error


def _gzip(data: bytes) -> bytes:
    out = bytearray()
    while data:
        stream = zlib.decompressobj(_GZIP)
        out += stream.decompress(data, MOST + 1 - len(out))
        if len(out) > MOST or not stream.eof:
            raise Unexpandable
        data = stream.unused_data
    return bytes(out)


def _snappy(data: bytes) -> bytes:
    if not data.startswith(_XERIAL):
        return _snappy_block(data, MOST)
    out, at = bytearray(), _XERIAL_BEGINS
    while at < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        at += 4
        out += _snappy_block(data[at : at + size], MOST - len(out))
        at += size
    return bytes(out)


def _snappy_block(data: bytes, most: int) -> bytes:
    if cramjam.snappy.decompress_raw_len(data) > most:
        raise Unexpandable
    return bytes(cramjam.snappy.decompress_raw(data))


def _into(decompress_into: Callable[[bytes, bytearray], int]) -> Callable[[bytes], bytes]:
    """Return an `expand` for a codec that does not say beforehand how much there is."""

    def expand(data: bytes) -> bytes:
        room = min(MOST, max(64 * 1024, 8 * len(data)))
        while True:
            out = bytearray(room)
            try:
                return bytes(memoryview(out)[: decompress_into(data, out)])
            except cramjam.DecompressionError:
                if room >= MOST:
                    raise
                room = min(MOST, room * 8)

    return expand


_EXPAND: dict[int, Callable[[bytes], bytes]] = {
    1: _gzip,
    2: _snappy,
    3: _into(cramjam.lz4.decompress_into),
    4: _into(cramjam.zstd.decompress_into),
}
