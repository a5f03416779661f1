"""The rows of the settings form: label, explanation in plain words, and editor of each setting."""

from __future__ import annotations

from typing import Any

from .editors import Choice, Fraction, SlidingWhole, Switch, Whole

PARTITION_SIZES: dict[str, tuple[int, int]] = {"grid": (2, 10), "random": (2, 400)}
DEPTHS: dict[str, tuple[int, int]] = {"unet": (1, 5), "dncnn": (1, 20)}
_FROM_PRESET = "from preset"

Row = tuple[str, str, str, Any]
"""Name of the setting, label, tooltip, editor."""


def partition_row() -> list[Row]:
    """Return name, label, tooltip and editor of the two settings that are always in view."""
    return [
        (
            "partition",
            "Partition",
            "How the pixels are split into subsets that are hidden together.\n"
            "The network learns to guess hidden pixels from the visible ones around them.",
            Choice({"grid": "Grid", "random": "Random"}),
        ),
        (
            "partition_size",
            "",
            "Partition size.\n"
            "Grid: one pixel in every square of this side is hidden at a time.\n"
            "Random: the number of subsets.\n"
            "Larger hides fewer pixels at once, and takes longer at the end.\n"
            "Auto: larger where neighbours are hidden too (Advanced, Exclusion).",
            SlidingWhole("Partition size", *PARTITION_SIZES["grid"], none="auto"),
        ),
    ]


def advanced_rows() -> list[Row]:
    """Return name, label, tooltip and editor of the other settings."""
    return [
        (
            "prediction",
            "Prediction",
            "Posterior: the network's guess mixed with the noisy pixel itself; the best image.\n"
            "J-invariant: the guess alone, which never saw the pixel.\n"
            "Single pass: all pixels visible; fastest, but some noise may come through.",
            Choice(
                {
                    "posterior": "Posterior",
                    "j-invariant": "J-invariant",
                    "single-pass": "Single pass",
                }
            ),
        ),
        (
            "exclusion",
            "Exclusion",
            "Neighbours hidden with each pixel, for noise that is alike in neighbouring pixels.\n"
            "Auto measures the noise of the image and chooses.",
            Choice(
                {
                    "auto": "Auto",
                    "none": "None",
                    "horizontal": "Horizontal line",
                    "vertical": "Vertical line",
                    "plus": "Plus",
                    "square": "Square",
                }
            ),
        ),
        (
            "exclusion_radius",
            "Exclusion radius",
            "How many pixels the hidden neighbours reach out; of no effect with auto and none.",
            Whole(1, 4, none="auto"),
        ),
        (
            "fill",
            "Fill",
            "What stands in place of hidden pixels: the mean of their neighbours, or zero.",
            Choice({"interpolate": "Interpolate", "zero": "Zero"}),
        ),
        (
            "adjacent_planes",
            "Adjacent planes",
            "Whether the network sees the two planes before and after each plane of a stack, too.\n"
            "Auto does where they tell of each other and their noise is independent.",
            Choice({"auto": "Auto", "use": "Use", "ignore": "Ignore"}),
        ),
        (
            "start",
            "Start",
            "Pretrained: begin with weights that were trained on simulated images; seconds are "
            "enough.\n"
            "Fresh: begin with random weights, so that this image is all the network ever saw.",
            Choice({"pretrained": "Pretrained", "fresh": "Fresh"}),
        ),
        (
            "network",
            "Network",
            "UNet sees far and is right for most images; DnCNN looks at small surroundings.",
            Choice({"unet": "UNet", "dncnn": "DnCNN"}),
        ),
        (
            "width",
            "Width",
            "How many features the network looks for: more is finer, slower, and needs memory.",
            Whole(4, 256),
        ),
        (
            "depth",
            "Depth",
            "How many times a UNet halves the image (auto: 3), or layers of a DnCNN (auto: 8).",
            Whole(*DEPTHS["unet"], none="auto"),
        ),
        (
            "patch_size",
            "Patch size",
            "Side in pixels of the pieces of the image that the network learns from.",
            Whole(16, 512),
        ),
        (
            "batch_size",
            "Batch size",
            "How many pieces it learns from in one step; fewer need less memory.",
            Whole(1, 256),
        ),
        (
            "learning_rate",
            "Learning rate",
            "How far one step changes the network; lower it if the loss jumps.",
            Fraction(1e-6, 1.0, 0.0005, none="auto"),
        ),
        (
            "max_steps",
            "Max steps",
            "Training ends after this many steps, or the seconds below, whichever comes first.",
            Whole(0, 10_000_000, none=_FROM_PRESET),
        ),
        (
            "max_seconds",
            "Max seconds",
            "Training ends after this many seconds, or the steps above, whichever comes first.",
            Fraction(0.1, 30 * 24 * 3600.0, 10.0, none=_FROM_PRESET),
        ),
        (
            "seed",
            "Seed",
            "Same seed, same settings, same device: same result.",
            Whole(0, 2**31 - 1),
        ),
        (
            "device",
            "Device",
            "Where to compute. A graphics card (GPU) is many times faster.",
            Choice(
                {
                    "auto": "Auto (GPU if there is one)",
                    "cpu": "CPU",
                    "cuda": "CUDA (NVIDIA, AMD)",
                    "mps": "MPS (Apple)",
                }
            ),
        ),
        (
            "mixed_precision",
            "Mixed precision",
            "Train with shorter numbers where the device is faster with them.",
            Switch(),
        ),
    ]
