"""The one settings object: what the dock, the command line and the Python API all take."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

Preset = Literal["fast", "balanced", "best"]
PartitionKind = Literal["grid", "random"]
ExclusionKind = Literal["none", "horizontal", "vertical", "plus", "square"]
ExclusionChoice = Literal["auto", "none", "horizontal", "vertical", "plus", "square"]
Fill = Literal["interpolate", "zero"]
NetworkKind = Literal["unet", "dncnn"]
Start = Literal["pretrained", "fresh"]
AdjacentPlanes = Literal["auto", "use", "ignore"]
Prediction = Literal["posterior", "j-invariant", "single-pass"]
Device = Literal["auto", "cpu", "cuda", "mps"]


_ONE_IMAGE = 512 * 512


class SettingError(ValueError):
    """A setting is not valid.

    Parameters
    ----------
    name : str
        Of the setting.
    trouble : str
        What is wrong with it, to be read after its name.
    """

    def __init__(self, name: str, trouble: str) -> None:
        super().__init__(name, trouble)
        self.name, self.trouble = name, trouble

    def __str__(self) -> str:
        return f"{self.name} {self.trouble}"


@dataclass(frozen=True)
class Budget:
    """What a preset buys for one image: training ends at whichever limit comes first."""

    max_steps: int
    max_seconds: float
    flips: int
    """How many flipped and transposed copies of the image the prediction is averaged over."""
    classics: tuple[str, ...]
    """Which classic filters the network is compared with."""
    learning_rate: float
    """The highest of the schedule."""

    def grown(self, pixels: int) -> Budget:
        """Return what is best bought for so many pixels, if they are more than one image has.

        For four times as many, training takes twice as long, and half the flips are left: there
        is more to learn, and a result gains more by that than by flips, which cost more time.
        """
        more = max(1.0, math.sqrt(pixels / _ONE_IMAGE))
        return replace(
            self,
            max_steps=round(self.max_steps * more),
            max_seconds=self.max_seconds * more,
            flips=max(1, self.flips >> int(math.log2(more))),
        )


_CLASSICS = ("gaussian", "median", "nlm", "wavelet", "tv")
BUDGETS: dict[Start, dict[Preset, Budget]] = {
    "pretrained": {
        "fast": Budget(40, 3.0, flips=2, classics=("tv",), learning_rate=5e-4),
        "balanced": Budget(500, 15.0, flips=4, classics=_CLASSICS, learning_rate=1e-3),
        "best": Budget(3000, 240.0, flips=8, classics=_CLASSICS, learning_rate=1e-3),
    },
    "fresh": {
        "fast": Budget(220, 15.0, flips=1, classics=("tv",), learning_rate=2e-3),
        "balanced": Budget(2000, 80.0, flips=2, classics=_CLASSICS, learning_rate=2e-3),
        "best": Budget(5000, 600.0, flips=8, classics=_CLASSICS, learning_rate=2e-3),
    },
}

DEFAULT_WIDTH = 32
DEFAULT_DEPTH: dict[NetworkKind, int] = {"unet": 3, "dncnn": 8}

_RANGES: dict[str, tuple[float, float]] = {
    "exclusion_radius": (1, 4),
    "width": (4, 256),
    "patch_size": (16, 512),
    "batch_size": (1, 256),
    "max_steps": (0, 10_000_000),
    "max_seconds": (0.1, 30 * 24 * 3600.0),
    "seed": (0, 2**31 - 1),
    "learning_rate": (1e-6, 1.0),
}
_PARTITION_RANGES: dict[str, tuple[int, int]] = {"grid": (2, 10), "random": (2, 400)}
_DEPTH_RANGES: dict[str, tuple[int, int]] = {"unet": (1, 5), "dncnn": (1, 20)}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that decides a result, with defaults that just work.

    The object travels inside the model file and the metadata of every result, so that any
    result can be made again.

    Parameters
    ----------
    preset : {"fast", "balanced", "best"}
        How much time to spend; gives `max_steps` and `max_seconds` where these are None.
    start : {"pretrained", "fresh"}
        What training begins from: the weights that the package brings, which were trained on
        simulated images, or random ones, which is plain Noise2Self. There are weights for the
        usual UNet, which sees the channels of an image one by one; all other networks start
        fresh, and see the channels together.
    partition : {"grid", "random"}
        How the pixels are split into subsets that are hidden together.
    partition_size : int, optional
        Side n of the grid (n² subsets, 2 to 10; 3 if None), or number of subsets of a random
        partition (2 to 400; 25 if None, as in the paper). An exclusion makes it larger: if None, so
        that enough is seen between hidden pixels; if given, where nearly all would be hidden.
    exclusion : {"auto", "none", "horizontal", "vertical", "plus", "square"}
        Neighbours hidden with each pixel, for noise that is correlated between neighbours;
        "auto" chooses by the correlation measured on the image.
    exclusion_radius : int, optional
        How far the exclusion reaches (1 to 4 pixels; 1 if None). Of no effect with "auto" and
        "none".
    fill : {"interpolate", "zero"}
        What stands in place of hidden pixels: the mean of their visible neighbours, or zero.
    adjacent_planes : {"auto", "use", "ignore"}
        Whether the network sees the two planes before and after each in a stack (Z or T). "auto"
        does where they tell of a pixel and their noise is independent, which is measured.
    network : {"unet", "dncnn"}
        The kind of network.
    width : int
        Channels of the network's finest level (4 to 256).
    depth : int, optional
        Pooling levels of the UNet (1 to 5; 3 if None), or layers of the DnCNN (1 to 20; 8 if None).
    prediction : {"posterior", "j-invariant", "single-pass"}
        How the result is made from the trained network. "posterior" mixes the noisy pixel back
        in by its variance, and is "j-invariant" where the noise could not be measured.
    patch_size, batch_size : int
        Side in pixels, and number, of the patches of one training step.
    learning_rate : float, optional
        Highest learning rate of the schedule; if None, 0.001 from pretrained weights (0.0005 at
        the preset "fast") and 0.002 from fresh ones.
    max_steps : int, optional
        Training steps at most; from the preset if None.
    max_seconds : float, optional
        Seconds of training at most; from the preset if None.
    seed : int
        Seed of everything random. Same seed, device and number of steps: same result.
    device : {"auto", "cpu", "cuda", "mps"}
        Where to compute; "auto" takes a GPU if there is one.
    mixed_precision : bool
        Compute in bfloat16 where the device is faster at it. The result is float32 in any case,
        and within 0.01 dB of what float32 alone gives.

    Raises
    ------
    SettingError
        If a value is not among its choices or out of its range; a ValueError.
    """

    preset: Preset = "balanced"
    start: Start = "pretrained"
    partition: PartitionKind = "grid"
    partition_size: int | None = None
    exclusion: ExclusionChoice = "auto"
    exclusion_radius: int | None = None
    fill: Fill = "interpolate"
    adjacent_planes: AdjacentPlanes = "auto"
    network: NetworkKind = "unet"
    width: int = DEFAULT_WIDTH
    depth: int | None = None
    prediction: Prediction = "posterior"
    patch_size: int = 64
    batch_size: int = 8
    learning_rate: float | None = None
    max_steps: int | None = None
    max_seconds: float | None = None
    seed: int = 0
    device: Device = "auto"
    mixed_precision: bool = True

    def __post_init__(self) -> None:
        for name, choices in _all_choices().items():
            _check_choice(name, getattr(self, name), choices)
        for name, limits in _RANGES.items():
            _check_range(name, getattr(self, name), limits, whole=name not in _FRACTIONAL)
        limits = _PARTITION_RANGES[self.partition]
        _check_range("partition_size", self.partition_size, limits, whole=True)
        _check_range("depth", self.depth, _DEPTH_RANGES[self.network], whole=True)
        if not isinstance(self.mixed_precision, bool):
            raise SettingError("mixed_precision", "must be true or false")

    @property
    def budget(self) -> Budget:
        """The preset's budget for one image; see `budget_for`."""
        return self.budget_for(_ONE_IMAGE)

    def budget_for(self, pixels: int) -> Budget:
        """Return the preset's budget, with what these settings give themselves in its place.

        Parameters
        ----------
        pixels : int
            Of all images, planes and channels together; see `Budget.grown`.
        """
        chosen: dict[str, Any] = {
            name: getattr(self, name)
            for name in ("max_steps", "max_seconds", "learning_rate")
            if getattr(self, name) is not None
        }
        return replace(BUDGETS[self.effective.start][self.preset].grown(pixels), **chosen)

    @property
    def effective(self) -> Settings:
        """The settings that are trained with: fresh where no pretrained weights fit the network."""
        usual = self.width == DEFAULT_WIDTH and self.depth in (None, DEFAULT_DEPTH["unet"])
        return self if self.network == "unet" and usual else replace(self, start="fresh")

    @property
    def chooses_exclusion(self) -> bool:
        """Whether the exclusion follows the noise, as the user chose none."""
        return self.exclusion == "auto"

    @property
    def takes_line_noise(self) -> bool:
        """Whether line noise is taken away first: not where the user chose an exclusion."""
        return self.chooses_exclusion

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as a dictionary of plain values, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Settings:
        """Make settings from a dictionary such as `to_dict` returns.

        Raises
        ------
        ValueError
            If a name is unknown or a value is not valid.
        """
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            raise ValueError(f"unknown settings: {', '.join(unknown)}")
        return cls(**values)


