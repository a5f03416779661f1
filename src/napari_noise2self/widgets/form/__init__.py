"""The settings, as a form; and where they are remembered."""
