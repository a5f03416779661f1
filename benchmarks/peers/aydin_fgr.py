"""Noise2Self by feature generation and regression of aydin (BSD-3-Clause): ``NOISY RESULT``."""

import sys

import tifffile
from aydin.restoration.denoise.noise2selffgr import Noise2SelfFGR

noisy = tifffile.imread(sys.argv[1])
denoiser = Noise2SelfFGR(variant="lgbm")
denoiser.train(noisy)
tifffile.imwrite(sys.argv[2], denoiser.denoise(noisy).astype("float32"))
