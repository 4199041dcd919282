"""scipy's methods keep the promises of `minimize`: the best point, true counts, honest status."""

from __future__ import annotations

import signal
import warnings

import numpy as np
import pytest
import scipy.optimize

import symbreak as sb
from symbreak.errors import InvalidInput, InvalidType
from symbreak.optimize import Status
from symbreak.optimize.scipy_options import NEEDS_HESSIAN, TOLERANCES
from symbreak.parameters import Block
from tests.optimize.plain_functions import PROBLEMS, cliff, quadratic, rosenbrock, walled

NAMES = tuple(TOLERANCES)
NEAR = {**PROBLEMS, "rosenbrock": (rosenbrock, np.array([-1.2, 1.0]), 0.0, 1.0)}
FAST = tuple(name for name in NAMES if name not in ("COBYLA", "COBYQA", "Powell", "Nelder-Mead"))


class Curved:
    """A function over stacks as an objective whose Hessian products are central differences."""

    dtype = np.dtype(np.float64)

    def __init__(self, function, n, calls=None):
        self.function, self.calls = function, [] if calls is None else calls
        self.blocks = (Block("theta", 0, (n,)),)

    def __call__(self, theta, *, out=None):
        self.calls.append(len(theta))
        return self._at(theta)

    def _at(self, theta):
        value, gradient = self.function(theta.copy())
        return np.asarray(value), gradient

    def value(self, theta):
        return self(theta)[0]

    def take(self, starts):
        return self

    def batch(self, rows):
        raise NotImplementedError

    def hessian_product(self, theta, v):
        h = 1e-5 / max(1.0, float(abs(v).max()))
        return (self._at(theta + h * v)[1] - self._at(theta - h * v)[1]) / (2 * h)


def objective_for(name, function, start, calls=None):
    n = np.shape(start)[-1]
    return Curved(function, n, calls) if name in NEEDS_HESSIAN or calls is not None else function


@pytest.mark.parametrize("problem", NEAR)
@pytest.mark.parametrize("name", NAMES)
def test_every_method_is_honest_on_every_problem(name, problem, capfd):
    function, start, _, _ = NEAR[problem]
    objective = objective_for(name, function, start)
    with np.errstate(all="ignore"):
        outcome = sb.minimize(objective, start, method=f"scipy:{name}", max_iter=300)
        value, gradient = function(outcome.theta)
        begin, slope = function(start)
    limit = 1e-5 * min(1.0, np.abs(slope).max())
    assert outcome.value[0] == value <= begin
    assert outcome.gradient_norm[0] == np.abs(gradient).max()
    floor = 10 * np.finfo(float).eps * min(abs(value), abs(begin))
    assert outcome.converged[0] == (outcome.gradient_norm[0] <= max(limit, floor))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", FAST)
def test_methods_with_a_gradient_reach_the_minimum(name):
    for function, start, minimum, at in (NEAR["rosenbrock"], NEAR["quadratic"], NEAR["cliff"]):
        outcome = sb.minimize(
            objective_for(name, function, start), start, method=f"scipy:{name}", gradient_rtol=1e-7
        )
        assert outcome.status == (Status.CONVERGED,)
        np.testing.assert_allclose(outcome.theta, at, atol=1e-5)
        assert outcome.value[0] == pytest.approx(minimum, abs=1e-10)


@pytest.mark.parametrize("name", NAMES)
def test_evaluations_are_those_made_and_the_best_of_them_is_returned(name):
    seen = []

    def watched(theta):
        value, gradient = rosenbrock(theta)
        seen.append(np.array(value))
        return value, gradient

    calls: list[int] = []
    cost = objective_for(name, watched, np.zeros(2), calls)
    start = np.array([[-1.2, 1.0], [1.9, 1.2]])
    outcome = sb.minimize(cost, start, method=f"scipy:{name}", max_iter=12)
    # The check at the returned points is not counted.
    assert outcome.n_evaluations.sum() == sum(calls) - 2
    assert (outcome.n_evaluations > 1).all()
    assert (outcome.n_iterations <= 12).all()
    if name not in NEEDS_HESSIAN and name not in ("Newton-CG", "trust-constr"):
        assert outcome.value.min() == np.concatenate(seen[:-1]).min()


@pytest.mark.parametrize("name", NAMES)
def test_starts_do_not_see_each_other(name):
    start = np.array([[-1.2, 1.0], [1.9, 1.2], [2.0, 2.0]])
    cost = objective_for(name, rosenbrock, np.zeros(2), [])
    together = sb.minimize(cost, start, method=f"scipy:{name}", max_iter=9)
    for row in range(3):
        alone = sb.minimize(cost, start[row : row + 1], method=f"scipy:{name}", max_iter=9)
        np.testing.assert_array_equal(alone.theta[0], together.theta[row])
        assert alone.n_evaluations[0] == together.n_evaluations[row]


