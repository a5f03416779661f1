"""The self-supervised training: what a network learns from, in which steps, and how it ends."""
