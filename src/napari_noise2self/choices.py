"""What settings leave open, decided once the noise of the images is known."""

from __future__ import annotations

from collections.abc import Sequence

from .noise.correlation import Correlation, choose_exclusion
from .noise.stabilise import Stabiliser
from .partition import Partition
from .settings import Settings


def choose_partition(
    settings: Settings, stabilisers: Sequence[Stabiliser]
) -> tuple[Partition, str]:
    """Return the partition: an "auto" exclusion follows the strongest noise correlation.

    Parameters
    ----------
    settings : Settings
        Uses what `Partition.from_settings` does.
    stabilisers : sequence of Stabiliser
        Of the channels, with their noise.

    Returns
    -------
    partition : Partition
        Which pixels are hidden together.
    note : str
        Which exclusion that is, and why, in one sentence.
    """
    correlation = Correlation.of_channels([s.noise.correlation for s in stabilisers])
    exclusion, note = choose_exclusion(correlation)
    partition = Partition.from_settings(settings, exclusion)
    if not settings.chooses_exclusion:
        note = f"Exclusion as asked for: {partition.exclusion.name}."
    return partition, note


def keeps_weights(settings: Settings) -> bool:
    """Tell whether pretrained weights may be left as they are: no steps were asked for.

    None at all is what a result of correlated noise says of itself, and no preset takes none.
    """
    settings = settings.effective
    return settings.start == "pretrained" and not settings.max_steps


def learns_nothing(settings: Settings, partition: Partition) -> bool:
    """Tell whether pretrained weights are better left as they are.

    Where noise is correlated, some reaches beyond any exclusion: training would learn it, and the
    held-out loss would not tell.

    Parameters
    ----------
    settings : Settings
        Steps that they ask for are taken in any case.
    partition : Partition
        With its exclusion.
    """
    return keeps_weights(settings) and partition.exclusion.radius > 0
