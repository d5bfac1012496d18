"""What is tried, and under which names."""

from onepass.params import BackboneParams
from onepass.selection.backbones_at_hand import AtHand
from onepass.selection.candidates import Candidate, each_backbone, most_of_all, other_cuts, other_heads
from onepass.selection.costs import Cost
from onepass.trials import check_name

KERAS = BackboneParams(name="custom", weights="w.keras", preprocess="caffe")
CHOSEN = BackboneParams(name="VGG16", weights="v.h5", layer="block4_pool", pooling="none", views=4)
BACKBONES = [AtHand("slow", KERAS, ("caffe", "tf")), AtHand("VGG16", CHOSEN, ("native",), chosen=True)]
COSTS = {"slow": Cost(["top/9", "low"], 0.2), "VGG16": Cost(["block5_pool", "block4_pool", "block3_pool"], 0.1)}


def told(candidate: Candidate) -> tuple[str, str, str, str]:
    return candidate.label, candidate.params.cut, candidate.params.pooling, str(candidate.params.preprocess)


def test_the_cheapest_comes_first_and_a_cut_that_somebody_chose_is_tried_as_it_is() -> None:
    assert [told(candidate) for candidate in each_backbone(BACKBONES, COSTS)] == [
        ("VGG16", "block4_pool", "none", "native"),
        ("VGG16", "block5_pool", "avg", "native"),
        ("slow", "top/9", "avg", "caffe"),
        ("slow", "top/9", "avg", "tf"),
    ]


def test_cuts_and_heads_follow_of_the_good_ones() -> None:
    best = [*each_backbone(BACKBONES, COSTS)][3]
    assert [told(candidate) for candidate in other_cuts([best], COSTS)] == [("slow", "low", "avg", "tf")]
    assert [(candidate.params, candidate.head) for candidate in other_heads(best)] == [(best.params, "mlp")]


def test_there_are_never_more_than_was_said() -> None:
    first = [*each_backbone(BACKBONES, COSTS)]
    for best in first:
        all_of_them = {*first, *other_cuts([best], COSTS), *other_heads(best)}
        assert len(all_of_them) <= most_of_all(BACKBONES, COSTS)


def test_a_network_without_maps_is_taken_whole() -> None:
    (candidate,) = each_backbone([AtHand("flat", KERAS, ("tf",))], {"flat": Cost([], 0.1)})
    assert told(candidate) == ("flat", "last", "none", "tf")


def test_names_differ_and_git_takes_them() -> None:
    candidates = [*each_backbone(BACKBONES, COSTS)]
    names = [
        candidate.name for best in candidates for candidate in (best, *other_heads(best), *other_cuts([best], COSTS))
    ]
    assert len(set(names)) == len({*candidates, *(c for best in candidates for c in other_cuts([best], COSTS))}) + 4
    for name in names:
        check_name(name)
    assert names[0] == "VGG16-block4_pool-none-logistic"


def test_an_experiment_says_every_key_so_that_nothing_of_another_one_is_left_over() -> None:
    best = [*each_backbone(BACKBONES, COSTS)][2]
    trial = best.trial("best-x", {"data.root": "photos"})
    assert trial.settings["data.root"] == "photos"
    assert trial.settings["backbone.layer"] == "top/9"
    assert trial.settings["head.kind"] == "logistic"
    assert trial.settings["train.unfreeze"] == "none"
    assert trial.settings["backbone.views"] == 1


def test_preprocessing_in_parts_and_several_layers_are_counted_as_any_other() -> None:
    parts = {"scale": 1.0, "mean": [1.0, 2.0, 3.0], "std": [1.0, 1.0, 1.0]}
    given = {"name": "custom", "weights": "w.keras", "layer": ["low", "high"], "pooling": "avg", "preprocess": parts}
    params = BackboneParams.model_validate(given)
    chosen = AtHand("mine", params, (params.preprocess,), chosen=True)
    (first, *_) = each_backbone([chosen], {"mine": Cost([], 0.1)})
    assert first.name.startswith("mine-low_high-")
    assert most_of_all([chosen], {"mine": Cost([], 0.1)}) == 3
