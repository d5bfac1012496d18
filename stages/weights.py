"""weights: which file the pretrained network comes from, by its content.

Reads   backbone.weights.
Writes  data/weights.json, its sha256, before any stage that needs the file (see onepass/params/weights_record.py).
"""

from pathlib import Path

from onepass.core import run_stage
from onepass.params import BackboneParams, read_params, record_weights


def main(record: Path) -> None:
    record_weights(read_params().read(BackboneParams).weights, record)


if __name__ == "__main__":
    run_stage(main)
