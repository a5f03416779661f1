"""Honest figures without a clean image, and the words that tell them."""
