package io.penstock.trainer.model;

import io.penstock.config.ModelConfig.Initial;
import java.util.List;

/** Weights before the first step: zero, or uniform with the variance of He et al., 2015, or Glorot and Bengio, 2010. */
public final class InitialParameters {
  private static final long GOLDEN = 0x9e3779b97f4a7c15L;

  private InitialParameters() {}

  /** The flat parameter buffer of {@code spec}; a function of the seed alone. */
  public static float[] of(ModelSpec spec, long seed) {
    ParameterLayout layout = ParameterLayout.of(spec.layers());
    float[] values = new float[layout.size()];
    if (spec.initial() == Initial.RANDOM) {
      List<Dense> layers = spec.layers();
      for (int i = 0; i < layers.size(); i++) {
        fill(values, layout.tensors().get(2 * i), bound(layers.get(i)), seed);
      }
    }
    return values;
  }

  /** A uniform distribution over ±b has the variance b²/3. */
  private static double bound(Dense layer) {
    return layer.activation().rectifies()
        ? Math.sqrt(6.0 / layer.inputs())
        : Math.sqrt(6.0 / (layer.inputs() + layer.outputs()));
  }

  private static void fill(float[] values, ParameterLayout.Tensor weight, double bound, long seed) {
    for (int i = weight.offset(); i < weight.offset() + weight.size(); i++) {
      values[i] = (float) ((2 * uniform(seed, i) - 1) * bound);
    }
  }

  /** Number {@code index} of SplitMix64 (Steele, Lea and Flood, 2014), as a fraction in [0, 1). */
  private static double uniform(long seed, long index) {
    long z = mix(seed) + (index + 1) * GOLDEN;
    return (mix(z) >>> 11) * 0x1p-53;
  }

  private static long mix(long value) {
    long z = value;
    z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }
}
