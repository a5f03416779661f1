"""Use the docks and the viewer at random, as a cat on the keyboard would."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import replace

import numpy as np
from drive import open_dock
from napari.layers import Image
from napari.layers._layer_actions import _duplicate_layer
from napari.settings import get_plugin_settings
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QScrollBar,
    QWidget,
)

DOCKS = ("Denoise", "Calibrate classic filters")
_CONTROLS = (QAbstractButton, QAbstractSlider, QAbstractSpinBox, QComboBox)
_LARGE = {"width", "depth", "patch_size", "batch_size"}  # settings that make a step slow


class Monkey:
    """Does one thing after the other; the same things for the same seed, if no thread interferes.

    Parameters
    ----------
    viewer : Viewer
        Where it plays.
    seed : int
        Of its ideas.
    settings : list of Settings
        That it gives to the dock at times.
    """

    def __init__(self, viewer, seed, settings):
        self.viewer, self.seed, self.settings = viewer, seed, settings
        self.docks = {}
        self.done = deque(maxlen=25)
        self._count = 0
        self._held = None
        self._random = random.Random()
        self._ideas = {
            self.use_a_control: 60,
            self.start: 4,
            self.hold_a_button: 3,
            self.let_go: 3,
            self.change_the_settings: 3,
            self.prefer: 1,
            self.load: 5,
            self.delete: 4,
            self.delete_all: 0.5,
            self.rename: 3,
            self.duplicate: 2,
            self.select: 3,
            self.reorder: 2,
            self.hide: 2,
            self.move: 2,
            self.replace_data: 2,
            self.turn_axes: 3,
            self.change_view: 2,
            self.slide: 5,
            self.zoom: 6,
            self.open_or_close_a_dock: 2,
            self.wait: 4,
        }

    def act(self):
        """Do the next thing."""
        self._count += 1
        self._random.seed(f"{self.seed} {self._count}")
        (idea,) = self._random.choices(list(self._ideas), list(self._ideas.values()))
        self.done.append(f"{self._count}: {idea.__name__}")
        said = idea()
        if said:
            self.done[-1] += f" {said}"

    def wait(self):
        QTest.qWait(50)

    # what a dock offers

    def use_a_control(self):
        control = self._any(self._controls())
        if control is None:
            return None
        name = _describe(control)
        self.done[-1] += f" {name}"
        if isinstance(control, QAbstractButton):
            control.click()
            return None
        if isinstance(control, QComboBox):
            low, high, put = 0, control.count() - 1, control.setCurrentIndex
        else:
            low, high, put = control.minimum(), control.maximum(), control.setValue
            if isinstance(control, QAbstractSpinBox):
                high = min(high, low + (2 if control.objectName() in _LARGE else 20))
        value = self._random.uniform(low, high)
        put(value if isinstance(low, float) else round(value))
        return f"to {value:.1f}"

    def start(self):
        dock = self._any(self.docks.values())
        if dock is not None:
            dock.start_button.click()

    def hold_a_button(self):
        buttons = [each for each in self._controls() if isinstance(each, QAbstractButton)]
        self._held = self._any(buttons)
        if self._held is None:
            return None
        QTest.mousePress(self._held, Qt.MouseButton.LeftButton)
        return _describe(self._held)

    def let_go(self):
        if self._held in self._controls():
            QTest.mouseRelease(self._held, Qt.MouseButton.LeftButton)
        self._held = None

    def change_the_settings(self):
        if "Denoise" in self.docks and self.docks["Denoise"].form.editor("width").isEnabled():
            settings = self._any(self.settings)
            self.docks["Denoise"].form.set_settings(settings)
            return f"steps {settings.max_steps}"
        return None

    def prefer(self):
        kept = get_plugin_settings("napari-noise2self").denoise
        kept.partition = self._any(["grid", "random"])
        return kept.partition

    def open_or_close_a_dock(self):
        name = self._any(DOCKS)
        if name in self.docks:
            self.viewer.window.remove_dock_widget(self.docks.pop(name).parent())
            return f"close {name}"
        self.open(name)
        return f"open {name}"

    def open(self, name):
        self.docks[name] = open_dock(self.viewer, name)
        if name == "Denoise":
            self.docks[name].form.set_settings(self.settings[0])

    def close_all(self):
        self._held = None  # else it would outlive its dock
        while self.docks:
            self.viewer.window.remove_dock_widget(self.docks.popitem()[1].parent())

    # what napari offers

    def load(self):
        if len(self.viewer.layers) > 6:
            self.delete()
        kind = self._any(sorted(_IMAGES))
        make, options = _IMAGES[kind]
        self._flatten(rgb="rgb" in options)
        data = make(np.random.default_rng(self._count))
        add = self.viewer.add_labels if kind == "labels" else self.viewer.add_image
        add(data, name=kind, **options)
        return kind

    def delete(self):
        layer = self._layer()
        if layer is not None:
            self.viewer.layers.remove(layer)
            return layer.name
        return None

    def delete_all(self):
        self.viewer.layers.clear()

    def rename(self):
        layer = self._layer()
        if layer is None:
            return None
        before, layer.name = layer.name, self._any(["mine", "a.b", "x: 'y' \"z\"", "ω", ""])
        return f"{before} to {layer.name}"

    def duplicate(self):
        if len(self.viewer.layers) < 6:
            self.select()
            self._flatten(rgb=any(getattr(layer, "rgb", False) for layer in self.viewer.layers))
            _duplicate_layer(self.viewer.layers)

    def select(self):
        layer = self._layer()
        self.viewer.layers.selection = set() if layer is None else {layer}

    def reorder(self):
        if self.viewer.layers:
            self.viewer.layers.move(self._random.randrange(len(self.viewer.layers)), 0)

    def hide(self):
        layer = self._layer()
        if layer is not None:
            layer.visible = not layer.visible

    def move(self):
        layer = self._layer()
        if layer is not None:
            layer.scale = [self._any([0.5, 1.0, 2.0, 3.0]) for _ in range(layer.ndim)]
            layer.translate = [self._any([0.0, -7.0, 1e3]) for _ in range(layer.ndim)]

    def replace_data(self):
        layer = self._layer()
        if isinstance(layer, Image) and not layer.multiscale and layer.data.ndim:
            layer.data = np.array(layer.data)[: self._random.randint(1, layer.data.shape[0])]
            return f"{layer.name}: {layer.data.shape}"
        return None

    def turn_axes(self):
        self._any([self.viewer.dims.transpose, self.viewer.dims.roll])()

    def change_view(self):
        self.viewer.dims.ndisplay = self._random.choice([2, 2, 3])
        self._flatten(rgb=any(getattr(layer, "rgb", False) for layer in self.viewer.layers))

    def slide(self):
        dims = self.viewer.dims
        axis = self._random.randrange(dims.ndim)
        dims.set_current_step(axis, self._random.randint(0, dims.nsteps[axis]))

    def zoom(self):
        camera = self.viewer.scene.camera
        camera.zoom = 2 ** self._random.uniform(-3, 6)
        camera.center = (0, *(self._random.uniform(-20, 80) for _ in range(2)))

    def _flatten(self, *, rgb):
        """Leave the 3D view with colours, in which napari 0.9 can't add a layer to some others."""
        if rgb:
            self.viewer.dims.ndisplay = 2

    def _any(self, things):
        things = list(things)
        return self._random.choice(things) if things else None

    def _layer(self):
        return self._any(self.viewer.layers)

    def _controls(self):
        """All controls that could be used now."""
        return [
            control
            for dock in self.docks.values()
            for control in dock.findChildren(QWidget)
            if isinstance(control, _CONTROLS)
            and control.isVisibleTo(dock)
            and control.isEnabled()
            and not isinstance(control, QScrollBar)
        ]