_OPTIONAL = frozenset(
    {"partition_size", "exclusion_radius", "depth", "max_steps", "max_seconds", "learning_rate"}
)
_FRACTIONAL = frozenset({"learning_rate", "max_seconds"})


@cache
def _all_choices() -> dict[str, tuple[Any, ...]]:
    """Return the values of each setting that is a Literal; asked of Python once, as it is slow."""
    hints = get_type_hints(Settings)
    return {field.name: _choices(hints[field.name]) for field in fields(Settings)}


def _choices(hint: Any) -> tuple[Any, ...]:
    """Return the values of a Literal, or of a union of Literals."""
    if get_origin(hint) is Literal:
        return get_args(hint)
    return tuple(choice for part in get_args(hint) for choice in _choices(part))


def _check_choice(name: str, value: object, choices: tuple[Any, ...]) -> None:
    """Raise SettingError where a setting with a fixed list of choices holds something else."""
    if choices and value not in choices:
        raise SettingError(name, f"must be one of {', '.join(choices)}, not {value!r}")


def _check_range(name: str, value: Any, limits: tuple[float, float], *, whole: bool) -> None:
    """Raise SettingError where a number is of the wrong kind or outside its limits."""
    if value is None and name in _OPTIONAL:
        return
    kinds = (int,) if whole else (int, float)
    low, high = limits
    if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
        kind = "a whole number" if whole else "a number"
        span = " to ".join(f"{limit:f}".rstrip("0").rstrip(".") for limit in limits)
        raise SettingError(name, f"must be {kind} from {span}, not {value!r}")
