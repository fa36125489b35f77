"""The ledger and its proofs agree: none without the other, every verdict with what it must show."""

from __future__ import annotations

from collections import Counter

from .ledger import PARTS, claims, faults, is_proved


def test_every_claim_has_its_proofs_and_every_proof_a_claim() -> None:
    assert faults() == []


def test_the_five_documents_are_read() -> None:
    documents = Counter(claim.source for claim in claims().values() if ".txt" in claim.source)
    assert len(documents) == 5
    assert sum(documents.values()) >= 120


def test_teaching_texts_from_outside_are_read() -> None:
    outside = [claim for claim in claims().values() if ".txt" not in claim.source]
    assert len(outside) >= 15


def test_there_are_all_kinds_of_verdicts_and_some_are_proved() -> None:
    assert {claim.verdict for claim in claims().values()} == PARTS.keys()
    assert any(map(is_proved, claims().values()))
