"""Times contenders in turns, so that changes of clocks and other programs affect all of them alike."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import machine


@dataclass
class Contender:
    """One way to do the work. `prepare` returns its error against float64, or None if the contender itself checks its
    answer before it times it, and raises if it cannot do the work at all. `time` returns one median of seconds. A
    contender that was `measured_before` is timed once, and takes no turns."""

    name: str
    prepare: Callable[[], float | None]
    time: Callable[[], float]
    measured_before: bool = False


@dataclass
class Result:
    name: str
    error: float | None = None
    seconds: list[float] = field(default_factory=list)
    why_not: str | None = None  # it could not do the work, or its answer was wrong
    measured_before: bool = False

    @property
    def median(self) -> float | None:
        return statistics.median(self.seconds) if self.seconds else None

    @property
    def spread(self) -> float | None:
        """(largest - smallest) / median of the rounds."""
        if not self.seconds or self.measured_before:
            return None
        return (max(self.seconds) - min(self.seconds)) / statistics.median(self.seconds)

    def to_json(self) -> dict[str, Any]:
        return {
            "contender": self.name,
            "error": self.error,
            "median_s": self.median,
            "spread": self.spread,
            "seconds": self.seconds,
            "why_not": self.why_not,
            "measured_before": self.measured_before,
        }


def one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:300] if text else type(error).__name__


def run(contenders: Sequence[Contender], rounds: int, bound: float) -> dict[str, Any]:
    """Checks the answer of each contender, then times them in turns; each round starts with another one.

    A contender whose relative error is above `bound`, or NaN, is not timed.
    """
    results = {
        contender.name: Result(contender.name, measured_before=contender.measured_before)
        for contender in contenders
    }
    able = []
    for contender in contenders:
        result = results[contender.name]
        try:
            result.error = contender.prepare()
        except Exception as error:  # a peer may fail in any way; the others go on
            result.why_not = one_line(error)
            continue
        if contender.measured_before:
            result.seconds.append(contender.time())
        elif result.error is None or result.error <= bound:
            able.append(contender)
        else:
            result.why_not = f"wrong: relative error {result.error:.3g}, allowed {bound:.3g}"
    clocks = [machine.state()]
    for turn in range(rounds):
        first = turn % len(able) if able else 0
        for contender in able[first:] + able[:first]:
            result = results[contender.name]
            if result.why_not is not None:
                continue
            try:
                result.seconds.append(contender.time())
            except Exception as error:
                result.why_not = one_line(error)
        clocks.append(machine.state())
    return {"results": [result.to_json() for result in results.values()], "clocks": clocks}
