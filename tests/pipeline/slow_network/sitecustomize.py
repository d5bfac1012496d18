"""On PYTHONPATH, this slows extraction down and writes every image that passes the network into a file.

Python imports a module of this name by itself, in every process, so that the stage can be slow under DVC and its
queue workers too, with none of its own code changed. The pipeline is cut at the input here: batches are computed one
after the other, in the order of the images.
"""

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

SLOWED = "onepass.engines.batch_inference"
BATCH = int(os.environ.get("SLOW_BATCH", "4"))


def slow_down(module: ModuleType) -> None:
    """Smaller batches, a pause in each, and a line for each image in the file that COMPUTED names."""
    infer: Callable[..., Iterator[Any]] = module.infer

    def slowly(
        items: Iterable[Any], pixels_of: Any, shape: Any, forward: Any, batch: int, **more: Any
    ) -> Iterator[Any]:
        taken: list[str] = []

        def noted() -> Iterator[Any]:
            for item in items:
                taken.append(item.view.hash)
                yield item

        def call(pixels: Any) -> Any:
            features = forward.call(pixels)
            some, taken[:batch] = taken[:batch], []
            with open(os.environ.get("COMPUTED", "computed.log"), "a") as log:  # noqa: PTH123 - no need for pathlib
                log.write("".join(f"{hash_}\n" for hash_ in some))
            time.sleep(0.05)
            return features

        return infer(noted(), pixels_of, shape, forward._replace(call=call), batch, **more)

    module.BATCH, module.infer = BATCH, slowly  # type: ignore[attr-defined]


class SlowFinder(MetaPathFinder):
    """Finds the one module, and slows it down when it has been executed."""

    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target) if name == SLOWED else None
        if spec and spec.loader:
            execute = spec.loader.exec_module

            def execute_and_slow_down(module: ModuleType) -> None:
                execute(module)
                slow_down(module)

            spec.loader.exec_module = execute_and_slow_down  # type: ignore[method-assign]
        return spec


sys.meta_path.insert(0, SlowFinder())
