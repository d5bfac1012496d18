"""The interval of an accuracy."""

import math

LEVEL = 0.05  # p-values below it count; intervals hold the truth with a probability of 1 - LEVEL
Z = 1.959963984540054  # the normal distribution's quantile of 1 - LEVEL / 2: importing scipy for it costs 0.1 s


def wilson(accuracy: float, images: float) -> tuple[float, float]:
    """95 % interval of an accuracy, or of a mean of accuracies on the same images (Wilson, 1927).

    Honest near 0 and 1 and for few images. For a mean over seeds it is rather too wide than too narrow: an image's
    share of right seeds varies less than a single answer that is as often right.

    Args:
        accuracy: 0..1.
        images: at least one.

    """
    centre = (accuracy + Z**2 / (2 * images)) / (1 + Z**2 / images)
    margin = Z / (1 + Z**2 / images) * math.sqrt(accuracy * (1 - accuracy) / images + Z**2 / (4 * images**2))
    # Rounding must not put the accuracy outside, least of all at 0 and 1.
    return max(0.0, min(accuracy, centre - margin)), min(1.0, max(accuracy, centre + margin))
