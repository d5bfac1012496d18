"""TensorFlow and Keras, imported in one place because what must be set before the import is easily forgotten.

Importing this costs seconds: stages do it inside the function that needs it.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # no start-up chatter between the stages' own lines
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import tensorflow as tf

keras.backend.set_floatx("float32")  # ~/.keras/keras.json of this machine must not change anybody's results
keras.backend.set_image_data_format("channels_last")

__all__ = ["keras", "tf"]
