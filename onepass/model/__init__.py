"""The one model that comes out: from the pixels of a photo to the probability of each class, in one file.

A source of backbones says in which format; a file here a format. ``keras_model`` is the one that train-head writes
today, ``exports`` hands it on to other programs. TensorFlow is imported when a model is written or read.
"""

from onepass.model.openvino_files import open_openvino, save_onnx_as_openvino
from onepass.model.sample_photos import Difference, sample_photos
from onepass.model.writers import check_is_here, register_model_writer, write_model

__all__ = [
    "Difference",
    "check_is_here",
    "open_openvino",
    "register_model_writer",
    "sample_photos",
    "save_onnx_as_openvino",
    "write_model",
]
