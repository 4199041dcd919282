// Room for numbers, aligned to a cache line, so that a register of them never lies across two.
#pragma once

#include <cstddef>
#include <new>
#include <utility>

namespace symbreak {

constexpr std::size_t kAlignment = 64;

template <class T>
class Room {
public:
    Room() = default;
    explicit Room(std::size_t size) { grow(size); }
    Room(Room&& other) noexcept { swap(other); }
    Room& operator=(Room&& other) noexcept {
        swap(other);
        return *this;
    }
    ~Room() { release(); }

    // Makes room for at least `size` numbers; what they are is not defined.
    void grow(std::size_t size) {
        if (size <= size_) return;
        release();
        first_ = static_cast<T*>(::operator new(size * sizeof(T), std::align_val_t{kAlignment}));
        size_ = size;
    }

    void release() {
        if (first_ != nullptr) ::operator delete(first_, std::align_val_t{kAlignment});
        first_ = nullptr;
        size_ = 0;
    }

    T* get() const { return first_; }
    std::size_t size() const { return size_; }

private:
    void swap(Room& other) noexcept {
        std::swap(first_, other.first_);
        std::swap(size_, other.size_);
    }

    T* first_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace symbreak
