// Activations and their slopes.
#pragma once
#include "penstock.cuh"

// Activation, as Codes.java has it.
#define IDENTITY 0
#define RELU 1
#define GELU 2
#define SILU 3
#define TANH 4
#define SIGMOID 5

static __device__ inline float sigmoidOf(float z) {
  float e = expf(-fabsf(z));
  return (z < 0 ? e : 1.0f) / (1 + e);
}

// 2u = 2 sqrt(2/pi) (z + 0.044715 z^3)
static __device__ inline float geluArgument(float z) {
  return 2 * 0.7978846f * z * (1 + 0.044715f * z * z);
}

// max(NaN, 0) is 0 in C, but a sum that is no number must be found.
static __device__ inline float reluOf(float z) {
  return z < 0 ? 0 : z;
}

static __device__ inline float activate(int activation, float z) {
  switch (activation) {
    case RELU: return reluOf(z);
    case GELU: return z * sigmoidOf(geluArgument(z));
    case SILU: return z * sigmoidOf(z);
    case TANH: return tanhf(z);
    case SIGMOID: return sigmoidOf(z);
    default: return z;
  }
}

// x is the output, for GELU and SiLU the input.
static __device__ inline float slope(int activation, float x) {
  switch (activation) {
    case RELU: return x > 0 ? 1 : 0;
    case GELU: {
      float s = sigmoidOf(geluArgument(x));
      return s + x * s * (1 - s) * (2 * 0.7978846f * (1 + 3 * 0.044715f * x * x));
    }
    case SILU: {
      float s = sigmoidOf(x);
      return s + x * s * (1 - s);
    }
    case TANH: return 1 - x * x;
    case SIGMOID: return x * (1 - x);
    default: return 1;
  }
}
