"""The results among the layers of a viewer: what is known of each, and from which image it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.layers import Image

from ..figures.words import classic_name, duration
from ..snippet import changed_settings
from .layers.mix import Mix, result_of
from .layers.source import Source

if TYPE_CHECKING:
    from napari.viewer import Viewer

_PARTS = {"settings", "figures"}


class Results:
    """Finds the results in a viewer by their metadata, and the noisy image of each.

    The images of layers that are gone are not kept.

    Parameters
    ----------
    viewer : Viewer
        Where the layers are.
    """

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._sources: dict[Image, Source] = {}

    def add(self, layer: Image, source: Source) -> None:
        """Remember from which image a result is."""
        self._sources[layer] = source

    def layers(self) -> list[Image]:
        """Return the layers of all results, the newest first; forget what is gone."""
        layers = self._viewer.layers
        for result, source in list(self._sources.items()):
            if result not in layers or source.layer() not in layers:
                del self._sources[result]
        results = [layer for layer in layers if story_of(layer)]
        return sorted(results, key=lambda layer: story_of(layer).get("created", ""), reverse=True)

    def source(self, layer: Image) -> Source | None:
        """Return what a result was made from; None if its noisy layer is gone."""
        if layer not in self._sources:
            noisy = self._find(story_of(layer).get("source", {}).get("id"))
            if noisy is not None:
                self._sources[layer] = Source.capture(noisy)
        return self._sources.get(layer)

    def noisy(self, layer: Image) -> Any:
        """Return the noisy image of a result; None if it is gone or of another shape by now."""
        result = result_of(layer.data)
        if isinstance(result, Mix):
            return result.noisy
        source = self.source(layer)
        fits = source is not None and source.data.shape == result.shape
        return source.at_hand if source is not None and fits else None

    def residual(self, layer: Image) -> Image | None:
        """Return the layer of a result's residual, if there is one."""
        return next(
            (
                other
                for other in self._viewer.layers
                if other.metadata.get("noise2self", {}).get("of") == str(layer.unique_id)
            ),
            None,
        )

    def expression(self, layer: Image) -> str:
        """Return the noisy image of a result as a Python expression for napari's console."""
        source = self.source(layer)
        noisy = None if source is None else source.layer()
        name = story_of(layer)["source"]["name"] if noisy is None else noisy.name
        level = "[0]" if noisy is not None and noisy.multiscale else ""
        return f"viewer.layers[{name!r}].data{level}"

    def _find(self, unique_id: str | None) -> Image | None:
        """Return the image layer of an id: a dock that was opened later knows no more of it."""
        return next(
            (
                layer
                for layer in self._viewer.layers
                if isinstance(layer, Image) and str(layer.unique_id) == unique_id
            ),
            None,
        )


def story_of(layer: Any) -> dict[str, Any]:
    """Return what the metadata of a result say of it; empty if the layer is no result."""
    story = layer.metadata.get("noise2self") if isinstance(layer, Image) else None
    return story if isinstance(story, dict) and story.keys() >= _PARTS else {}


def headline(layer: Image) -> str:
    """Name a result, and say in a few words how it was made and how good it is."""
    story = story_of(layer)
    figures = story["figures"]
    words = [layer.name]
    if figures.get("estimated_psnr") is not None:
        words.append(f"{figures['estimated_psnr']:.1f} dB")
    if figures.get("held_out_loss") is not None:
        words.append(f"loss {figures['held_out_loss']:.3g}")
    if "seconds" in story:
        words.append(duration(story["seconds"]))
    return " · ".join([*words, *_manner(story)])


def _manner(story: dict[str, Any]) -> list[str]:
    """Say how a result was made, as far as that differs from the usual."""
    if "method" in story["figures"]:
        return [classic_name(story["figures"]["method"])]
    if "model" in story:
        return [f"model {story['model']['name']}"]
    changed = changed_settings(story["settings"])
    return [f"{name.replace('_', ' ')} {value}" for name, value in changed.items()]