def test_a_success_of_scipy_is_no_convergence_where_the_gradient_is_large():
    start = np.array([20.0, -800.0])
    with np.errstate(over="ignore"):
        raw = scipy.optimize.minimize(cliff, start, jac=True, method="L-BFGS-B")
        ours = sb.minimize(cliff, start, method="scipy:L-BFGS-B", ftol=2.220446049250313e-09)
    assert raw.success
    assert np.abs(cliff(raw.x)[1]).max() > 0.9
    assert ours.gradient_norm[0] > 0.9
    assert ours.status == (Status.FAILED,)
    assert ours.messages == (raw.message,)


def test_scipys_own_tolerances_are_off_unless_given():
    start = np.array([-1.2, 1.0])
    tight = sb.minimize(rosenbrock, start, method="scipy:L-BFGS-B", gradient_rtol=1e-9)
    loose = sb.minimize(rosenbrock, start, method="scipy:L-BFGS-B", gradient_rtol=1e-9, ftol=1e-2)
    assert tight.status == (Status.CONVERGED,)
    assert tight.messages == ("",)
    assert loose.status == (Status.FAILED,)
    assert "RELATIVE REDUCTION OF F" in loose.messages[0]


@pytest.mark.parametrize("name", NAMES)
def test_a_large_constant_hides_no_large_gradient(name):
    def raised(theta):
        return quadratic(theta, np.logspace(0, 6, 6), 1e10)

    outcome = sb.minimize(
        objective_for(name, raised, np.ones(6)), np.ones(6), method=f"scipy:{name}", max_iter=60
    )
    limit = max(1e-5, 10 * np.finfo(float).eps * outcome.value[0])
    assert outcome.converged[0] == (outcome.gradient_norm[0] <= limit)


@pytest.mark.parametrize("name", ["BFGS", "CG", "L-BFGS-B", "Newton-CG"])
def test_where_rounding_hides_what_is_lower_the_status_is_precision_limit(name):
    """In J + 1e6 nothing below 1e-10 can be seen, so the gradient stays above 1e-9."""

    def raised(theta):
        value, gradient = rosenbrock(theta)
        return value + 1e6, gradient

    outcome = sb.minimize(
        raised, np.array([-1.2, 1.0]), method=f"scipy:{name}", gradient_rtol=1e-14
    )
    assert outcome.gradient_norm[0] > 10 * np.finfo(float).eps * 1e6
    assert outcome.status == (Status.PRECISION_LIMIT,)
    assert outcome.messages[0]


@pytest.mark.parametrize("name", NAMES)
def test_a_wall_of_nan_never_comes_out(name):
    start = np.array([[1.4, -8.0], [-3.0, 1.49]])
    cost = objective_for(name, walled, np.zeros(2), [])
    outcome = sb.minimize(cost, start, method=f"scipy:{name}", max_iter=80)
    assert np.isfinite(outcome.theta).all()
    assert np.isfinite(outcome.value).all()
    assert (outcome.value <= walled(start)[0]).all()
    assert not np.isnan(outcome.gradient_norm).any()


@pytest.mark.parametrize("name", ["BFGS", "Nelder-Mead", "trust-exact"])
def test_starts_that_are_not_finite_stationary_or_done_begin_no_search(name):
    start = np.array([[1.6, 0.0], [0.0, 0.0], [1.0, 1.0]])
    cost = objective_for(name, walled, np.zeros(2), [])
    outcome = sb.minimize(cost, start, method=f"scipy:{name}")
    assert outcome.status[:2] == (Status.NON_FINITE_START, Status.STATIONARY_START)
    assert outcome.converged[2]
    assert outcome.value[0] == np.inf
    np.testing.assert_array_equal(outcome.theta[:2], start[:2])
    assert outcome.n_evaluations[:2].tolist() == [1, 1]


@pytest.mark.parametrize("name", NAMES)
def test_limits_are_kept(name):
    start = np.array([[-1.2, 1.0], [1.9, 1.2]])

    def run(**limits):
        cost = objective_for(name, rosenbrock, np.zeros(2), [])
        return sb.minimize(cost, start, method=f"scipy:{name}", **limits)

    few = run(max_evaluations=5)
    assert few.n_evaluations.tolist() == [5, 5]
    assert few.status == (Status.MAX_EVALUATIONS,) * 2
    short = run(max_iter=3)
    assert short.n_iterations.tolist() == [3, 3]
    assert short.status == (Status.MAX_ITERATIONS,) * 2
    none = run(max_iter=0)
    assert none.n_evaluations.tolist() == [1, 1]
    np.testing.assert_array_equal(none.theta, start)
    over = run(max_seconds=0.0)
    assert over.status == (Status.MAX_SECONDS,) * 2
    target = run(target_value=3.0)
    assert target.status == (Status.TARGET_REACHED,) * 2
    assert (target.value <= 3.0).all()


