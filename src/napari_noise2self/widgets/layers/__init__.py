"""From napari's layers to arrays, and from results to layers."""
