"""The ledger refuses what is malformed, notices what does not fit, and can be read."""

import importlib

import pytest
from click.testing import CliRunner

from convspec.cli import main

ledger = importlib.import_module("convspec.properties.claims.ledger")

ROW = {
    "id": "one",
    "source": "a.txt",
    "section": "1",
    "statement": "Something.",
    "formula": "",
    "verdict": "holds",
    "proofs": {"statement": ["claims/test_sizes.py::test_relationship_1"]},
}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"verdict": "true"}, "verdict 'true': must be one of holds, holds-if"),
        ({"verdict": "holds-if"}, "condition: missing or superfluous"),
        ({"condition": "always"}, "condition: missing or superfluous"),
        ({"proofs": {}}, "a claim that holds proves statement"),
        ({"proofs": {"figure": ["x"]}}, "a claim that holds proves statement"),
        ({"proofs": {"statement": []}}, "a part without a test"),
        ({"verdict": "refuted", "correction": "No."}, "proves counterexample, correction"),
    ],
)
def test_a_malformed_entry_is_refused(changed, words):
    with pytest.raises(ValueError, match=words):
        ledger._claim({**ROW, **changed})


def test_a_verdict_and_its_explanation_stay_together():
    claim = ledger._claim(
        {
            **ROW,
            "verdict": "refuted",
            "correction": "Something else.",
            "proofs": {"counterexample": ["x"], "correction": ["y"]},
        }
    )
    assert claim.explanation == "Something else."


@pytest.mark.parametrize(
    ("tests", "fault"),
    [
        (("claims/test_sizes.py::test_nothing",), "there is no such test"),
        (("claims/test_nowhere.py::test_relationship_1",), "there is no such test"),
        (("claims/test_sizes.py::places",), "there is no such test"),
        (("claims/test_sizes.py::test_relationship_1",) * 2, "serves two parts"),
    ],
)
def test_a_proof_that_is_not_there_is_noticed(monkeypatch, tests, fault):
    claims = dict(ledger.claims())
    claims["one"] = ledger.Claim(**{**ROW, "proofs": {"statement": tests}}, explanation="")
    monkeypatch.setattr(ledger, "claims", lambda: claims)
    (found,) = ledger.faults()
    assert found.startswith("one: ")
    assert fault in found


def test_a_proof_that_no_claim_names_is_noticed(monkeypatch):
    claims = dict(ledger.claims())
    del claims["mean-upsampling"]
    monkeypatch.setattr(ledger, "claims", lambda: claims)
    (found,) = ledger.faults()
    assert found.endswith("_is_four_times_too_much: no claim names it")


def run(*words):
    return CliRunner().invoke(main, ["claims", *words])


def test_all_claims_are_listed():
    shown = run()
    assert shown.exit_code == 0
    lines = shown.output.splitlines()
    assert all(any(line.startswith(name) for line in lines) for name in ledger.claims())


@pytest.mark.parametrize("verdict", ledger.PARTS)
def test_a_claim_is_shown_with_its_proofs(verdict):
    claim = next(claim for claim in ledger.claims().values() if claim.verdict == verdict)
    shown = run(claim.id)
    assert shown.exit_code == 0
    assert claim.statement in shown.output
    assert claim.explanation in shown.output
    for tests in claim.proofs.values():
        for test in tests:
            assert f"def {test.partition('::')[2]}(" in shown.output


def test_an_unknown_claim_is_one_line():
    shown = run("mean-upsmpling")
    assert shown.exit_code == 2
    assert shown.output.strip().endswith(
        "no claim is called 'mean-upsmpling': did you mean mean-upsampling or max-upsampling?"
    )


def test_every_claim_can_be_shown_and_most_are_drawn():
    """What a proof computes is drawn; some compute sums alone, or symbols of a gradient."""
    drawn = 0
    for name in ledger.claims():
        shown = run(name)
        assert shown.exit_code == 0, name
        drawn += "The smallest case: " in shown.output
    assert drawn > len(ledger.claims()) / 2


def test_the_case_that_is_drawn_is_the_smallest_of_the_proof():
    shown = importlib.import_module("convspec.properties.claims.shown")
    sizes = importlib.import_module("convspec.properties.claims.test_sizes")
    case = shown.smallest_case(sizes.test_without_ceil_mode_the_rest_is_left_out)
    assert case.operation == "max_pool"
    assert case.operands["input"].tolist() == [[[1, 2, 3]]]
    assert sizes.max_pool.__name__ == "max_pool"
    assert not hasattr(sizes.max_pool, "__wrapped__")  # the test has its own function back
    assert shown.smallest_case(sizes.test_relationship_4) is None


def test_a_law_that_draws_its_examples_draws_the_same_ones(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first, again = run("pooling-subsamples"), run("pooling-subsamples")
    assert "The smallest case: " in first.output
    assert "shape (0," not in first.output
    assert first.output == again.output
    assert not any(tmp_path.iterdir())
