// A burst: every running start goes on alone, on its thread, for some accepted steps or until an ending.
//
// A tick is what it is in `optimize/loop.py`: advance, trial, judge, and the endings are looked for; so a
// burst that begins where another one ended changes no bit.
#pragma once

#include "endings.hpp"
#include "hager_zhang.hpp"

namespace symbreak {

// How far a burst goes, and where it writes what happened in it.
struct Log {
    int most_steps;    // accepted steps of a start
    int most_ticks;    // evaluations of a start
    double* values;    // (starts, most_steps), J of the accepted steps
    double* scores;    // likewise, of the validation; null without one
    bool* accepted;    // (starts), of the last tick
    bool* failed;      // (starts), likewise
};

template <class T, class Stepper>
class Burst {
public:
    Burst(const State& state, const Settings& settings, long n, const Stepper& stepper,
          const Problem<T>* validation, const Log& log)
        : log_(log), starts_(state.starts()), n_(n), stepper_(stepper), here_(state, "here", n_), before_(state, "before", n_),
          is_new_(state.rows<bool>("is_new")), iterations_(state.rows<std::int64_t>("burst.iterations")),
          evaluations_(state.rows<std::int64_t>("burst.evaluations")), best_(state, settings, n_),
          limits_(state, settings, n_), validation_(state, settings, validation),
          stalling_(state, settings) {}

    void run(int threads) {
        // Few starts of large problems share the threads inside each evaluation.
        const bool by_starts = starts_ >= threads || stepper_.work() < kLeastOfThread;
        const int inner = by_starts ? 1 : threads;
        parallel(starts_, by_starts ? threads : 1, [&](int start) { run_start(start, inner); });
    }

private:
    void run_start(int start, int threads) {
        thread_local Room<T> room;
        room.grow(2 * n_);
        Point<T> trial{room.get(), 0, room.get() + n_, 0};
        int steps = 0;
        log_.accepted[start] = log_.failed[start] = false;
        for (int tick = 0; tick < log_.most_ticks && steps < log_.most_steps; ++tick)
            if (make_tick(start, tick, trial, steps, threads)) return;
    }

    // Returns whether the start may have ended.
    bool make_tick(int start, int tick, Point<T>& trial, int& steps, int threads) {
        const Point<T> here = here_[start];
        if (is_new_[start]) stepper_.advance(start, before_[start], here);
        is_new_[start] = false;
        stepper_.trial(start, tick, here, trial, threads);
        ++evaluations_[start];
        best_.offer(start, trial, iterations_[start] + 1);
        const Verdict said = stepper_.judge(start, here, trial);
        log_.accepted[start] = said == Verdict::accepted;
        log_.failed[start] = said == Verdict::failed;
        const bool is_over = said == Verdict::accepted && move(start, here, trial, steps, threads);
        return is_over || said == Verdict::failed || stepper_.has_ended(start) ||
               limits_.end(here_[start], iterations_[start], evaluations_[start]);
    }

    // Goes to an accepted trial; returns whether that may have ended the start.
    bool move(int start, const Point<T>& here, const Point<T>& trial, int& steps, int threads) {
        before_.put(start, here);
        here_.put(start, trial);
        is_new_[start] = true;
        const std::int64_t made = ++iterations_[start];
        const long place = static_cast<long>(start) * log_.most_steps + steps++;
        log_.values[place] = trial.value;
        bool is_over = limits_.end_step(start, before_[start], here_[start]);
        if (validation_) {
            is_over |= validation_.look(start, trial.theta, made, threads);
            log_.scores[place] = validation_.latest(start);
        }
        return stalling_.look(start, trial.value) || is_over;
    }

    Log log_;
    int starts_;
    long n_;
    const Stepper& stepper_;
    Points<T> here_, before_;
    Rows<bool> is_new_;
    Rows<std::int64_t> iterations_, evaluations_;
    BestPoints<T> best_;
    Limits<T> limits_;
    Validation<T> validation_;
    Stalling stalling_;
};

}  // namespace symbreak
