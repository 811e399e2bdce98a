"""Images are decoded as the networks' own pipelines do, and what is dropped or scaled is counted."""

import io
import logging
import re

import numpy as np
import pytest
from PIL import Image, features
from repalign.errors import InputError
from repalign.inputs import images, pixels
from repalign.inputs.pixels import read_rgb

GREY = np.arange(256, dtype=np.uint8).reshape(16, 16)
COLOUR = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)


def save(path, image, **options):
    image.save(path, **options)
    return path


def as_grey(values):
    return np.repeat(values[..., None], 3, axis=2)


@pytest.mark.parametrize("ending", ["png", "tif", "tiff"])
def test_16_bits_are_scaled_and_not_clipped(tmp_path, ending):
    path = save(tmp_path / f"a.{ending}", Image.fromarray(GREY.astype(np.uint16) * 257))
    image, done = read_rgb(path)
    np.testing.assert_array_equal(np.asarray(image), as_grey(GREY))
    assert done == (pixels.SCALED,)


def test_16_bits_of_colour_are_scaled(tmp_path):
    """Pillow writes no such files, so this one is put together by hand."""
    import struct
    import zlib

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + (row.astype(">u2") * 257).tobytes() for row in COLOUR.reshape(16, 48))
    header = struct.pack(">IIBBBBB", 16, 16, 16, 2, 0, 0, 0)
    content = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    (tmp_path / "a.png").write_bytes(content)
    np.testing.assert_array_equal(np.asarray(read_rgb(tmp_path / "a.png")[0]), COLOUR)


def test_16_bits_that_hold_12_are_said(tmp_path):
    _, done = read_rgb(save(tmp_path / "a.png", Image.fromarray(GREY.astype(np.uint16) * 16)))
    assert done == (pixels.SCALED, pixels.DARK)


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (
            GREY.astype(np.uint16),
            "its 16-bit values reach only 255 of 65535, so it may be of 8 bits; save it as such",
        ),
        (
            GREY.astype(np.int32),
            "its pixels are 32-bit integers, whose white is not known; save it with 8 or 16 bits",
        ),
        (
            GREY.astype(np.float32),
            "its pixels are fractions, whose white is not known; save it with 8 or 16 bits",
        ),
    ],
)
def test_depths_that_can_be_read_in_two_ways_are_refused(tmp_path, array, reason):
    path = save(tmp_path / "a.tif", Image.fromarray(array))
    with pytest.raises(ValueError, match=f"^{re.escape(reason)}$"):
        read_rgb(path)


def test_transparency_is_dropped_and_counted_where_it_shows(tmp_path):
    alpha = np.where(GREY > 100, 255, 0).astype(np.uint8)
    for name, values in (("some", alpha), ("none", np.full_like(alpha, 255))):
        image, done = read_rgb(save(tmp_path / f"{name}.png", Image.fromarray(np.dstack([COLOUR, values]))))
        np.testing.assert_array_equal(np.asarray(image), COLOUR)
        assert done == ((pixels.TRANSPARENT,) if name == "some" else ())


def test_transparency_of_a_palette(tmp_path):
    path = tmp_path / "a.png"
    image = Image.fromarray(GREY).convert("P")
    image.save(path, transparency=3)
    found, done = read_rgb(path)
    np.testing.assert_array_equal(np.asarray(found), np.asarray(Image.open(path).convert("RGB")))
    assert done == (pixels.TRANSPARENT,)


@pytest.mark.parametrize("orientation", [1, 6])
def test_an_orientation_is_left_as_it_is_and_counted(tmp_path, orientation):
    exif = Image.Exif()
    exif[pixels.ORIENTATION] = orientation
    path = save(tmp_path / "a.jpg", Image.fromarray(COLOUR), exif=exif, quality=100)
    image, done = read_rgb(path)
    np.testing.assert_array_equal(np.asarray(image), np.asarray(Image.open(path).convert("RGB")))
    assert done == ((pixels.TURNED,) if orientation == 6 else ())


@pytest.mark.parametrize("ending", ["gif", "tif", "png", "webp"])
def test_of_several_frames_the_first_is_read(tmp_path, ending):
    if ending == "webp" and not features.check("webp"):
        pytest.skip("this Pillow has no WebP")
    frames = [Image.fromarray(frame) for frame in (GREY, GREY[::-1], GREY.T)]
    options = {"lossless": True} if ending == "webp" else {}
    path = save(tmp_path / f"a.{ending}", frames[0], save_all=True, append_images=frames[1:], **options)
    image, done = read_rgb(path)
    np.testing.assert_array_equal(np.asarray(image), as_grey(GREY))
    assert done == (pixels.FIRST,)


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "YCbCr", "LA"])
def test_other_modes_are_converted_as_the_pipelines_do(tmp_path, mode):
    path = tmp_path / ("a.tif" if mode in ("CMYK", "YCbCr") else "a.png")
    Image.fromarray(COLOUR).convert(mode).save(path)
    image, done = read_rgb(path)
    np.testing.assert_array_equal(np.asarray(image), np.asarray(Image.open(path).convert("RGB")))
    assert done == ((pixels.CMYK,) if mode == "CMYK" else ())