def _describe(control):
    text = control.text() if hasattr(control, "text") else ""
    return f"{type(control).__name__} {control.objectName()} {text!r}"


def _photons(*shape):
    return lambda rng: rng.poisson(20, shape).astype(np.uint16)


def _with_nan(rng):
    image = rng.normal(size=(40, 50)).astype(np.float32)
    image[3:6, 7:9] = np.nan
    return image


_IMAGES = {
    "plane": (_photons(48, 64), {}),
    "narrow": (_photons(200, 20), {"scale": (0.5, 2.0)}),
    "stack": (_photons(3, 40, 48), {"scale": (3.0, 1.0, 1.0)}),
    "film": (_photons(2, 3, 32, 32), {}),
    "colour": (lambda rng: rng.integers(0, 256, (40, 48, 3), np.uint8), {"rgb": True}),
    "alpha": (lambda rng: rng.random((32, 40, 4)).astype(np.float32), {"rgb": True}),
    "nan": (_with_nan, {}),
    "all nan": (lambda rng: np.full((32, 32), np.nan), {"contrast_limits": (0, 1)}),
    "tiny": (_photons(3, 2), {}),
    "pixel": (_photons(1, 1), {}),
    "constant": (lambda rng: np.full((32, 40), 7, np.uint8), {}),
    "bool": (lambda rng: rng.random((32, 32)) > 0.5, {}),
    "pyramid": (
        lambda rng: [(image := _photons(64, 64)(rng)), image[::2, ::2]],
        {"multiscale": True},
    ),
    "labels": (lambda rng: rng.integers(0, 5, (32, 32)), {}),
}


def kinds_of(tiny):
    """Settings of trainings that are over at once, and of some that never end."""
    small = replace(tiny, start="fresh", batch_size=1)
    endless = replace(small, max_steps=1_000_000, max_seconds=600.0)
    return [small, endless, replace(small, partition="random", exclusion="plus", max_steps=0)]
