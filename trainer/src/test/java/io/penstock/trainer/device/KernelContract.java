package io.penstock.trainer.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.config.LossConfig;
import io.penstock.config.ModelConfig.Initial;
import io.penstock.config.OptimizerConfig;
import io.penstock.pipeline.Slot;
import io.penstock.pipeline.SlotFiller;
import io.penstock.pipeline.SlotFiller.Rows;
import io.penstock.pipeline.SlotLayout;
import io.penstock.pipeline.SlotMemory;
import io.penstock.trainer.device.StepResult.Status;
import io.penstock.trainer.model.Activation;
import io.penstock.trainer.model.Dense;
import io.penstock.trainer.model.KernelCall;
import io.penstock.trainer.model.Lowering;
import io.penstock.trainer.model.Matrix;
import io.penstock.trainer.model.MetricsSpec;
import io.penstock.trainer.model.ModelSpec;
import io.penstock.trainer.model.ParameterLayout.Tensor;
import io.penstock.trainer.model.Program;
import io.penstock.trainer.model.Region;
import io.penstock.trainer.model.TrainingState;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.DoubleSupplier;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What every kernel of every device must do, each by itself ({@link KernelRun}), against double precision; and how a session
 * begins and ends.
 *
 * <p>Inputs are new in each run: the seed is in every message, and {@code -Dpenstock.seed=} repeats a run.
 *
 * <p>Tolerance. Products of small integers, whose sums are below 2²⁴, must be exact whatever the order of summation: one row
 * too many or too few cannot hide. Of other numbers, a sum of n products may be off by (n + 2) ε/2 Σ|a||b|, the bound that holds
 * for any order, with and without FMA (Higham, 2002, §3.1), twice over. Everything else is held to the error that its formula
 * has in floats ({@link Rounded}).
 */
public abstract class KernelContract {
  private static final long SEED =
      Long.getLong("penstock.seed", new java.util.SplittableRandom().nextLong());
  private static final MetricsSpec NUMBERS = new MetricsSpec(0, 10);

  /** Capacity of a minibatch, and how many rows of it are valid. */
  private record Size(int capacity, int rows) {}

  private static final List<Size> SIZES =
      List.of(
          new Size(1, 1),
          new Size(2, 1),
          new Size(2, 2),
          new Size(15, 15),
          new Size(16, 9),
          new Size(17, 17),
          new Size(33, 20),
          new Size(64, 64),
          new Size(100, 77));

  private static final List<Size> LARGE_SIZES =
      List.of(new Size(4_099, 4_097), new Size(65_536, 65_521), new Size(65_536, 65_536));

  private static final List<Size> ALL_SIZES =
      Stream.concat(SIZES.stream(), LARGE_SIZES.stream()).toList();

  private final SplittableRandom random = new SplittableRandom(SEED);

  /** The device under test. */
  protected abstract Device device();

  /** Bytes outside the Java heap that the device's allocator says are taken now. */
  protected abstract long allocatedBytes();

  private static String told(Object... what) {
    return Arrays.toString(what) + ", -Dpenstock.seed=" + SEED;
  }

  private DoubleSupplier gaussians(double scale) {
    return () -> scale * random.nextGaussian();
  }

  /** A minibatch for kernels that read nothing of it but the number of rows. */
  private static Rows anyRows(int features, int count) {
    return Rows.of(new float[count][features], new float[count]);
  }

  /** Random weights, about a quarter of them 0. */
  private float[] weights(int rows) {
    float[] weights = new float[rows];
    for (int row = 0; row < rows; row++) {
      weights[row] = random.nextInt(4) == 0 ? 0 : 0.01f + (float) random.nextDouble(2);
    }
    weights[random.nextInt(rows)] = 1;
    return weights;
  }

  private static double sum(float[] weights) {
    double sum = 0;
    for (float weight : weights) {
      sum += weight;
    }
    return sum;
  }

  // Rows that weigh nothing.

  @Test
  void shouldTakeRowsWithoutWeightOutOfTheFeatures() {
    for (int features : new int[] {1, 3, 17}) {
      for (Size size : SIZES) {
        selectRows(features, size);
      }
    }
    LARGE_SIZES.forEach(size -> selectRows(2, size));
  }

