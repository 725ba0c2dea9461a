"""The head `svm` against scikit-learn used directly."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

from benchmark.base.identity import code_of, identity_of
from benchmark.errors import BenchError
from benchmark.metrics import score
from benchmark.types import Examples, Features, Selection
from downstreams.heads.svm import SVM, inner_folds
from downstreams.params.svm import SVMParams

RECIPE: dict[str, Any] = {
    "kernel": "linear",
    "C": 0.1,
    "normalisation": "global",
    "layer": "last",
    "fit_on": "train+dev",
}
RBF: dict[str, Any] = {"kernel": "rbf", "C": 1, "gamma": "auto"}


def head(**changes: Any) -> SVM:
    return SVM(SVMParams.model_validate({**RECIPE, **changes}))


def empty(like: Examples) -> Examples:
    return replace(like, ids=(), x=like.x[:0], y=like.y[:0], speakers=())


def scikit_learn(train: Examples, test: Examples, **options: Any) -> np.ndarray:
    """What `SVC.predict` says after `StandardScaler`, on the last layer, with ties broken by decision values."""
    scaler = StandardScaler().fit(train.x[:, -1].astype(np.float64))
    x, x_test = (scaler.transform(part.x[:, -1].astype(np.float64)).astype(np.float32) for part in (train, test))
    break_ties = len(set(train.y)) > 2
    return SVC(**{"break_ties": break_ties, **options}).fit(x, train.y).predict(x_test)


def fitted_on(train: Examples, **changes: Any) -> SVM:
    fitted = head(**changes)
    fitted.fit(train, empty(train), seed=0)
    return fitted


def decisions(fitted: SVM, test: Examples) -> np.ndarray:
    return fitted.predict(replace(test, y=None)).argmax(axis=1)


def test_the_pooling_says_what_is_needed() -> None:
    """It is all that it decides: what the run gives is one vector for each layer, whatever it holds."""
    assert head().needs == "mean"
    assert identity_of(head(pooling="mean")) == identity_of(head())
    assert head(pooling="statistics").needs == "statistics"
    with pytest.raises(ValidationError, match="pooling"):
        head(pooling="frames")


def test_deviations_over_time_tell_what_means_do_not() -> None:
    random = np.random.default_rng(0)
    y = np.arange(120) % 2
    features = [Features((random.normal(size=(2, 30, 4)) * (1 + label)).astype(np.float32)) for label in y]

    def examples_of(part: slice, pooling: str) -> Examples:
        x = np.stack([getattr(one, pooling)() for one in features[part]])
        ids = tuple(f"u{i}" for i in range(120))[part]
        return Examples(ids, x, y[part], tuple(f"s{i}" for i in ids), ("calm", "loud"), "classification", "uar")

    reached = {}
    for pooling in ("mean", "statistics"):
        train, test = (examples_of(part, pooling) for part in (slice(0, 80), slice(80, 120)))
        fitted = head(pooling=pooling)
        fitted.fit(train, empty(train), seed=0)
        reached[pooling] = score("uar", test.y, fitted.predict(replace(test, y=None)))
    assert reached["statistics"] > 0.95
    assert reached["mean"] < 0.75


# -- decisions --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "options"),
    [
        ({"C": 0.01}, {"kernel": "linear", "C": 0.01}),
        (RBF, {"kernel": "rbf", "C": 1, "gamma": "auto"}),
        ({**RBF, "gamma": "scale"}, {"kernel": "rbf", "C": 1, "gamma": "scale"}),
        ({**RBF, "gamma": 0.3}, {"kernel": "rbf", "C": 1, "gamma": 0.3}),
        ({"class_weight": "balanced"}, {"kernel": "linear", "C": 0.1, "class_weight": "balanced"}),
    ],
)
@pytest.mark.parametrize("classes", [2, 3, 4, 6])
def test_decisions_are_those_of_scikit_learn(examples, changes: dict, options: dict, classes: int) -> None:
    train, test = (examples(n, seed=seed, classes=classes, separation=0.3) for seed, n in enumerate((90, 400)))
    train = replace(train, y=np.where(np.arange(90) % 5 == 0, 0, train.y))  # unbalanced
    fitted = head(**changes)
    assert fitted.fit(train, empty(train), seed=0) == Selection()
    np.testing.assert_array_equal(decisions(fitted, test), scikit_learn(train, test, **options))


def in_order(part: Examples, order: np.ndarray) -> Examples:
    """The same examples where the protocol lists its classes in another order."""
    return replace(part, y=np.argsort(order)[part.y], outputs=tuple(part.outputs[k] for k in order))


@pytest.mark.parametrize("changes", [{}, RBF, {"class_weight": "balanced"}])
@pytest.mark.parametrize("classes", [2, 3, 4, 7])
def test_the_order_of_labels_changes_nothing(examples, changes: dict, classes: int) -> None:
    train, test = (examples(n, seed=seed, classes=classes, separation=0.1) for seed, n in enumerate((70, 700)))
    scores = fitted_on(train, **changes).predict(test)
    for order in (np.arange(classes)[::-1], np.random.default_rng(0).permutation(classes)):
        other = fitted_on(in_order(train, order), **changes).predict(in_order(test, order))
        np.testing.assert_array_equal(other, scores[:, order])


def test_the_order_of_labels_changes_no_grid_search(examples) -> None:
    train = examples(80, classes=4, separation=0.2, speakers=5)
    order, searched = np.array([2, 0, 3, 1]), {"C": None, "grid": {"C": [0.001, 0.01, 0.1]}}
    selections = [head(**searched).fit(part, empty(part), seed=0) for part in (train, in_order(train, order))]
    assert selections[0] == selections[1]


def test_votes_that_tie_are_broken_by_the_decision_values(examples) -> None:
    train, test = (examples(n, seed=seed, classes=4, separation=0.1) for seed, n in enumerate((60, 600)))
    scores = fitted_on(train).predict(test)
    votes = np.round(scores)
    tied = (votes == votes.max(axis=1, keepdims=True)).sum(axis=1) > 1
    assert tied.sum() > 10
    # what libsvm says without them is the first class
    first = scikit_learn(train, test, kernel="linear", C=0.1, break_ties=False)
    assert (scores.argmax(axis=1) != first)[tied].any()
    assert not (scores.argmax(axis=1) != first)[~tied].any()
    margins = SVC(kernel="linear", C=0.1, decision_function_shape="ovo")
    scaler = StandardScaler().fit(train.x[:, -1].astype(np.float64))
    x, x_test = (scaler.transform(part.x[:, -1].astype(np.float64)).astype(np.float32) for part in (train, test))
    contests = margins.fit(x, train.y).decision_function(x_test)
    confidence = np.zeros((len(test), 4))
    for column, (former, latter) in enumerate(itertools.combinations(range(4), 2)):
        confidence[:, former] += contests[:, column]
        confidence[:, latter] -= contests[:, column]
    among_tied = np.where(votes == votes.max(axis=1, keepdims=True), confidence, -np.inf)
    np.testing.assert_array_equal(scores.argmax(axis=1), among_tied.argmax(axis=1))


def test_scores_are_contests_won(examples) -> None:
    scores = fitted_on(examples(60, classes=4)).predict(examples(30, seed=1, classes=4))
    assert scores.dtype == np.float64
    np.testing.assert_array_equal(np.round(scores).sum(axis=1), 6)  # contests of 4 classes
    assert np.abs(scores - np.round(scores)).max() < 1 / 3


@pytest.mark.parametrize("absent", [0, 2, 3])
def test_a_class_absent_from_train_is_never_decided(examples, absent: int) -> None:
    train, test = (examples(n, seed=seed, classes=4, separation=0.2) for seed, n in enumerate((80, 200)))
    rows = np.flatnonzero(train.y != absent)
    part = Examples(
        tuple(train.ids[i] for i in rows),
        train.x[rows],
        train.y[rows],
        tuple(train.speakers[i] for i in rows),
        train.outputs,
        train.kind,
        train.metric,
    )
    fitted = head()
    fitted.fit(part, empty(part), seed=0)
    scores = fitted.predict(test)
    assert scores.shape == (200, 4)
    assert (scores.argmin(axis=1) == absent).all()
    np.testing.assert_array_equal(decisions(fitted, test), scikit_learn(part, test, kernel="linear", C=0.1))


def test_a_train_set_of_one_class_predicts_it(examples) -> None:
    train, test = examples(20), examples(9, seed=1)
    train = replace(train, y=np.full(20, 1))
    fitted = head()
    fitted.fit(train, empty(train), seed=0)
    assert set(decisions(fitted, test)) == {1}
    assert fitted.parameters() == 0


def test_the_seed_does_not_matter(examples) -> None:
    train, test = examples(60, separation=0.2), examples(30, seed=1)
    first, second = head(), head()
    first.fit(train, empty(train), seed=0)
    second.fit(train, empty(train), seed=1)
    assert first.predict(test).tobytes() == second.predict(test).tobytes()
    assert not first.stochastic


# -- what is fitted on, and read ---------------------------------------------------------------------------------------


def joined(first: Examples, second: Examples) -> Examples:
    return replace(
        first,
        ids=first.ids + second.ids,
        x=np.concatenate([first.x, second.x]),
        y=np.concatenate([first.y, second.y]),
        speakers=first.speakers + second.speakers,
    )


def test_dev_joins_train_only_where_the_recipe_says_so(examples) -> None:
    train, dev, test = (examples(n, seed=seed, separation=0.2) for seed, n in enumerate((40, 40, 300)))
    with_dev, without = head(), head(fit_on="train")
    with_dev.fit(train, dev, seed=0)
    without.fit(train, dev, seed=0)
    options = {"kernel": "linear", "C": 0.1}
    both, alone = scikit_learn(joined(train, dev), test, **options), scikit_learn(train, test, **options)
    assert (both != alone).any()
    np.testing.assert_array_equal(decisions(with_dev, test), both)
    np.testing.assert_array_equal(decisions(without, test), alone)


def test_a_dev_set_that_was_fitted_on_is_not_tested(examples) -> None:
    train, dev = examples(30), examples(10, seed=1)
    fitted = head()
    fitted.fit(train, dev, seed=0)
    with pytest.raises(BenchError, match=r"fitted on '1-0' of dev and is to predict it now \(.*fit_on: train"):
        fitted.predict(dev)
    fitted = head(fit_on="train")
    fitted.fit(train, dev, seed=0)
    assert len(fitted.predict(dev)) == 10


@pytest.mark.parametrize("layer", ["last", "mean", "all", 0, 1, 2])
def test_layers(examples, layer: str | int) -> None:
    train, test = (examples(n, seed=seed, separation=0.2) for seed, n in enumerate((40, 200)))

    def read(x: np.ndarray) -> np.ndarray:
        if layer == "all":
            return np.concatenate([x[:, number] for number in range(3)], axis=1)
        if layer == "mean":
            return (x[:, 0] + x[:, 1] + x[:, 2]) / 3
        return x[:, 2 if layer == "last" else int(layer)]

    machine = make_pipeline(StandardScaler(), SVC(kernel="linear", C=0.1, break_ties=True)).fit(read(train.x), train.y)
    fitted = head(layer=layer)
    fitted.fit(train, empty(train), seed=0)
    np.testing.assert_array_equal(decisions(fitted, test), machine.predict(read(test.x)))
    assert fitted.parameters() == 3 * ((18 if layer == "all" else 6) + 1)


def test_a_layer_that_does_not_exist_is_refused(examples) -> None:
    with pytest.raises(BenchError) as error:
        head(layer=3).fit(examples(), empty(examples()), seed=0)
    assert str(error.value) == "the recipe reads layer 3 (the upstream has 3 layers: 0..2)"


def test_statistics_are_those_of_what_is_fitted_on(examples) -> None:
    """A prediction does not depend on what else is predicted, unless the recipe normalises by speaker."""
    train, test = examples(40, separation=0.2), examples(60, seed=1, separation=0.2)
    few = replace(test, ids=test.ids[:3], x=test.x[:3], y=test.y[:3], speakers=test.speakers[:3])
    fitted, transductive = head(), head(normalisation="speaker")
    for machine in (fitted, transductive):
        machine.fit(train, empty(train), seed=0)
    np.testing.assert_allclose(fitted.predict(few), fitted.predict(test)[:3], atol=1e-9)
    assert not fitted.transductive
    assert transductive.transductive
    shift = np.array([9.0 * int(name[-1]) for name in test.speakers], dtype=np.float32)[:, None, None]
    np.testing.assert_allclose(
        transductive.predict(replace(test, x=test.x + shift)), transductive.predict(test), atol=1e-4
    )


def test_parameters_of_an_rbf_machine(examples) -> None:
    train = examples(40)
    fitted = head(**RBF)
    fitted.fit(train, empty(train), seed=0)
    machine = SVC(C=1, gamma="auto").fit(StandardScaler().fit_transform(train.x[:, -1]), train.y)
    vectors = len(machine.support_)
    assert fitted.parameters() == vectors * 6 + vectors * 2 + 3


# -- grid -------------------------------------------------------------------------------------------------------------


def test_the_grid_is_searched_by_inner_folds_of_speakers(examples) -> None:
    train, dev = examples(90, separation=0.25), examples(30, seed=1, separation=0.25, speakers=3)
    random = np.random.default_rng(0)  # speakers of uneven size, with uneven classes: stratification matters
    train = replace(train, speakers=tuple(f"s{label * 3 + random.integers(5)}" for label in train.y))
    values = (0.0001, 0.01, 1.0, 100.0)
    fitted = head(C=None, grid={"C": values})
    selection = fitted.fit(train, dev, seed=0)
    both = joined(train, dev)
    reached = {}
    for value in values:
        predicted = cross_val_predict(
            make_pipeline(StandardScaler(), SVC(kernel="linear", C=value, break_ties=True)),
            both.x[:, -1],
            both.y,
            groups=np.array(both.speakers),
            cv=StratifiedGroupKFold(5),
        )
        reached[value] = score("uar", both.y, np.eye(3)[predicted])
    best = max(values, key=reached.__getitem__)
    assert len(set(reached.values())) > 2
    assert selection.chosen == {"C": best}
    assert selection.score == pytest.approx(reached[best])
    assert selection.on == "uar pooled over 5 inner folds by speaker"
    test = examples(200, seed=2, separation=0.25)
    np.testing.assert_array_equal(decisions(fitted, test), scikit_learn(both, test, kernel="linear", C=best))


def test_the_first_of_equals_is_chosen(examples) -> None:
    train = examples(40, separation=5.0)
    selection = head(C=None, grid={"C": [0.5, 0.1, 1]}).fit(train, empty(train), seed=0)
    assert selection.score == 1
    assert selection.chosen == {"C": 0.5}


def test_an_rbf_grid_has_two_axes(examples) -> None:
    train = examples(60, separation=0.5)
    grid = {"C": [0.001, 10], "gamma": ["auto", 100]}
    selection = head(kernel="rbf", C=None, grid=grid).fit(train, empty(train), seed=0)
    assert set(selection.chosen) == {"C", "gamma"}
    assert selection.chosen["gamma"] == "auto"
    cost = selection.chosen["C"]
    only_gamma = head(kernel="rbf", C=cost, grid={"gamma": [100, "auto"]}).fit(train, empty(train), seed=0)
    assert only_gamma.chosen == {"gamma": "auto"}
    assert only_gamma.score == selection.score
    only_cost = head(kernel="rbf", C=None, gamma="auto", grid={"C": [0.001, 10]}).fit(train, empty(train), seed=0)
    assert only_cost.chosen == {"C": cost}


def test_fewer_speakers_than_inner_folds(examples) -> None:
    train = examples(30, speakers=3)
    selection = head(C=None, grid={"C": [0.1, 1]}).fit(train, empty(train), seed=0)
    assert selection.on == "uar pooled over 3 inner folds by speaker"
    alone = examples(30, speakers=1)
    with pytest.raises(BenchError, match=r"needs two speakers .* not 30 utterances of 1 speakers \(.*grid: null"):
        head(C=None, grid={"C": [0.1, 1]}).fit(alone, empty(alone), seed=0)


def test_speakers_of_a_single_emotion(examples) -> None:
    """As on URDU: an inner fold may lack a class, in its train part too."""
    train = examples(30)
    train = replace(train, speakers=tuple(f"s{label}" for label in train.y))
    selection = head(C=None, grid={"C": [0.1, 1]}).fit(train, empty(train), seed=0)
    assert selection.score == 0


@settings(max_examples=60, deadline=None)
@given(data=st.data(), k=st.integers(2, 7))
def test_inner_folds_keep_speakers_apart(data: st.DataObject, k: int) -> None:
    speakers = data.draw(st.lists(st.sampled_from("abcdefgh"), min_size=4, max_size=40))
    y = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(speakers), max_size=len(speakers))))
    if len(set(speakers)) < 2 or np.bincount(y).max() < 2:
        with pytest.raises(BenchError, match="needs two speakers and two utterances of a class"):
            inner_folds(y, speakers, k, "classification")
        return
    folds = inner_folds(y, speakers, k, "classification")
    assert sorted(np.concatenate(folds)) == list(range(len(y)))
    assert 2 <= len(folds) <= min(k, len(set(speakers)))
    owners = [{speakers[row] for row in rows} for rows in folds]
    assert all(owners)
    assert sum(len(names) for names in owners) == len(set(speakers))


# -- values -----------------------------------------------------------------------------------------------------------


def test_values_are_those_of_scikit_learn(value_examples) -> None:
    train, test = value_examples(60), value_examples(30, seed=1)
    fitted = head(kernel="rbf", C=2, gamma="auto", epsilon=0.05)
    fitted.fit(train, empty(train), seed=0)
    scaler, targets = StandardScaler().fit(train.x[:, -1]), StandardScaler().fit(train.y.astype(np.float64))
    x, y = scaler.transform(train.x[:, -1]), targets.transform(train.y.astype(np.float64))
    columns = [
        SVR(C=2, gamma="auto", epsilon=0.05).fit(x, column).predict(scaler.transform(test.x[:, -1])) for column in y.T
    ]
    expected = targets.inverse_transform(np.stack(columns, axis=1))
    np.testing.assert_allclose(fitted.predict(test), expected, rtol=1e-3)
    assert score("ccc", test.y, fitted.predict(test)) > 0.7


def test_an_error_metric_is_minimised_over_inner_folds(value_examples) -> None:
    train = replace(value_examples(60), metric="rmse")
    selection = head(C=None, grid={"C": [1e-5, 1]}).fit(train, empty(train), seed=0)
    assert selection.chosen == {"C": 1}
    assert selection.on == "rmse pooled over 5 inner folds by speaker"
    machine = make_pipeline(StandardScaler(), SVR(kernel="linear", C=1))
    y = StandardScaler().fit_transform(train.y)
    groups = np.array(train.speakers)
    predicted = [cross_val_predict(machine, train.x[:, -1], column, groups=groups, cv=GroupKFold(5)) for column in y.T]
    approximately = np.mean([math.sqrt(((p - t) ** 2).mean()) for p, t in zip(predicted, y.T, strict=True)])
    assert selection.score == pytest.approx(approximately * train.y.std(axis=0).mean(), rel=0.1)


def test_balanced_classes_need_classes(value_examples) -> None:
    train = value_examples()
    with pytest.raises(BenchError, match="class_weight: balanced needs classes, but the task is regression"):
        head(class_weight="balanced").fit(train, empty(train), seed=0)


# -- refusals ---------------------------------------------------------------------------------------------------------


def test_predicting_before_fitting_is_an_error(examples) -> None:
    with pytest.raises(BenchError, match="predicts before it is fitted"):
        head().predict(examples())


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"C": None}, "give C either a value or a grid"),
        ({"grid": {"C": [1]}}, "give C either a value or a grid"),
        ({"grid": {}}, "the grid is empty"),
        ({"gamma": "auto"}, "gamma means nothing to a linear kernel"),
        ({"C": None, "grid": {"C": [1], "gamma": [1]}}, "gamma means nothing to a linear kernel"),
        ({"kernel": "rbf"}, "give gamma of an rbf kernel either a value or a grid"),
        ({**RBF, "grid": {"gamma": [1]}}, "give gamma of an rbf kernel either a value or a grid"),
        ({"layer": -1}, "layer"),
        ({"layer": True}, "layer"),
        ({"layer": "first"}, "layer"),
        ({"kernels": "rbf"}, "Extra inputs"),
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        head(**changes)


def test_the_identity_holds_the_recipe() -> None:
    first = identity_of(head())
    assert first["params"]["fit_on"] == "train+dev"
    assert set(code_of(head()).libraries) == {"numpy", "scikit-learn"}
    assert identity_of(head(fit_on="train")) != first
