"""Everything that knows Qt or napari; one file for each thing a user sees."""
