"""The noise model as a plot: noise variance against signal, and the line through it."""

from __future__ import annotations

from itertools import cycle
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtGui import QColor

from ...figures.words import is_fitted, noise_reading
from ..form.prose import Prose
from .plot import DASHED, DOTTED, POINT, SOLID, Plot, legend_entry

_HEIGHT = 240  # for the whole label at the left
_LENGTH = 100  # of a line without points: photons, or standard deviations of the noise
_STEPS = 50
_FAINTEST = 0.2


class NoisePlot(Plot):
    """Points, line and read variance of each channel, in a colour of its own."""

    def __init__(self) -> None:
        super().__init__("Signal (grey levels)", "Noise variance (grey levels²)", _HEIGHT)
        self.setToolTip(
            "Each point: parts of the image that are about equally bright, and the variance of\n"
            "the noise in them. The fainter, the more of them was left out as structure.\n"
            "The line is the noise model. Its slope is the gain: grey levels for each photon.\n"
            "Read variance: noise without light, the square of the read noise."
        )
        for side in ("bottom", "left"):
            self._axes.getAxis(side).enableAutoSIPrefix(False)  # which would lengthen the labels
        self.reading = Prose()
        layout = self.layout()
        assert layout is not None
        layout.addWidget(self.reading)
        self._channels: list[_Channel] = []
        self.recolour()

    def show_noise(self, figures: dict[str, Any]) -> None:
        """Show the noise model of each channel.

        Parameters
        ----------
        figures : dict
            As in the metadata of a result, of this version or an older one.
        """
        for item in (item for channel in self._channels for item in channel.items):
            self._axes.removeItem(item)
        self._channels = [_Channel(self, noise) for noise in figures["noise"]]
        lows, highs, tops = zip(*(channel.extent for channel in self._channels), strict=True)
        self._axes.setXRange(min(lows), max(highs), padding=0.03)
        self._axes.setYRange(0, max(tops), padding=0.05)
        self.reading.say(noise_reading(figures))
        self.recolour()

    @property
    def points(self) -> list[list[tuple[float, float]]]:
        """Signal and variance of the points shown, of each channel."""
        return [_places(channel.points) for channel in self._channels]

    @property
    def lines(self) -> list[list[tuple[float, float]]]:
        """Signal and variance along the line shown, of each channel."""
        return [_places(channel.line) for channel in self._channels]

    def recolour(self) -> None:
        """Draw each channel in its colour."""
        super().recolour()
        blue, orange, green, *others = self.colours
        # of several, the first three are near red, green and blue
        colours = (orange, green, blue, *others) if len(self._channels) > 1 else (blue,)
        for channel, colour in zip(self._channels, cycle(colours), strict=False):
            channel.paint(colour)
        self.legend.setText(" &nbsp; ".join(self._legend()))
        self.legend.setVisible(bool(self._channels))

    def _legend(self) -> list[str]:
        """Say which mark is what; of several channels, which colour is which."""
        if len(self._channels) > 1:
            numbered = enumerate(self._channels, 1)
            entries = [channel.entry(f"channel {number}") for number, channel in numbered]
            colour = self.ink.name()
        else:
            entries = [channel.entry(channel.words) for channel in self._channels]
            colour = self.colours[0]
        if any(self.points):
            entries.append(legend_entry(colour, "measured", POINT))
        if any(channel.reliable for channel in self._channels):
            entries.append(legend_entry(colour, "read variance", DOTTED))
        return entries


class _Channel:
    """What is shown of one channel.

    Parameters
    ----------
    plot : Plot
        Where.
    noise : dict
        The noise model, as in the figures.
    """

    def __init__(self, plot: Plot, noise: dict[str, Any]) -> None:
        self.reliable = noise["reliable"]
        self.fitted = is_fitted(noise)
        self.words = f"fit, goodness {noise['goodness']:.2f}" if self.fitted else "no fit"
        points = noise.get("points", ())  # older results have none
        self._signals, self._variances, self._weights = ([p[k] for p in points] for k in range(3))
        dark, gain, intercept = noise["offset"], noise["gain"], noise["intercept"]
        low = min([dark, *self._signals])
        high = max(self._signals, default=dark + _LENGTH * (gain or intercept**0.5))
        steps = [low + (high - low) * step / _STEPS for step in range(_STEPS + 1)]
        fitted = [max(gain * signal + intercept, 0.0) for signal in steps]
        self.extent = low, high, max(fitted + self._variances)
        self.level = plot.line()
        self.line = plot.line(x=steps, y=fitted)
        self.points = plot.line(pen=None, symbol="o", symbolSize=6, symbolPen=None)
        if self.reliable:
            self.level.setData([low, high], [noise["read_variance"]] * 2)

    @property
    def items(self) -> tuple[Any, ...]:
        """All that is in the plot."""
        return self.level, self.line, self.points

    def entry(self, text: str) -> str:
        """Return the entry of the line in the legend."""
        return legend_entry(self._colour, text, SOLID if self.fitted else DASHED)

    def paint(self, colour: str) -> None:
        """Draw in a colour; points of little weight are faint."""
        self._colour = colour
        style = Qt.PenStyle.SolidLine if self.fitted else Qt.PenStyle.DashLine
        self.line.setPen(colour, width=2, style=style)
        self.level.setPen(colour, width=1, style=Qt.PenStyle.DotLine)
        brushes = [QColor(colour) for _ in self._weights]
        for brush, weight in zip(brushes, self._weights, strict=True):
            brush.setAlphaF(max(weight, _FAINTEST))
        self.points.setData(self._signals, self._variances, symbolBrush=brushes)


def _places(item: Any) -> list[tuple[float, float]]:
    """Return the coordinates of what a plot shows."""
    x, y = item.getData()
    return [] if x is None else list(zip(x.tolist(), y.tolist(), strict=True))
