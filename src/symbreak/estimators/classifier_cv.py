"""`MLPClassifierCV`: hidden layers and penalty chosen by cross-validation."""

from __future__ import annotations

from typing import Any, ClassVar

from symbreak.estimators.classifier import MLPClassifier
from symbreak.estimators.cross_validated import CrossValidatedMLP
from symbreak.estimators.parameters import CLASSIFIER, CROSS_VALIDATED


class MLPClassifierCV(CrossValidatedMLP, MLPClassifier):
    """A multi-layer perceptron for classes, its hidden layers and penalty by cross-validation.

    X is standardised. Every architecture and penalty is trained on the rows of each fold from a few
    starts by L-BFGS, and scored by their average on the others. What scored best is trained on all
    rows from many starts, whose average predicts.

    Parameters
    ----------
    hidden_layer_sizes : "auto", `[(), (20,), (20, 20)]`; a list of such; or the hidden layers of
        one architecture, as in `MLPClassifier`. `()` is the linear model. Of several the smallest
        network within one standard error of the best one is taken.
    activation : of the hidden layers. "auto" is "tanh", and for the best of the architectures with
        hidden layers "silu" too.
    alphas : the penalties to compare. "auto" takes powers of ten from 0.1 to 100, goes on beyond
        an edge that wins, and halves the step around the best; the networks after the first one
        with hidden layers begin around its best, in half steps.
    cv : None for 5 folds, a number of them, a splitter, or (train, test) rows. A number makes
        shuffled folds with the classes in equal shares, and, with `groups`, no group in two.
    scoring : a scorer; None is minus the log-loss.
    n_starts, screening_starts : starts on all rows, and on each fold.
    class_weight : "balanced" or a dictionary, as elsewhere in scikit-learn.
    init : the rule of the starts.
    max_iter, tol : of each training. On folds of more than 150 rows fewer iterations are made,
        down to 300. What has not converged then was scored as it is: nothing is warned of.
    random_state : of folds and starts.
    verbose : print what was chosen from, and the iterations of the training on all rows.
    dtype, device : of the computation; None is that of X, and the CPU.

    Attributes
    ----------
    alpha_, hidden_layer_sizes_, activation_ : what was chosen.
    alphas_, scores_path_ : the penalties that were compared for this network, rising, and their
        scores (penalties, folds), higher is better.
    cv_results_, best_index_, best_score_, n_splits_ : all candidates, as in `GridSearchCV`. The
        best score has chosen and is no score of a test.
    classes_, coefs_, training_, ... : as in `MLPClassifier`, of the training on all rows.

    Examples
    --------
    >>> import symbreak as sb
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> net = sb.MLPClassifierCV(random_state=0).fit(X, y)
    >>> net.score(X, y) > 0.95
    True
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {**CROSS_VALIDATED, **CLASSIFIER}

    def __init__(
        self,
        hidden_layer_sizes: Any = "auto",
        activation: Any = "auto",
        *,
        alphas: Any = "auto",
        cv: Any = None,
        scoring: Any = None,
        n_starts: int = 16,
        screening_starts: int = 4,
        loss: str = "log_loss",
        class_weight: Any = None,
        init: Any = "glorot_uniform",
        max_iter: int = 1000,
        tol: float = 1e-4,
        random_state: Any = None,
        verbose: Any = False,
        dtype: Any = None,
        device: Any = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.alphas = alphas
        self.cv = cv
        self.scoring = scoring
        self.n_starts = n_starts
        self.screening_starts = screening_starts
        self.loss = loss
        self.class_weight = class_weight
        self.init = init
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state
        self.verbose = verbose
        self.dtype = dtype
        self.device = device
