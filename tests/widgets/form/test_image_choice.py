"""The combo box of the images in a real dock."""

from drive import turn_wheel


def test_wheel_scrolls_the_dock_and_chooses_no_other_image(viewer, dock, noisy):
    for name in "abc":
        viewer.add_image(noisy, name=name)
    dock.images.value = viewer.layers["b"]
    assert not turn_wheel(dock.images.native)
    assert dock.images.value == viewer.layers["b"]
