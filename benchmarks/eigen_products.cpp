// The bare products of a pass by Eigen, one network after another; loaded by eigen_products.py.
//
// Column-major in Eigen's habit: X^T is (1 + features, m) and a column is an example; every Theta is
// (units, 1 + units below), whose bias column is used in the first layer alone.
#include <vector>

#include <Eigen/Dense>

namespace {

template <class T>
using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
template <class T>
using RowMajor = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

template <class T>
struct Net {
    std::vector<Matrix<T>> a, delta;  // of every layer but the first, whose is X
};

template <class T>
void products(int depth, const int* layers, long m, int starts, const T* rows, const T* theta,
              T* gradient, long block) {
    static thread_local Net<T> net;
    net.a.resize(depth + 1);
    net.delta.resize(depth + 1);
    long n = 0;
    for (int l = 0; l < depth; ++l) n += static_cast<long>(layers[l + 1]) * (1 + layers[l]);
    for (int l = 1; l <= depth; ++l) {
        net.a[l].setZero(layers[l], block);
        net.delta[l].setZero(layers[l], block);
    }
    const Eigen::Map<const Matrix<T>> X(rows, 1 + layers[0], m);
    for (int start = 0; start < starts; ++start)
        for (long first = 0; first < m; first += block) {
            const long here = std::min(block, m - first);
            const T* matrix = theta + start * n;
            for (int l = 0; l < depth; ++l) {
                const Eigen::Map<const RowMajor<T>> Theta(matrix, layers[l + 1], 1 + layers[l]);
                auto out = net.a[l + 1].leftCols(here);
                if (l == 0)
                    out.noalias() = Theta * X.middleCols(first, here);
                else
                    out.noalias() = Theta.rightCols(layers[l]) * net.a[l].leftCols(here);
                matrix += Theta.size();
            }
            net.delta[depth].leftCols(here) = net.a[depth].leftCols(here);
            T* slope = gradient + (start + 1) * n;
            for (int l = depth - 1; l >= 0; --l) {
                matrix -= static_cast<long>(layers[l + 1]) * (1 + layers[l]);
                slope -= static_cast<long>(layers[l + 1]) * (1 + layers[l]);
                const Eigen::Map<const RowMajor<T>> Theta(matrix, layers[l + 1], 1 + layers[l]);
                Eigen::Map<RowMajor<T>> G(slope, layers[l + 1], 1 + layers[l]);
                if (first == 0) G.setZero();
                const auto delta = net.delta[l + 1].leftCols(here);
                if (l == 0) {
                    G.noalias() += delta * X.middleCols(first, here).transpose();
                } else {
                    G.rightCols(layers[l]).noalias() += delta * net.a[l].leftCols(here).transpose();
                    net.delta[l].leftCols(here).noalias() =
                        Theta.rightCols(layers[l]).transpose() * delta;
                }
            }
        }
}

}  // namespace

extern "C" {
void products64(int depth, const int* layers, long m, int starts, const double* rows,
                const double* theta, double* gradient, long block) {
    products(depth, layers, m, starts, rows, theta, gradient, block);
}
void products32(int depth, const int* layers, long m, int starts, const float* rows,
                const float* theta, float* gradient, long block) {
    products(depth, layers, m, starts, rows, theta, gradient, block);
}
}
