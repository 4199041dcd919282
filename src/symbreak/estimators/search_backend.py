"""A backend of joblib that trains the fits it is given as stacks.

scikit-learn's searches hand every fit to joblib. This backend runs each up to its training, trains
all that wait as stacks (several at a time where there are jobs for them), and lets the fits end. So
scorers, candidates, results and errors stay scikit-learn's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from joblib import Parallel, delayed, parallel_config
from joblib.parallel import ParallelBackendBase

from symbreak.estimators.search_fits import NEVER_TRAINED, Fit, SearchInterrupted
from symbreak.estimators.search_progress import SearchProgress
from symbreak.optimize import Outcome, Progress
from symbreak.optimize.interrupt import DeferredInterrupt
from symbreak.training.joint_training import MinimizeCall, stacks_of, train_together

# Each fit that waits is a thread.
MOST_FITS = 512
Answer = Outcome | BaseException


class StackedBackend(ParallelBackendBase):  # type: ignore[misc]
    """Runs submitted fits together.

    Parameters
    ----------
    outer : joblib's backend and number of jobs for the stacks.
    memory_budget : bytes that examples of waiting fits, and the starts of a stack, may each take.
    progress : told what is done.
    """

    supports_sharedmem = True
    uses_threads = True

    def __init__(
        self, outer: tuple[Any, int], memory_budget: int, progress: SearchProgress
    ) -> None:
        super().__init__(nesting_level=0)
        self._outer, self._memory_budget, self._progress = outer, memory_budget, progress
        self._fits: list[Fit] = []
        self._callbacks: dict[Fit, Callable[[Any], None]] = {}
        self.n_finished = 0
        self.is_interrupted = False

    def effective_n_jobs(self, n_jobs: int) -> int:  # noqa: ARG002 - joblib's interface
        """Return 2: joblib runs tasks itself where there is one job."""
        return 2

    def submit(self, func: Callable[[], Any], callback: Callable[[Any], None]) -> Fit:
        """Take a task, which runs when the first result is asked for."""
        fit = Fit(func)
        self._fits.append(fit)
        self._callbacks[fit] = callback
        return fit

    def retrieve_result(self, out: Fit, timeout: float | None = None) -> Any:  # noqa: ARG002
        """Return the result of a task, after all were run."""
        if not out.is_done:
            self._run()
        # Joblib counts what is done by these calls.
        self._callbacks.pop(out)(out)
        results = out.result()
        for result in results:
            if isinstance(result, dict) and "fit_time" in result:
                result["fit_time"] = max(0.0, result["fit_time"] - out.seconds_of_others)
        return results

    def get_nested_backend(self) -> tuple[Any, Any]:
        """Return the outer backend, for what the fits run in parallel themselves."""
        return self._outer

    def _run(self) -> None:
        fresh, self._fits = self._fits, []
        waiting: list[Fit] = []
        with DeferredInterrupt() as interrupt, self._progress.shown(len(fresh)):
            while fresh or waiting:
                self._gather(fresh, waiting)
                for fit, answer in zip(waiting, self._answers(waiting, interrupt), strict=True):
                    fit.go_on(answer)
                    self._count(fit)
                waiting = [fit for fit in waiting if not fit.is_done]

    def _gather(self, fresh: list[Fit], waiting: list[Fit]) -> None:
        """Run fits up to their training, as many as the memory holds."""
        held = sum(_search(fit).nbytes for fit in waiting)
        while fresh and len(waiting) < MOST_FITS and (not waiting or held < self._memory_budget):
            fit = fresh.pop(0)
            fit.begin()
            self._count(fit)
            if not fit.is_done:
                waiting.append(fit)
                held += _search(fit).nbytes

    def _count(self, fit: Fit) -> None:
        if fit.is_done:
            self.n_finished += _is_sound(fit)
            self._progress.fit_done()

    def _answers(self, waiting: Sequence[Fit], interrupt: DeferredInterrupt) -> list[Answer]:
        """Return the outcomes, or an error for fits that an interruption has left untrained."""
        searches = [_search(fit) for fit in waiting]
        answers: list[Answer] = [SearchInterrupted(NEVER_TRAINED)] * len(searches)
        stacks = [] if self.is_interrupted else stacks_of(
            searches, self._memory_budget, self._outer[1]
        )  # fmt: skip
        for stack, found in zip(stacks, self._trained(searches, stacks, interrupt), strict=False):
            for index, answer in zip(stack, found, strict=True):
                self.is_interrupted |= _is_cut_short(answer)
                if not _is_cut_short(answer):
                    answers[index] = answer
        self.is_interrupted |= interrupt.is_requested
        return answers

    def _trained(
        self,
        searches: Sequence[MinimizeCall],
        stacks: Sequence[list[int]],
        interrupt: DeferredInterrupt,
    ) -> Iterator[list[Answer]]:
        """Yield what each stack found, until the interruption."""
        backend, n_jobs = self._outer
        parts = [[searches[index] for index in stack] for stack in stacks]

        def look(progress: Progress) -> None:
            self._progress.look(progress)
            if interrupt.is_requested:
                raise KeyboardInterrupt

        if n_jobs == 1 or len(stacks) < 2:
            for part in parts:
                if interrupt.is_requested or self.is_interrupted:
                    return
                yield _answered(part, look)
            return
        shared = look if getattr(backend, "supports_sharedmem", False) else None
        with parallel_config(backend=backend, n_jobs=n_jobs):
            yield from Parallel()(delayed(_answered)(part, shared) for part in parts)


def _answered(searches: Sequence[MinimizeCall], look: Any) -> list[Answer]:
    """Return the outcomes of a stack, or for each search the error that each would raise alone."""
    try:
        return list(train_together(searches, look))
    except Exception as error:
        return [error] * len(searches)


def _search(fit: Fit) -> MinimizeCall:
    assert fit.search is not None
    return fit.search


def _is_cut_short(answer: Answer) -> bool:
    return isinstance(answer, Outcome) and answer.is_interrupted


def _is_sound(fit: Fit) -> bool:
    """Whether a fit of scikit-learn's search has ended without an error."""
    try:
        return all(result.get("fit_error") is None for result in fit.result())
    except Exception:
        return False
