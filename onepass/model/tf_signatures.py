"""The whole model as TensorFlow functions, for the formats that other programs read."""

from functools import partial
from typing import Any

from onepass.model.keras_model import RESIZE, Model, in_float32
from onepass.photos import Framing
from onepass.tensorflow import tf

PHOTOS = tf.TensorSpec((None, None, None, 3), tf.uint8, name="photos")
FILES = tf.TensorSpec((None,), tf.string, name="files")


def portable(model: Model) -> Any:
    """uint8 RGB photos (batch, height, width, 3), 0..255, to what ``answers_of`` gives.

    Resized by simple operations: TensorFlow's own one for it exists in no other format. In float32.
    """
    framing, after_resize = model.framing, model.after_resize()
    if model.precision == "bfloat16":
        after_resize = in_float32(after_resize)

    def answers(photos: Any) -> dict[str, Any]:
        seen = photos if framing.crop is None else middle(photos)
        return answers_of(model, after_resize(resized(seen, framing), training=False))

    return tf.function(answers, input_signature=[PHOTOS])


def answers_of(model: Model, columns: Any) -> dict[str, Any]:
    """Named outputs, of what ``Model.answers`` gives.

    Returns:
        ``probabilities``, float32 (batch, classes); of a model with limits also ``distance``, float32 (batch, 1), and
        ``sure`` and ``familiar``, bool (batch, 1).

    """
    classes = len(model.classes)
    probabilities = columns[:, :classes]
    if model.limits is None:
        return {"probabilities": probabilities}
    distance = columns[:, classes:]
    sure = tf.reduce_max(probabilities, axis=1, keepdims=True) >= model.limits.sure
    familiar = distance <= model.limits.familiar
    return {"probabilities": probabilities, "distance": distance, "sure": sure, "familiar": familiar}


def of_pixels(model: Model) -> Any:
    """The same, resized by TensorFlow's own operation: the model itself."""
    network = model.answers()

    def answers(photos: Any) -> dict[str, Any]:
        return _named(model, network(photos, training=False))

    return tf.function(answers, input_signature=[PHOTOS])


def of_files(model: Model) -> Any:
    """The bytes of image files, strings (batch,), to probabilities and the class that is the most probable.

    JPEG, PNG, GIF and BMP, decoded as large as the photos were that the model learned from. Unlike this project's own
    decoding it does not turn a photo as its EXIF orientation says, and takes the colour of transparent pixels as it
    stands in the file.
    """
    side = model.framing.side
    resize, after_resize = model.network.get_layer(RESIZE), model.after_resize()

    def pixels(file: Any) -> Any:
        image = tf.cond(
            tf.io.is_jpeg(file),
            lambda: _decoded_jpeg(file, model.smallest),
            lambda: tf.io.decode_image(file, channels=3, expand_animations=False),
        )
        if model.smallest is not None:
            image = _block_means(image, model.smallest)
        return resize(tf.ensure_shape(image, PHOTOS.shape[1:])[None])[0]

    def answers(files: Any) -> dict[str, Any]:
        photos = tf.map_fn(pixels, files, fn_output_signature=tf.TensorSpec((side, side, 3), tf.uint8))
        return _named(model, after_resize(photos, training=False))

    return tf.function(answers, input_signature=[FILES])


