"""What the pretrained network tells of an image and its noise before any training."""
