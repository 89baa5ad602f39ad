"""Takes a text apart: sentences by weight, key words, facts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

STOP_WORDS = frozenset(
    """
    a about above after again all also am an and any are as at be because been before being below between both
    but by can could did do does doing down during each few for from further had has have having he her here
    hers him his how i if in into is it its just may me might more most must my no nor not now of off on once
    only or other our out over own per please same shall she should so some such than that the their them then
    there these they this those through to too under until up upon us very was we were what when where which
    while who whom why will with within would you your yours aber als am an auch auf aus bei das dem den der des
    die ein eine einem einen einer es für hat ich im in ist mit nicht oder sich sie sind und von war wie wir zu
    zum zur
    """.split()  # noqa: SIM905 - two hundred quoted words are no easier to read
)
_ABBREVIATION = re.compile(
    r"\b(?:Mr|Mrs|Ms|Dr|Prof|St|No|vs|approx|e\.g|i\.e|etc|Inc|Ltd|Co|Jr|Sr|z\.B|bzw|ca|Nr)\.$", re.IGNORECASE
)
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”)\]]*\s+(?=[\"'“(\[]?[A-ZÀ-Þ0-9])")
_MARKUP = re.compile(r"^\s*(?:[#>]+\s*|[-*•+]\s+|\d{1,2}[.)]\s+)+")
_WORD = re.compile(r"[^\W_][\w'\u2019-]*")
_MONTH = (
    "January|February|March|April|May|June|July|August|September|October|November|December|"
    "Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec"
)
DATE = re.compile(
    rf"\b(?:\d{{4}}-\d{{2}}-\d{{2}}|\d{{1,2}}(?:st|nd|rd|th)?\.? (?:{_MONTH})\.?(?:,? \d{{4}})?"
    rf"|(?:{_MONTH})\.? \d{{1,2}}(?:st|nd|rd|th)?(?:,? \d{{4}})?\b|(?:{_MONTH}) \d{{4}}"
    r"|\d{1,2}\.\d{1,2}\.\d{2,4}|\d{1,2}/\d{1,2}/\d{2,4}|Q[1-4] \d{4})"
)
AMOUNT = re.compile(
    r"(?:[$€£¥]\s?\d[\d,.]*\d?(?:\s?(?:k|m|bn|thousand|million|billion)\b)?"
    r"|\b\d[\d,.]*\d?\s?(?:[€£$]|(?:EUR|USD|GBP|CHF|euros?|dollars?|pounds?)\b))",
    re.IGNORECASE,
)
_PERCENT = re.compile(r"\b\d+(?:[.,]\d+)?\s?(?:%|percent\b|per cent\b)")
_EMAIL = re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b")
URL = re.compile(r"https?://[^\s<>\"')\]]+[^\s<>\"')\].,;:!?]")
_NAME = re.compile(r"\b[A-ZÀ-Þ][a-zß-ÿ]+(?:[- ][A-ZÀ-Þ][a-zß-ÿ]+){1,2}\b")
_NOT_A_NAME = re.compile(rf"\b(?:{_MONTH}|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)\b")
_FEWEST_LETTERS = 3
_SAME = 0.6


@dataclass(frozen=True)
class Facts:
    """What can be pointed at in a text, each value once and in order."""

    dates: tuple[str, ...]
    amounts: tuple[str, ...]
    percentages: tuple[str, ...]
    names: tuple[str, ...]
    emails: tuple[str, ...]
    links: tuple[str, ...]

    def rows(self) -> list[tuple[str, str]]:
        """Label and values, without those that are empty."""
        named = (
            ("Dates", self.dates),
            ("Amounts", self.amounts),
            ("Percentages", self.percentages),
            ("Names", self.names),
            ("E-mail", self.emails),
            ("Links", self.links),
        )
        return [(label, ", ".join(values)) for label, values in named if values]


def sentences(text: str) -> list[str]:
    """The sentences of a text, without the marks of lists and headings. Lines end a sentence, too."""
    found: list[str] = []
    for line in text.splitlines():
        plain = _MARKUP.sub("", line).replace("**", "").strip()
        if not plain or set(plain) <= set("-=|_* "):
            continue
        begun = ""
        for piece in _SENTENCE_END.split(plain):
            begun = f"{begun} {piece}".strip()
            if not _ABBREVIATION.search(begun):
                found.append(begun)
                begun = ""
        if begun:
            found.append(begun)
    return found


def words(text: str) -> list[str]:
    """The words that carry meaning, in lower case."""
    return [word for word in (match.lower() for match in _WORD.findall(text)) if _counts(word)]


def _counts(word: str) -> bool:
    return len(word) >= _FEWEST_LETTERS and word not in STOP_WORDS and not word.isdigit()


def keywords(text: str, limit: int) -> list[str]:
    """The most frequent words, the earlier first among equals."""
    return [word for word, _ in Counter(words(text)).most_common(limit)]


def summarise(text: str, limit: int) -> list[str]:
    """The weightiest sentences, in the order of the text. Near-repetitions are left out."""
    found = [sentence for sentence in dict.fromkeys(sentences(text)) if len(words(sentence)) > 1]
    weight = Counter(words(text))
    ranked = sorted(range(len(found)), key=lambda i: -_score(found[i], i, len(found), weight))
    kept: list[int] = []
    for index in ranked:
        if len(kept) == limit:
            break
        if all(overlap(found[index], found[other]) < _SAME for other in kept):
            kept.append(index)
    return [found[index] for index in sorted(kept)]


def _score(sentence: str, index: int, count: int, weight: Counter[str]) -> float:
    """Frequent words weigh; long and late sentences weigh less, those with figures a little more."""
    own = words(sentence)
    if not own:
        return 0.0
    base = sum(weight[word] for word in set(own)) / (len(own) + 4)
    position = 1.3 if index == 0 else 1.0 + 0.15 * (1 - index / count)
    figures = 1.15 if re.search(r"\d", sentence) else 1.0
    return base * position * figures


def closest(candidates: Iterable[str], wanted: str, limit: int) -> list[str]:
    """The candidates that share the most words with what is wanted, best first; none that shares nothing."""
    goal = {stem(word) for word in words(wanted)}
    scored = []
    for order, candidate in enumerate(dict.fromkeys(candidates)):
        own = {stem(word) for word in words(candidate)}
        shared = len(goal & own)
        if shared:
            scored.append((-shared - shared / (len(own) + 1), order, candidate))
    return [candidate for _, _, candidate in sorted(scored)[:limit]]


def stem(word: str) -> str:
    """A word without its most common endings; coarse, but the same for question and text."""
    for ending in ("ings", "ing", "edly", "ies", "ed", "es", "ly", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= _FEWEST_LETTERS:
            return word.removesuffix(ending)
    return word


def overlap(one: str, other: str) -> float:
    """How much of the shorter text's words the other has, too."""
    left, right = set(words(one)), set(words(other))
    return len(left & right) / min(len(left), len(right)) if left and right else 0.0


def facts(text: str) -> Facts:
    """Dates, amounts, percentages, names, addresses."""
    return Facts(
        dates=_once(DATE.findall(text)),
        amounts=_once(AMOUNT.findall(text)),
        percentages=_once(_PERCENT.findall(text)),
        names=_names(text),
        emails=_once(_EMAIL.findall(text)),
        links=_once(URL.findall(text)),
    )


def _names(text: str) -> tuple[str, ...]:
    found = []
    for match in _NAME.findall(re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE)):
        parts = match.split()
        while parts and parts[0].lower() in STOP_WORDS:
            parts.pop(0)
        if len(parts) > 1 and not _NOT_A_NAME.search(match):
            found.append(" ".join(parts))
    return _once(found)


def _once(values: Sequence[str], limit: int = 12) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value.strip(" .,") for value in values))[:limit]
