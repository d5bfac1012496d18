"""The whole model as TensorFlow functions, for the formats that other programs read."""

from typing import Any

from stages.shared.model_file import RESIZE, Model
from stages.shared.tensorflow import tf

PHOTOS = tf.TensorSpec((None, None, None, 3), tf.uint8, name="photos")
FILES = tf.TensorSpec((None,), tf.string, name="files")


def portable(model: Model) -> Any:
    """uint8 RGB photos (batch, height, width, 3), 0..255, to {"probabilities": float32 (batch, classes)}.

    Resized by two matrix products with one rounding: TensorFlow's own operation for that exists in no other
    format. Before rounding the two differ by less than 0.01 of 255 levels.
    """
    side, after_resize = model.side, model.after_resize()

    def probabilities(photos: Any) -> dict[str, Any]:
        return {"probabilities": after_resize(_resized(photos, side), training=False)}

    return tf.function(probabilities, input_signature=[PHOTOS])


def of_pixels(model: Model) -> Any:
    """The same, resized by TensorFlow's own operation: the model itself."""

    def probabilities(photos: Any) -> dict[str, Any]:
        return _named(model, model.network(photos, training=False))

    return tf.function(probabilities, input_signature=[PHOTOS])


def of_files(model: Model) -> Any:
    """The bytes of image files, strings (batch,), to probabilities and the class that is the most probable.

    JPEG, PNG, GIF and BMP. Unlike this project's own decoding it does not turn a photo as its EXIF orientation says,
    and takes the colour of transparent pixels as it stands in the file.
    """
    resize, after_resize = model.network.get_layer(RESIZE), model.after_resize()

    def pixels(file: Any) -> Any:
        image = tf.cond(
            tf.io.is_jpeg(file),
            lambda: tf.io.decode_jpeg(file, channels=3, dct_method="INTEGER_ACCURATE"),  # as Pillow decodes
            lambda: tf.io.decode_image(file, channels=3, expand_animations=False),
        )
        return resize(tf.ensure_shape(image, PHOTOS.shape[1:])[None])[0]

    def probabilities(files: Any) -> dict[str, Any]:
        photos = tf.map_fn(pixels, files, fn_output_signature=tf.TensorSpec((model.side, model.side, 3), tf.uint8))
        return _named(model, after_resize(photos, training=False))

    return tf.function(probabilities, input_signature=[FILES])


def _named(model: Model, probabilities: Any) -> dict[str, Any]:
    names = tf.constant([name.encode(errors="surrogateescape") for name in model.classes])
    return {"probabilities": probabilities, "predicted": tf.gather(names, tf.argmax(probabilities, axis=1))}


def _resized(photos: Any, side: int) -> Any:
    """uint8 photos squeezed to squares, as ``stages.shared.decoding.resize`` does."""
    height, width = tf.shape(photos)[1], tf.shape(photos)[2]
    columns = tf.reshape(tf.cast(photos, tf.float32), [-1, height, width * 3])
    rows = tf.reshape(tf.matmul(_triangle_filter(height, side), columns), [-1, side, width, 3])
    squares = tf.matmul(tf.transpose(rows, [0, 1, 3, 2]), _triangle_filter(width, side), transpose_b=True)
    return tf.cast(tf.round(tf.transpose(squares, [0, 1, 3, 2])), tf.uint8)


def _triangle_filter(length: Any, side: int) -> Any:
    """The weights of ``length`` pixels in each of ``side`` pixels: (side, length), rows of sum 1.

    With the same roundings as ``stages.shared.decoding``: many sums are ties between two levels.
    """
    scale = 1.0 / (side / tf.cast(length, tf.float32))
    reach = tf.maximum(scale, 1.0)
    centre = (tf.range(side, dtype=tf.float32)[:, None] + 0.5) * scale
    distance = tf.abs(tf.range(tf.cast(length, tf.float32)) + 0.5 - centre) * (1.0 / reach)
    weights = tf.maximum(0.0, 1.0 - distance)
    return weights * (1.0 / tf.reduce_sum(weights, axis=1, keepdims=True))
