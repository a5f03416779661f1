"""Layouts without margins: only the dock around them has some."""

from __future__ import annotations

from typing import TypeVar

from qtpy.QtCore import QCoreApplication, QEvent
from qtpy.QtWidgets import QFormLayout, QHBoxLayout, QLayout, QVBoxLayout, QWidget

_Layout = TypeVar("_Layout", bound=QLayout)


def column(owner: QWidget, *parts: QWidget) -> QVBoxLayout:
    """Lay out the parts of a widget below each other."""
    return _filled(QVBoxLayout(owner), parts)


def row(owner: QWidget, *parts: QWidget) -> QHBoxLayout:
    """Lay out the parts of a widget beside each other."""
    return _filled(QHBoxLayout(owner), parts)


def form(owner: QWidget) -> QFormLayout:
    """Let a widget have rows of a label and a field, which takes all the room beside it."""
    layout = _filled(QFormLayout(owner), ())
    layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return layout


def settle() -> None:
    """Lay out at once what has changed: else Qt draws the window after each level of it."""
    QCoreApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)


def _filled(layout: _Layout, parts: tuple[QWidget, ...]) -> _Layout:
    layout.setContentsMargins(0, 0, 0, 0)
    for part in parts:
        layout.addWidget(part)
    return layout
