"""What is known of each network of keras.applications without importing TensorFlow.

``tests/test_applications.py`` holds this table against Keras itself.
"""

from typing import NamedTuple


class Application(NamedTuple):
    """A network of keras.applications: where it lives and which pixels it was trained on."""

    module: str  # keras.applications.<module>
    preprocess: str  # a mode of stages.shared.backbone.preprocessing
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
