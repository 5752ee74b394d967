"""Seconds of work on the device, by CUDA events."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

WARM_UPS = 3
LEAST_SAMPLES = 9
SECONDS = 0.25  # of timed work: about this at most, and LEAST_SAMPLES runs


def samples(run: Callable[[], object], runs_of_work: int) -> float:
    """The median seconds of one piece of work, if `run` does `runs_of_work` of them."""
    import torch

    def timed() -> float:
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        run()
        end.record()
        end.synchronize()
        return start.elapsed_time(end) * 1e-3

    for _ in range(WARM_UPS):
        estimate = timed()
    count = max(LEAST_SAMPLES, min(1000, int(SECONDS / max(estimate, 1e-6))))
    return statistics.median(timed() for _ in range(count)) / runs_of_work


def graph_of(pieces: Sequence[Callable[[], object]]) -> Callable[[], object]:
    """The pieces one after another as one CUDA graph, so that only the work on the device is left."""
    import torch

    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for piece in pieces:
            piece()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        kept = [piece() for piece in pieces]

    def replay(graph=graph, kept=kept) -> object:
        graph.replay()
        return kept

    return replay


def relative_error(result, expected) -> float:
    """||result - expected|| / ||expected|| in float64; NaN if either holds one."""
    import torch

    difference = torch.linalg.vector_norm(result.double() - expected.double())
    return (difference / torch.linalg.vector_norm(expected.double())).item()
