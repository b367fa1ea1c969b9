package io.penstock.trainer.cuda;

import io.penstock.trainer.model.Activation;
import io.penstock.trainer.model.KernelCall;
import io.penstock.trainer.model.Matrix;
import io.penstock.trainer.model.Program;
import io.penstock.trainer.model.Region;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A program that is a whole step of one small model, with what fused.cu needs to know of it: {@code struct FusedModel}. Whether there
 * is one is a function of the program and of the GPU's shared memory, never of a timing.
 *
 * @param features of the slot
 * @param model {@code struct FusedModel}, int by int
 * @param sharedBytes that a block needs
 * @param tiles blocks that a minibatch is shared out to
 */
record FusedShape(
    Matrix features,
    KernelCall.Loss loss,
    KernelCall.CheckGradient check,
    KernelCall.Update update,
    List<Integer> model,
    int sharedBytes,
    int tiles) {
  /** Rows of a block. */
  static final int TILE_ROWS = 8;

  /** Layers of a model, at most. */
  static final int MOST_LAYERS = 8;

  /** Rows of a minibatch, at most: a block a tile, about as many as a large GPU runs beside each other. */
  static final int MOST_ROWS = 1024;

  /** Parameters, at most: a block of fused.cu has as many as threads, and puts the sum of their squares among the partials. */
  static final int MOST_PARAMETERS = Kernels.THREADS * Plan.MOST_PARTIALS;

  /** Outputs of the last layer, at most: one thread goes through those of a row. */
  static final int MOST_OUTPUTS = 64;

  private static final int LINE = TILE_ROWS + 1;
  private static final int INTS_A_LAYER = 10;

  /** Ints of {@code struct FusedModel}. */
  static final int MODEL_INTS = 2 + MOST_LAYERS * INTS_A_LAYER;

  /** A layer as its products name it. */
  private record Layer(
      Matrix weight, Matrix bias, Matrix values, Activation activation, @Nullable Matrix input) {
    /** What the slope is computed from. */
    @Nullable Matrix operand() {
      return input != null ? input : activation == Activation.IDENTITY ? null : values;
    }
  }

  /**
   * The shape of a program.
   *
   * @param mostSharedBytes that a block may have on the GPU
   * @return null where the program is something else, or too large
   */
  static @Nullable FusedShape of(Program program, int mostSharedBytes) {
    List<Layer> layers = layers(program);
    if (layers.isEmpty()
        || layers.size() > MOST_LAYERS
        || layers.getLast().activation() != Activation.IDENTITY
        || layers.getLast().values().rows() > MOST_OUTPUTS
        || program.layout().capacityRows() > MOST_ROWS
        || program.parameters().size() > MOST_PARAMETERS
        || program.update().size() != 2
        || !program.reduce().isEmpty()
        || !(program.forward().getFirst() instanceof KernelCall.SelectRows select)
        || !(program.update().get(0) instanceof KernelCall.CheckGradient check)
        || !(program.update().get(1) instanceof KernelCall.Update update)) {
      return null;
    }
    KernelCall.Loss loss = loss(program, select, layers);
    if (loss == null) {
      return null;
    }
    int[] model = new int[MODEL_INTS];
    long floats = place(layers, select.features().rows(), model);
    if (floats * Float.BYTES > mostSharedBytes) {
      return null;
    }
    return new FusedShape(
        select.features(),
        loss,
        check,
        update,
        Arrays.stream(model).boxed().toList(),
        (int) floats * Float.BYTES,
        (program.layout().capacityRows() + TILE_ROWS - 1) / TILE_ROWS);
  }

  /** The layers of the forward phase; none where it is not a chain of them. */
  private static List<Layer> layers(Program program) {
    List<Layer> layers = new ArrayList<>();
    if (program.forward().isEmpty()
        || !(program.forward().getFirst() instanceof KernelCall.SelectRows select)) {
      return layers;
    }
    Matrix values = select.features();
    for (KernelCall call : program.forward().subList(1, program.forward().size())) {
      if (!(call instanceof KernelCall.Gemm gemm)
          || !gemm.transposeA()
          || gemm.a().region() != Region.PARAMETERS
          || gemm.bias() == null
          || !gemm.b().equals(values)) {
        return List.of();
      }
      layers.add(new Layer(gemm.a(), gemm.bias(), gemm.c(), gemm.activation(), gemm.input()));
      values = gemm.c();
    }
    return layers;
  }

  /** The loss, where the gradient phase is that of the layers and no more. */
  private static KernelCall.@Nullable Loss loss(
      Program program, KernelCall.SelectRows select, List<Layer> layers) {
    Iterator<KernelCall> calls = program.gradient().iterator();
    if (!calls.hasNext()
        || !(calls.next() instanceof KernelCall.Loss loss)
        || !loss.rows().outputs().equals(layers.getLast().values())
        || !calls.hasNext()
        || !calls.next().equals(new KernelCall.Evaluate(loss.rows()))) {
      return null;
    }
    Matrix delta = loss.rows().outputs();
    for (int i = layers.size() - 1; i >= 0; i--) {
      Layer layer = layers.get(i);
      Matrix x = i == 0 ? select.features() : layers.get(i - 1).values();
      if (!calls.hasNext()
          || !calls
              .next()
              .equals(
                  new KernelCall.ActivationGradient(
                      layer.activation(), delta, layer.operand(), gradientOf(layer.bias())))
          || !calls.hasNext()
          || !(calls.next() instanceof KernelCall.Gemm weights)
          || !isProduct(weights, x, delta, true)
          || !weights.c().equals(gradientOf(layer.weight()))) {
        return null;
      }
      if (i > 0) {
        if (!calls.hasNext()
            || !(calls.next() instanceof KernelCall.Gemm back)
            || !isProduct(back, layer.weight(), delta, false)) {
          return null;
        }
        delta = back.c();
      }
    }
    return calls.hasNext() ? null : loss;
  }

  /** Whether it is a b or a bᵀ, and nothing is done to that. */
  private static boolean isProduct(KernelCall.Gemm gemm, Matrix a, Matrix b, boolean transposeB) {
    return gemm.a().equals(a)
        && !gemm.transposeA()
        && gemm.b().equals(b)
        && gemm.transposeB() == transposeB
        && gemm.bias() == null
        && gemm.activation() == Activation.IDENTITY;
  }

  private static Matrix gradientOf(Matrix parameter) {
    return new Matrix(
        Region.GRADIENTS,
        parameter.offset(),
        parameter.rows(),
        parameter.columns(),
        parameter.stride());
  }

  /** Lays a block's shared memory out; returns its floats. */
  private static long place(List<Layer> layers, int features, int[] model) {
    long at = 0;
    model[0] = layers.size();
    model[1] = 0;
    at += (long) features * LINE;
    int widest = 0;
    for (Layer layer : layers.subList(0, layers.size() - 1)) {
      widest = Math.max(widest, layer.values().rows());
    }
    // A layer's delta is dead once the one below has its own, so that two buffers do for any depth.
    long[] deltas = {at, layers.size() > 2 ? at + (long) widest * LINE : at};
    at += (long) widest * LINE * Math.min(2, layers.size() - 1);
    for (int i = 0; i < layers.size(); i++) {
      Layer layer = layers.get(i);
      int inputs = layer.weight().rows();
      int outputs = layer.weight().columns();
      long stagedWeight = at;
      at += (long) inputs * (outputs | 1);
      long stagedBias = at;
      at += outputs;
      long values = at;
      at += (long) outputs * LINE;
      long operand = values;
      if (layer.activation().differentiatesInput()) {
        operand = at;
        at += (long) outputs * LINE;
      }
      boolean last = i == layers.size() - 1;
      long[] ints = {
        inputs,
        outputs,
        Codes.of(layer.activation()),
        layer.weight().offset(),
        layer.bias().offset(),
        stagedWeight,
        stagedBias,
        values,
        operand,
        last ? values : deltas[i % 2]
      };
      for (int k = 0; k < INTS_A_LAYER; k++) {
        // Beyond an int only where the sum is, which no GPU has memory for.
        model[2 + i * INTS_A_LAYER + k] = (int) ints[k];
      }
    }
    return at;
  }
}
