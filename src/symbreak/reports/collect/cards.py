"""The first screen: what was trained, how good it is, how sure that is, what to do next.

Each card is {name, value, detail, level}; level is "good", "watch", "bad" or "plain".
"""

from __future__ import annotations

from typing import Any

from symbreak.optimize import Status
from symbreak.reports.numbers import number_of, score_shown, shown
from symbreak.text import pluralize

Card = dict[str, str]
# Where one of these was found, equal starts are no sign of success.
NO_SUCCESS = {"constant_network", "underfitting"}
HARDLY = 0.05  # a share of rows that does not make a score another one
GOOD, WATCH, BAD, PLAIN = "good", "watch", "bad", "plain"


def cards(document: dict[str, Any]) -> list[Card]:
    """Return the cards of a document, in reading order."""
    made = (
        _what(document), _how_good(document), _starts(document), _gradient(document),
        _symmetry(document), _diagnosis(document), _next(document),
    )  # fmt: skip
    return [card for card in made if card]


def _card(name: str, value: str, detail: str, level: str = PLAIN) -> Card:
    return {"name": name, "value": value, "detail": detail, "level": level}


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _what(document: dict[str, Any]) -> Card:
    return _card("What", document["kind"], document.get("what", ""))


def _how_good(document: dict[str, Any]) -> Card | None:
    scores = document.get("scores")
    if scores is None:
        return _as_trained(document)
    rows, how = pluralize(scores["rows"], "row"), scores.get("how", "")
    on = f"on {rows} {scores.get('where', 'of the hold-out')}"
    if scores["kind"] == "none":
        return _card("How good", "no score", f"A prediction {on} is not finite.", BAD)
    if scores["kind"] == "classes":
        low, high = (100 * limit for limit in scores["accuracy_interval"])
        value = f"{100 * scores['accuracy']:.1f} % right"
        loss = f"log-loss {shown(scores['log_loss'], 3)}{_beside(document)}"
        known = f"95 % interval {low:.1f} to {high:.1f} %, {on}", loss, how
    else:
        value = f"R² {score_shown(scores['r2'], 3)}"
        loss = f"RMSE {shown(scores['rmse'], 4)}{_beside(document)}"
        known = f"{_interval(scores)}, {on}", loss, how
    detail, seen = "; ".join(filter(None, known)), scores.get("seen")
    if not (seen and seen["sentence"]):
        return _card("How good", value, detail)
    detail = f"{seen['sentence']} On them: {value}; {detail}"
    if seen["rows"] == scores["rows"]:
        return _card("How good", "No score of new data", detail, BAD)
    if seen["rows"] > HARDLY * scores["rows"]:
        return _card("How good", f"{seen['rows']} of {rows} are not new", detail, BAD)
    return _card("How good", value, detail)


def _beside(document: dict[str, Any]) -> str:
    """Return the losses of the simplest there is, in brackets."""
    entries = {one["what"]: one for one in document.get("comparison", {}).get("entries", [])}
    loss = "log_loss" if document["scores"]["kind"] == "classes" else "rmse"
    constant = "class shares" if loss == "log_loss" else "the mean"
    words = {"constant": constant, "linear": "no hidden layer"}
    told = [f"{words[w]} {shown(entries[w][loss], 3)}" for w in words if w in entries]
    return f" ({', '.join(told)})" if told else ""


def _interval(scores: dict[str, Any]) -> str:
    """Return the interval of R² in words, or why there is none."""
    if scores["r2_interval"]:
        low, high = (shown(limit, 3) for limit in scores["r2_interval"])
        return f"95 % interval {low} to {high}"
    few = scores["rows"] < 2
    return "too few rows for an interval" if few else "no interval, as all targets are equal"


def _as_trained(document: dict[str, Any]) -> Card | None:
    """Return the score that a saved model brings along."""
    at_training = document.get("at_training") or {}
    known, detail = at_training.get("holdout") or {}, "On the hold-out rows of its training."
    validated = at_training.get("cross_validation")
    if validated:
        known, detail = validated["scores"] or {}, "By cross-validation of its training."
    if "accuracy" in known:
        return _card("How good", f"{shown(100 * known['accuracy'], 3)} % right", detail)
    if "r2" in known:
        return _card("How good", f"R² {score_shown(known['r2'], 3)}", detail)
    return None


