"""Whatever is uploaded becomes an upright RGB picture or a sentence."""

import contextlib
import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from einops import rearrange
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torch.nn import functional

from explorer import pictures
from explorer.decoding import colours
from explorer.errors import PictureError
from explorer.pictures import Geometry, from_image, open_picture, seen, to_image
from models.registry import Preprocess


def encoded(picture: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


RED = Image.new("RGB", (20, 10), (200, 30, 40))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "AVIF"])
def test_common_formats_are_read(kind):
    picture = open_picture(encoded(RED, kind))
    assert (picture.mode, picture.size) == ("RGB", (20, 10))
    assert np.abs(np.asarray(picture).astype(int) - np.asarray(RED)).max() < 12


def test_paths_bytes_and_pictures_are_the_same(tmp_path):
    path, data = tmp_path / "red.png", encoded(RED, "PNG")
    path.write_bytes(data)
    pictures = [open_picture(source) for source in (path, str(path), data, RED)]
    assert all(np.array_equal(pictures[0], other) for other in pictures)


def test_nothing_of_a_file_but_its_pixels_is_kept():
    data = encoded(RED, "JPEG", comment=b"a secret", dpi=(72, 72))
    with Image.open(io.BytesIO(data)) as expected:
        picture = open_picture(data)
        assert expected.info["comment"] == b"a secret"
        assert np.array_equal(picture, expected)
        assert (picture.info, dict(picture.getexif())) == ({}, {})


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photographs_are_turned_upright(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = open_picture(encoded(RED, "JPEG", exif=exif))
    assert picture.size == ((20, 10) if orientation < 5 else (10, 20))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_places_become_white(mode):
    clear = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    picture = open_picture(encoded(clear if mode == "RGBA" else clear.convert(mode), "PNG"))
    assert np.asarray(picture).min() == 255


def test_sixteen_bits_are_scaled_and_not_clipped():
    values = np.linspace(0, 65535, 256, dtype=np.uint16).reshape(16, 16)
    found = np.asarray(open_picture(encoded(Image.fromarray(values), "PNG")))[..., 0]
    np.testing.assert_allclose(found, values / 257, atol=0.51)


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-3.0, 70.0)])
def test_floats_are_scaled_and_not_clipped(low, high):
    values = np.linspace(low, high, 256, dtype=np.float32).reshape(16, 16)
    found = np.asarray(open_picture(encoded(Image.fromarray(values), "TIFF")))[..., 0]
    np.testing.assert_array_equal(found.ravel(), np.arange(256))


def test_what_is_no_number_in_a_float_picture_does_no_harm():
    values = np.array([[0.0, np.nan], [np.inf, 1.0]], dtype=np.float32)
    assert np.asarray(open_picture(encoded(Image.fromarray(values), "TIFF"))).max() == 255


def test_cmyk_and_palettes_become_rgb():
    cmyk = open_picture(encoded(RED.convert("CMYK"), "JPEG"))
    palette = open_picture(encoded(RED.quantize(8), "PNG"))
    for picture in (cmyk, palette):
        assert np.abs(np.asarray(picture).astype(int) - np.asarray(RED)).max() < 40


def test_the_first_frame_of_an_animation_counts():
    frames = [Image.new("RGB", (6, 6), colour) for colour in ("red", "blue", "lime")]
    for kind in ("GIF", "WEBP", "PNG"):
        data = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
        assert open_picture(data).getpixel((3, 3))[0] > 240, kind


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "This file is empty"),
        (b"this is no picture", "not a picture that can be read"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG is a drawing"),
        (b"<?xml version='1.0'?><svg/>", "SVG is a drawing"),
        (b"\0\0\0\x18ftypheic" + bytes(40), "HEIC pictures cannot be read"),
        (encoded(RED.resize((300, 300)), "JPEG")[:700], "damaged or cut short"),
        (encoded(RED.resize((300, 300)), "PNG")[:200], "damaged or cut short"),
    ],
    ids=["empty", "text", "svg", "svg-xml", "heic", "half a jpeg", "half a png"],
)
def test_anything_else_gets_one_sentence(data, message):
    with pytest.raises(PictureError, match=message) as refused:
        open_picture(data)
    assert "\n" not in str(refused.value)
    assert str(refused.value).count(". ") == 0