  /** Looked at through a product with the identity, which is exact. */
  private void selectRows(int features, Size size) {
    String what = told("select", features, size);
    try (KernelRun run = new KernelRun(device(), size.capacity, features)) {
      Matrix identity = KernelRun.in(Region.PARAMETERS, run.tensor(features, features));
      Matrix seen = run.scratch(features);
      run.open(
          0,
          NUMBERS,
          List.of(
              new KernelCall.SelectRows(run.features(), run.weights()),
              gemm(identity, true, run.features(), false, seen)),
          List.of(),
          List.of());
      run.fill(identity, 0, () -> 0);
      Rows rows =
          new Rows(new float[size.rows][features], new float[size.rows], weights(size.rows));
      for (int row = 0; row < size.rows; row++) {
        for (int feature = 0; feature < features; feature++) {
          boolean weighs = rows.weights()[row] != 0;
          rows.features()[row][feature] = weighs ? (float) random.nextGaussian() : Float.NaN;
        }
      }
      for (int feature = 0; feature < features; feature++) {
        run.set(identity, feature, feature, 1);
      }
      run.step(rows, what, seen, run.features());
      for (int row = 0; row < size.rows; row++) {
        for (int feature = 0; feature < features; feature++) {
          boolean weighs = rows.weights()[row] != 0;
          float expected = weighs ? rows.features()[row][feature] : 0;
          Rounded.exactly(expected).check(run.get(seen, feature, row), what, "row", row);
        }
      }
    }
  }

  // Products.

  /** The products of a layer; x are its inputs, w its weights, d the gradient of its sums. */
  enum Product {
    /** Wᵀ X + b. */
    FORWARD,
    /** W D. */
    BACKWARD,
    /** X Dᵀ. */
    WEIGHTS
  }

  /** Inputs and outputs of a layer: fewer than any tile, and each side of where a device might go over to a library. */
  private static final int[][] LAYERS = {
    {1, 1}, {1, 5}, {5, 1}, {3, 2}, {2, 3}, {4, 4}, {8, 5}, {17, 33}, {31, 32}, {32, 31}, {32, 32},
    {63, 31}, {64, 31}, {63, 64}, {64, 63}, {64, 64}, {65, 67}, {130, 3}, {3, 130}
  };

  static Stream<Arguments> layers() {
    return Arrays.stream(LAYERS)
        .flatMap(l -> Arrays.stream(Product.values()).map(p -> Arguments.of(p, l[0], l[1])));
  }

  @ParameterizedTest
  @MethodSource("layers")
  void shouldMultiplyMatrices(Product product, int inputs, int outputs) {
    for (Size size : SIZES) {
      multiply(product, inputs, outputs, size);
    }
  }

  @ParameterizedTest
  @EnumSource
  void shouldMultiplyMatricesOfManyRows(Product product) {
    for (Size size : LARGE_SIZES) {
      multiply(product, 3, 2, size);
      multiply(product, 1, 1, size);
      multiply(product, 5, 7, size);
    }
  }

  private void multiply(Product product, int inputs, int outputs, Size size) {
    for (boolean integers : new boolean[] {true, false}) {
      for (boolean fromSlot : new boolean[] {false, true}) {
        if (!fromSlot || product != Product.BACKWARD) {
          multiply(product, inputs, outputs, size, integers, fromSlot);
        }
      }
    }
  }

  private void multiply(
      Product product, int inputs, int outputs, Size size, boolean integers, boolean fromSlot) {
    String what = told(product, inputs, outputs, size, integers ? "integers" : "", fromSlot);
    DoubleSupplier source = integers ? () -> random.nextInt(-3, 4) : gaussians(1);
    try (KernelRun run = new KernelRun(device(), size.capacity, inputs)) {
      Tensor weight = run.tensor(inputs, outputs);
      Matrix w = KernelRun.in(Region.PARAMETERS, weight);
      Matrix bias = KernelRun.in(Region.PARAMETERS, run.tensor(1, outputs));
      Matrix inScratch = run.scratch(inputs);
      Matrix x = fromSlot ? run.features() : inScratch;
      Matrix d = run.scratch(outputs);
      Matrix c =
          switch (product) {
            case FORWARD -> run.scratch(outputs);
            case BACKWARD -> run.scratch(inputs);
            case WEIGHTS -> KernelRun.in(Region.GRADIENTS, weight);
          };
      run.open(
          switch (product) {
            case FORWARD ->
                new KernelCall.Gemm(w, true, x, false, c, bias, Activation.IDENTITY, null);
            case BACKWARD -> gemm(w, false, d, false, c);
            case WEIGHTS -> gemm(x, false, d, true, c);
          });
      run.fill(w, size.rows, source);
      run.fill(bias, size.rows, source);
      run.fill(inScratch, size.rows, source);
      run.fill(d, size.rows, source);
      double[][] xs = run.lines(inScratch, size.rows);
      double[][] ws = run.lines(w, size.rows);
      double[][] ds = run.lines(d, size.rows);
      double[] biases = run.lines(bias, size.rows)[0];
      Rows rows = anyRows(inputs, size.rows);
      if (fromSlot) {
        setFeatures(rows, xs);
      }
      run.step(rows, what, c);
      double[] none = new double[inputs];
      switch (product) {
        case FORWARD ->
            checkProduct(run, what, c, transposed(ws), transposed(xs), biases, integers);
        case BACKWARD -> checkProduct(run, what, c, ws, transposed(ds), none, integers);
        case WEIGHTS -> checkProduct(run, what, c, xs, ds, none, integers);
      }
    }
  }

