"""Image files: every flavour comes back as it was, and nothing is ever half written."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_noise2self.images import (
    Image,
    ImageError,
    ImageExistsError,
    Metadata,
    _write,
    read_image,
    read_provenance,
    tiff_paths,
    write_image,
)

PROVENANCE = {"settings": {"preset": "fast", "text": 'µm <&> "\n'}, "loss": [0.5, 0.25]}

IMAGEJ = {
    "axes": "TZCYX",
    "unit": "\\u00B5m",
    "spacing": 0.4,
    "finterval": 2.5,
    "mode": "composite",
    "Info": "Objective: 63×\n",
    "Labels": [f"slice {number}" for number in range(12)],
    "Ranges": (0.0, 100.0, 5.0, 90.0),
    "LUTs": [np.eye(3, 256, dtype=np.uint8), np.ones((3, 256), np.uint8)],
    "Properties": {"Stage": "A1"},
    "Overlays": [b"Iout-first", b"Iout-second"],
}

OME_XML = """<?xml version="1.0" encoding="UTF-8"?>
<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/{year}">
<Instrument ID="Instrument:0"><Objective ID="Objective:0" LensNA="1.4"/></Instrument>
<Image ID="Image:0" Name="Zelle µ"><InstrumentRef ID="Instrument:0"/>
<Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" SignificantBits="12" SizeX="16"
 SizeY="12" SizeC="2" SizeZ="1" SizeT="3" PhysicalSizeX="65" PhysicalSizeXUnit="nm"
 PhysicalSizeY="65" PhysicalSizeYUnit="nm" PhysicalSizeZ="0.3" TimeIncrement="2.5">
