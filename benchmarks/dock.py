"""The dock in a real window: blocks of the main thread, time to react, and what is left behind.

xvfb-run -a python benchmarks/dock.py [--size 2048] [--planes 1] [--rounds 50] [--only PART]
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from functools import partial
from pathlib import Path

os.environ["NAPARI_CONFIG"] = ""  # nothing is read from, or written to, the user's settings

import napari
import numpy as np
import psutil
from napari.utils.notifications import notification_manager
from qtpy.QtCore import QEventLoop, Qt, QThreadPool, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QLabel

from napari_noise2self import Settings
from napari_noise2self.widgets.dock import State

ENDLESS = Settings(preset="fast", width=8, max_steps=1_000_000, max_seconds=600.0, device="cpu")
PARTS = ("session", "slider", "preview", "closing", "rounds")
MOMENTS = ("loading PyTorch", "calibrating", "first steps", "training", "denoising")
CLOSING = """
import sys, time
import napari
from qtpy.QtCore import QTimer
from dock import State, begin, open_dock, wait
moment, size = sys.argv[1], int(sys.argv[2])
viewer, dock = open_dock(size, 1)
wait(1000)
begin(dock)
while True:
    wait(10)
    stage = dock.progress.stage.text()
    if (
        moment == "loading PyTorch"
        or (moment == "calibrating" and stage.startswith("Calibrating"))
        or (moment == "first steps" and stage.startswith("Training"))
        or (moment == "training" and dock.plot.points)
        or (moment == "denoising" and dock.state is State.PREDICTING)
    ):
        break
    if moment == "denoising" and dock.plot.points and dock.state is State.TRAINING:
        dock.stop()
wait(200)
print(time.time(), flush=True)
QTimer.singleShot(0, viewer.close)
napari.run()
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=int, default=2048, help="side of the image, in pixels")
    parser.add_argument("--planes", type=int, default=1, help="of the stack")
    parser.add_argument("--rounds", type=int, default=50, help="of train, cancel, delete")
    parser.add_argument("--only", choices=PARTS, action="append", help="some parts only")
    options = parser.parse_args()
    print(f"load {', '.join(f'{load:.1f}' for load in psutil.getloadavg())}")
    for part in options.only or PARTS:
        print(f"\n{part}, {options.planes} × {options.size} × {options.size}")
        globals()[part](options)


class Pulse:
    """Beats in the event loop every millisecond; prints the longest pause of each phase.

    And how long the main thread itself worked in one pause at most: what would be left of it on a
    machine without other processes, if no other thread held Python's lock.
    """

    def __init__(self) -> None:
        self._beating = False
        self._last = self._worked = self._longest = self._most_worked = 0.0
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._timer.start(1)

    @contextmanager
    def during(self, phase: str):
        """Give what goes on a name; print the longest pause while it lasts."""
        wait(20)
        self._longest = self._most_worked = 0.0
        self._beating = True
        yield
        wait(20)
        self._beating = False
        pause, work = 1000 * self._longest, 1000 * self._most_worked
        print(f"  {phase:<34} {pause:6.0f} ms, worked {work:4.0f} ms", flush=True)

    def _beat(self) -> None:
        now, worked = time.perf_counter(), time.thread_time()
        if self._beating:
            self._longest = max(self._longest, now - self._last)
            self._most_worked = max(self._most_worked, worked - self._worked)
        self._last, self._worked = now, worked