  private static KernelCall.Gemm gemm(
      Matrix a, boolean transposeA, Matrix b, boolean transposeB, Matrix c) {
    return new KernelCall.Gemm(a, transposeA, b, transposeB, c, null, Activation.IDENTITY, null);
  }

  private static void setFeatures(Rows rows, double[][] lines) {
    for (int row = 0; row < rows.count(); row++) {
      for (int feature = 0; feature < lines.length; feature++) {
        rows.features()[row][feature] = (float) lines[feature][row];
      }
    }
  }

  private static double[][] transposed(double[][] lines) {
    double[][] columns = new double[lines[0].length][lines.length];
    for (int i = 0; i < lines.length; i++) {
      for (int j = 0; j < lines[i].length; j++) {
        columns[j][i] = lines[i][j];
      }
    }
    return columns;
  }

  /** Holds c[i][j] against bias[i] + Σ a[i] b[j]. */
  private static void checkProduct(
      KernelRun run,
      String what,
      Matrix c,
      double[][] a,
      double[][] b,
      double[] bias,
      boolean exact) {
    for (int i = 0; i < a.length; i++) {
      for (int j = 0; j < b.length; j++) {
        Rounded sum = product(a[i], b[j], bias[i]);
        (exact ? Rounded.exactly(sum.value()) : sum).check(run.get(c, i, j), what, "", i, j);
      }
    }
  }

  private static Rounded product(double[] a, double[] b, double bias) {
    double sum = bias;
    double size = Math.abs(bias);
    for (int k = 0; k < a.length; k++) {
      sum += a[k] * b[k];
      size += Math.abs(a[k] * b[k]);
    }
    return Rounded.sum(sum, size, a.length + 2);
  }

  // Activations.

  @ParameterizedTest
  @EnumSource
  void shouldApplyAnActivationToTheProduct(Activation activation) {
    for (int[] layer : new int[][] {{1, 1}, {3, 2}, {7, 5}, {64, 64}, {65, 67}}) {
      for (Size size : SIZES) {
        activate(activation, layer[0], layer[1], size);
      }
    }
    LARGE_SIZES.forEach(size -> activate(activation, 2, 3, size));
  }

  private void activate(Activation activation, int inputs, int outputs, Size size) {
    activate(activation, inputs, outputs, size, true, false);
    activate(activation, inputs, outputs, size, false, false);
    if (activation.differentiatesInput()) {
      activate(activation, inputs, outputs, size, true, true);
      activate(activation, inputs, outputs, size, false, true);
    }
  }

