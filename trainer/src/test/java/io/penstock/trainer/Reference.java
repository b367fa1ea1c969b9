package io.penstock.trainer;

import io.penstock.config.LossConfig;
import io.penstock.pipeline.SlotFiller.Rows;
import io.penstock.trainer.model.Activation;
import io.penstock.trainer.model.Dense;
import io.penstock.trainer.model.ModelSpec;
import io.penstock.trainer.model.ParameterLayout;
import io.penstock.trainer.model.ParameterLayout.Tensor;

/** The same models in double precision, written as in a textbook: one row after the other, no layout, no vectors. */
public final class Reference {
  private final ModelSpec spec;
  private final ParameterLayout layout;

  /** A reference for {@code spec}, whose parameters lie as {@code layout} says. */
  public Reference(ModelSpec spec, ParameterLayout layout) {
    this.spec = spec;
    this.layout = layout;
  }

  /** Mean loss, by the rows' weights. */
  public double loss(double[] parameters, Rows rows) {
    double sum = 0;
    double weights = 0;
    for (int row = 0; row < rows.count(); row++) {
      if (rows.weights()[row] != 0) {
        sum +=
            rows.weights()[row]
                * rowLoss(outputs(parameters, rows.features()[row]), rows.labels()[row]);
        weights += rows.weights()[row];
      }
    }
    return sum / weights;
  }

  /** The model's outputs for a row. */
  public double[] outputs(double[] parameters, float[] features) {
    double[][] values = forward(parameters, features)[1];
    return values[spec.layers().size()];
  }

  /** Gradient of {@link #loss} by back-propagation. */
  public double[] gradient(double[] parameters, Rows rows) {
    double[] gradient = new double[layout.size()];
    double weights = 0;
    for (float weight : rows.weights()) {
      weights += weight;
    }
    for (int row = 0; row < rows.count(); row++) {
      if (rows.weights()[row] != 0) {
        backward(
            parameters,
            rows.features()[row],
            rows.labels()[row],
            rows.weights()[row] / weights,
            gradient);
      }
    }
    return gradient;
  }

  /** Sums [0][layer] and values [1][layer + 1]. */
  private double[][][] forward(double[] parameters, float[] features) {
    int n = spec.layers().size();
    double[][] sums = new double[n][];
    double[][] values = new double[n + 1][];
    values[0] = new double[features.length];
    for (int i = 0; i < features.length; i++) {
      values[0][i] = features[i];
    }
    for (int l = 0; l < n; l++) {
      Dense layer = spec.layers().get(l);
      sums[l] = new double[layer.outputs()];
      values[l + 1] = new double[layer.outputs()];
      for (int o = 0; o < layer.outputs(); o++) {
        double z = parameters[bias(l).offset() + o];
        for (int i = 0; i < layer.inputs(); i++) {
          z += values[l][i] * parameters[weight(l).offset() + i * layer.outputs() + o];
        }
        sums[l][o] = z;
        values[l + 1][o] = activate(layer.activation(), z);
      }
    }
    return new double[][][] {sums, values};
  }

  private void backward(
      double[] parameters, float[] features, double label, double share, double[] gradient) {
    double[][][] forward = forward(parameters, features);
    double[] delta = slopes(forward[1][spec.layers().size()], label);
    for (int o = 0; o < delta.length; o++) {
      delta[o] *= share;
    }
    for (int l = spec.layers().size() - 1; l >= 0; l--) {
      Dense layer = spec.layers().get(l);
      double[] below = new double[layer.inputs()];
      for (int o = 0; o < layer.outputs(); o++) {
        double d = delta[o] * slope(layer.activation(), forward[0][l][o]);
        gradient[bias(l).offset() + o] += d;
        for (int i = 0; i < layer.inputs(); i++) {
          int w = weight(l).offset() + i * layer.outputs() + o;
          gradient[w] += forward[1][l][i] * d;
          below[i] += parameters[w] * d;
        }
      }
      delta = below;
    }
  }

  public double rowLoss(double[] z, double y) {
    return switch (spec.loss()) {
      case LossConfig.Softmax l -> {
        double sum = 0;
        for (double v : z) {
          sum += Math.exp(v - z[(int) y]);
        }
        yield Math.log(sum);
      }
      case LossConfig.Sigmoid l ->
          Math.log1p(Math.exp(-Math.abs(z[0]))) + Math.max(z[0], 0) - z[0] * y;
      case LossConfig.Squared l -> (z[0] - y) * (z[0] - y) / 2;
      case LossConfig.Huber(double delta) -> {
        double e = Math.abs(z[0] - y);
        yield e <= delta ? e * e / 2 : delta * (e - delta / 2);
      }
      case LossConfig.Quantile(double tau) -> Math.max(tau * (y - z[0]), (tau - 1) * (y - z[0]));
      case LossConfig.Auto l -> throw new IllegalArgumentException("auto");
    };
  }

  private double[] slopes(double[] z, double y) {
    return switch (spec.loss()) {
      case LossConfig.Softmax l -> {
        double[] p = new double[z.length];
        for (int c = 0; c < z.length; c++) {
          double sum = 0;
          for (double v : z) {
            sum += Math.exp(v - z[c]);
          }
          p[c] = 1 / sum - (c == (int) y ? 1 : 0);
        }
        yield p;
      }
      case LossConfig.Sigmoid l -> new double[] {1 / (1 + Math.exp(-z[0])) - y};
      case LossConfig.Squared l -> new double[] {z[0] - y};
      case LossConfig.Huber(double delta) -> new double[] {Math.clamp(z[0] - y, -delta, delta)};
      case LossConfig.Quantile(double tau) -> new double[] {z[0] < y ? -tau : 1 - tau};
      case LossConfig.Auto l -> throw new IllegalArgumentException("auto");
    };
  }

  private static double activate(Activation activation, double z) {
    return switch (activation) {
      case IDENTITY -> z;
      case RELU -> Math.max(z, 0);
      case GELU -> 0.5 * z * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (z + 0.044715 * z * z * z)));
      case SILU -> z / (1 + Math.exp(-z));
      case TANH -> Math.tanh(z);
      case SIGMOID -> 1 / (1 + Math.exp(-z));
    };
  }

  private static double slope(Activation activation, double z) {
    if (activation == Activation.RELU) {
      return z > 0 ? 1 : 0;
    }
    // Independent of the formulas under test.
    double h = 1e-5;
    return (activate(activation, z + h) - activate(activation, z - h)) / (2 * h);
  }

  private Tensor weight(int layer) {
    return layout.tensors().get(2 * layer);
  }

  private Tensor bias(int layer) {
    return layout.tensors().get(2 * layer + 1);
  }
}