def encoded(kind):
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(buffer, kind)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.png", b"", "it is empty; save or fetch it anew"),
        (
            "a.png",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
            "it is a Git LFS pointer; run `git lfs pull` where it comes from",
        ),
        ("a.jpg", b"\n<!DOCTYPE html><html>404", "it is a page of a web server; fetch the file itself"),
        ("a.jpg", encoded("JPEG")[:900], "image file is truncated"),
        ("a.png", encoded("PNG")[:900], "image file is truncated"),
        ("a.tif", encoded("TIFF")[:900], ""),
        ("a.gif", encoded("GIF")[:900], "image file is truncated"),
        ("a.bmp", encoded("BMP")[:900], "image file is truncated"),
        ("a.webp", encoded("WEBP")[:300], ""),
        ("gone.png", None, "it does not exist"),
    ],
)
def test_what_is_no_whole_image_is_called_what_it_is(tmp_path, name, content, reason):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=".") as caught:
        read_rgb(tmp_path / name)
    assert str(caught.value).startswith(reason)
    assert "\n" not in str(caught.value)


# --- folders ---


@pytest.fixture
def folder(tmp_path):
    for name in ("ant", "bee"):
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in (1, 2):
            Image.fromarray(COLOUR).save(tmp_path / "images" / name / f"{name}_{number:02d}b.png")
    return tmp_path / "images"


def test_hidden_files_and_litter_are_no_images(folder, caplog):
    caplog.set_level(logging.INFO, logger="repalign")
    before = images.index_images(folder, ["ant", "bee"])
    for name in ("._ant_00b.png", ".hidden.jpg", ".DS_Store", "Thumbs.db", "desktop.ini", "notes.txt"):
        (folder / "ant" / name).write_bytes(b"x")
    for name in ("__MACOSX", ".git", "@eaDir", ".ipynb_checkpoints"):
        (folder / name / "ant").mkdir(parents=True)
        (folder / name / "ant" / "ant_01b.png").write_bytes(b"x")
    (folder / "ant" / "sub.png").mkdir()
    assert images.index_images(folder, ["ant", "bee"]) == before
    assert "6 files are no images" in caplog.text


def test_hidden_references_are_no_images(folder, tmp_path):
    references = tmp_path / "references"
    (references / "__MACOSX").mkdir(parents=True)
    (references / "._ant.png").write_bytes(b"x")
    (references / "__MACOSX" / "ant.png").write_bytes(b"x")
    index = images.index_images(folder, ["ant", "bee"])
    assert images.behaviour(index, references)[0].paths == images.behaviour(index)[0].paths
    Image.fromarray(COLOUR).save(references / "ant.TIFF")
    assert images.behaviour(index, references)[0].paths[0] == references / "ant.TIFF"


@pytest.mark.parametrize("other", ["ant_01b.jpg", "ant_01b.PNG", "ant_01b.jpeg"])
def test_two_images_of_one_name_are_refused(folder, other):
    Image.fromarray(COLOUR).convert("L").save(folder / "ant" / other)
    with pytest.raises(
        InputError, match=r"ant has ant_01b\.\w+ beside ant_01b\.\w+, two images of one name; rename"
    ):
        images.index_images(folder, ["ant", "bee"])


def test_two_folders_of_one_object_are_refused(folder):
    (folder / "music_box").mkdir()
    (folder / "music box").mkdir()
    with pytest.raises(InputError, match="has the folders music box and music_box of one object; join them"):
        images.index_images(folder, ["ant", "bee", "music_box"])


def test_folders_are_found_however_their_accents_are_written(folder):
    (folder / "cre\u0300me bru\u0302le\u0301e").mkdir()
    Image.fromarray(COLOUR).save(folder / "cre\u0300me bru\u0302le\u0301e" / "a.png")
    found = images.index_images(folder, ["ant", "bee", "cr\u00e8me_br\u00fbl\u00e9e"])
    assert found.objects[-1] == "cr\u00e8me_br\u00fbl\u00e9e"