def _decoded_jpeg(file: Any, smallest: int | None) -> Any:
    """Reduced in its transform as ``onepass.photos.decode`` asks Pillow to do it."""

    def decoded(ratio: int) -> Any:
        # Pillow's way to compute the transform
        return tf.io.decode_jpeg(file, channels=3, ratio=ratio, dct_method="INTEGER_ACCURATE")

    if smallest is None:
        return decoded(1)
    shorter = tf.reduce_min(tf.image.extract_jpeg_shape(file)[:2])
    steps = tf.reduce_sum(tf.cast(shorter // smallest >= [2, 4, 8], tf.int32))
    return tf.switch_case(steps, [partial(decoded, ratio) for ratio in (1, 2, 4, 8)])


def _block_means(image: Any, smallest: int) -> Any:
    """uint8 (height, width, 3) reduced by whole numbers to no less than ``smallest``, as Pillow's ``reduce`` does.

    Pillow divides by a product with a whole number, which is a level too low at times; the last blocks may be smaller.
    """
    size = tf.shape(image)[:2]
    block = tf.maximum(size // smallest, 1)
    blocks = -(-size // block)
    height, width = (tf.minimum(block[axis], size[axis] - tf.range(blocks[axis]) * block[axis]) for axis in range(2))
    pixels = tf.cast(height[:, None] * width[None, :], tf.int64)[..., None]
    rows, columns = tf.unstack(blocks * block - size)
    padded = tf.pad(tf.cast(image, tf.int64), [[0, rows], [0, columns], [0, 0]])
    sums = tf.reduce_sum(tf.reshape(padded, [blocks[0], block[0], blocks[1], block[1], 3]), axis=(1, 3))
    return tf.cast((sums + pixels // 2) * ((1 << 24) // pixels) // (1 << 24), tf.uint8)


def _named(model: Model, columns: Any) -> dict[str, Any]:
    names = tf.constant([name.encode(errors="surrogateescape") for name in model.classes])
    answers = answers_of(model, columns)
    return answers | {"predicted": tf.gather(names, tf.argmax(answers["probabilities"], axis=1))}


def middle(photos: Any) -> Any:
    """The largest squares in the middle of photos (batch, height, width, 3)."""
    height, width = tf.unstack(tf.shape(photos)[1:3])
    length = tf.minimum(height, width)
    top, left = (height - length) // 2, (width - length) // 2
    return photos[:, top : top + length, left : left + length]


def resized(photos: Any, framing: Framing) -> Any:
    """uint8 photos squeezed to squares, as ``onepass.photos.resize`` does: rows, then columns."""
    rows = _blended(tf.cast(photos, tf.float32), framing)
    columns = _blended(tf.transpose(rows, [0, 2, 1, 3]), framing)
    levels = tf.round(tf.transpose(columns, [0, 2, 1, 3]))
    return tf.cast(tf.clip_by_value(levels, 0.0, 255.0), tf.uint8)


def _triangle(distance: Any) -> Any:
    return tf.maximum(0.0, 1.0 - distance)


def _cubic(distance: Any) -> Any:
    near = ((1.5 * distance - 2.5) * distance) * distance + 1.0
    far = ((-0.5 * distance + 2.5) * distance - 4.0) * distance + 2.0
    return tf.where(distance < 1.0, near, tf.where(distance < 2.0, far, 0.0))


FILTERS = {"bilinear": (_triangle, 1), "bicubic": (_cubic, 2)}  # and from where on they are 0


def _blended(pixels: Any, framing: Framing) -> Any:
    """``side`` rows for all rows of float32 (batch, rows, columns, 3), by a filter with antialias.

    Adds one neighbour after the other, with the roundings of ``onepass.photos.resizing``: many sums are ties
    between two levels, which a matrix product would decide otherwise.
    """
    side, (shape, radius) = framing.side, FILTERS[framing.interpolation]
    length = tf.cast(tf.shape(pixels)[1], tf.float32)
    scale = 1.0 / (side / length)
    wider = tf.maximum(scale, 1.0)
    reach = radius * wider
    centre = (tf.range(side, dtype=tf.float32) + 0.5) * scale
    first = tf.math.ceil(centre - reach - 0.5)  # neighbour of each new row
    neighbours = tf.cast(2 * reach, tf.int32) + 2

    def weights(number: Any) -> Any:
        place = first + tf.cast(number, tf.float32)
        inside = tf.cast((place >= 0) & (place < length), tf.float32)
        return shape(tf.abs(place + 0.5 - centre) * (1.0 / wider)) * inside

    def weighted(number: Any) -> Any:
        place = tf.clip_by_value(first + tf.cast(number, tf.float32), 0.0, length - 1.0)
        rows = tf.gather(pixels, tf.cast(place, tf.int32), axis=1)
        return rows * tf.reshape(weights(number) * share, [side, 1, 1])

    share = 1.0 / _sum(weights, neighbours, tf.zeros(side))
    return _sum(weighted, neighbours, tf.zeros_like(pixels[:, :1]) * tf.ones([side, 1, 1]))


def _sum(term: Any, count: Any, zero: Any) -> Any:
    """``term(0) + ... + term(count - 1)``, in this order."""
    _, total = tf.while_loop(
        lambda number, _: number < count, lambda number, total: (number + 1, total + term(number)), (0, zero)
    )
    return total
