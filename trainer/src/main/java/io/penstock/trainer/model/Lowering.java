package io.penstock.trainer.model;

import io.penstock.config.LossConfig;
import io.penstock.config.OptimizerConfig;
import io.penstock.pipeline.SlotLayout;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Turns a model into a program: the calculus of its layers, and a plan of its buffers. */
public final class Lowering {
  private final ModelSpec spec;
  private final SlotLayout layout;
  private final ParameterLayout parameters;
  private final List<KernelCall> forward = new ArrayList<>();
  private final List<KernelCall> gradient = new ArrayList<>();
  private final List<KernelCall> update = new ArrayList<>();
  private final double lossSpike;
  private int scratch;

  private Lowering(ModelSpec spec, SlotLayout layout, double lossSpike) {
    this.spec = spec;
    this.layout = layout;
    this.lossSpike = lossSpike;
    parameters = ParameterLayout.of(spec.layers());
  }

  /** Lowers {@code spec}; every step whose loss and gradient are finite is applied. */
  public static Program lower(ModelSpec spec, SlotLayout layout, int window) {
    return lower(spec, layout, window, 0);
  }

  /**
   * Lowers {@code spec}.
   *
   * @param window rows over which windowed metrics fade
   * @param lossSpike of {@link KernelCall.CheckGradient}
   */
  public static Program lower(ModelSpec spec, SlotLayout layout, int window, double lossSpike) {
    if (spec.features() != layout.features()) {
      throw new IllegalArgumentException(
          "model: it takes %d features, but a slot has %d"
              .formatted(spec.features(), layout.features()));
    }
    return new Lowering(spec, layout, lossSpike).lower(window);
  }

  /** Buffers of the parameters' size that a rule keeps. */
  public static int stateTensors(OptimizerConfig rule) {
    return switch (rule) {
      case OptimizerConfig.Sgd r -> 0;
      case OptimizerConfig.Momentum r -> 1;
      case OptimizerConfig.Nesterov r -> 1;
      case OptimizerConfig.Adagrad r -> 1;
      case OptimizerConfig.RmsProp r -> 1;
      case OptimizerConfig.Adam r -> 2;
      case OptimizerConfig.AdamW r -> 2;
    };
  }

  private Program lower(int window) {
    List<Dense> layers = spec.layers();
    Matrix weights = slotLine(layout.weightOffset());
    Matrix features =
        new Matrix(
            Region.SLOT,
            layout.featureOffset(0) / Float.BYTES,
            layout.features(),
            Matrix.VALID_ROWS,
            layout.strideRows());
    forward.add(new KernelCall.SelectRows(features, weights));

    Matrix[] values = new Matrix[layers.size() + 1];
    @Nullable Matrix[] operands = new Matrix[layers.size()];
    values[0] = features;
    for (int i = 0; i < layers.size(); i++) {
      values[i + 1] = scratch(layers.get(i).outputs());
      operands[i] = forward(i, values[i], values[i + 1]);
    }

    Matrix outputs = values[layers.size()];
    KernelCall.LossRows rows =
        new KernelCall.LossRows(
            outputs, slotLine(layout.labelOffset()), weights, scratch(1), scratch(1), scratch(1));
    gradient.add(loss(rows));
    gradient.add(new KernelCall.Evaluate(rows));
    backward(values, operands);

    int tensors = stateTensors(spec.optimizer());
    Matrix allGradients = flat(Region.GRADIENTS, parameters.size());
    update.add(
        new KernelCall.CheckGradient(allGradients, (float) spec.optimizer().clipNorm(), lossSpike));
    update.add(
        new KernelCall.Update(
            spec.optimizer(),
            flat(Region.PARAMETERS, parameters.size()),
            allGradients,
            flat(Region.OPTIMIZER, Math.multiplyExact(tensors, parameters.size()))));
    return new Program(
        layout,
        parameters,
        tensors * parameters.size(),
        scratch,
        outputs,
        new MetricsSpec(spec.classes(), window),
        List.copyOf(forward),
        List.copyOf(gradient),
        List.of(),
        List.copyOf(update));
  }

