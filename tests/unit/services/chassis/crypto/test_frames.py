"""Files in frames come back whole or not at all."""

import os
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.frames import CHUNK, FRAME, HEADER_LENGTH, MAGIC, header, nonce, sealed_length
from services.chassis.crypto.frames import BrokenFrames, FrameReader, FrameWriter, _cipher

KEY = bytes(range(32))
SIZES = (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 7)


def written(plain: bytes, *, step: int = 50_000, salt: bytes | None = None) -> bytes:
    writer = FrameWriter(KEY, salt=salt)
    return b"".join(writer.update(plain[at : at + step]) for at in range(0, len(plain), step)) + writer.finish()


def read(sealed: bytes, *, step: int = 30_000, key: bytes = KEY) -> bytes:
    reader = FrameReader(key)
    return b"".join(reader.update(sealed[at : at + step]) for at in range(0, len(sealed), step)) + reader.finish()


@pytest.mark.parametrize("size", SIZES)
def test_what_was_written_is_read(size: int) -> None:
    plain = os.urandom(size)
    sealed = written(plain)
    assert read(sealed) == plain
    assert len(sealed) == sealed_length(size)


@given(plain=st.binary(max_size=300), step=st.integers(min_value=1, max_value=400))
def test_how_the_bytes_arrive_does_not_matter(plain: bytes, step: int) -> None:
    assert read(written(plain, step=step), step=step) == plain


def test_a_salt_is_fresh_for_each_file() -> None:
    assert written(b"same")[:HEADER_LENGTH] != written(b"same")[:HEADER_LENGTH]
    assert written(b"same")[: len(MAGIC)] == MAGIC


def frames_of(sealed: bytes) -> list[bytes]:
    body = sealed[HEADER_LENGTH:]
    return [body[at : at + FRAME] for at in range(0, len(body), FRAME)]


BREAKS: dict[str, Callable[[bytes, list[bytes]], bytes]] = {
    "the last frame is missing": lambda head, frames: head + b"".join(frames[:-1]),
    "the last byte is missing": lambda head, frames: (head + b"".join(frames))[:-1],
    "a frame in the middle is missing": lambda head, frames: head + frames[0] + frames[2],
    "two frames changed places": lambda head, frames: head + frames[1] + frames[0] + frames[2],
    "a frame stands twice": lambda head, frames: head + frames[0] + frames[0] + frames[1] + frames[2],
    "bytes follow the end": lambda head, frames: head + b"".join(frames) + b"\0",
    "one bit differs": lambda head, frames: head + bytes([frames[0][0] ^ 1]) + frames[0][1:] + frames[1] + frames[2],
    "the salt differs": lambda head, frames: head[:-1] + bytes([head[-1] ^ 1]) + b"".join(frames),
    "the format is another": lambda head, frames: b"HABEAS\x00\x02" + head[8:] + b"".join(frames),
    "nothing but the header": lambda head, _: head,
    "half a header": lambda head, _: head[:10],
    "nothing at all": lambda _, __: b"",
}


@pytest.mark.parametrize("how", BREAKS)
def test_a_broken_file_is_noticed(how: str) -> None:
    sealed = written(os.urandom(2 * CHUNK + 7))
    with pytest.raises(BrokenFrames):
        read(BREAKS[how](sealed[:HEADER_LENGTH], frames_of(sealed)))


def test_a_file_that_was_cut_at_a_frame_gives_no_end() -> None:
    """Both halves of the last rule: a full frame may be the last, and it must say so itself."""
    sealed = written(os.urandom(2 * CHUNK))
    with pytest.raises(BrokenFrames):
        read(sealed[: HEADER_LENGTH + FRAME])


def test_one_file_has_one_form() -> None:
    """An empty last frame after a full one would give a file of 64 KiB a second form."""
    salt = bytes(32)
    whole = header(salt) + b"".join(
        _cipher(KEY, salt).encrypt(nonce(number, final=final), chunk, header(salt))
        for number, (chunk, final) in enumerate([(bytes(CHUNK), False), (b"", True)])
    )
    with pytest.raises(BrokenFrames):
        read(whole)


def test_another_key_opens_nothing() -> None:
    with pytest.raises(BrokenFrames):
        read(written(b"plain"), key=bytes(32))


def test_a_key_of_another_length_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        FrameWriter(b"short")
