"""The charts of the docks, on pyqtgraph."""
