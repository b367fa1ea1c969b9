package io.penstock.trainer.cpu;

import static io.penstock.trainer.cpu.Memory.LANES;
import static io.penstock.trainer.cpu.Memory.STEP;

import jdk.incubator.vector.FloatVector;

/**
 * Optimizer steps over the flat buffers, by the rules and names of PyTorch. Buffers are whole vectors long. {@code scale} brings
 * the gradient within its bound (1 where there is none).
 */
final class Updates {
  private Updates() {}

  /** 0 where all values are finite, NaN where not: 0 · NaN and 0 · ∞ are NaN. */
  static float finiteness(long gradient, int size, long sums) {
    FloatVector none = Memory.zero();
    FloatVector even = none;
    FloatVector odd = none;
    int i = 0;
    long g = gradient;
    for (; i + 2 * LANES <= size; i += 2 * LANES) {
      even = Memory.load(g).fma(none, even);
      odd = Memory.load(g + STEP).fma(none, odd);
      g += 2 * STEP;
    }
    for (; i < size; i += LANES) {
      even = Memory.load(g).fma(none, even);
      g += STEP;
    }
    Memory.store(even.add(odd), sums);
    return Memory.sumOfVector(sums);
  }

  /** Sum of squares; infinite where it is beyond the floats. In doubles from 1024 values up, so that size costs no accuracy. */
  static double sumOfSquares(long gradient, int size, long sums) {
    double total = 0;
    for (int from = 0; from < size; from += 1024) {
      int to = Math.min(size, from + 1024);
      FloatVector sum = Memory.zero();
      for (int i = from; i < to; i += LANES) {
        FloatVector g = Memory.load(gradient + 4L * i);
        sum = g.fma(g, sum);
      }
      Memory.store(sum, sums);
      total += Memory.sumOfVector(sums);
    }
    return total;
  }

  /** w -= rate g. */
  static void sgd(long w, long g, int size, float rate, float scale) {
    FloatVector step = Memory.broadcast(-rate * scale);
    for (int i = 0; i < size; i += LANES) {
      long at = 4L * i;
      Memory.store(Memory.load(g + at).fma(step, Memory.load(w + at)), w + at);
    }
  }

  /** m = momentum m + g; w -= rate m. */
  static void momentum(long w, long g, long m, int size, float rate, float momentum, float scale) {
    FloatVector keep = Memory.broadcast(momentum);
    FloatVector step = Memory.broadcast(-rate);
    for (int i = 0; i < size; i += LANES) {
      long at = 4L * i;
      FloatVector mean = Memory.load(m + at).fma(keep, Memory.load(g + at).mul(scale));
      Memory.store(mean, m + at);
      Memory.store(mean.fma(step, Memory.load(w + at)), w + at);
    }
  }

  /** m = momentum m + g; w -= rate (g + momentum m). */
  static void nesterov(long w, long g, long m, int size, float rate, float momentum, float scale) {
    FloatVector keep = Memory.broadcast(momentum);
    FloatVector step = Memory.broadcast(-rate);
    for (int i = 0; i < size; i += LANES) {
      long at = 4L * i;
      FloatVector gradient = Memory.load(g + at).mul(scale);
      FloatVector mean = Memory.load(m + at).fma(keep, gradient);
      Memory.store(mean, m + at);
      Memory.store(mean.fma(keep, gradient).fma(step, Memory.load(w + at)), w + at);
    }
  }

  /** v += g²; w -= rate g / (√v + epsilon). */
  static void adagrad(long w, long g, long v, int size, float rate, float epsilon, float scale) {
    for (int i = 0; i < size; i += LANES) {
      long at = 4L * i;
      FloatVector gradient = Memory.load(g + at).mul(scale);
      FloatVector squares = gradient.fma(gradient, Memory.load(v + at));
      Memory.store(squares, v + at);
      FloatVector step = gradient.mul(rate).div(squares.sqrt().add(epsilon));
      Memory.store(Memory.load(w + at).sub(step), w + at);
    }
  }

  /** v = decay v + (1 - decay) g²; w -= rate g / (√v + epsilon). */
  static void rmsProp(
      long w,
      long g,
      long v,
      int size,
      float rate,
      float decay,
      float rest,
      float epsilon,
      float scale) {
    FloatVector keep = Memory.broadcast(decay);
    for (int i = 0; i < size; i += LANES) {
      long at = 4L * i;
      FloatVector gradient = Memory.load(g + at).mul(scale);
      FloatVector squares = Memory.load(v + at).fma(keep, gradient.mul(gradient).mul(rest));
      Memory.store(squares, v + at);
      FloatVector step = gradient.mul(rate).div(squares.sqrt().add(epsilon));
      Memory.store(Memory.load(w + at).sub(step), w + at);
    }
  }

  /**
   * m = β₁ m + (1 - β₁) g; v = β₂ v + (1 - β₂) g²; w = shrink w - rate m / (√v root + epsilon) (Kingma and Ba, 2015; Loshchilov
   * and Hutter, 2019).
   *
   * @param rate learning rate / (1 - β₁ᵗ)
   * @param root 1 / √(1 - β₂ᵗ)
   * @param shrink 1 - learning rate · weight decay; 1 for Adam
   */
  static void adam(
      long w,
      long g,
      long m,
      long v,
      int size,
      float rate,
      float root,
      float beta1,
      float rest1,
      float beta2,
      float rest2,
      float epsilon,
      float shrink,
      float scale) {
    FloatVector keep1 = Memory.broadcast(beta1);
    FloatVector keep2 = Memory.broadcast(beta2);
    FloatVector roots = Memory.broadcast(root);
    FloatVector least = Memory.broadcast(epsilon);
    for (int i = 0; i < size; i += LANES) {
      long at = 4L * i;
      FloatVector gradient = Memory.load(g + at).mul(scale);
      FloatVector mean = Memory.load(m + at).fma(keep1, gradient.mul(rest1));
      FloatVector squares = Memory.load(v + at).fma(keep2, gradient.mul(gradient).mul(rest2));
      Memory.store(mean, m + at);
      Memory.store(squares, v + at);
      FloatVector step = mean.mul(rate).div(squares.sqrt().fma(roots, least));
      Memory.store(Memory.load(w + at).mul(shrink).sub(step), w + at);
    }
  }
}