def test_small_changes_and_small_steps_end_a_start():
    for option, status in (("value_rtol", Status.VALUE_TOLERANCE),
                           ("step_rtol", Status.STEP_TOLERANCE)):  # fmt: skip
        outcome = sb.minimize(rosenbrock, np.array([-1.2, 1.0]), method="scipy:BFGS",
                              **{option: 0.3})  # fmt: skip
        assert outcome.status == (status,)


@pytest.mark.parametrize("name", ["BFGS", "TNC", "COBYLA", "COBYQA", "SLSQP", "trust-constr"])
def test_the_callback_sees_true_numbers_and_stops_everything(name):
    start = np.array([[-1.2, 1.0], [1.9, 1.2]])
    told = []

    def stop_at_the_fourth(progress):
        told.append(progress)
        return len(told) == 4

    outcome = sb.minimize(rosenbrock, start, method=f"scipy:{name}", callback=stop_at_the_fourth)
    assert outcome.status == (Status.STOPPED, Status.STOPPED)
    assert [progress.iteration for progress in told] == [1, 2, 3, 4]
    assert told[-1].best_value == outcome.value.min()
    assert told[-1].median_value == np.median(outcome.value)
    assert (told[-1].n_running, told[-1].n_starts) == (2, 2)
    np.testing.assert_array_equal(outcome.theta[1], start[1])


class Pressed(Curved):
    """Ctrl-C in one of its evaluations."""

    def __init__(self, call):
        super().__init__(rosenbrock, 2)
        self.call, self.values = call, []

    def __call__(self, theta, *, out=None):
        if len(self.calls) + 1 == self.call:
            self.calls.append(0)
            raise KeyboardInterrupt
        value, gradient = super().__call__(theta)
        self.values.append(float(value[0]))
        return value, gradient


@pytest.mark.parametrize("call", [1, 2, 9])
@pytest.mark.parametrize("name", NAMES)
def test_an_interruption_in_the_objective_keeps_the_best_so_far(name, call):
    start = np.array([[-1.2, 1.0]])
    cost = Pressed(call)
    outcome = sb.minimize(cost, start, method=f"scipy:{name}")
    assert outcome.status == (Status.INTERRUPTED,)
    assert outcome.n_evaluations[0] == call - 1
    assert outcome.value[0] == min([*cost.values[: call - 1], rosenbrock(start)[0][0]])
    assert outcome.value[0] == rosenbrock(outcome.theta)[0][0]


def test_ctrl_c_waits_for_the_end_of_the_evaluation():
    calls = []

    def pressed(theta):
        calls.append(0)
        if len(calls) == 5:
            signal.raise_signal(signal.SIGINT)
        return rosenbrock(theta)

    outcome = sb.minimize(pressed, np.array([-1.2, 1.0]), method="scipy:BFGS")
    assert outcome.status == (Status.INTERRUPTED,)
    assert outcome.n_evaluations[0] == 5  # the fifth was whole
    assert len(calls) == 6


def test_an_interruption_leaves_the_other_starts_where_they_are():
    start = np.array([[-1.2, 1.0], [1.9, 1.2]])
    outcome = sb.minimize(Pressed(9), start, method="scipy:BFGS")
    assert outcome.status == (Status.INTERRUPTED,) * 2
    assert outcome.value[0] < rosenbrock(start)[0][0]
    np.testing.assert_array_equal(outcome.theta[1], start[1])


@pytest.mark.parametrize("name", NAMES)
def test_an_error_of_the_objective_is_the_users_to_see(name):
    calls = []

    def broken(theta):
        calls.append(0)
        if len(calls) == 4:
            raise ZeroDivisionError("mine")
        return rosenbrock(theta)

    with pytest.raises(ZeroDivisionError, match="mine"):
        sb.minimize(objective_for(name, broken, np.zeros(2), []), np.zeros((1, 2)) - 1.0,
                    method=f"scipy:{name}")  # fmt: skip


def test_history_is_j_after_each_iteration_and_ends_at_the_returned_value():
    values = []
    outcome = sb.minimize(
        rosenbrock, np.array([[-1.2, 1.0]]), method="scipy:BFGS", max_iter=8,
        callback=lambda progress: values.append(progress.best_value),
    )  # fmt: skip
    assert outcome.history.shape == (9, 1)
    np.testing.assert_array_equal(outcome.history[1:-1, 0], values)
    raw = scipy.optimize.minimize(
        rosenbrock, [-1.2, 1.0], jac=True, method="BFGS", options={"maxiter": 8}
    )
    assert outcome.history[-1, 0] == outcome.value[0] == raw.fun
    assert outcome.n_evaluations[0] == raw.nfev  # no point is evaluated twice


