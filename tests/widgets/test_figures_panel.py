"""The figures of a result: in short at once, in detail when they are wanted."""

from drive import run, wait_for_threads
from qtpy.QtWidgets import QLabel


def labels(dock):
    """What is on view of the figures."""
    shown = dock.figures.findChildren(QLabel)
    return {label.text() for label in shown if label.isVisibleTo(dock)}


def test_details_are_made_when_they_are_wanted(viewer, dock, qtbot, noisy, tiny):
    viewer.add_image(noisy, name="cells")
    run(qtbot, dock, tiny)
    before = len(dock.figures.findChildren(QLabel))
    assert "Estimated PSNR" in labels(dock)
    assert "Held-out loss" not in labels(dock)
    dock.figures.details.header.click()
    assert "Held-out loss" in labels(dock)
    assert len(dock.figures.findChildren(QLabel)) > before + 5

    dock.models.apply.click()  # which has no held-out loss
    qtbot.waitUntil(lambda: len(viewer.layers) == 3, timeout=30_000)
    wait_for_threads(qtbot)
    assert "Held-out loss" not in labels(dock)
    dock.figures.details.header.click()
    dock.compare.choose(viewer.layers["cells denoised"])
    dock.figures.details.header.click()
    assert "Held-out loss" in labels(dock)
