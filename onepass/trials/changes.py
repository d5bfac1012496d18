"""What a person typed, -S SECTION.KEY=VALUE and the like, as the params of each experiment that it means."""

import copy
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple, get_args

from onepass.checks import committed_params, idle_keys, known_keys, problems_of
from onepass.core import UserError, read_yaml
from onepass.params import ParamsError, ParamsFile, unknown_key
from onepass.trials.recipes import FOLDER, complete_settings, read_recipe

PATHS = ("data.root", "backbone.weights")  # never a list of values, whatever commas are in them
NAME = re.compile(r"[^\s~^:?*\[\\\x00-\x20\x7f/.][^\s~^:?*\[\\\x00-\x20\x7f/]*")  # what git takes as a name


class Trial(NamedTuple):
    """One experiment."""

    name: str
    settings: dict[str, Any]  # what differs from the last commit by intention, section.key


def plan_trials(
    name: str, changes: Sequence[str], recipe: str | None = None, photos: Path | None = None, seeds: int = 1
) -> list[Trial]:
    """The experiments that these options mean; several have a number behind the name.

    Args:
        changes: SECTION.KEY=VALUE each; several values, separated by commas, make a grid.
        recipe: the name of one, from which the changes start.
        photos: becomes ``data.root``, see ``photos_in_params``.
        seeds: how many training seeds each is run with, counted from the one that it has.

    Raises:
        UserError: a name, key or value that cannot be used, or that nothing would read.

    """
    check_name(name)
    check_text(changes)
    base = complete_settings(read_recipe(FOLDER / f"{recipe}.yaml").params) if recipe else {}
    if photos:
        base["data.root"] = photos_in_params(photos)
    given = [*map(_parsed, changes)]
    keys = Counter([key for key, _ in given] + ["data.root"] * bool(photos))
    if twice := [key for key, times in keys.items() if times > 1]:
        raise UserError(f"{', '.join(twice)}: given twice. Several values go into one -S, separated by commas.")
    alternatives = [[(key, value) for value in values] for key, values in given]
    committed = committed_params()
    grid = [dict(chosen) for chosen in product(*alternatives)]
    found = []
    for chosen in grid:
        settings = {**base, **chosen}
        content = applied(committed, settings)
        _refuse(ParamsFile(content), [*chosen])
        first = content.get("train", {}).get("seed", 0)
        found += [{**settings, "train.seed": first + number} if seeds > 1 else settings for number in range(seeds)]
    if len(found) == 1:
        return [Trial(name, found[0])]
    return [Trial(f"{name}-{number}", settings) for number, settings in enumerate(found, start=1)]


def roots_of(trials: Iterable[Trial]) -> list[str]:
    """Where the photos of these experiments are: each data.root once, sorted."""
    committed = ParamsFile(committed_params()).value("data", "root")
    return sorted({str(trial.settings.get("data.root", committed)) for trial in trials})


def check_name(name: str) -> None:
    """UserError: git does not take it as the name of an experiment."""
    if not NAME.fullmatch(name) or name.endswith((".lock", ".")) or ".." in name or "@{" in name:
        raise UserError(f"{name!r} is no name that git takes: use letters, digits, - and _.")


def check_text(texts: Iterable[str]) -> None:
    """UserError: one is not UTF-8."""
    for text in texts:
        if any("\ud800" <= letter <= "\udfff" for letter in text):
            raise UserError(f"{text!r} is not UTF-8, which params.yaml has to be. Rename it, or make a link to it.")


def photos_in_params(photos: Path) -> str:
    """``data.root`` for these photos: inside this repository relative, so that it means the same for colleagues.

    Raises:
        UserError: they do not exist, or their name is not UTF-8.

    """
    if not photos.exists():
        raise UserError(f"--photos: {photos} does not exist. Give a folder of photos, or a CSV.")
    check_text([str(photos)])
    whole = photos.absolute()
    return str(whole.relative_to(Path.cwd()) if whole.is_relative_to(Path.cwd()) else whole)


def fixed_settings(changes: Sequence[str], sections: Sequence[str]) -> dict[str, Any]:
    """What -S gives, one value each, in these sections only. UserError: something else."""
    check_text(changes)
    settings = {}
    for key, values in map(_parsed, changes):
        if len(values) > 1 or key in settings or key.partition(".")[0] not in sections:
            raise UserError(
                f"-S {key}: allowed here are keys of {' and '.join(sections)}, once and with one value each."
            )
        settings[key] = values[0]
    return settings


def applied(content: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a params.yaml with these settings; what is given stays as it is."""
    changed = copy.deepcopy(dict(content))
    apply_settings(changed, settings)
    return changed


def apply_settings(content: Any, settings: Mapping[str, Any]) -> None:
    """Puts settings, section.key, into the content of a params.yaml."""
    for name, value in settings.items():
        section, key = name.split(".")
        if content.setdefault(section, {}).get(key) != value:  # else it stays as it is written
            content[section][key] = value


def _parsed(text: str) -> tuple[str, list[Any]]:
    """A key and its values."""
    name, equals, value = text.partition("=")
    known = known_keys()
    if not equals:
        raise UserError(f"-S {text}: expected SECTION.KEY=VALUE, such as -S head.kind=logistic.")
    if name not in known:
        alike = [key for key in known if key.partition(".")[0] == name.partition(".")[0]] or [*known]
        raise UserError(f"-S {name}: {unknown_key(name, alike)}")
    if name in PATHS:
        return name, [value]
    is_text = _takes_text(known[name].annotation)
    return name, [_value(piece.strip(), is_text) for piece in _pieces(value)]


def _pieces(text: str) -> list[str]:
    """What stands between commas; one inside brackets belongs to a value."""
    pieces, depth = [""], 0
    for letter in text:
        depth += (letter in "[{") - (letter in "]}")
        if letter == "," and depth <= 0:
            pieces.append("")
        else:
            pieces[-1] += letter
    return pieces


def _takes_text(annotation: Any) -> bool:
    """Whether a key of this type takes any text."""
    return annotation is str or any(map(_takes_text, get_args(annotation)))


def _value(text: str, is_text: bool) -> Any:
    """As params.yaml would read it; what is no YAML is a text.

    Args:
        is_text: whether the key takes a text, which may look like a number; what it takes else is in brackets.

    """
    if is_text and not text.startswith(("[", "{")):
        return text
    try:
        return read_yaml(text.encode(errors="surrogateescape"), "-S")
    except UserError:
        return text


def _refuse(params: ParamsFile, chosen: Sequence[str]) -> None:
    problems = problems_of(params)
    if not problems:
        problems = list(idle_keys(params, chosen).values())
    if problems:
        raise ParamsError(problems)
