import io
import json
import struct
import zlib

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from shared.errors import FormatError
from shared.format.sample import Sample, decode, encode

GREY = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
COLOUR = np.arange(768, dtype=np.uint16).astype(np.uint8).reshape(16, 16, 3)


def _sample(**changes: object) -> Sample:
    fields: dict = {"key": "a-1_B", "image": GREY, "label": 2, "meta": {"z": 1, "a": [0.5]}}
    return Sample(**(fields | changes))


def _members(**changes: bytes) -> dict[str, bytes]:
    return encode(_sample()) | changes


def test_members_are_label_origin_and_picture_in_that_order() -> None:
    """A sample is cls, json and png: ASCII digits, compact JSON with sorted keys, a PNG file."""
    members = encode(_sample())
    assert list(members) == ["cls", "json", "png"]
    assert members["cls"] == b"2"
    assert members["json"] == b'{"a":[0.5],"z":1}'
    assert members["png"].startswith(b"\x89PNG\r\n\x1a\n")


@pytest.mark.parametrize(("image", "mode"), [(GREY, "L"), (COLOUR, "RGB")])
def test_pillow_sees_the_same_pixels(image: NDArray[np.uint8], mode: str) -> None:
    """The PNG is lossless: all 256 values come back through Pillow in the mode of their channels."""
    with Image.open(io.BytesIO(encode(_sample(image=image))["png"])) as picture:
        assert picture.mode == mode
        assert np.array_equal(np.asarray(picture).reshape(image.shape), image)


@pytest.mark.parametrize("image", [GREY, COLOUR])
def test_decoding_undoes_encoding(image: NDArray[np.uint8]) -> None:
    """What is read is what was written: key, pixels with their channel axis, label, origin."""
    sample = _sample(image=image)
    back = decode(sample.key, encode(sample), "shard")
    assert (back.key, back.label, back.meta) == (sample.key, sample.label, sample.meta)
    assert back.image.dtype == np.uint8
    assert np.array_equal(back.image, image)


def test_equal_samples_give_equal_bytes() -> None:
    """Neither the order of the origin's keys nor the memory layout of the image shows in the bytes."""
    twin = _sample(image=np.asfortranarray(GREY), meta={"a": [0.5], "z": 1})
    assert encode(twin) == encode(_sample())


@pytest.mark.parametrize("key", ["", "a.b", "a/b", "a b", "a\n", "../a", "ä"])
def test_a_key_with_a_dot_or_slash_is_refused(key: str) -> None:
    """WebDataset ends a key at its first dot and tar takes a slash for a folder: neither may be in a key."""
    with pytest.raises(FormatError, match="key"):
        encode(_sample(key=key))


@pytest.mark.parametrize(
    "changes",
    [
        {"label": -1},
        {"image": GREY.astype(np.float32)},
        {"image": GREY[:, :, 0]},
        {"image": np.zeros((16, 16, 2), np.uint8)},
        {"image": np.zeros((16, 16, 4), np.uint8)},
        {"image": np.zeros((2, 16, 16, 3), np.uint8)},
    ],
    ids=["negative label", "float", "no channel axis", "2 channels", "4 channels", "a batch"],
)
def test_what_the_format_cannot_hold_is_refused(changes: dict) -> None:
    """Labels are class indexes from 0; images are uint8 (height, width, 1 or 3)."""
    with pytest.raises(FormatError, match="sample a-1_B"):
        encode(_sample(**changes))


@pytest.mark.parametrize("kind", ["cls", "json", "png"])
def test_a_missing_member_is_refused(kind: str) -> None:
    """A sample has all three members; the error names the shard, the sample and the member."""
    members = _members()
    del members[kind]
    with pytest.raises(FormatError, match=rf"shard-7: sample 'a-1_B' has no \.{kind}"):
        decode("a-1_B", members, "shard-7")


NO_LABELS = [b"", b"-1", b"+1", b"1.0", b" 1", b"1\n", b"one", b"1_0", "\N{ARABIC-INDIC DIGIT ONE}".encode(), b"K\x01."]


@pytest.mark.parametrize("label", NO_LABELS)
def test_a_label_is_ascii_digits_and_nothing_else(label: bytes) -> None:
    """Signs, spaces, words, digits of other scripts and pickles are refused."""
    with pytest.raises(FormatError, match="label"):
        decode("a", _members(cls=label), "shard")


def test_a_label_may_have_more_than_one_digit() -> None:
    """The label of class 12 is the two bytes "12"."""
    assert decode("a", _members(cls=b"12"), "shard").label == 12


def _file(kind: str, mode: str, dtype: type = np.uint8) -> bytes:
    buffer = io.BytesIO()
    shape = (16, 16, len(mode)) if mode in ("RGBA", "RGB") else (16, 16)
    Image.fromarray(np.zeros(shape, dtype)).convert(mode).save(buffer, kind)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "picture",
    [
        _file("PNG", "RGBA"),
        _file("PNG", "P"),
        _file("PNG", "1"),
        _file("PNG", "I;16", np.uint16),
        _file("JPEG", "RGB"),
        b"",
        b"no picture",
        encode(_sample())["png"][:50],
    ],
    ids=["RGBA", "palette", "1 bit", "16 bit", "JPEG", "empty", "text", "cut off"],
)
def test_only_whole_grey_and_colour_pngs_are_decoded(picture: bytes) -> None:
    """The whitelist holds PNG in mode L or RGB; anything else is refused with the sample's name."""
    with pytest.raises(FormatError, match="shard: sample 'a' cannot be decoded"):
        decode("a", _members(png=picture), "shard")


@pytest.mark.parametrize("meta", [b"", b"{", b"\xff", b"\x80\x04}."])
def test_an_origin_that_is_not_json_is_refused(meta: bytes) -> None:
    """The json member is JSON in UTF-8."""
    with pytest.raises(FormatError, match="cannot be decoded"):
        decode("a", _members(json=meta), "shard")


def _chunk(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))


def _bomb(side: int) -> bytes:
    """Return a PNG of a few bytes that claims to be `side` px wide and high."""
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    body = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(b"\0" * 100)) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def _short_idat() -> bytes:
    """Return a PNG whose IDAT chunk says that it is 2 bytes long, so that the next chunk has no name."""
    png = encode(_sample())["png"]
    at = png.index(b"IDAT") - 4
    return png[:at] + struct.pack(">I", 2) + png[at + 4 :]


@pytest.mark.parametrize("picture", [_short_idat(), _bomb(50_000)], ids=["broken chunk", "decompression bomb"])
def test_every_picture_that_pillow_refuses_is_a_format_error(picture: bytes) -> None:
    """For any error that Pillow raises on a bad file, the reader names the sample and the shard."""
    with pytest.raises(FormatError, match="shard: sample 'a'"):
        decode("a", _members(png=picture), "shard")


@pytest.mark.parametrize("meta", [[1], 1, None, "text"])
def test_the_origin_is_a_json_object(meta: object) -> None:
    """`Sample.meta` is a dict, so a list, number or text in its place is refused."""
    with pytest.raises(FormatError, match="sample 'a'"):
        decode("a", _members(json=json.dumps(meta).encode()), "shard")