def test_a_network_cost_of_either_dtype_and_with_own_penalties_is_trained():
    rng = np.random.default_rng(0)
    net = sb.Network((3, 4, 2), "tanh", "cross_entropy")
    X, y = rng.normal(size=(40, 3)), rng.integers(0, 2, 40)
    theta = sb.initialize(net, starts=2, seed=1)
    both = sb.NetworkCost(net, X, y, alpha=np.array([0.3, 3.0]))
    outcome = sb.minimize(both, theta, method="scipy:L-BFGS-B", max_iter=200)
    assert outcome.converged.all()
    assert isinstance(outcome.theta, np.ndarray)
    for start, alpha in enumerate((0.3, 3.0)):
        own = sb.NetworkCost(net, X, y, alpha=alpha)
        raw = scipy.optimize.minimize(
            own.numpy, theta[start], jac=True, method="L-BFGS-B",
            options={"gtol": 1e-5, "ftol": 0},
        )  # fmt: skip
        assert outcome.value[start] == pytest.approx(raw.fun, rel=1e-6)
    newton = sb.minimize(both, theta, method="scipy:trust-exact", max_iter=100)
    assert newton.converged.all()
    single = sb.NetworkCost(net, X, y, alpha=1.0, dtype="float32")
    found = sb.minimize(single, theta, method="scipy:BFGS", max_iter=50)
    assert found.theta.dtype == np.float64  # as given
    np.testing.assert_allclose(found.value, single.value(found.theta), rtol=1e-6)


def test_going_on_begins_anew_with_the_method_that_is_named():
    first = sb.minimize(rosenbrock, np.array([-1.2, 1.0]), method="scipy:CG", max_iter=3)
    assert first.search is None
    again = sb.minimize(rosenbrock, first, method="l-bfgs")
    assert again.converged[0]
    assert again.history[0, 0] == first.value[0]


@pytest.mark.parametrize("word", ["scipy:l-bfgs-b", "scipy:Newton-CG", "SciPy:BFGS", "scipy:tnc"])
def test_names_are_matched_in_any_case(word):
    assert sb.minimize(quadratic, np.ones(3), method=word).converged[0]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"method": "scipy:bfsg"}, r"method of minimize must be .*Did you mean 'scipy:BFGS'"),
        ({"method": "scipy:"}, r"method of minimize must be one of scipy:Nelder-Mead"),
        (
            {"method": "scipy:BFGS", "xrtoll": 1.0},
            r"^options of scipy:BFGS must be among gtol, (?!.*gtol).*xrtol.* "
            r"Got 'xrtoll'. Did you mean 'xrtol'\?$",
        ),
        ({"method": "scipy:trust-constr", "xtoll": 1.0}, r"Got 'xtoll'. Did you mean 'xtol'\?$"),
        ({"method": "scipy:CG", "c1": -1.0}, r"^options of scipy:CG must be such that SciPy acc"),
        (
            {"method": "scipy:CG", "maxiter": 3},
            r"must leave maxiter to max_iter and max_evaluations of minimize. Got maxiter=3",
        ),
        ({"method": "scipy:CG", "disp": True}, r"must leave disp to callback of minimize"),
        (
            {"method": "scipy:CG", "validation": quadratic},
            r"validation of minimize must be None with method 'scipy:CG'",
        ),
        ({"method": "scipy:CG", "racing": True}, r"racing of minimize must be None with method"),
    ],
)
def test_bad_input_is_one_sentence(arguments, sentence):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(InvalidInput, match=sentence) as caught:
            sb.minimize(quadratic, np.ones(3), **arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", NEEDS_HESSIAN)
def test_a_method_that_needs_a_hessian_says_so(name):
    with pytest.raises(InvalidType, match=r"must have the method hessian_product\(theta, v\)"):
        sb.minimize(quadratic, np.ones(3), method=f"scipy:{name}")


def test_warnings_of_the_objective_are_not_silenced():
    calls = []

    def warned(theta):
        calls.append(0)
        if len(calls) == 3:
            warnings.warn("mine", UserWarning, stacklevel=1)
        return quadratic(theta)

    with pytest.warns(UserWarning, match="mine"):
        sb.minimize(warned, np.ones(3), method="scipy:BFGS")


def test_warnings_of_scipy_are_silenced():
    """On a plane trust-constr says that its quasi-Newton matrix learns nothing."""

    def plane(theta):
        return theta.sum(), np.ones_like(theta)

    with pytest.warns(UserWarning, match="delta_grad == 0.0"):
        scipy.optimize.minimize(
            plane, np.ones(2), jac=True, method="trust-constr", options={"maxiter": 4}
        )
    outcome = sb.minimize(plane, np.ones(2), method="scipy:trust-constr", max_iter=4)
    assert outcome.status == (Status.MAX_ITERATIONS,)