def session(options: argparse.Namespace) -> None:
    """The longest blocks of the main thread, from opening the dock to closing it."""
    viewer = napari.Viewer()
    viewer.add_image(noise(options), name="cells")
    wait(1000)
    pulse = Pulse()
    with pulse.during("napari alone: add a dock"):
        empty = viewer.window.add_dock_widget(QLabel("empty"))
    with pulse.during("napari alone: close it"):
        viewer.window.remove_dock_widget(empty)
    other = noise_of(options.size, 1).astype(np.float32)
    with pulse.during("napari alone: add a layer"):
        layer = viewer.add_image(other)
    with pulse.during("napari alone: change its data"):
        layer.data = other + 1
    with pulse.during("napari alone: remove it"):
        viewer.layers.remove(layer)
    with pulse.during("open the dock"):
        frame, opening = viewer.window.add_plugin_dock_widget("napari-noise2self", "Denoise")
        until(frame.isVisible)
    dock = opening.dock
    with pulse.during("a moment later: pyqtgraph"):
        wait(300)
    with pulse.during("start to training"):
        begin(dock)
        until(lambda: dock.plot.points)
    with pulse.during("training, previews"):
        wait(5000)
    with pulse.during("pan and zoom"):
        for step in range(40):
            viewer.scene.camera.zoom = 0.3 + step / 10
            viewer.scene.camera.center = (0, 500 + 10 * step, 700)
            wait(20)
    with pulse.during("partition size"):
        for size in (3, 4, 5):
            dock.form.editor("partition_size").put(size)
            wait(300)
    with pulse.during("stop to result"):
        dock.stop()
        until(lambda: dock.state is State.IDLE)
        wait(500)
    with pulse.during("hold to see noisy, five times"):
        for _ in range(5):
            QTest.mousePress(dock.compare.hold, Qt.MouseButton.LeftButton)
            wait(50)
            QTest.mouseRelease(dock.compare.hold, Qt.MouseButton.LeftButton)
            wait(50)
    with pulse.during("amount from 0 to 100"):
        for amount in range(0, 101, 10):
            dock.compare.amount.setValue(amount)
            wait(20)
    with pulse.during("wipe from 0 to 100"):
        for border in range(0, 101, 10):
            dock.compare.wipe.setValue(border)
            wait(20)
    with pulse.during("show hidden pixels"):
        dock.hidden_pixels.show_button.click()
    with pulse.during("hidden pixels, partition size"):
        for size in range(2, 11):
            dock.form.editor("partition_size").put(size)
            wait(20)
    with pulse.during("hide them"):
        dock.hidden_pixels.show_button.click()
    with pulse.during("napari removes their layer"):
        wait(300)
    with pulse.during("close the dock"):
        viewer.window.remove_dock_widget(frame)
        wait(300)
    viewer.close()


def slider(options: argparse.Namespace) -> None:
    """From a new partition size to the overlay, as it is drawn."""
    viewer, dock = open_dock(options.size, options.planes)
    wait(1000)
    dock.hidden_pixels.show_button.click()
    wait(1000)
    times = []
    for size in (3, 4, 5, 6, 7, 8):
        times.append(seconds(lambda size=size: change_size(dock, size)))
        wait(200)
    print(f"  drawn after {1000 * np.median(times):.0f} ms, at most {1000 * max(times):.0f}")
    viewer.close()


def preview(options: argparse.Namespace) -> None:
    """From a new partition size to a trained model's prediction of 512 × 512 pixels on view."""
    viewer, dock = open_dock(512, 1)
    dock.form.set_settings(Settings(preset="fast", max_steps=10, device="cpu"))
    dock.start_button.click()
    until(lambda: dock.state is State.IDLE)
    dock.hidden_pixels.show_button.click()
    plane = dock.hidden_pixels.predict_button.plane
    dock.hidden_pixels.predict_button.click()
    until(lambda: plane._job is None)
    for size in (3, 4, 5, 6, 8, 10):
        wait(500)
        started = time.perf_counter()
        change_size(dock, size)
        seen = []
        for signal in (plane._job.shown, plane._job.succeeded):
            signal.connect(partial(note_share, seen, started, viewer.layers[0].data))
        until(lambda: plane._job is None)
        print(f"  size {size}: " + ", then ".join(seen))
    viewer.close()


def note_share(seen: list[str], started: float, noisy, shown) -> None:
    """Note how much of the image is predicted by now."""
    share = 100 * np.mean(shown != noisy)
    seen.append(f"{time.perf_counter() - started:.2f} s for {share:.0f} % of the image")


def change_size(dock, size: int) -> None:
    """Choose a partition size, and let the window be drawn."""
    dock.form.editor("partition_size").put(size)
    QApplication.processEvents()