  private void activate(
      Activation activation,
      int inputs,
      int outputs,
      Size size,
      boolean biased,
      boolean keepsInput) {
    String what = told(activation, inputs, outputs, size, biased, keepsInput);
    try (KernelRun run = new KernelRun(device(), size.capacity, 1)) {
      Matrix w = KernelRun.in(Region.PARAMETERS, run.tensor(inputs, outputs));
      Matrix bias = KernelRun.in(Region.PARAMETERS, run.tensor(1, outputs));
      Matrix x = run.scratch(inputs);
      Matrix z = run.scratch(outputs);
      Matrix c = run.scratch(outputs);
      run.open(
          new KernelCall.Gemm(
              w, true, x, false, c, biased ? bias : null, activation, keepsInput ? z : null));
      run.fill(w, size.rows, gaussians(2 / Math.sqrt(inputs)));
      run.fill(bias, size.rows, gaussians(1));
      run.fill(x, size.rows, gaussians(1));
      double[][] ws = transposed(run.lines(w, size.rows));
      double[][] xs = transposed(run.lines(x, size.rows));
      if (keepsInput) {
        run.step(anyRows(1, size.rows), what, c, z);
      } else {
        run.step(anyRows(1, size.rows), what, c);
      }
      for (int i = 0; i < outputs; i++) {
        for (int row = 0; row < size.rows; row++) {
          Rounded sum = product(ws[i], xs[row], biased ? run.get(bias, 0, i) : 0);
          ReferenceKernels.activate(activation, sum).check(run.get(c, i, row), what, "", i, row);
          if (keepsInput) {
            sum.check(run.get(z, i, row), what, "input", i, row);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void shouldTakeAGradientThroughAnActivation(Activation activation) {
    for (int lines : new int[] {1, 3, 4, 33, 70}) {
      for (Size size : SIZES) {
        differentiate(activation, lines, size);
      }
    }
    LARGE_SIZES.forEach(size -> differentiate(activation, 2, size));
  }

  private void differentiate(Activation activation, int lines, Size size) {
    String what = told(activation, lines, size);
    try (KernelRun run = new KernelRun(device(), size.capacity, 1)) {
      Matrix sums = KernelRun.in(Region.GRADIENTS, run.tensor(1, lines));
      Matrix delta = run.scratch(lines);
      Matrix operand = run.scratch(lines);
      run.open(
          new KernelCall.ActivationGradient(
              activation, delta, activation == Activation.IDENTITY ? null : operand, sums));
      run.fill(delta, size.rows, gaussians(1));
      run.fill(operand, size.rows, operands(activation));
      double[][] before = run.lines(delta, size.rows);
      run.step(anyRows(1, size.rows), what, delta, sums);
      for (int line = 0; line < lines; line++) {
        double sum = 0;
        double magnitude = 0;
        for (int row = 0; row < size.rows; row++) {
          float actual = run.get(delta, line, row);
          Rounded slope = ReferenceKernels.slope(activation, run.get(operand, line, row));
          slope.times(before[line][row]).check(actual, what, "", line, row);
          sum += actual;
          magnitude += Math.abs(actual);
        }
        Rounded.sum(sum, magnitude, size.rows)
            .check(run.get(sums, 0, line), what, "bias gradient", line);
      }
    }
  }

  /** Outputs that the activation may have, or its inputs. */
  private DoubleSupplier operands(Activation activation) {
    return switch (activation) {
      case IDENTITY, GELU, SILU -> gaussians(3);
      case RELU -> () -> Math.max(0, random.nextGaussian());
      case TANH -> () -> Math.tanh(2 * random.nextGaussian());
      case SIGMOID -> () -> 1 / (1 + Math.exp(-4 * random.nextGaussian()));
    };
  }

  @Test
  void shouldSumBiasGradientsOfIntegersExactly() {
    for (Size size : ALL_SIZES) {
      String what = told("bias gradient", size);
      try (KernelRun run = new KernelRun(device(), size.capacity, 1)) {
        Matrix sums = KernelRun.in(Region.GRADIENTS, run.tensor(1, 5));
        Matrix delta = run.scratch(5);
        run.open(new KernelCall.ActivationGradient(Activation.IDENTITY, delta, null, sums));
        run.fill(delta, size.rows, () -> random.nextInt(-9, 10));
        double[][] before = run.lines(delta, size.rows);
        run.step(anyRows(1, size.rows), what, delta, sums);
        for (int line = 0; line < 5; line++) {
          Rounded.exactly(Arrays.stream(before[line]).sum())
              .check(run.get(sums, 0, line), what, "", line);
        }
      }
    }
  }

  // Losses.

  private static Function<KernelCall.LossRows, KernelCall.Loss> loss(
      Function<KernelCall.LossRows, KernelCall.Loss> kind) {
    return kind;
  }

  static Stream<Arguments> losses() {
    return Stream.of(
        Arguments.of("softmax", loss(KernelCall.SoftmaxCrossEntropy::new), 2),
        Arguments.of("softmax", loss(KernelCall.SoftmaxCrossEntropy::new), 3),
        Arguments.of("softmax", loss(KernelCall.SoftmaxCrossEntropy::new), 37),
        Arguments.of("sigmoid", loss(KernelCall.SigmoidCrossEntropy::new), 1),
        Arguments.of("squared", loss(KernelCall.SquaredError::new), 1),
        Arguments.of("huber 0.5", loss(rows -> new KernelCall.Huber(rows, 0.5f)), 1),
        Arguments.of("huber 2", loss(rows -> new KernelCall.Huber(rows, 2)), 1),
        Arguments.of("quantile 0.5", loss(rows -> new KernelCall.Quantile(rows, 0.5f)), 1),
        Arguments.of("quantile 0.9", loss(rows -> new KernelCall.Quantile(rows, 0.9f)), 1));
  }

  @ParameterizedTest(name = "{0}, {2} outputs")
  @MethodSource("losses")
  void shouldComputeALossItsGradientAndPredictions(
      String name, Function<KernelCall.LossRows, KernelCall.Loss> kind, int outputs) {
    for (Size size : SIZES) {
      for (double scale : new double[] {0.1, 3, 100}) {
        lose(told(name, outputs, size, scale), kind, outputs, size, scale);
      }
    }
    for (Size size : outputs < 10 ? LARGE_SIZES : List.<Size>of()) {
      lose(told(name, outputs, size), kind, outputs, size, 3);
    }
  }

  private void lose(
      String what,
      Function<KernelCall.LossRows, KernelCall.Loss> kind,
      int outputs,
      Size size,
      double scale) {
    try (KernelRun run = new KernelRun(device(), size.capacity, 1)) {
      KernelCall.LossRows operands = run.lossRows(outputs);
      KernelCall.Loss call = kind.apply(operands);
      run.open(call);
      boolean classes =
          call instanceof KernelCall.SoftmaxCrossEntropy
              || call instanceof KernelCall.SigmoidCrossEntropy;
      float[] weights = weights(size.rows);
      float[] labels = new float[size.rows];
      float[][] before = new float[size.rows][outputs];
      for (int row = 0; row < size.rows; row++) {
        for (int c = 0; c < outputs; c++) {
          before[row][c] = weights[row] == 0 ? Float.NaN : (float) (scale * random.nextGaussian());
          run.set(operands.outputs(), c, row, before[row][c]);
        }
        // Now and then a label that is met exactly, where slopes have their corners.
        boolean met = random.nextInt(8) == 0 && weights[row] != 0;
        labels[row] =
            classes
                ? random.nextInt(Math.max(2, outputs))
                : met ? before[row][0] : (float) (scale * random.nextGaussian());
      }
      Rows rows = new Rows(new float[size.rows][1], labels, weights);
      run.step(
          rows,
          what,
          operands.outputs(),
          operands.losses(),
          operands.predictions(),
          operands.scores());
      double weightSum = sum(weights);
      for (int row = 0; row < size.rows; row++) {
        if (weights[row] == 0) {
          for (int c = 0; c < outputs; c++) {
            assertThat(run.get(operands.outputs(), c, row))
                .as("%s gradient of row %d without weight", what, row)
                .isZero();
          }
        } else {
          Rounded share = Rounded.exactly(weights[row]).times(Rounded.once(1 / weightSum));
          var expected = ReferenceKernels.loss(call, before[row], labels[row]);
          expected.loss().check(run.get(operands.losses(), 0, row), what, "loss", row);
          assertThat(run.get(operands.predictions(), 0, row))
              .as("%s prediction %d", what, row)
              .isEqualTo(expected.prediction());
          if (expected.score() != null) {
            expected.score().check(run.get(operands.scores(), 0, row), what, "score", row);
          }
          for (int c = 0; c < outputs; c++) {
            expected
                .slopes()[c]
                .times(share)
                .check(run.get(operands.outputs(), c, row), what, "gradient", c, row);
          }
        }
      }
    }
  }

  // Evaluation.

  static Stream<MetricsSpec> metrics() {
    return Stream.of(
        NUMBERS,
        new MetricsSpec(2, 2),
        new MetricsSpec(2, 50),
        new MetricsSpec(5, 1000),
        new MetricsSpec(70, 100));
  }

  @ParameterizedTest
  @MethodSource("metrics")
  void shouldEvaluateRowsOfOneMinibatchAfterTheOther(MetricsSpec metrics) {
    ALL_SIZES.forEach(size -> evaluate(metrics, size));
  }

  private void evaluate(MetricsSpec metrics, Size size) {
    String what = told(metrics, size);
    try (KernelRun run = new KernelRun(device(), size.capacity, 1)) {
      KernelCall.LossRows operands = run.lossRows(1);
      run.open(0, metrics, List.of(), List.of(new KernelCall.Evaluate(operands)), List.of());
      ReferenceEvaluation expected = new ReferenceEvaluation(metrics);
      for (int count : new int[] {size.rows, 1 + random.nextInt(size.rows), size.rows}) {
        float[] weights = weights(count);
        float[] labels = new float[count];
        double[] losses = new double[count];
        double[] shares = new double[count];
        Arrays.fill(run.values(Region.SCRATCH), Float.NaN);
        for (int row = 0; row < count; row++) {
          labels[row] = labelFor(metrics);
          float prediction = labelFor(metrics);
          float loss = weights[row] == 0 ? Float.NaN : (float) random.nextDouble(40);
          run.set(operands.predictions(), 0, row, prediction);
          run.set(operands.losses(), 0, row, loss);
          float score = weights[row] == 0 ? Float.NaN : score(metrics);
          run.set(operands.scores(), 0, row, score);
          if (weights[row] != 0) {
            expected.add(labels[row], prediction, score, loss);
            losses[row] = loss;
            shares[row] = weights[row];
          }
        }
        StepResult result = run.step(new Rows(new float[count][1], labels, weights), what);
        Rounded sum = product(shares, losses, 0);
        sum.over(Rounded.exactly(sum(weights))).check((float) result.loss(), what, "loss");
        expected.check(run.state(), what);
      }
    }
  }

  private float score(MetricsSpec metrics) {
    return switch (random.nextInt(8)) {
      case 0 -> metrics.classes() == 2 ? Float.POSITIVE_INFINITY : 1;
      case 1 -> metrics.classes() == 2 ? Float.NEGATIVE_INFINITY : 0;
      default -> (float) (metrics.classes() == 2 ? 6 * random.nextGaussian() : random.nextDouble());
    };
  }

  private float labelFor(MetricsSpec metrics) {
    return metrics.classes() == 0
        ? (float) random.nextGaussian()
        : random.nextInt(metrics.classes());
  }

  // What an update stands on: a finite loss, a finite gradient, its norm.

  /** Evaluate, CheckGradient and Update, as no device has an update without the flag. */
  private KernelRun updating(OptimizerConfig rule, int... tensorSizes) {
    return updating(rule, 0, tensorSizes);
  }

  private KernelRun updating(OptimizerConfig rule, double lossSpike, int... tensorSizes) {
    KernelRun run = new KernelRun(device(), 3, 1);
    for (int size : tensorSizes) {
      run.tensor(1, size);
    }
    int tensors = Lowering.stateTensors(rule);
    KernelCall.LossRows operands = run.lossRows(1);
    Matrix gradient = run.flat(Region.GRADIENTS, 1);
    run.open(
        tensors,
        NUMBERS,
        List.of(),
        List.of(new KernelCall.Evaluate(operands)),
        List.of(
            new KernelCall.CheckGradient(gradient, (float) rule.clipNorm(), lossSpike),
            new KernelCall.Update(
                rule,
                run.flat(Region.PARAMETERS, 1),
                gradient,
                run.flat(Region.OPTIMIZER, tensors))));
    run.fill(operands.losses(), 3, () -> 1);
    run.fill(operands.predictions(), 3, () -> 0);
    run.fillFlat(Region.PARAMETERS, 1, gaussians(1));
    run.fillFlat(Region.GRADIENTS, 1, gaussians(1));
    run.fillFlat(Region.OPTIMIZER, tensors, () -> 0);
    return run;
  }

  private static final int[][] TENSORS = {
    {1}, {15}, {16}, {17, 1}, {31, 5, 1}, {1_000, 24}, {1_024}, {1_025, 7}, {70_001}
  };

  @ParameterizedTest
  @MethodSource("clipNorms")
  void shouldFindAnyValueOfTheGradientThatIsNotFinite(double clipNorm) {
    OptimizerConfig rule = new OptimizerConfig.Adam(0.01, 0.9, 0.999, 1e-8, clipNorm);
    for (int[] sizes : TENSORS) {
      String what = told("not finite", clipNorm, Arrays.toString(sizes));
      try (KernelRun run = updating(rule, sizes)) {
        run.fillFlat(Region.OPTIMIZER, 2, () -> random.nextDouble());
        for (Tensor tensor : run.tensors()) {
          for (int at : new int[] {0, tensor.size() - 1, random.nextInt(tensor.size())}) {
            for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, -1f / 0}) {
              int index = tensor.offset() + at;
              float kept = run.values(Region.GRADIENTS)[index];
              run.values(Region.GRADIENTS)[index] = bad;
              String where = what + " " + bad + " at " + index;
              assertThat(run.step(anyRows(1, 3), where).status())
                  .as(where)
                  .isEqualTo(Status.NOT_FINITE);
              assertThat(run.state().values()[TrainingState.BETA1_POWER]).as(where).isEqualTo(1);
              run.values(Region.GRADIENTS)[index] = kept;
            }
          }
        }
        StepResult result =
            run.step(
                anyRows(1, 3), what, run.flat(Region.PARAMETERS, 1), run.flat(Region.OPTIMIZER, 2));
        assertThat(result.status()).as(what).isEqualTo(Status.APPLIED);
      }
    }
  }

  static Stream<Double> clipNorms() {
    return Stream.of(0.0, 0.5, 1e6);
  }

  @Test
  void shouldChangeNothingWhereTheLossIsNotFinite() {
    for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
      String what = told("loss", bad);
      try (KernelRun run = updating(new OptimizerConfig.Momentum(0.01, 0.9, 1), 20)) {
        Arrays.fill(run.values(Region.SCRATCH), bad);
        assertThat(run.step(anyRows(1, 3), what).status()).as(what).isEqualTo(Status.NOT_FINITE);
        new ReferenceEvaluation(NUMBERS).check(run.state(), what);
      }
    }
  }

  static Stream<Arguments> judgedLosses() {
    return Stream.of(0.0, 1e-3, 0.5, 4.0, 1e6)
        .flatMap(spike -> Stream.of(0.0, 1e-4, 0.1, 3.0, 30.0).map(s -> Arguments.of(spike, s)));
  }

  /** Losses of e to a Gaussian's power, and some that are 0, large or no number; all rows having the same, the mean is exact. */
  @ParameterizedTest
  @MethodSource("judgedLosses")
  void shouldJudgeALossByThoseBeforeIt(double lossSpike, double deviation) {
    String what = told("spikes", lossSpike, deviation);
    OptimizerConfig rule = new OptimizerConfig.Adam(0.01, 0.9, 0.999, 1e-8, 0);
    try (KernelRun run = updating(rule, lossSpike, 20)) {
      run.fillFlat(Region.OPTIMIZER, 2, () -> random.nextDouble());
      ReferenceLosses expected = new ReferenceLosses(lossSpike);
      for (int step = 0; step < 90; step++) {
        float loss =
            switch (random.nextInt(30)) {
              case 0 -> 0;
              case 1 -> Float.MAX_VALUE;
              case 2 -> Float.NaN;
              default ->
                  (float) Math.min(Math.exp(deviation * random.nextGaussian()), Float.MAX_VALUE);
            };
        Arrays.fill(run.values(Region.SCRATCH), loss);
        Status status = Float.isFinite(loss) ? expected.judge(loss) : Status.NOT_FINITE;
        Matrix[] outputs =
            status == Status.APPLIED
                ? new Matrix[] {run.flat(Region.PARAMETERS, 1), run.flat(Region.OPTIMIZER, 2)}
                : new Matrix[0];
        String where = what + " step " + step;
        assertThat(run.step(anyRows(1, 3), where, outputs).status()).as(where).isEqualTo(status);
        expected.check(run.state(), where);
      }
    }
  }

  /** Gradients of ±1: their number is the norm's square, exactly, so that one too many or too few shows. */
  @Test
  void shouldBringTheNormOfTheGradientWithinItsBound() {
    for (int[] sizes : TENSORS) {
      for (double bound : new double[] {1e-3, 0.9, 500}) {
        String what = told("clip", bound, Arrays.toString(sizes));
        try (KernelRun run = updating(new OptimizerConfig.Sgd(1, bound), sizes)) {
          run.fillFlat(Region.PARAMETERS, 1, () -> 0);
          run.fillFlat(Region.GRADIENTS, 1, () -> random.nextBoolean() ? 1 : -1);
          run.step(anyRows(1, 3), what, run.flat(Region.PARAMETERS, 1));
          int count = run.tensors().stream().mapToInt(Tensor::size).sum();
          double scale = Math.min(1, bound / (Math.sqrt(count) + 1e-6));
          for (Tensor tensor : run.tensors()) {
            for (int i = tensor.offset(); i < tensor.offset() + tensor.size(); i++) {
              Rounded.once(-scale)
                  .times(Rounded.once(run.values(Region.GRADIENTS)[i]))
                  .check(run.values(Region.PARAMETERS)[i], what, "", i);
            }
          }
        }
      }
    }
  }

  // Updates.

  static Stream<OptimizerConfig> rules() {
    List<OptimizerConfig> rules = new ArrayList<>();
    for (double clipNorm : new double[] {0, 0.5}) {
      rules.add(new OptimizerConfig.Sgd(0.1, clipNorm));
      rules.add(new OptimizerConfig.Momentum(0.05, 0.9, clipNorm));
      rules.add(new OptimizerConfig.Nesterov(0.05, 0.9, clipNorm));
      rules.add(new OptimizerConfig.Adagrad(0.1, 1e-10, clipNorm));
      rules.add(new OptimizerConfig.RmsProp(0.01, 0.99, 1e-8, clipNorm));
      rules.add(new OptimizerConfig.Adam(0.01, 0.9, 0.999, 1e-8, clipNorm));
      rules.add(new OptimizerConfig.AdamW(0.01, 0.9, 0.999, 1e-8, 0.05, clipNorm));
    }
    return rules.stream();
  }

  @ParameterizedTest
  @MethodSource("rules")
  void shouldUpdateParametersAsTheRuleSays(OptimizerConfig rule) {
    for (int[] sizes : TENSORS) {
      try (KernelRun run = updating(rule, sizes)) {
        for (int step = 1; step <= 3; step++) {
          run.fillFlat(Region.GRADIENTS, 1, gaussians(Math.pow(10, -step)));
          update(run, rule, told(rule, Arrays.toString(sizes), "step " + step), step);
        }
      }
    }
  }

  /** One step, each value from what the device held before it, so that errors do not add up over steps. */
  private void update(KernelRun run, OptimizerConfig rule, String what, int step) {
    float[] parameters = run.values(Region.PARAMETERS).clone();
    float[] state = run.values(Region.OPTIMIZER).clone();
    float[] gradient = run.values(Region.GRADIENTS).clone();
    int size = parameters.length;
    int tensors = state.length / size;
    run.step(
        anyRows(1, 3), what, run.flat(Region.PARAMETERS, 1), run.flat(Region.OPTIMIZER, tensors));
    Rounded scale = scale(gradient, rule.clipNorm());
    ReferenceRule reference = new ReferenceRule(rule);
    for (int i = 0; i < size; i++) {
      double first = tensors > 0 ? state[i] : 0;
      double second = tensors > 1 ? state[size + i] : 0;
      var expected = reference.update(parameters[i], scale.times(gradient[i]), first, second, step);
      expected.parameter().check(run.values(Region.PARAMETERS)[i], what, "parameter", i);
      if (tensors > 0) {
        expected.first().check(run.values(Region.OPTIMIZER)[i], what, "state", i);
      }
      if (tensors > 1) {
        expected.second().check(run.values(Region.OPTIMIZER)[size + i], what, "state2", i);
      }
    }
    TrainingState training = run.state();
    assertThat(training.stepsApplied()).as(what).isEqualTo(step);
    checkPowers(rule, training, what, step);
  }

  private static void checkPowers(
      OptimizerConfig rule, TrainingState state, String what, int step) {
    boolean adam = rule instanceof OptimizerConfig.Adam || rule instanceof OptimizerConfig.AdamW;
    double power1 = adam ? Math.pow(0.9, step) : 1;
    double power2 = adam ? Math.pow(0.999, step) : 1;
    assertThat(Math.abs(state.values()[TrainingState.BETA1_POWER] - power1))
        .as(what)
        .isLessThanOrEqualTo(step * Math.ulp(power1));
    assertThat(Math.abs(state.values()[TrainingState.BETA2_POWER] - power2))
        .as(what)
        .isLessThanOrEqualTo(step * Math.ulp(power2));
  }

  /** min(1, bound / (norm + 10⁻⁶)); no bound is 0. */
  private static Rounded scale(float[] gradient, double clipNorm) {
    double squares = 0;
    for (float g : gradient) {
      squares += (double) g * g;
    }
    Rounded norm = Rounded.sum(squares, squares, gradient.length + 2).root();
    return clipNorm == 0 || norm.value() + 1e-6 <= clipNorm
        ? Rounded.exactly(1)
        : Rounded.once(clipNorm).over(norm.plus(1e-6));
  }

  // Lifecycle.

  private static Program lifecycleProgram() {
    return Lowering.lower(
        new ModelSpec(
            List.of(new Dense(4, 66, Activation.TANH), new Dense(66, 1, Activation.IDENTITY)),
            Initial.ZERO,
            0,
            new LossConfig.Squared(),
            new OptimizerConfig.Adam(0.01, 0.9, 0.999, 1e-8, 1)),
        SlotLayout.of(64, 4),
        10);
  }

  private static void steps(Program program, DeviceSession session, SlotMemory memory, Rows rows) {
    Slot slot = SlotFiller.slot(program.layout(), memory);
    StepResult result = new StepResult();
    for (int step = 0; step < 3; step++) {
      SlotFiller.fill(slot, step, rows, 0);
      assertThat(session.trySubmit(slot)).isTrue();
      while (!session.poll(result)) {
        Thread.onSpinWait();
      }
      assertThat(result.sequence()).isEqualTo(step);
    }
  }

  /** What is held after ten thousand sessions must be less than one of them takes. */
  @Test
  void shouldFreeOnCloseWhatASessionAllocated() {
    Program program = lifecycleProgram();
    float[] parameters = new float[program.size(Region.PARAMETERS)];
    long session;
    try (SlotMemory memory = device().slotMemory();
        DeviceSession first = device().open(program, parameters)) {
      steps(program, first, memory, anyRows(4, 64));
      session = 4L * program.size(Region.SCRATCH);
      assertThat(allocatedBytes()).isGreaterThanOrEqualTo(session);
    }
    long before = allocatedBytes();
    for (int round = 0; round < 10_000; round++) {
      device().open(program, parameters).close();
    }
    assertThat(allocatedBytes() - before).isLessThan(session);
    for (int round = 0; round < 100; round++) {
      try (SlotMemory memory = device().slotMemory();
          DeviceSession stepped = device().open(program, parameters)) {
        steps(program, stepped, memory, anyRows(4, 64));
      }
    }
    assertThat(allocatedBytes() - before).isLessThan(session);
  }

  @Test
  void shouldFreeWhatASessionAllocatedThatCouldNotBeOpened() {
    Program program = lifecycleProgram();
    float[] tooFew = new float[program.size(Region.PARAMETERS) - 1];
    long before = allocatedBytes();
    for (int round = 0; round < 100; round++) {
      assertThatThrownBy(() -> device().open(program, tooFew))
          .isInstanceOf(IllegalArgumentException.class);
    }
    assertThat(allocatedBytes() - before).isLessThan(4L * program.size(Region.SCRATCH));
  }

  @Test
  void shouldRefuseASlotThatDoesNotFitAndGoOn() {
    Program program = lifecycleProgram();
    float[] parameters = new float[program.size(Region.PARAMETERS)];
    Arrays.fill(parameters, 0.25f);
    Rows rows = anyRows(4, 64);
    try (SlotMemory memory = device().slotMemory();
        DeviceSession session = device().open(program, parameters)) {
      Slot other = SlotFiller.slot(SlotLayout.of(64, 5), memory);
      SlotFiller.fill(other, 0, anyRows(5, 64), 0);
      Slot empty = SlotFiller.slot(program.layout(), memory);
      for (Slot bad : List.of(other, empty)) {
        assertThatThrownBy(() -> session.trySubmit(bad))
            .isInstanceOf(IllegalArgumentException.class);
        assertThat(session.poll(new StepResult())).isFalse();
      }
      assertThat(session.parameters()).isEqualTo(parameters);
      steps(program, session, memory, rows);
      assertThat(session.parameters()).isNotEqualTo(parameters);
    }
  }
}
