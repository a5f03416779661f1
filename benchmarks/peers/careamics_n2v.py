"""Noise2Void of CAREamics (BSD-3-Clause) on one image: ``NOISY.tif RESULT.tif``."""

import sys
import tempfile

import tifffile
from careamics import CAREamist
from careamics.config import create_n2v_config

noisy = tifffile.imread(sys.argv[1]).astype("float32")
config = create_n2v_config(
    "n2v",
    data_type="array",
    axes="YX",
    patch_size=[64, 64],
    batch_size=8,
    num_epochs=100,
    use_n2v2=True,
)
with tempfile.TemporaryDirectory() as folder:
    careamist = CAREamist(config, work_dir=folder, enable_progress_bar=False)
    careamist.train(train_data=noisy)
    (result,), _ = careamist.predict(noisy)
tifffile.imwrite(sys.argv[2], result.reshape(noisy.shape).astype("float32"))
