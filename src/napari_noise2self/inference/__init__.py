"""From a network to a denoised plane: every pixel predicted from the others, then mixed in."""
