"""Up to where the answers of a model are believed."""

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

Number = Annotated[float, Field(allow_inf_nan=False)]


class Limits(BaseModel):
    """Chosen on photos of one's own, of which a share may lie beyond them."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    refuse: Annotated[float, Field(ge=0, lt=1)]  # that share, as predict.refuse gave it
    images: Annotated[int, Field(ge=1)]  # photos that they were chosen on
    sure: Number  # the least probability of a class that the model is sure of
    familiar: Number  # the largest distance of a photo that is like those that trained
    in_set: Annotated[float, Field(ge=0, le=1)] | None  # the least probability of a class in a photo's set; None: too
    # few photos to say

    def are_sure(self, probabilities: NDArray[Any]) -> NDArray[np.bool_]:
        """Of photos with these probabilities, (images, classes): (images,)."""
        return np.asarray(probabilities.max(axis=1) >= self.sure)

    def are_familiar(self, distances: NDArray[Any]) -> NDArray[np.bool_]:
        """Of photos this far, (images,), from those that trained: (images,)."""
        return np.asarray(distances <= self.familiar)

    def sets(self, probabilities: NDArray[Any]) -> NDArray[np.bool_]:
        """Which classes are in each photo's set, (images, classes): all that are probable enough, and the best.

        ValueError: there were too few photos to say.
        """
        if self.in_set is None:
            raise ValueError("no set is promised")
        inside = probabilities >= self.in_set
        inside[np.arange(len(inside)), probabilities.argmax(axis=1)] = True
        return np.asarray(inside)