<Channel ID="Channel:0:0" Name="DAPI" Color="-16776961" SamplesPerPixel="1"/>
<Channel ID="Channel:0:1" Name="GFP" SamplesPerPixel="1"/>
<TiffData IFD="0" PlaneCount="6"/><Plane TheC="0" TheZ="0" TheT="0" PositionX="7.5"/>
</Pixels></Image></OME>"""


def pixels(*shape: int, dtype: Any = np.uint16) -> np.ndarray:
    return np.random.default_rng(7).integers(0, 200, shape).astype(dtype)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tmp_path / "source.tif"


@pytest.fixture
def result(tmp_path: Path) -> Path:
    return tmp_path / "result.tif"


@pytest.fixture
def hyperstack(source: Path) -> Image:
    """A calibrated two-channel ImageJ movie of z-stacks."""
    data = pixels(3, 2, 2, 12, 16)
    tifffile.imwrite(source, data, imagej=True, resolution=(10, 5), metadata=IMAGEJ)
    return read_image(source)


@pytest.fixture
def ome(source: Path) -> Image:
    return ome_image(source, "2016-06")


def ome_image(path: Path, year: str) -> Image:
    with tifffile.TiffWriter(path, ome=False, shaped=False) as tif:
        xml = OME_XML.format(year=year).encode()
        tif.write(pixels(6, 12, 16), description=xml, photometric="minisblack", metadata=None)
    return read_image(path)


# --- reading ----------------------------------------------------------------------------------


def test_image_knows_axes_and_pixel_sizes(hyperstack: Image):
    assert hyperstack.axes == "TZCYX"
    assert hyperstack.data.dtype == np.uint16
    np.testing.assert_array_equal(hyperstack.data, pixels(3, 2, 2, 12, 16))
    assert hyperstack.metadata.flavour == "imagej"
    assert hyperstack.pixel_size == {
        "T": (2.5, "s"),
        "Z": (0.4, "µm"),
        "Y": (0.2, "µm"),
        "X": (0.1, "µm"),
    }


def test_ome_units_are_kept(ome: Image):
    assert ome.axes == "TCYX"
    assert ome.pixel_size == {"T": (2.5, "s"), "Y": (65.0, "nm"), "X": (65.0, "nm")}


@pytest.mark.parametrize("unit", ["um", "micron", "\\u00B5m"])
def test_spellings_of_a_micrometre_are_one_unit(source: Path, unit: str):
    tifffile.imwrite(source, pixels(8, 8), imagej=True, resolution=(4, 4), metadata={"unit": unit})
    assert read_image(source).pixel_size["X"] == (0.25, "µm")


def test_plain_pixel_size_comes_from_the_resolution_tags(source: Path):
    tifffile.imwrite(source, pixels(8, 8), resolution=(100, 50), resolutionunit="CENTIMETER")
    assert read_image(source).pixel_size == {"Y": (0.02, "cm"), "X": (0.01, "cm")}


def test_72_dpi_is_no_calibration(source: Path):
    tifffile.imwrite(source, pixels(8, 8), resolution=(72, 72), resolutionunit="INCH")
    assert read_image(source).pixel_size == {}


@pytest.mark.parametrize("dtype", ["u2", "i4", "f4", "f8"])
def test_big_endian_becomes_native(source: Path, dtype: str):
    data = pixels(3, 12, 16, dtype=dtype)
    tifffile.imwrite(source, data, byteorder=">", photometric="minisblack")
    image = read_image(source)
    assert image.data.dtype.isnative
    np.testing.assert_array_equal(image.data, data)


def test_axes_without_a_name_get_distinct_letters(source: Path):
    tifffile.imwrite(source, pixels(2, 5, 12, 16), photometric="minisblack")
    assert read_image(source).axes == "PQYX"


def test_first_of_several_series_is_read_and_noted(source: Path):
    with tifffile.TiffWriter(source) as tif:
        tif.write(pixels(12, 16), metadata={"axes": "YX"})
        tif.write(pixels(5, 8, 8), photometric="minisblack", metadata={"axes": "ZYX"})
    image = read_image(source)
    assert image.axes == "YX"
    assert image.metadata.notes == ("Of 2 series in the file, only the first is read.",)


def test_full_resolution_of_a_pyramid_is_read(source: Path):
    with tifffile.TiffWriter(source, ome=True) as tif:
        tif.write(pixels(64, 64), subifds=1, metadata={"axes": "YX"})
        tif.write(pixels(32, 32), subfiletype=1)
    assert read_image(source).data.shape == (64, 64)


def test_a_thumbnail_before_the_image_is_not_taken_for_it(source: Path):
    with tifffile.TiffWriter(source) as tif:
        tif.write(pixels(16, 16), subfiletype=1, metadata={"operator": "nobody"})
        tif.write(pixels(64, 64), metadata={"operator": "Ada"})
    image = read_image(source)
    assert image.data.shape == (64, 64)
    assert image.metadata.properties == {"operator": "Ada"}
    assert image.metadata.notes == ()


def test_a_thumbnail_alone_is_an_image(source: Path):
    tifffile.imwrite(source, pixels(16, 16), subfiletype=1)
    assert read_image(source).data.shape == (16, 16)


def test_inks_are_refused(source: Path):
    tifffile.imwrite(source, pixels(12, 16, 4, dtype=np.uint8), photometric="separated")
    with pytest.raises(ImageError, match=r"holds inks \(CMYK\), not light; convert"):
        read_image(source)


def ramp(*stops: tuple[int, int, int]) -> np.ndarray:
    """Return a table of 256 colours from one stop to the next."""
    places = np.linspace(0, 255, len(stops))
    colours = [np.interp(np.arange(256), places, part) for part in zip(*stops, strict=True)]
    return (257 * np.array(colours)).astype(np.uint16)


@pytest.mark.parametrize("levels", [3, 40, 200])
@pytest.mark.parametrize(
    "table",
    [
        ramp((0, 0, 0), (0, 255, 0)),
        ramp((255, 255, 255), (0, 0, 0)),
        ramp((0, 0, 0), (90, 0, 150), (255, 60, 0), (255, 200, 0), (255, 255, 255)),
        ramp((255, 0, 0), (255, 255, 0), (0, 255, 0), (0, 255, 255), (0, 0, 255), (255, 0, 0)),
    ],
    ids=["green", "inverted", "fire", "spectrum"],
)
def test_a_table_of_colours_may_shade_intensities(source: Path, table: np.ndarray, levels: int):
    data = pixels(32, 32) % levels
    tifffile.imwrite(source, data.astype(np.uint8), photometric="palette", colormap=table)
    np.testing.assert_array_equal(read_image(source).data, data)


@pytest.mark.parametrize("levels", [8, 200])
def test_places_in_a_table_of_colours_are_refused(source: Path, levels: int):
    table = np.random.default_rng(0).integers(0, 65535, (3, 256)).astype(np.uint16)
    data = (pixels(32, 32) % levels).astype(np.uint8)
    tifffile.imwrite(source, data, photometric="palette", colormap=table)
    with pytest.raises(ImageError, match="not intensities; convert it to RGB or grey first"):
        read_image(source)


@pytest.mark.parametrize("planarconfig", ["contig", "separate"])
def test_an_alpha_channel_is_no_light(source: Path, planarconfig: Any):
    shape = (12, 16, 4) if planarconfig == "contig" else (4, 12, 16)
    data = pixels(*shape, dtype=np.uint8)
    options: Any = {"photometric": "rgb", "extrasamples": ["unassalpha"]}
    tifffile.imwrite(source, data, planarconfig=planarconfig, **options)
    image, samples = read_image(source), shape.index(4)
    np.testing.assert_array_equal(image.opaque, data.take(range(3), samples))
    result = image.with_alpha(image.opaque + np.float32(0.5))
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result.take(3, samples), data.take(3, samples))
    np.testing.assert_array_equal(result.take(0, samples), data.take(0, samples) + 0.5)


def test_an_image_without_alpha_is_all_there_is_to_see(hyperstack: Image):
    assert hyperstack.opaque is hyperstack.data
    assert hyperstack.with_alpha(hyperstack.data) is hyperstack.data


def test_axes_and_shape_must_fit():
    with pytest.raises(ImageError, match="one letter for each"):
        Image(pixels(8, 8), "ZYX")


# --- files that can't be read -----------------------------------------------------------------


def refusal(path: Path) -> str:
    """Return the sentence with which a file is refused."""
    with pytest.raises(ImageError) as caught:
        read_image(path)
    sentence = str(caught.value)
    assert sentence.startswith(str(path))
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def test_missing_file(tmp_path: Path):
    assert "does not exist" in refusal(tmp_path / "missing.tif")


def test_empty_file(source: Path):
    source.touch()
    assert "is empty" in refusal(source)


def test_text_file_named_tif(source: Path):
    source.write_text("x,y\n1,2\n")
    assert "is not a TIFF" in refusal(source)


def test_folder_instead_of_file(tmp_path: Path):
    assert "can't be opened" in refusal(tmp_path)


LAYOUTS: dict[str, dict[str, Any]] = {
    "imagej": {"imagej": True, "metadata": {"axes": "ZYX"}},
    "ome": {"ome": True, "metadata": {"axes": "ZYX"}},
    "shaped": {"metadata": {"axes": "ZYX"}},
    "bare": {"metadata": None},
    "strips": {"metadata": None, "rowsperstrip": 7},
    "tiles": {"metadata": None, "tile": (16, 16)},
    "compressed": {"metadata": None, "compression": "zlib"},
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_truncated_file_is_never_taken_for_an_image(
    source: Path, layout: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
):
    tifffile.imwrite(source, pixels(4, 40, 50), photometric="minisblack", **LAYOUTS[layout])
    whole, content = read_image(source), source.read_bytes()
    for percent in (1, 5, 20, 50, 80, 95, 97, 98, 99):
        source.write_bytes(content[: len(content) * percent // 100])
        try:
            image = read_image(source)
        except ImageError as error:
            assert "incomplete or damaged" in str(error)  # noqa: PT017
        else:  # only pages behind the pixels were cut off, which ImageJ doesn't need
            assert image.axes == whole.axes
            np.testing.assert_array_equal(image.data, whole.data)
    assert not caplog.records
    assert capfd.readouterr().err == ""


def test_missing_part_of_a_multi_file_ome_is_an_error(ome: Image, source: Path):
    uuid = "urn:uuid:00000000-0000-0000-0000-00000000000"
    old = '<TiffData IFD="0" PlaneCount="6"/>'
    new = "".join(
        f'<TiffData IFD="0" FirstT="{n}" PlaneCount="2"><UUID FileName="{name}">{uuid}{n}</UUID>'
        "</TiffData>"
        for n, name in enumerate((source.name, "gone.tif", "gone2.tif"))
    )
    xml = OME_XML.format(year="2016-06").replace(old, new).replace("<OME ", f'<OME UUID="{uuid}0" ')
    tifffile.imwrite(source, pixels(2, 12, 16), description=xml.encode(), metadata=None)
    assert "incomplete" in refusal(source)


def test_compression_without_imagecodecs_names_the_package(source: Path):
    pytest.importorskip("imagecodecs")
    tifffile.imwrite(source, pixels(40, 50), compression="lzw")
    code = (
        "import sys; sys.modules['imagecodecs'] = None\n"
        "from napari_noise2self.images import ImageError, read_image\n"
        "try: read_image(sys.argv[1])\n"
        "except ImageError as error: print(error)\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", code, str(source)], capture_output=True, text=True, check=True
    )
    assert "pip install imagecodecs" in process.stdout


def test_others_still_see_what_tifffile_logs(caplog: pytest.LogCaptureFixture):
    logging.getLogger("tifffile").error("of another plugin")
    assert "of another plugin" in caplog.text


# --- round trips ------------------------------------------------------------------------------


def round_trip(result: Path, image: Image, dtype: Any = None) -> Image:
    """Write pixels of another type with provenance, and read them back."""
    data = image.data.astype(dtype or image.data.dtype)
    write_image(result, data, image, provenance=PROVENANCE)
    assert read_provenance(result) == PROVENANCE
    back = read_image(result)
    np.testing.assert_array_equal(back.data.reshape(-1), data.reshape(-1).astype(back.data.dtype))
    return back


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32])
def test_imagej_stays_imagej(hyperstack: Image, result: Path, dtype: Any):
    back = round_trip(result, hyperstack, dtype)
    assert (back.metadata.flavour, back.axes, back.data.dtype) == ("imagej", "TZCYX", dtype)
    assert back.pixel_size == hyperstack.pixel_size
    before, after = dict(hyperstack.metadata.properties), dict(back.metadata.properties)
    assert after.pop("Info").startswith(before.pop("Info") + "napari-noise2self: {")
    for name in before:
        np.testing.assert_array_equal(after[name], before[name], err_msg=name)


@pytest.mark.parametrize("dtype", [np.float64, np.float16])
def test_imagej_floats_become_float32(hyperstack: Image, result: Path, dtype: Any):
    assert round_trip(result, hyperstack, dtype).data.dtype == np.float32


def test_imagej_booleans_become_uint8(hyperstack: Image, result: Path):
    assert round_trip(result, hyperstack, bool).data.dtype == np.uint8


@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.uint32])
def test_other_integers_of_imagej_become_ome(hyperstack: Image, result: Path, dtype: Any):
    back = round_trip(result, hyperstack, dtype)
    assert (back.metadata.flavour, back.axes, back.data.dtype) == ("ome", "TZCYX", dtype)
    assert back.pixel_size == hyperstack.pixel_size
    assert "Objective: 63×" in back.metadata.description


def test_unnamed_stack_of_imagej_stays_unnamed(source: Path, result: Path):
    tifffile.imwrite(
        source,
        pixels(5, 12, 16),
        photometric="minisblack",
        description="ImageJ=1.48v\nmin=0.0\nmax=9.0\n",
        metadata=None,
    )
    image = read_image(source)
    back = round_trip(result, image)
    assert (back.axes, back.metadata.flavour) == ("IYX", "imagej") == (image.axes, "imagej")


def test_micro_sign_is_escaped_as_imagej_does(hyperstack: Image, result: Path):
    properties = {**hyperstack.metadata.properties, "unit": "µm"}
    image = replace(hyperstack, metadata=replace(hyperstack.metadata, properties=properties))
    assert round_trip(result, image).metadata.properties["unit"] == "\\u00B5m"


def test_imagej_colour(source: Path, result: Path):
    tifffile.imwrite(source, pixels(12, 16, 3, dtype=np.uint8), imagej=True)
    image = read_image(source)
    assert image.axes == "YXS"
    assert round_trip(result, image).axes == "YXS"


def test_imagej_shows_colour_of_other_types_as_channels(source: Path, result: Path):
    tifffile.imwrite(source, pixels(12, 16, 3, dtype=np.uint8), imagej=True)
    image = read_image(source)
    write_image(result, image.data.astype(np.float32), image)
    back = read_image(result)
    assert back.axes == "CYX"
    np.testing.assert_array_equal(back.data, np.moveaxis(image.data, -1, 0))


def test_imagej_colour_of_other_types_beside_channels_becomes_ome(source: Path, result: Path):
    data = pixels(2, 3, 2, 12, 16, 3, dtype=np.uint8)
    tifffile.imwrite(source, data, imagej=True, resolution=(4, 4), metadata={"unit": "um"})
    image = read_image(source)
    assert (image.axes, round_trip(result, image).metadata.flavour) == ("TZCYXS", "imagej")
    write_image(result, data.astype(np.float32), image, provenance=PROVENANCE, overwrite=True)
    back = read_image(result)
    assert (back.axes, back.metadata.flavour) == ("TZCYXS", "ome")
    assert back.pixel_size == image.pixel_size
    assert read_provenance(result) == PROVENANCE
    np.testing.assert_array_equal(back.data, data)


@pytest.mark.parametrize("year", ["2013-06", "2016-06"])
@pytest.mark.parametrize("dtype", [np.uint16, np.int8, np.float32, np.float64])
def test_ome_stays_ome(source: Path, result: Path, year: str, dtype: Any):
    image = ome_image(source, year)
    back = round_trip(result, image, dtype)
    assert (back.metadata.flavour, back.axes, back.data.dtype) == ("ome", "TCYX", dtype)
    assert back.pixel_size == image.pixel_size
    for kept in (
        'Name="Zelle µ"',
        'Name="DAPI" Color="-16776961"',
        'PhysicalSizeZ="0.3"',
        'PositionX="7.5"',
        'LensNA="1.4"',
    ):
        assert kept in back.metadata.description
    assert ("SignificantBits" in back.metadata.description) == (dtype == np.uint16)


def test_ome_of_several_images_keeps_the_first(source: Path, result: Path):
    with tifffile.TiffWriter(source, ome=True) as tif:
        tif.write(pixels(12, 16), metadata={"axes": "YX", "Name": "first"})
        tif.write(pixels(8, 8), metadata={"axes": "YX", "Name": "second"})
    back = round_trip(result, read_image(source))
    assert "first" in back.metadata.description
    assert "second" not in back.metadata.description
    assert back.metadata.notes == ()


def test_ome_of_several_files_becomes_one(source: Path, result: Path, tmp_path: Path):
    uuid = "urn:uuid:00000000-0000-0000-0000-00000000000"
    names = (source.name, "second.tif", "third.tif")
    new = "".join(
        f'<TiffData IFD="0" FirstT="{n}" PlaneCount="2"><UUID FileName="{name}">{uuid}{n}</UUID>'
        "</TiffData>"
        for n, name in enumerate(names)
    )
    xml = OME_XML.format(year="2016-06").replace('<TiffData IFD="0" PlaneCount="6"/>', new)
    data = pixels(3, 2, 12, 16)
    for n, name in enumerate(names):
        own = xml.replace("<OME ", f'<OME UUID="{uuid}{n}" ').encode()
        with tifffile.TiffWriter(tmp_path / name, ome=False, shaped=False) as tif:
            tif.write(data[n], description=own, photometric="minisblack", metadata=None)
    image = read_image(source)
    np.testing.assert_array_equal(image.data, data)
    assert round_trip(result, image).axes == "TCYX"


@pytest.mark.parametrize("shape", [(3, 12, 16, 3), (3, 3, 12, 16)])
def test_ome_colour(source: Path, result: Path, shape: tuple[int, ...]):
    axes, planarconfig = ("ZYXS", "contig") if shape[-1] == 3 else ("ZSYX", "separate")
    tifffile.imwrite(
        source,
        pixels(*shape, dtype=np.uint8),
        ome=True,
        photometric="rgb",
        planarconfig=planarconfig,
        metadata={"axes": axes},
    )
    back = round_trip(result, read_image(source), np.float32)
    assert (back.axes, back.metadata.tags["photometric"]) == (axes, tifffile.PHOTOMETRIC.RGB)


def test_ome_refuses_types_it_does_not_know(ome: Image, result: Path):
    with pytest.raises(ImageError, match="int64; convert them to float32"):
        write_image(result, ome.data.astype(np.int64), ome)


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float16, np.float64])
def test_plain_stays_plain(source: Path, result: Path, dtype: Any):
    tifffile.imwrite(
        source,
        pixels(4, 12, 16),
        photometric="minisblack",
        resolution=(100, 50),
        resolutionunit="CENTIMETER",
        software="Microscope 3",
        metadata={"axes": "ZYX", "operator": "Ada"},
    )
    image = read_image(source)
    back = round_trip(result, image, dtype)
    assert (back.metadata.flavour, back.axes, back.data.dtype) == ("plain", "ZYX", dtype)
    assert back.metadata.tags == image.metadata.tags
    assert back.metadata.properties["operator"] == "Ada"


def test_plain_description_is_kept(source: Path, result: Path):
    text = "exposure 20 ms, 37 °C"
    tifffile.imwrite(source, pixels(12, 16), description=text.encode(), metadata=None)
    assert round_trip(result, read_image(source)).metadata.description == text


@pytest.mark.parametrize("flavour", ["plain", "imagej", "ome"])
def test_who_made_an_image_is_kept_and_what_is_not_is_noted(
    source: Path, result: Path, flavour: str
):
    texts = {271: "Zeiss", 315: "Zoë", 316: "scope-3", 33432: "CC BY 4.0"}
    extra = [(code, "s", 0, text.encode(), True) for code, text in texts.items()]
    extra += [(65000, "H", 2, (1, 2), True), (65001, "s", 0, "of whom?", True)]
    kind: Any = {flavour: True} if flavour != "plain" else {}
    data = pixels(3, 12, 16)
    tifffile.imwrite(source, data, photometric="minisblack", extratags=extra, **kind)
    image = read_image(source)
    assert image.metadata.notes == ("Of the tags in the file, these are not kept: 65000, 65001.",)
    assert round_trip(result, image).metadata.notes == ()
    with tifffile.TiffFile(result) as tif:
        assert {code: tif.pages.first.tags.valueof(code) for code in texts} == texts


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_rgb_stays_rgb(source: Path, result: Path, dtype: Any):
    tifffile.imwrite(source, pixels(12, 16, 4, dtype=np.uint8), photometric="rgb", extrasamples=[2])
    image = read_image(source)
    back = round_trip(result, image, dtype)
    assert back.axes == "YXS"
    assert back.metadata.tags == image.metadata.tags


def test_colour_table_is_kept_while_its_type_is(source: Path, result: Path, tmp_path: Path):
    table = np.arange(3 * 256, dtype=np.uint16).reshape(3, 256)
    tifffile.imwrite(source, pixels(12, 16, dtype=np.uint8), photometric="palette", colormap=table)
    image = read_image(source)
    np.testing.assert_array_equal(round_trip(result, image).metadata.tags["colormap"], table)
    other = round_trip(tmp_path / "other.tif", image, np.float32)
    assert other.metadata.tags["photometric"] == tifffile.PHOTOMETRIC.MINISBLACK


def test_image_without_a_file_is_written_plain(result: Path):
    back = round_trip(result, Image(pixels(3, 12, 16), "ZYX"))
    assert (back.axes, back.metadata.flavour) == ("ZYX", "plain")


@pytest.mark.parametrize("flavour", ["imagej", "ome", "plain"])
def test_provenance_of_a_second_denoising_replaces_the_first(
    tmp_path: Path, flavour: Any, hyperstack: Image
):
    image = Image(hyperstack.data, "TZCYX", Metadata(flavour))
    for number, name in enumerate(("first.tif", "second.tif")):
        write_image(tmp_path / name, image.data, image, provenance={"run": number})
        assert read_provenance(tmp_path / name) == {"run": number}
        image = read_image(tmp_path / name)
    content = (tmp_path / "second.tif").read_bytes().replace(b"\0", b"")  # ImageJ has UTF-16
    assert content.count(b'"run": ') == 1


def test_no_provenance(hyperstack: Image, result: Path, source: Path):
    write_image(result, hyperstack.data, hyperstack)
    assert read_provenance(result) is None
    assert read_image(result).metadata.properties["Info"] == IMAGEJ["Info"]


@pytest.mark.parametrize("flavour", ["imagej", "ome", "plain"])
def test_large_files(
    result: Path, flavour: Any, hyperstack: Image, monkeypatch: pytest.MonkeyPatch
):
    """Beyond 4 GB: BigTIFF, but for ImageJ one page with all pixels behind it."""
    monkeypatch.setattr(_write, "_CLASSIC_LIMIT", 100)
    back = round_trip(result, Image(hyperstack.data, "TZCYX", Metadata(flavour)))
    assert back.axes == "TZCYX"
    with tifffile.TiffFile(result) as tif:
        assert tif.is_bigtiff == (flavour != "imagej")
        assert len(tif.pages) == (1 if flavour == "imagej" else 12)


# --- whole or not at all ----------------------------------------------------------------------


def test_shape_must_be_that_of_the_source(hyperstack: Image, result: Path):
    with pytest.raises(ImageError, match="same shape"):
        write_image(result, hyperstack.data[0], hyperstack)


def test_existing_file_is_not_overwritten(hyperstack: Image, result: Path):
    result.write_bytes(b"precious")
    with pytest.raises(ImageExistsError, match=r"exists already; choose"):
        write_image(result, hyperstack.data, hyperstack)
    assert result.read_bytes() == b"precious"
    write_image(result, hyperstack.data, hyperstack, overwrite=True)
    assert read_image(result).axes == "TZCYX"


@pytest.mark.parametrize("hard_links", [True, False])
def test_file_that_appears_meanwhile_is_not_overwritten(
    hyperstack: Image, result: Path, hard_links: bool, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*args: object) -> None:
        raise PermissionError

    if not hard_links:
        monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(os, "fsync", lambda _: result.write_bytes(b"of another program"))
    with pytest.raises(ImageExistsError):
        write_image(result, hyperstack.data, hyperstack)
    assert result.read_bytes() == b"of another program"
    assert not list(result.parent.glob(".*"))


def test_disk_without_hard_links(hyperstack: Image, result: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*args: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    round_trip(result, hyperstack)
    assert not list(result.parent.glob(".*"))


@pytest.mark.parametrize("failure", [KeyboardInterrupt, MemoryError, OSError(28, "Disk full")])
def test_nothing_is_left_after_a_failure(
    hyperstack: Image, result: Path, failure: Any, monkeypatch: pytest.MonkeyPatch
):
    def fail(_: int) -> None:
        raise failure

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises((KeyboardInterrupt, MemoryError, ImageError)):
        write_image(result, hyperstack.data, hyperstack)
    assert [path.name for path in result.parent.iterdir()] == ["source.tif"]


def test_folder_that_does_not_exist(hyperstack: Image, tmp_path: Path):
    with pytest.raises(ImageError, match="check the folder"):
        write_image(tmp_path / "missing" / "result.tif", hyperstack.data, hyperstack)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("content", [None, b"the result of an earlier run"])
def test_killed_process_leaves_no_half_result(
    hyperstack: Image, source: Path, result: Path, content: bytes | None
):
    """The process dies in the middle of the pixels; the target is as if it had never begun."""
    if content is not None:
        result.write_bytes(content)
    code = (
        "import sys, time, tifffile\n"
        "from napari_noise2self.images import read_image, write_image\n"
        "def half(handle, data, *args):\n"
        "    handle.write(data.tobytes()[: data.nbytes // 2])\n"
        "    handle.flush()\n"
        "    print('half', flush=True)\n"
        "    time.sleep(600)\n"
        "tifffile.FileHandle.write_array = half\n"
        "image = read_image(sys.argv[1])\n"
        "write_image(sys.argv[2], image.data, image, overwrite=True)\n"
    )
    command = [sys.executable, "-c", code, str(source), str(result)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half\n"
        process.send_signal(signal.SIGKILL)
    assert (result.read_bytes() if result.exists() else None) == content
    assert result.with_name(f".result.tif.{process.pid}.part").exists()
    assert result.parent / "result.tif" in tiff_paths([result.parent]) or content is None
    write_image(result, hyperstack.data, hyperstack, overwrite=True)
    assert read_image(result).axes == "TZCYX"


# --- which files ------------------------------------------------------------------------------


def test_folder_gives_its_tiffs_in_natural_order(tmp_path: Path):
    for name in ("t10.tif", "t2.TIF", "T1.tiff", "notes.txt", ".t3.tif", ".t4.tif.12.part"):
        (tmp_path / name).touch()
    (tmp_path / "folder.tif").mkdir()
    (tmp_path / "folder.tif" / "t5.tif").touch()
    names = [path.name for path in tiff_paths([tmp_path])]
    assert names == ["T1.tiff", "t2.TIF", "t10.tif"]


def test_files_are_kept_as_given_and_once(tmp_path: Path):
    first, second = tmp_path / "b.lsm", tmp_path / "a.tif"
    first.touch()
    second.touch()
    assert tiff_paths([first, second, tmp_path]) == [first, second]


def test_missing_input(tmp_path: Path):
    with pytest.raises(ImageError, match="does not exist"):
        tiff_paths([tmp_path / "missing"])


def test_folder_without_tiffs(tmp_path: Path):
    with pytest.raises(ImageError, match=r"has no \.tif"):
        tiff_paths([tmp_path])