def test_size_is_checked_before_decoding():
    bomb = encoded(Image.new("1", (8000, 5001)), "PNG")
    assert len(bomb) < 20_000
    with pytest.raises(PictureError, match=r"8000 × 5001 pixels; the limit is 40 megapixels"):
        open_picture(bomb)
    with pytest.raises(PictureError, match="40 megapixels"):
        open_picture(encoded(Image.new("1", (20_000, 12_000)), "PNG"))


def headed(kind: str, size: tuple[int, int], **options) -> bytes:
    """A file of one colour, which is small whatever its size."""
    return encoded(Image.new(options.pop("mode", "RGB"), size), kind, **options)


@pytest.mark.parametrize(
    ("kind", "size", "options", "limit"),
    [
        ("WEBP", (4_001, 3_000), {}, 12),
        ("TIFF", (7_000, 5_100), {"mode": "RGBA", "compression": "tiff_deflate"}, 35),
        ("JPEG", (7_000, 5_000), {"mode": "CMYK", "progressive": True}, 30),
        ("GIF", (8_000, 5_001), {"mode": "P"}, 40),
    ],
    ids=["webp", "tiff", "jpeg", "gif"],
)
def test_each_kind_has_the_limit_that_its_decoder_can_hold(kind, size, options, limit, monkeypatch):
    data = headed(kind, size, **options)
    monkeypatch.setattr(Image.Image, "load", lambda *_: pytest.fail("a pixel was read"))
    with pytest.raises(PictureError, match=f"pixels; the limit is {limit} megapixels"):
        open_picture(data)


def test_a_jpeg_of_very_many_passes_is_refused():
    passes = encoded(RED, "JPEG", progressive=True)
    open_picture(passes)
    with pytest.raises(PictureError, match="coded in more than 24 passes"):
        open_picture(passes + b"\xff\xda" * 25)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "P", "I;16", "F", "CMYK"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_large_picture_is_read_in_strips_and_is_what_it_is_as_a_whole(monkeypatch, mode, orientation):
    values = np.add.outer(np.arange(60), np.arange(90)).astype(np.uint8)
    kinds = {"I;16": values.astype(np.uint16) * 256, "F": values / np.float32(255)}
    picture = Image.fromarray(kinds[mode]) if mode in kinds else Image.fromarray(values).convert(mode)
    picture.getexif()[0x0112] = orientation
    whole = np.asarray(colours.normalised(picture)).astype(int)
    for rows in (7, 16):
        monkeypatch.setattr(colours, "ROWS", rows)
        assert np.array_equal(np.asarray(colours.normalised(picture)), whole)
    monkeypatch.setattr(colours, "LONGEST_SIDE", 30)  # three pixels become one
    small = colours.normalised(picture)
    assert small.size == ((20, 30) if orientation == 6 else (30, 20))
    expected = whole.reshape(small.height, 3, small.width, 3, 3).mean(axis=(1, 3))
    assert np.abs(np.asarray(small).astype(int) - expected).max() <= 2


def test_one_large_picture_is_decoded_at_a_time_and_small_ones_wait_for_none():
    large, small = headed("PNG", (2_500, 1_700)), encoded(RED, "PNG")
    with ThreadPoolExecutor(1) as other:
        with pictures.ONE_LARGE:
            decoding = other.submit(open_picture, large)
            assert open_picture(small).size == RED.size
            assert not decoding.done()
        assert decoding.result(60).size == (2_048, 1_393)


def test_no_second_picture_of_the_same_size_is_made(monkeypatch):
    sizes = []
    made = Image.new

    def noted(mode, size, *rest):
        sizes.append(size[0] * size[1])
        return made(mode, size, *rest)

    picture = Image.new("RGBA", (5_000, 1_200), (200, 30, 40, 255))
    monkeypatch.setattr(Image, "new", noted)
    open_picture(picture)
    assert max(sizes) <= 5_000 * 1_200 / 3.9