def seconds(do: Callable[[], object]) -> float:
    """Return how long something takes."""
    started = time.perf_counter()
    do()
    return time.perf_counter() - started


def closing(options: argparse.Namespace) -> None:
    """From Cancel to idle, and from a window closed while training to the end of the process."""
    viewer, dock = open_dock(512, 1)
    begin(dock)
    until(lambda: dock.plot.points)
    started = time.perf_counter()
    dock.progress.cancel.click()
    idle = time.perf_counter() - started
    until(lambda: not QThreadPool.globalInstance().activeThreadCount())
    thread = time.perf_counter() - started
    print(f"  Cancel to idle {1000 * idle:.0f} ms, to the thread's end {1000 * thread:.0f} ms")
    viewer.close()
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n{CLOSING}"
    for moment in MOMENTS:
        command = [sys.executable, "-c", code, moment, str(options.size)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        print(f"  closed while {moment}: {time.time() - float(done.stdout.split()[-1]):.1f} s")


def rounds(options: argparse.Namespace) -> None:
    """What grows while a layer is trained on, cancelled and deleted again and again."""
    viewer, dock = open_dock(512, 1)
    process = psutil.Process()
    before: dict[str, float] = {}
    for number in range(options.rounds + 1):
        begin(dock)
        until(lambda: dock.progress.stage.text().startswith("Training"))
        wait(100)
        dock.progress.cancel.click()
        until(lambda: not QThreadPool.globalInstance().activeThreadCount())
        viewer.layers.clear()
        wait(100)  # napari 0.9 crashes where layers come before those that went are drawn
        viewer.add_image(noise_of(512, 1), name="cells")
        wait(100)
        if number in (0, options.rounds // 2, options.rounds):
            gc.collect()
            trim()
            figures = {
                "RSS MB": process.memory_info().rss / 1e6,
                "threads": process.num_threads(),
                "layers": len(viewer.layers),
                "timers": sum(issubclass(type(thing), QTimer) for thing in gc.get_objects()),
                "callbacks": callbacks(viewer),
                "notices": len(notification_manager.records),
            }
            growth = {name: figures[name] - before.get(name, 0) for name in figures}
            before = before or figures
            print(f"  after {number:3} rounds", {n: round(v) for n, v in growth.items()})
    viewer.close()


def trim() -> None:
    """Give free memory back to the system, as far as the C library can."""
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)


def callbacks(viewer: napari.Viewer) -> int:
    """How many callbacks listen to the viewer."""
    groups = (viewer.layers.events, viewer.dims.events, viewer.scene.camera.events)
    return sum(len(emitter.callbacks) for group in groups for emitter in group.emitters.values())


def open_dock(size: int, planes: int, *, show: bool = True):
    """A window with an image, and the dock."""
    viewer = napari.Viewer(show=show)
    viewer.add_image(noise_of(size, planes), name="cells")
    dock = viewer.window.add_plugin_dock_widget("napari-noise2self", "Denoise")[1].dock
    return viewer, dock


def begin(dock) -> None:
    """Start a training that only ends when it is told to."""
    dock.form.set_settings(ENDLESS)
    dock.start_button.click()


def noise(options: argparse.Namespace) -> np.ndarray:
    return noise_of(options.size, options.planes)


def noise_of(size: int, planes: int) -> np.ndarray:
    """Photons of a smooth pattern."""
    rows, columns = np.ogrid[:size, :size]
    clean = 40 + 30 * np.sin(rows / 20) * np.cos(columns / 30)
    stack = np.random.default_rng(0).poisson(np.broadcast_to(clean, (planes, size, size)))
    return stack.astype(np.uint16)[0 if planes == 1 else slice(None)]


def wait(milliseconds: int) -> None:
    """Let an event loop run: only there Qt deletes what napari let go of, unlike in QTest.qWait."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def until(happens: Callable[[], object], seconds: float = 300) -> None:
    """Let the event loop run until something happens."""
    end = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < end, "it took too long"
        wait(5)


if __name__ == "__main__":
    main()
