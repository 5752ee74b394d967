"""The results as Markdown, with the project's targets for an H200."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import programs

# By shape: operations a second, and the factor by which the best peer should be beaten.
ATTENTION_TARGETS = {
    "D32/2048x2048/batch:1": (4.0 * 8 * 2048 * 2048 * 32 / 17e-6, None),
    "D32/2048x2048/batch:32": (330e12, 1.3),
    "D64/2048x2048/batch:8": (430e12, None),
    "D128/2048x2048/batch:8": (520e12, None),
}
# By part and batch: seconds of a batch, and the factor by which torch.compile should be beaten.
NETWORK_TARGETS = {
    ("network", 1): (1.0e-3, 1.5),
    ("network", 64): (64 / 2500, 1.3),
    ("fusion", 1): (None, 2.0),
    ("fusion", 64): (None, 2.0),
}
NOT_MEASURED = "*not yet measured*"


def rows(header: Iterable[str], lines: Iterable[Iterable[str]]) -> str:
    def row(cells: Iterable[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    header = list(header)
    return "\n".join([row(header), row(["---"] * len(header)), *map(row, lines)])


def by_contender(entry: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {result["contender"]: result for result in entry["results"]}


def best_peer(entry: dict[str, Any], only: str | None = None) -> float | None:
    """The shortest median of the peers, or of those whose names begin with `only`."""
    medians = [
        result["median_s"]
        for name, result in by_contender(entry).items()
        if name != programs.NAME and result["median_s"] is not None and name.startswith(only or "")
    ]
    return min(medians, default=None)


def factor(entry: dict[str, Any], only: str | None, wanted: float | None) -> str:
    """How many times as fast as its peers this project is, and the target for that."""
    own = by_contender(entry).get(programs.NAME, {}).get("median_s")
    peer = best_peer(entry, only)
    measured = NOT_MEASURED if own is None or peer is None else f"{peer / own:.2f}"
    return measured if wanted is None else f"{measured} (target {wanted:g})"


def cell(result: dict[str, Any] | None, text) -> str:
    """The measured figure by `text(seconds)` with its spread, or the reason why there is none."""
    if result is None:
        return NOT_MEASURED
    if result["median_s"] is None:
        return result["why_not"] or NOT_MEASURED
    if result["spread"] is None:
        return text(result["median_s"]) + ", measured before"
    return f"{text(result['median_s'])} ±{50 * result['spread']:.0f} %"


def error_cell(entry: dict[str, Any]) -> str:
    errors = [result["error"] for result in entry["results"] if result["error"] is not None]
    return f"{max(errors):.1e}" if errors else NOT_MEASURED


def attention_table(entries: list[dict[str, Any]]) -> str:
    peers = list(
        dict.fromkeys(
            result["contender"]
            for entry in entries
            for result in entry["results"]
            if result["contender"] != programs.NAME
        )
    )
    lines = []
    for entry in entries:
        rate, wanted = ATTENTION_TARGETS.get(entry["shape"], (None, None))
        found = by_contender(entry)

        def tflops(seconds: float, flop: float = entry["flop"]) -> str:
            return f"{flop / seconds * 1e-12:.0f} ({seconds * 1e6:.1f} us)"

        lines.append(
            [
                entry["shape"],
                cell(found.get(programs.NAME), tflops),
                "" if rate is None else f"{rate * 1e-12:.0f}",
                *(cell(found.get(peer), tflops) for peer in peers),
                factor(entry, None, wanted),
                error_cell(entry),
            ]
        )
    header = ["shape", f"{programs.NAME}, TFLOP/s", "target", *peers, "best peer / ours", "peers' error"]
    return rows(header, lines)


def network_table(entries: list[dict[str, Any]]) -> str:
    lines = []
    for entry in sorted(entries, key=lambda entry: (entry["part"], entry["batch"])):
        limit, wanted = NETWORK_TARGETS.get((entry["part"], entry["batch"]), (None, None))
        found = by_contender(entry)

        def rate(seconds: float, batch: int = entry["batch"]) -> str:
            return f"{seconds * 1e3:.2f} ms ({batch / seconds:.0f} /s)"

        names = [programs.NAME, *(name for name in found if name != programs.NAME)]
        for name in names:
            own = name == programs.NAME
            lines.append(
                [
                    f"{entry['part']}, batch {entry['batch']}",
                    name,
                    cell(found.get(name), rate),
                    f"{limit * 1e3:.2f} ms" if own and limit else "",
                    factor(entry, "torch.compile", wanted) if own else "",
                    f"{found[name]['error']:.1e}" if name in found and found[name]["error"] else "",
                ]
            )
    return rows(["what", "by", "time", "target", "torch.compile / ours", "error"], lines)


def markdown(reports: list[dict[str, Any]]) -> str:
    """All sections, each below the machine it was measured on."""
    parts = ["# Peers in one interleaved run"]
    for report in reports:
        machine = report["machine"]
        clocks = [
            state["sm_clock_mhz"]
            for entry in report["entries"]
            for state in entry["clocks"]
            if state.get("sm_clock_mhz")
        ]
        parts.append(f"## {report['section']}")
        parts.append(
            f"{machine.get('gpu', 'an unnamed GPU')}, driver {machine.get('driver', '?')}, "
            f"PyTorch {machine.get('torch', '?')}, CUDA {machine.get('cuda', '?')}, "
            f"cuDNN {machine.get('cudnn', '?')}; SM clock "
            + (f"{min(clocks):.0f} to {max(clocks):.0f} MHz" if clocks else "not read")
            + f"; medians of {report['rounds']} rounds, ± half the spread; {report['date']}."
        )
        kind = attention_table if report["kind"] == "attention" else network_table
        parts.append(kind(report["entries"]))
    return "\n\n".join(parts) + "\n"