def test_a_missing_file_gives_no_path_away(tmp_path):
    with pytest.raises(PictureError) as refused:
        open_picture(tmp_path / "gone.png")
    assert str(tmp_path) not in str(refused.value)


STARTS = [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a", b"II*\0"]


@given(st.sampled_from(STARTS), st.binary(max_size=300))
def test_no_bytes_break_the_decoder(start, data):
    """Whatever comes is a picture or a PictureError; any other exception fails here."""
    with contextlib.suppress(PictureError):
        assert open_picture(start + data).mode == "RGB"


# From picture to image and back


def test_the_image_is_the_middle_of_the_resized_picture():
    """224 from 0.875: shorter side to 256, the middle 224 cut out, then normalised."""
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 255, (300, 500, 3), dtype=np.uint8))
    preprocess = Preprocess(size=224, crop=0.875)
    image, _ = to_image(picture, preprocess)
    resized = picture.resize((426, 256), Image.Resampling.BICUBIC).crop((101, 16, 325, 240))
    expected = (np.asarray(resized) / 255 - preprocess.mean) / preprocess.std
    assert image.shape == (1, 3, 224, 224)
    np.testing.assert_allclose(image[0].permute(1, 2, 0), expected, atol=1e-6)
    np.testing.assert_array_equal(from_image(image, preprocess), np.asarray(resized))


@given(
    st.integers(10, 400),
    st.integers(10, 400),
    st.sampled_from([0.875, 0.9, 1.0]),
    st.floats(0, 64),
    st.floats(0, 64),
)
def test_a_place_in_the_image_is_found_again_in_the_picture(width, height, crop, row, column):
    _, geometry = seen(Image.new("RGB", (width, height)), Preprocess(size=64, crop=crop))
    there = geometry.to_picture(row, column)
    assert -1 <= there[0] <= height + 1
    assert -1 <= there[1] <= width + 1
    np.testing.assert_allclose(geometry.to_image(*there), (row, column), atol=1e-6)


def test_geometry_points_at_the_same_pixels():
    """A white dot in the picture is found in the image where the geometry says."""
    values = np.zeros((120, 200, 3), np.uint8)
    values[70:74, 108:112] = 255
    image, geometry = to_image(Image.fromarray(values), Preprocess(size=60))
    brightest = np.unravel_index(int(image[0].sum(0).argmax()), (60, 60))
    np.testing.assert_allclose(geometry.to_image(72, 110), np.array(brightest) + 0.5, atol=1.0)


@pytest.mark.parametrize("width", [None, 120])
def test_weights_that_know_little_detail_see_no_more_of_it(width):
    """The crop is reduced to half the pixels, antialiased, and enlarged again; places stay."""
    picture = Image.fromarray(np.random.default_rng(0).integers(256, size=(150, 300, 3), dtype=np.uint8))
    little = Preprocess(size=30, width=width and width // 2)
    pixels, geometry = seen(picture, Preprocess(size=60, width=width, detail=30))
    reduced, there = seen(picture, little)
    image = torch.from_numpy(np.array(reduced, np.float32))
    enlarged = functional.interpolate(
        rearrange(image, "h w c -> 1 c h w"), scale_factor=2, mode="bilinear", antialias=False
    )
    expected = rearrange(enlarged, "1 c h w -> h w c").numpy()
    np.testing.assert_allclose(np.asarray(pixels), expected, atol=1)
    assert geometry.to_picture(40, 20) == there.to_picture(20, 10)
    assert geometry.shape == (60, width or 60)


def test_geometry_of_a_square_crop():
    assert Geometry(left=10, top=0, scale=2, shape=(50, 50)).to_picture(25, 25) == (50, 60)


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_a_large_picture_of_many_bits_is_reduced_before_it_is_scaled(dtype):
    """Its squares keep their mean, over the whole range of its values."""
    values = np.zeros((5_000, 4_800), dtype)
    values[:, 2_400:] = 65_535 if dtype == np.uint16 else 1
    found = np.asarray(open_picture(Image.fromarray(values)))
    assert max(found.shape) == 2_048
    assert (found[:, :900] == 0).all()
    assert (found[:, -900:] == 255).all()
