"""A head start: weights learned once, on simulated images alone, for all others to begin from.

In stabilised space every microscope looks alike: the noise has variance 1, whatever the camera.
So what structures look like, and how to tell them from noise, can be learned beforehand. Nothing
here is needed to denoise; it makes the weights that the package ships:

    python -m napari_noise2self.pretraining OUT

    scenes ──► camera ──► batches ──► pretrain
    clean      noisy,     hidden      the loop, its checkpoints
    images     stable     pixels      and the weights

No photograph and no public data set is used, only what the modules here draw.
"""
