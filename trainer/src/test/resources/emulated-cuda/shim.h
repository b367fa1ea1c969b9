// Lets g++ compile the kernels as C++: threads of a block are fibers that take turns at barriers, blocks run one after the other.
#pragma once
#include <math.h>
#include <stdint.h>
#include <string.h>

struct Dim3 {
  unsigned x, y, z;
};
extern Dim3 threadIdx, blockIdx, blockDim, gridDim;

#define __global__
#define __device__
#define __shared__ static

// What the launch has asked for, anew for each block.
void* dynamicShared();
#define DYNAMIC_SHARED(type, name) type* name = (type*)dynamicShared()

// Ends when all threads of the block have come here.
void __syncthreads();

static inline double __longlong_as_double(long long bits) {
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}
