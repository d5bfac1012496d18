"""Networks of keras.applications with a file of weights, and what is known of each without importing TensorFlow.

``tests/unit/backbones/test_keras_applications.py`` holds the table against Keras itself.
"""

from typing import Any, NamedTuple

from onepass.backbones.backbone import Backbone, register_source
from onepass.backbones.keras_source import KerasSource, libraries
from onepass.backbones.preprocessing import mode_of
from onepass.backbones.sources.keras_file import KERAS_FILE, KerasFile
from onepass.core import KERAS_SUFFIX
from onepass.engines import Engine
from onepass.params import BackboneParams, ParamsError


class Application(NamedTuple):
    """A network of keras.applications: where it lives and which pixels it was trained on."""

    module: str  # keras.applications.<module>
    preprocess: str  # a mode of backbones.preprocessing
    image_side: int  # pixels, the side it was trained with
    smallest_side: int  # pixels, what Keras accepts without the top


def _efficientnet(module: str, names_and_sides: str) -> dict[str, Application]:
    pairs = [pair.split(":") for pair in names_and_sides.split()]
    return {f"EfficientNet{name}": Application(module, "none", int(side), 32) for name, side in pairs}


def _alike(names: str, module: str, preprocess: str, side: int, smallest: int) -> dict[str, Application]:
    return {name: Application(module, preprocess, side, smallest) for name in names.split()}


APPLICATIONS: dict[str, Application] = {
    **_alike("ConvNeXtTiny ConvNeXtSmall ConvNeXtBase ConvNeXtLarge ConvNeXtXLarge", "convnext", "none", 224, 32),
    **_alike("DenseNet121 DenseNet169 DenseNet201", "densenet", "torch", 224, 32),
    **_efficientnet("efficientnet", "B0:224 B1:240 B2:260 B3:300 B4:380 B5:456 B6:528 B7:600"),
    **_efficientnet("efficientnet_v2", "V2B0:224 V2B1:240 V2B2:260 V2B3:300 V2S:384 V2M:480 V2L:480"),
    **_alike("InceptionResNetV2", "inception_resnet_v2", "tf", 299, 75),
    **_alike("InceptionV3", "inception_v3", "tf", 299, 75),
    **_alike("MobileNet", "mobilenet", "tf", 224, 32),
    **_alike("MobileNetV2", "mobilenet_v2", "tf", 224, 32),
    **_alike("MobileNetV3Large MobileNetV3Small", "mobilenet_v3", "none", 224, 32),
    **_alike("NASNetLarge", "nasnet", "tf", 331, 32),
    **_alike("NASNetMobile", "nasnet", "tf", 224, 32),
    **_alike("ResNet50 ResNet101 ResNet152", "resnet", "caffe", 224, 32),
    **_alike("ResNet50V2 ResNet101V2 ResNet152V2", "resnet_v2", "tf", 224, 32),
    **_alike("VGG16", "vgg16", "caffe", 224, 32),
    **_alike("VGG19", "vgg19", "caffe", 224, 32),
    **_alike("Xception", "xception", "tf", 299, 71),
}


class KerasApplications(KerasSource):
    """The source behind VGG16, ResNet50, MobileNet and the others."""

    names = tuple(APPLICATIONS)

    def check(self, params: BackboneParams) -> None:
        """ParamsError: another kind of file, or a side that the network cannot see."""
        smallest = APPLICATIONS[params.name].smallest_side
        if not params.weights.endswith((KERAS_SUFFIX, ".h5")):
            raise ParamsError([f"backbone.weights: {params.weights!r} given; allowed: a .h5 or a {KERAS_SUFFIX} file"])
        if params.image_side != "native" and params.image_side < smallest:
            raise ParamsError(
                [
                    f"backbone.image_side: {params.image_side} given; allowed for {params.name}: "
                    f"{smallest}..4096, or native"
                ]
            )

    def unread_keys(self, params: BackboneParams) -> dict[str, str]:
        """Of a network in a .keras file the name says no more than how it was trained to see pixels."""
        unread = super().unread_keys(params)
        if params.weights.endswith(KERAS_SUFFIX) and params.preprocess != "native":
            unread["name"] = f"backbone.weights: {params.weights} with backbone.preprocess: {params.preprocess}"
        return unread

    def resolve(self, params: BackboneParams, engine: Engine) -> Backbone:
        """A .keras file brings its own architecture; what is known is how it was trained."""
        known = APPLICATIONS[params.name]
        preprocess = known.preprocess if params.preprocess == "native" else params.preprocess
        if params.weights.endswith(KERAS_SUFFIX):
            source = FILES[params.name] if params.preprocess == "native" else KERAS_FILE
            return source.resolve(params.model_copy(update={"preprocess": preprocess}), engine)
        return Backbone.of(
            params,
            source=self,
            engine=engine,
            architecture=params.name,
            side=known.image_side if params.image_side == "native" else params.image_side,
            preprocess=mode_of(preprocess),
            libraries=libraries(engine),
        )

    def whole_keras_network(self, backbone: Backbone) -> Any:
        """Built anew and filled from the file, whichever version of Keras wrote it."""
        from onepass.backbones.keras_loading import load_weights_into  # noqa: PLC0415 - imports TensorFlow

        network = build_application(backbone.architecture, backbone.side)
        load_weights_into(network, backbone.weights, backbone.architecture)
        return network

    def layers_of(self, backbone: Backbone, _cut: Any) -> Any:
        """Keras knows the layers by the name."""
        return backbone.architecture


def build_application(name: str, side: int) -> Any:
    """The network of keras.applications without its top and with random weights."""
    from onepass.tensorflow import keras  # noqa: PLC0415 - imports TensorFlow

    return getattr(keras.applications, name)(include_top=False, weights=None, input_shape=(side, side, 3))


# Networks of these names in .keras files, which were trained on the pixels that the name tells.
FILES = {name: KerasFile(name, build_application) for name in APPLICATIONS}
register_source(KerasApplications())
