// Eigenvalues and eigenvectors of symmetric matrices.
#pragma once

#include <cstddef>
#include <vector>

namespace chalk {

struct Eigen {
  std::vector<double> values;   ///< from the largest to the smallest
  std::vector<double> vectors;  ///< of length 1, one after the other in the order of the values. Of each, the element
                                ///< that is largest in size is positive; the first of equally large ones
};

/// Of a symmetric matrix of `size` rows: Jacobi's rotations in cyclic order (Golub & Van Loan, Matrix Computations,
/// section 8.5.3), with sums, products, quotients and square roots of doubles alone: the same bits on every machine.
/// Values are right to about 1e-15 of the largest one. Takes about 40 · size³ multiplications. Throws std::logic_error
/// for a matrix of another size, or with numbers that are not finite.
Eigen symmetric_eigen(std::vector<double> matrix, std::size_t size);

}  // namespace chalk