def _starts(document: dict[str, Any]) -> Card | None:
    restarts = document.get("restarts")
    if restarts is None:
        return None
    n, hit = restarts["n_starts"], restarts["n_lowest"]
    if not restarts["n_usable"]:
        return _card("Starts", f"0 of {n} usable", "No start ended with a finite J.", BAD)
    minima = "1 minimum" if restarts["n_minima"] == 1 else f"{restarts['n_minima']} distinct minima"
    converged = f"{restarts['n_converged']} converged, to {minima}"
    detail = (
        f"Lowest J {number_of(restarts['lowest_J']):.5g}; "
        f"{converged if restarts['n_converged'] else 'none converged'}"
    )
    found = {one["kind"] for one in document.get("advice", [])}
    sure = restarts["lowest_status"] == Status.CONVERGED.word and not restarts["needs_more_starts"]
    sure = sure and not found & NO_SUCCESS
    value = f"{hit} of {n} starts reached the best" if n > 1 else "1 start, which may be luck"
    return _card("Starts", value, f"{detail}. {_chance(restarts)}", GOOD if sure else WATCH)


def _chance(restarts: dict[str, Any]) -> str:
    share = 100 * restarts["chance_of_lower_at_most"]
    return f"The next start is lower with a chance of at most {share:.2g} %."


def _gradient(document: dict[str, Any]) -> Card | None:
    check = document.get("gradient_check")
    if check is None:
        return None
    level = {"pass": GOOD, "fail": BAD}.get(check["verdict"], WATCH)
    return _card("Gradient", check["verdict"], _capital(check["finding"]), level)


def _symmetry(document: dict[str, Any]) -> Card | None:
    symmetry = document.get("symmetry")
    if symmetry is None:
        return None
    value = "broken" if symmetry["is_broken"] else "not broken"
    if not symmetry["units"]:
        value = "none to break"
    level = GOOD if symmetry["is_broken"] else BAD
    return _card("Symmetry", value, _capital(symmetry["finding"]), level)


def _diagnosis(document: dict[str, Any]) -> Card | None:
    diagnosis = document.get("diagnosis")
    if diagnosis is None:
        return None
    counts = diagnosis["counts"]
    words = ", ".join(pluralize(n, level) for level, n in counts.items() if n) or "nothing found"
    level = BAD if counts["error"] else WATCH if counts["warning"] else GOOD
    value = "sound" if diagnosis["ok"] else "not sound"
    return _card("Diagnosis", value, words, level)


def _next(document: dict[str, Any]) -> Card:
    """Return the first thing that asks for action."""
    return _card("What to do next", *_advice(document))


def _advice(document: dict[str, Any]) -> tuple[str, str]:
    if document.get("gradient_check", {}).get("verdict") == "fail":
        return "Mend the gradient", "No search can be trusted with a wrong gradient. See below."
    if not document.get("symmetry", {}).get("is_broken", True):
        return "Break the symmetry", "Draw every start at random, for example by glorot_uniform."
    errors = [f for f in document.get("diagnosis", {}).get("findings", []) if f["level"] != "note"]
    if errors:
        return "Mend the start", errors[0]["remedy"]
    if document.get("scores", {}).get("seen", {}).get("sentence"):
        return "Score it on new rows", "Give rows with the target that it was not trained on."
    return _advice_on_starts(document)


def _advice_on_starts(document: dict[str, Any]) -> tuple[str, str]:
    restarts, rows = document.get("restarts"), document.get("starts", [])
    if restarts is None:
        return _advice_without_starts(document)
    found = document.get("advice", [])
    if found:
        return found[0]["title"], " ".join([found[0]["sentence"], found[0]["todo"]]).strip()
    if "network" not in document:
        lowest = f"J is lowest in start {rows[0]['start']}" if rows else "J is lowest in one"
        return "Take what was found", f"theta of the outcome holds the kept points; {lowest}."
    return "Use the model", document.get("then", "The search is done; predict with it.")


def _advice_without_starts(document: dict[str, Any]) -> tuple[str, str]:
    if document.get("gradient_check", {}).get("verdict", "pass") == "inconclusive":
        return "Check again", "The check could not tell; see the notes of the blocks."
    if "then" in document:
        return "Use the model", document["then"]
    return "Train", "Nothing here stands against it."
