// A pool of threads that wait between calls; none of them is kept over a fork.
//
// Calls follow each other within microseconds in a search, and waking a thread takes more: so both sides
// look for a while whether there is something to do before they sleep.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include <pthread.h>

namespace symbreak {

// How long a thread looks before it sleeps.
constexpr std::chrono::microseconds kLooking{50};

// Looks until `holds` or for a while; others may run meanwhile.
template <class Holds>
void look_for(const Holds& holds) {
    const auto end = std::chrono::steady_clock::now() + kLooking;
    while (!holds() && std::chrono::steady_clock::now() < end) std::this_thread::yield();
}

class Pool {
public:
    // The pool of this process; threads of a parent do not live in its forked child.
    static Pool& here() {
        static std::once_flag once;
        std::call_once(once, [] {
            pthread_atfork([] { instance_mutex().lock(); }, [] { instance_mutex().unlock(); },
                           [] {
                               instance() = nullptr;
                               instance_mutex().unlock();
                           });
        });
        std::lock_guard<std::mutex> lock(instance_mutex());
        // Never destroyed: its threads may wait until the process ends.
        if (instance() == nullptr) instance() = new Pool;
        return *instance();
    }

    // Calls work(i) for every i below `count`, on up to `threads` threads with this one; on this one
    // alone while another caller has the threads.
    void run(int count, int threads, const std::function<void(int)>& work) {
        Job job{work, count};
        std::unique_lock<std::mutex> mine(call_, std::try_to_lock);
        if (mine)
            shared(job, std::min(threads, count));
        else
            job.help();
        if (job.error) std::rethrow_exception(job.error);
    }

private:
    struct Job {
        const std::function<void(int)>& work;
        const int count;
        std::atomic<int> next{0};
        std::mutex error_mutex{};
        std::exception_ptr error{};

        void help() {
            for (int i = next++; i < count; i = next++) {
                try {
                    work(i);
                } catch (...) {
                    std::lock_guard<std::mutex> lock(error_mutex);
                    error = std::current_exception();
                }
            }
        }
    };

    static Pool*& instance() {
        static Pool* pool = nullptr;
        return pool;
    }
    static std::mutex& instance_mutex() {
        static std::mutex mutex;
        return mutex;
    }

    void shared(Job& job, int threads) {
        start(job, threads - 1);
        job.help();
        std::unique_lock<std::mutex> lock(mutex_);
        job_ = nullptr;
        lock.unlock();
        look_for([&] { return helping_ == 0; });
        lock.lock();
        done_.wait(lock, [&] { return helping_ == 0; });
    }

    void start(Job& job, int helpers) {
        std::lock_guard<std::mutex> lock(mutex_);
        try {
            while (size_ < helpers) {
                std::thread([this, number = size_] { wait_for_jobs(number); }).detach();
                ++size_;
            }
        } catch (const std::system_error&) {
            // The machine gives no more threads: those that there are do the work.
        }
        job_ = &job;
        wanted_ = helpers;
        ++call_number_;
        wake_.notify_all();
    }

    void wait_for_jobs(int number) {
        long seen = 0;
        std::unique_lock<std::mutex> lock(mutex_);
        for (;;) {
            lock.unlock();
            look_for([&] { return call_number_ != seen; });
            lock.lock();
            wake_.wait(lock, [&] { return job_ != nullptr && call_number_ != seen; });
            seen = call_number_;
            if (number >= wanted_) continue;
            Job* job = job_;
            ++helping_;
            lock.unlock();
            job->help();
            lock.lock();
            if (--helping_ == 0) done_.notify_all();
        }
    }

    std::mutex call_, mutex_;
    std::condition_variable wake_, done_;
    Job* job_ = nullptr;
    int size_ = 0, wanted_ = 0;
    // Changed with the mutex alone, but looked at without.
    std::atomic<int> helping_{0};
    std::atomic<long> call_number_{0};
};

// Calls work(i) for every i below `count`; the threads are those of the pool of this process.
template <class Work>
void parallel(int count, int threads, const Work& work) {
    if (threads <= 1 || count <= 1) {
        for (int i = 0; i < count; ++i) work(i);
        return;
    }
    Pool::here().run(count, threads, work);
}

}  // namespace symbreak
