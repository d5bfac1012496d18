"""What every source of Keras networks does alike; a new one says where the whole network comes from."""

import hashlib
import json
from abc import ABC, abstractmethod
from typing import Any

from onepass.backbones.backbone import Backbone, Network
from onepass.engines import Engine
from onepass.params import BackboneParams


class KerasSource(ABC):
    """A source whose networks are Keras models of one input, RGB pixels with the channels last."""

    names: tuple[str, ...] = ()
    model_format = "keras"
    reads_publisher = False

    @abstractmethod
    def check(self, params: BackboneParams) -> None:
        """As in ``Source``."""

    def unread_keys(self, params: BackboneParams) -> dict[str, str]:
        """Pretrained networks see colour."""
        return {"color_mode": f"backbone.layer: {params.cut}"}

    @abstractmethod
    def resolve(self, params: BackboneParams, engine: Engine) -> Backbone:
        """As in ``Source``."""

    @abstractmethod
    def whole_keras_network(self, backbone: Backbone) -> Any:
        """The Keras model with its weights, in float32, not cut. UserError: they cannot be read or do not fit."""

    def network_to_save(self, backbone: Backbone) -> Any:
        """The same, as the whole model is to hold it."""
        return self.whole_keras_network(backbone)

    @abstractmethod
    def layers_of(self, backbone: Backbone, cut: Any) -> Any:
        """What says which layers the cut network has, as JSON can hold it: a name, or Keras's description."""

    def load(self, backbone: Backbone) -> Network:
        """Cut, frozen, batch normalisation folded."""
        from onepass.backbones.truncated_network import TruncatedNetwork  # noqa: PLC0415 - imports TensorFlow

        return TruncatedNetwork(backbone, self)

    def whole_network(self, backbone: Backbone) -> Any:
        """A function from uint8 RGB (batch, side, side, 3) to float32 features, of Keras's symbols."""
        from onepass.backbones.truncated_network import Cut  # noqa: PLC0415 - imports TensorFlow

        network = self.network_to_save(backbone)
        return Cut(backbone, network, in_bfloat16=backbone.precision == "bfloat16").features

    def cuts_to_try(self, backbone: Backbone) -> list[str]:
        """As in ``Source``; loads the network."""
        from onepass.backbones.cut_points import cuts_to_try  # noqa: PLC0415 - imports TensorFlow

        return cuts_to_try(self.whole_keras_network(backbone))

    def layers_above(self, backbone: Backbone, last: str, train_batch_norm: bool) -> Any:
        """A Keras model from maps to the output of ``last``. UserError: the cut or ``last`` does not allow it."""
        from onepass.backbones.fine_tuning import layers_above  # noqa: PLC0415 - imports TensorFlow

        return layers_above(backbone, self.whole_keras_network(backbone), last, train_batch_norm)

    def digest(self, backbone: Backbone, cut: Any) -> str:
        """sha256 over the layers and the weights (shapes and bytes, in network order) below the cut."""
        digest = hashlib.sha256(json.dumps(self.layers_of(backbone, cut), sort_keys=True).encode())
        for weight in cut.weights:
            array = weight.numpy()
            digest.update(f"{array.dtype.str} {array.shape};".encode())
            digest.update(array.tobytes())
        return digest.hexdigest()


def libraries(engine: Engine) -> tuple[str, ...]:
    """Whose versions can change the last bits of a Keras network's features."""
    return tuple(sorted({"keras", "tensorflow", engine.package}))