  /** Z = WᵀX + b, A = activation(Z); returns what the activation's derivative is computed from. */
  private @Nullable Matrix forward(int index, Matrix x, Matrix a) {
    Dense layer = spec.layers().get(index);
    Activation activation = layer.activation();
    Matrix z = activation.differentiatesInput() ? scratch(layer.outputs()) : null;
    forward.add(
        new KernelCall.Gemm(
            weight(index, Region.PARAMETERS),
            true,
            x,
            false,
            a,
            bias(index, Region.PARAMETERS),
            activation,
            z));
    return z != null ? z : activation == Activation.IDENTITY ? null : a;
  }

  /** From dL/dA of the last layer, in its outputs' place, back: dZ = dA · activation', db = ΣdZ, dW = X dZᵀ, dX = W dZ. */
  private void backward(Matrix[] values, @Nullable Matrix[] operands) {
    List<Dense> layers = spec.layers();
    Matrix[] deltas = deltas(layers);
    Matrix delta = values[layers.size()];
    for (int i = layers.size() - 1; i >= 0; i--) {
      gradient.add(
          new KernelCall.ActivationGradient(
              layers.get(i).activation(), delta, operands[i], bias(i, Region.GRADIENTS)));
      gradient.add(
          new KernelCall.Gemm(
              values[i],
              false,
              delta,
              true,
              weight(i, Region.GRADIENTS),
              null,
              Activation.IDENTITY,
              null));
      if (i > 0) {
        Matrix below = deltas[i % 2].lines(layers.get(i).inputs());
        gradient.add(
            new KernelCall.Gemm(
                weight(i, Region.PARAMETERS),
                false,
                delta,
                false,
                below,
                null,
                Activation.IDENTITY,
                null));
        delta = below;
      }
    }
  }

  /** A layer's delta is dead once the one below has its own, so that two buffers do for any depth. */
  private Matrix[] deltas(List<Dense> layers) {
    int widest = layers.stream().skip(1).mapToInt(Dense::inputs).max().orElse(0);
    Matrix first = scratch(widest);
    return new Matrix[] {first, layers.size() > 2 ? scratch(widest) : first};
  }

  private KernelCall.Loss loss(KernelCall.LossRows rows) {
    return switch (spec.loss()) {
      case LossConfig.Softmax l -> new KernelCall.SoftmaxCrossEntropy(rows);
      case LossConfig.Sigmoid l -> new KernelCall.SigmoidCrossEntropy(rows);
      case LossConfig.Squared l -> new KernelCall.SquaredError(rows);
      case LossConfig.Huber(double delta) -> new KernelCall.Huber(rows, (float) delta);
      case LossConfig.Quantile(double tau) -> new KernelCall.Quantile(rows, (float) tau);
      case LossConfig.Auto l ->
          throw new IllegalArgumentException("loss: auto must have been resolved");
    };
  }

  private Matrix weight(int layer, Region region) {
    return parameters.tensors().get(2 * layer).in(region);
  }

  private Matrix bias(int layer, Region region) {
    return parameters.tensors().get(2 * layer + 1).in(region);
  }

  private Matrix slotLine(long byteOffset) {
    return new Matrix(
        Region.SLOT, byteOffset / Float.BYTES, 1, Matrix.VALID_ROWS, layout.strideRows());
  }

  private Matrix scratch(int lines) {
    int offset = scratch;
    scratch = Math.addExact(scratch, Math.multiplyExact(lines, layout.strideRows()));
    return new Matrix(Region.SCRATCH, offset, lines, Matrix.VALID_ROWS, layout.strideRows());
  }

  private static Matrix flat(Region region, int size) {
    return new Matrix(region, 0, 1, size, size);
  }
}
