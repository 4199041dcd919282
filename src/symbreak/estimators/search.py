"""`StackedSearchCV`: a search over parameters, folds and starts, in one process."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from joblib import parallel_config
from joblib.parallel import get_active_backend
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils import get_tags
from sklearn.utils._param_validation import Interval
from sklearn.utils.metaestimators import available_if

from symbreak.deprecation import warn_without_effect
from symbreak.errors import InvalidInput, InvalidType
from symbreak.estimators.interruption import SearchInterrupted
from symbreak.estimators.search_backend import SearchBackend
from symbreak.estimators.search_progress import SearchProgress
from symbreak.estimators.search_results import (
    NO_BEST,
    check_has_best,
    without_scores_of_untrained,
)


class StackedSearchCV(BaseSearchCV):  # type: ignore[misc]
    """Search over the parameters of an estimator of symbreak by cross-validation.

    The interface is that of `GridSearchCV` (with `param_grid`) and `RandomizedSearchCV` (with
    `param_distributions`), and so are the results. The fits run in this process, where the compiled
    core trains the starts of each as one stack on all processors.

    Parameters
    ----------
    estimator : an estimator of symbreak, or a pipeline with one, whose other steps are fitted
        inside each fold.
    param_grid : dict of lists, or a list of such dicts: every combination is a candidate.
    param_distributions : dict of lists or distributions, or a list of such dicts, of which
        `n_iter` candidates are drawn; give this or `param_grid`.
    n_iter, random_state : of the candidates that are drawn.
    scoring, refit, cv, verbose, error_score, return_train_score : as in `GridSearchCV`.
    n_jobs : fits that run at a time, on threads. None is 1 unless `joblib.parallel_config` says
        otherwise: the core has the processors compute the starts of one fit already. More are worth
        while where a fit has few starts.
    memory_budget : deprecated; it has no effect, as no fit waits for others any more.
    progress : whether to show a bar on standard error.

    Attributes
    ----------
    cv_results_, best_estimator_, best_score_, best_params_, best_index_, scorer_, n_splits_,
    refit_time_, multimetric_, classes_, n_features_in_, feature_names_in_ : as in `GridSearchCV`.

    Notes
    -----
    After Ctrl-C the fits that were trained stand. The others have no score, whatever `error_score`
    is, nor have their candidates a mean. A warning says how many candidates have a score on every
    fold, and the best of these is fitted again. Where there is none, with error_score="raise", and
    after a second Ctrl-C or one in the last fit, KeyboardInterrupt is raised.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **{
            name: kinds
            for name, kinds in BaseSearchCV._parameter_constraints.items()
            if name != "pre_dispatch"
        },
        "param_grid": [dict, list, None],
        "param_distributions": [dict, list, None],
        "n_iter": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
        "memory_budget": [Interval(Integral, 1, None, closed="left"), None],
        "progress": ["boolean"],
    }

    def __init__(
        self,
        estimator: Any,
        param_grid: Any = None,
        *,
        param_distributions: Any = None,
        n_iter: int = 10,
        random_state: Any = None,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: bool | str | Callable[..., Any] = True,
        cv: Any = None,
        verbose: int = 0,
        error_score: Any = np.nan,
        return_train_score: bool = False,
        memory_budget: int | None = None,
        progress: bool = False,
    ) -> None:
        super().__init__(
            estimator=estimator, scoring=scoring, n_jobs=n_jobs, refit=refit, cv=cv,
            verbose=verbose, error_score=error_score, return_train_score=return_train_score,
        )  # fmt: skip
        self.param_grid = param_grid
        self.param_distributions = param_distributions
        self.n_iter = n_iter
        self.random_state = random_state
        self.memory_budget = memory_budget
        self.progress = progress

    @property
    def pre_dispatch(self) -> str:
        """All fits are handed over before any is trained."""
        return "all"

    @pre_dispatch.setter
    def pre_dispatch(self, given: object) -> None:
        """Take no notice of what the base class sets."""

    def fit(self, X: Any, y: Any = None, **params: Any) -> Self:
        """Evaluate all candidates, and fit the best one on all examples.

        Parameters
        ----------
        X : (m, features).
        y : the targets, as the estimator takes them.
        **params : passed to the `fit` of the estimator, the scorer and the splitter.

        Raises
        ------
        InvalidInput, InvalidType
            No candidate has a finite score on every fold, so none is the best.
        KeyboardInterrupt
            Ctrl-C left no such candidate; see the notes.
        """
        self._validate_params()
        if self.memory_budget is not None:
            warn_without_effect("memory_budget of StackedSearchCV")
        outer, default = get_active_backend()
        n_jobs = outer.effective_n_jobs(default if self.n_jobs is None else self.n_jobs)
        progress = SearchProgress(is_wanted=bool(self.progress))
        backend = SearchBackend(
            (outer, default),
            n_jobs,
            progress,
            # Other steps and scorers may compute for long without the lock of Python.
            takes_turns=_is_ours(self.estimator) and self.scoring is None,
        )
        with parallel_config(backend=backend):
            super().fit(X, y, **params)
        return self

    @available_if(lambda search: hasattr(search.estimator, "transform"))  # type: ignore[untyped-decorator]
    def fit_transform(self, X: Any, y: Any = None, **params: Any) -> Any:
        """Fit, and return what the best estimator makes of X; where the estimator transforms."""
        return self.fit(X, y, **params).transform(X)

    def __sklearn_tags__(self) -> Any:
        """Return the tags of the estimator: it may transform too."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags = get_tags(self.estimator).transformer_tags
        return tags

    def _run_search(self, evaluate_candidates: Any, *, callback_ctx: Any = None) -> None:
        """Hand over the candidates, as the search of scikit-learn with these parameters does."""
        kind = GridSearchCV if self.param_distributions is None else RandomizedSearchCV
        # The context of callbacks came with scikit-learn 1.9.
        context = {} if callback_ctx is None else {"callback_ctx": callback_ctx}
        backend = get_active_backend()[0]
        with backend.running():
            try:
                kind._run_search(self, evaluate_candidates, **context)
            except (SearchInterrupted, ValueError):
                if backend.is_interrupted:
                    raise KeyboardInterrupt(NO_BEST) from None
                raise

    def _format_results(
        self, candidate_params: Any, n_splits: int, out: Any, more_results: Any = None
    ) -> Any:
        """Make `cv_results_`; the base class calls it with what it notes of each fit."""
        fits = without_scores_of_untrained(out)
        results = super()._format_results(candidate_params, n_splits, fits, more_results)
        # Kept from here on: the last fit may fail or be interrupted.
        self.cv_results_ = results
        backend = get_active_backend()[0]
        check_has_best(results, fits, self.refit, is_interrupted=backend.is_interrupted)
        return results

    def _check_input_parameters(self, X: Any, y: Any, split_params: Any) -> None:  # noqa: ARG002
        """Refuse what cannot be searched; the base class calls it after its own checks."""
        if (self.param_grid is None) == (self.param_distributions is None):
            raise InvalidInput(
                "The candidates of StackedSearchCV must come from param_grid or from "
                "param_distributions. "
                f"Got {'neither' if self.param_grid is None else 'both'}; give one of them."
            )
        parts = [self.estimator]
        if hasattr(self.estimator, "get_params"):
            parts += self.estimator.get_params(deep=True).values()
        if not any(_is_ours(part) for part in parts):
            raise InvalidType(
                "estimator of StackedSearchCV must be sb.MLPClassifier or sb.MLPRegressor, or a "
                f"pipeline with one. Got {type(self.estimator).__name__}; use GridSearchCV for it."
            )


def _is_ours(part: Any) -> bool:
    return hasattr(part, "fit") and any(
        kind.__module__.startswith("symbreak.") for kind in type(part).__mro__
    )
