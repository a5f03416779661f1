"""OME's dialect: the XML of the source, changed only where the new file differs."""

from __future__ import annotations

import math
import sys
from typing import Any
from uuid import uuid4
from xml.etree import ElementTree

from numpy.typing import NDArray
from tifffile import OmeXml

from ._image import PROVENANCE, Image, PixelSize
from ._sizes import known_sizes

TYPES = {name: name for name in ("int8", "int16", "int32", "uint8", "uint16", "uint32")} | {
    "float32": "float",
    "float64": "double",
    "complex64": "complex",
    "complex128": "double-complex",
}
"""OME's names of the types of pixels."""

_ANNOTATION = f"Annotation:{PROVENANCE}"
_SIZES = {axis: f"PhysicalSize{axis}" for axis in "XYZ"} | {"T": "TimeIncrement"}


def sizes(xml: str) -> dict[str, PixelSize]:
    """Return the pixel sizes of the first image."""
    pixels = next(_parsed(xml).iter("Pixels")).attrib
    return known_sizes(
        {
            axis: (pixels.get(name, 0), pixels.get(f"{name}Unit", "s" if axis == "T" else "µm"))
            for axis, name in _SIZES.items()
        }
    )


def note(xml: str) -> str | None:
    """Return the provenance among the annotations, as JSON."""
    for element in _parsed(xml).iter():
        if element.get("ID") == _ANNOTATION and len(element):
            return element[0].text
    return None


def description(data: NDArray[Any], axes: str, like: Image, note: str | None) -> str:
    """Return the OME-XML of `data`: that of `like`, or a new one if `like` has none."""
    root = _parsed(like.metadata.description or _new(data, axes, like))
    image = _only_image(root)
    pixels = next(image.iter("Pixels"))
    pixels.set("Type", TYPES[data.dtype.name])
    pixels.set("BigEndian", str(sys.byteorder == "big").lower())
    if data.dtype != like.data.dtype:
        pixels.attrib.pop("SignificantBits", None)
    n_planes = data.size // math.prod(
        extent for extent, axis in zip(data.shape, axes, strict=True) if axis in "YXS"
    )
    _place_planes(pixels, n_planes)
    root.set("UUID", f"urn:uuid:{uuid4()}")
    if note is not None:
        _annotate(root, image, note)
    return ElementTree.tostring(root, encoding="unicode")


def _parsed(xml: str) -> ElementTree.Element:
    """Parse, with OME's names free of their namespace, which becomes the default again."""
    root = ElementTree.fromstring(xml)
    namespace = root.tag.rpartition("}")[0].removeprefix("{")
    for element in root.iter():
        element.tag = element.tag.removeprefix(f"{{{namespace}}}")
    root.set("xmlns", namespace)
    return root


def _only_image(root: ElementTree.Element) -> ElementTree.Element:
    """Drop all images that are not in the new file, with the references to them."""
    image, *others = (image for image in root.iter("Image") if image.find("Pixels") is not None)
    gone = {other.get("ID") for other in others}
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in ("Image", "ImageRef") and child.get("ID") in gone:
                parent.remove(child)
    return image


def _place_planes(pixels: ElementTree.Element, n_planes: int) -> None:
    """Say that the pages of the file are the planes, in the order of the dimensions."""
    old = [child for child in pixels if child.tag in ("TiffData", "BinData", "MetadataOnly")]
    place = list(pixels).index(old[0]) if old else len(pixels.findall("Channel"))
    for child in old:
        pixels.remove(child)
    planes = {"IFD": "0", "PlaneCount": str(n_planes)}
    pixels.insert(place, ElementTree.Element("TiffData", planes))


def _annotate(root: ElementTree.Element, image: ElementTree.Element, note: str) -> None:
    for parent in list(root.iter()):
        for child in list(parent):
            if child.get("ID") == _ANNOTATION:
                parent.remove(child)
    annotations = root.find("{*}StructuredAnnotations")
    if annotations is None:
        namespace = root.get("xmlns", "")
        old = not namespace.endswith("/2016-06")  # older schemas have a namespace of annotations
        prefix = f"{{{namespace.replace('/OME/', '/SA/')}}}" if old else ""
        annotations = ElementTree.Element(f"{prefix}StructuredAnnotations")
        root.insert(list(root).index(image) + 1, annotations)
    prefix = annotations.tag.removesuffix("StructuredAnnotations")
    names = {"ID": _ANNOTATION, "Namespace": PROVENANCE}
    comment = ElementTree.SubElement(annotations, f"{prefix}CommentAnnotation", names)
    ElementTree.SubElement(comment, f"{prefix}Value").text = note
    ElementTree.SubElement(image, f"{prefix}AnnotationRef", {"ID": _ANNOTATION})


def _new(data: NDArray[Any], axes: str, like: Image) -> str:
    """Return OME-XML for an image that has none: its axes, sizes, units and Info."""
    samples = data.shape[-1] if axes[-1] == "S" else 1
    height, width = (data.shape[axes.index(axis)] for axis in "YX")
    stored = (data.size // (height * width * samples), 1, 1, height, width, samples)
    metadata: dict[str, Any] = {}
    for axis, (value, unit) in like.pixel_size.items():
        metadata |= {_SIZES[axis]: value, f"{_SIZES[axis]}Unit": {"inch": "in"}.get(unit, unit)}
    if info := str(like.metadata.properties.get("Info", "")):
        metadata["Description"] = "".join(c for c in info if c.isprintable() or c in "\n\t")
    xml = OmeXml(Creator=PROVENANCE)
    xml.addimage(data.dtype, data.shape, stored, axes=axes, **metadata)
    return str(xml.tostring())
