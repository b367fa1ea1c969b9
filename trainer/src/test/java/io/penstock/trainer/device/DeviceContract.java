package io.penstock.trainer.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.penstock.config.LossConfig;
import io.penstock.config.ModelConfig.Initial;
import io.penstock.config.OptimizerConfig;
import io.penstock.pipeline.Slot;
import io.penstock.pipeline.SlotFiller;
import io.penstock.pipeline.SlotFiller.Rows;
import io.penstock.pipeline.SlotLayout;
import io.penstock.pipeline.SlotMemory;
import io.penstock.pipeline.State;
import io.penstock.trainer.Minibatches;
import io.penstock.trainer.Reference;
import io.penstock.trainer.cpu.ForwardPass;
import io.penstock.trainer.device.StepResult.Status;
import io.penstock.trainer.model.Activation;
import io.penstock.trainer.model.Dense;
import io.penstock.trainer.model.Evaluation;
import io.penstock.trainer.model.Lowering;
import io.penstock.trainer.model.Metrics;
import io.penstock.trainer.model.ModelSpec;
import io.penstock.trainer.model.ParameterLayout.Tensor;
import io.penstock.trainer.model.Program;
import io.penstock.trainer.model.Region;
import io.penstock.trainer.model.TrainingState;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What every device must do with whole programs: gradients that are those of the loss, with padding and weightless rows poisoned,
 * metrics, steps that change nothing, saved state. {@link KernelContract} holds it to each kernel.
 *
 * <p>Tolerance: a sum of n float products is off by at most about n ε/2 of the sum of their sizes; gradients here sum over 19
 * rows of what went through layers up to 66 wide, so 256 ε of the tensor's largest value (at least 0.1) is asked for, which
 * an error in any formula exceeds by orders of magnitude.
 */
public abstract class DeviceContract {
  private static final long SEED = 20261123;
  private static final double TOLERANCE = 256 * Math.ulp(1f);
  private static final OptimizerConfig SGD = new OptimizerConfig.Sgd(0.1, 0);

  /** The device under test. */
  protected abstract Device device();

  /** A session with one slot. */
  private final class Run implements AutoCloseable {
    final Program program;
    final Reference reference;
    final float[] initial;
    final SlotMemory memory = device().slotMemory();
    final DeviceSession session;
    final StepResult result = new StepResult();
    private final Slot slot;
    private long sequence;

    Run(ModelSpec spec, int capacityRows, SplittableRandom random) {
      this(spec, capacityRows, random, 0);
    }

    Run(ModelSpec spec, int capacityRows, SplittableRandom random, double lossSpike) {
      program = Lowering.lower(spec, SlotLayout.of(capacityRows, spec.features()), 50, lossSpike);
      reference = new Reference(spec, program.parameters());
      initial = new float[program.parameters().size()];
      for (var tensor : program.parameters().tensors()) {
        for (int i = 0; i < tensor.size(); i++) {
          initial[tensor.offset() + i] = (float) (random.nextGaussian() / Math.sqrt(tensor.rows()));
        }
      }
      session = device().open(program, initial);
      slot = SlotFiller.slot(program.layout(), memory);
    }

    Status step(Rows rows) {
      SlotFiller.fill(slot, sequence++, rows, 0);
      assertThat(session.trySubmit(slot)).isTrue();
      while (!session.poll(result)) {
        Thread.onSpinWait();
      }
      return result.status();
    }

    float[] read(Region region) {
      float[] values = new float[program.size(region)];
      session.read(region, values);
      return values;
    }

    TrainingState state() {
      TrainingState state = new TrainingState(program.metrics());
      session.read(state);
      return state;
    }

    Evaluation evaluation() {
      return state().evaluation();
    }

    @Override
    public void close() {
      session.close();
      memory.close();
    }
  }

  private static ModelSpec spec(
      LossConfig loss, OptimizerConfig optimizer, Activation activation, int... widths) {
    List<Dense> layers = new ArrayList<>();
    for (int i = 0; i + 1 < widths.length; i++) {
      boolean last = i + 2 == widths.length;
      layers.add(new Dense(widths[i], widths[i + 1], last ? Activation.IDENTITY : activation));
    }
    int classes =
        loss instanceof LossConfig.Softmax
            ? widths[widths.length - 1]
            : loss instanceof LossConfig.Sigmoid ? 2 : 0;
    return new ModelSpec(layers, Initial.ZERO, classes, loss, optimizer);
  }

  static Stream<ModelSpec> models() {
    LossConfig softmax = new LossConfig.Softmax();
    List<ModelSpec> specs = new ArrayList<>();
    for (Activation activation : Activation.values()) {
      specs.add(spec(softmax, SGD, activation, 7, 5, 3));
      specs.add(spec(softmax, SGD, activation, 1, 2, 2));
    }
    for (LossConfig loss :
        List.of(
            new LossConfig.Sigmoid(),
            new LossConfig.Squared(),
            new LossConfig.Huber(0.5),
            new LossConfig.Quantile(0.9))) {
      specs.add(spec(loss, SGD, Activation.TANH, 6, 9, 1));
      specs.add(spec(loss, SGD, Activation.IDENTITY, 3, 1));
    }
    // Deep ones, in which buffers are used again and again.
    specs.add(spec(softmax, SGD, Activation.SILU, 4, 9, 6, 3));
    specs.add(spec(softmax, SGD, Activation.GELU, 3, 5, 7, 4, 6, 3));
    // Wide ones, whose products a device may leave to a library.
    specs.add(spec(softmax, SGD, Activation.TANH, 3, 65, 66, 2));
    return specs.stream();
  }

  @ParameterizedTest
  @MethodSource("models")
  void shouldAgreeWithDifferencesOfTheLoss(ModelSpec spec) {
    SplittableRandom random = new SplittableRandom(SEED);
    try (Run run = new Run(spec, 21, random)) {
      Rows minibatch = Minibatches.random(spec, 19, true, random);
      for (int row = 0; row < minibatch.count(); row++) {
        if (minibatch.weights()[row] == 0) {
          Arrays.fill(minibatch.features()[row], Float.NaN);
        }
      }
      String what = spec + ", seed " + SEED;
      assertThat(run.step(minibatch)).as(what).isEqualTo(Status.APPLIED);
      double[] parameters = doubles(run.initial);
      close(what, run.result.loss(), run.reference.loss(parameters, minibatch), 1);
      double[] numeric = new double[parameters.length];
      for (int i = 0; i < parameters.length; i++) {
        double h = 1e-6;
        double kept = parameters[i];
        parameters[i] = kept + h;
        double above = run.reference.loss(parameters, minibatch);
        parameters[i] = kept - h;
        double below = run.reference.loss(parameters, minibatch);
        numeric[i] = isUsed(run.program, i) ? (above - below) / (2 * h) : 0;
        parameters[i] = kept;
      }
      close(what, run.read(Region.GRADIENTS), numeric, 0.1);
    }
  }

  /** The loss of the step itself is that of the outputs which the forward pass has of the same rows and weights. */
  @ParameterizedTest
  @MethodSource("models")
  void shouldForwardAsPredictionsDo(ModelSpec spec) {
    SplittableRandom random = new SplittableRandom(SEED);
    try (Run run = new Run(spec, 21, random);
        ForwardPass forward = new ForwardPass(run.program)) {
      State saved = new State();
      run.session.save(saved);
      forward.load(saved);
      Rows minibatch = Minibatches.random(spec, 19, true, random);
      for (int row = 0; row < minibatch.count(); row++) {
        for (int feature = 0; feature < spec.features(); feature++) {
          forward
              .slot()
              .set(
                  ValueLayout.JAVA_FLOAT,
                  run.program.layout().featureOffset(feature) + 4L * row,
                  minibatch.features()[row][feature]);
        }
      }
      forward.run(minibatch.count());
      String what = spec + ", seed " + SEED;
      double[] parameters = doubles(run.initial);
      int outputs = spec.layers().getLast().outputs();
      double loss = 0;
      double weights = 0;
      for (int row = 0; row < minibatch.count(); row++) {
        float[] z = new float[outputs];
        for (int output = 0; output < outputs; output++) {
          z[output] = forward.output(output, row);
        }
        close(what, z, run.reference.outputs(parameters, minibatch.features()[row]), 1);
        if (minibatch.weights()[row] != 0) {
          loss +=
              minibatch.weights()[row] * run.reference.rowLoss(doubles(z), minibatch.labels()[row]);
          weights += minibatch.weights()[row];
        }
      }
      assertThat(run.step(minibatch)).as(what).isEqualTo(Status.APPLIED);
      close(what, run.result.loss(), loss / weights, 1);
    }
  }

  private static boolean isUsed(Program program, int index) {
    return program.parameters().tensors().stream()
        .anyMatch(t -> index >= t.offset() && index < t.offset() + t.size());
  }

  @Test
  void shouldLeaveEverythingAsItIsWhereLossOrGradientIsNotFinite() {
    SplittableRandom random = new SplittableRandom(SEED);
    ModelSpec spec =
        spec(
            new LossConfig.Softmax(),
            new OptimizerConfig.Adam(0.01, 0.9, 0.999, 1e-8, 0),
            Activation.RELU,
            5,
            8,
            3);
    try (Run run = new Run(spec, 20, random)) {
      run.step(Minibatches.random(spec, 20, false, random));
      float[] parameters = run.read(Region.PARAMETERS);
      float[] optimizer = run.read(Region.OPTIMIZER);
      for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, 3e38f}) {
        Rows rows = Minibatches.random(spec, 20, false, random);
        Arrays.fill(rows.features()[7], bad);
        assertThat(run.step(rows)).as("feature %s", bad).isEqualTo(Status.NOT_FINITE);
        assertThat(run.read(Region.PARAMETERS)).isEqualTo(parameters);
        assertThat(run.read(Region.OPTIMIZER)).isEqualTo(optimizer);
      }
      assertThat(run.evaluation().rows()).isEqualTo(20);
      assertThat(run.step(Minibatches.random(spec, 20, false, random))).isEqualTo(Status.APPLIED);
      TrainingState state = new TrainingState(run.program.metrics());
      run.session.read(state);
      assertThat(state.stepsApplied()).isEqualTo(2);
      assertThat(state.stepsSkipped()).isEqualTo(3);
      assertThat(state.values()[TrainingState.BETA1_POWER]).isEqualTo(0.9 * 0.9);
    }
  }

  @Test
  void shouldSkipAMinibatchWithoutWeight() {
    SplittableRandom random = new SplittableRandom(SEED);
    ModelSpec spec = spec(new LossConfig.Squared(), SGD, Activation.RELU, 3, 1);
    try (Run run = new Run(spec, 5, random)) {
      Rows rows = Minibatches.random(spec, 5, false, random);
      Arrays.fill(rows.weights(), 0);
      assertThat(run.step(rows)).isEqualTo(Status.WEIGHTLESS);
      assertThat(run.read(Region.PARAMETERS)).isEqualTo(run.initial);
      assertThat(run.evaluation().rows()).isZero();
    }
  }

  @Test
  void shouldKeepPrequentialMetricsOfClasses() {
    SplittableRandom random = new SplittableRandom(SEED);
    ModelSpec spec = spec(new LossConfig.Softmax(), SGD, Activation.RELU, 4, 6, 3);
    try (Run run = new Run(spec, 19, random)) {
      ReferenceMetrics expected = new ReferenceMetrics(3, 50);
      for (int step = 0; step < 30; step++) {
        Rows rows = Minibatches.random(spec, 1 + random.nextInt(19), true, random);
        double[] parameters = doubles(run.session.parameters());
        for (int row = 0; row < rows.count(); row++) {
          if (rows.weights()[row] != 0) {
            expected.add(
                run.reference.outputs(parameters, rows.features()[row]), (int) rows.labels()[row]);
          }
        }
        run.step(rows);
      }
      Evaluation evaluation = run.evaluation();
      assertThat(evaluation.rows()).isEqualTo(expected.rows());
      expected.check(evaluation.cumulative(), 1);
      expected.check(evaluation.windowed(), 1 - 1.0 / 50);
      assertThat(evaluation.cumulative().mae()).isNaN();
    }
  }

  static Stream<ModelSpec> classifiers() {
    return Stream.of(
        spec(new LossConfig.Sigmoid(), SGD, Activation.TANH, 4, 6, 1),
        spec(new LossConfig.Softmax(), SGD, Activation.TANH, 4, 6, 2),
        spec(new LossConfig.Softmax(), SGD, Activation.TANH, 4, 6, 3));
  }

  /** A row that was counted: the probability of class 1, or of the prediction where there are more than two, and what came. */
  private record Said(double probability, boolean came) {}

  @ParameterizedTest
  @MethodSource("classifiers")
  void shouldScoreRowsByHowSureTheModelWas(ModelSpec spec) {
    SplittableRandom random = new SplittableRandom(SEED);
    List<Said> all = new ArrayList<>();
    try (Run run = new Run(spec, 19, random)) {
      for (int step = 0; step < 40; step++) {
        Rows rows = Minibatches.random(spec, 1 + random.nextInt(19), true, random);
        double[] parameters = doubles(run.session.parameters());
        for (int row = 0; row < rows.count(); row++) {
          // Something to be learnt: scores of classes move apart.
          rows.labels()[row] = rows.features()[row][0] + random.nextGaussian() > 0 ? 1 : 0;
          if (rows.weights()[row] != 0) {
            all.add(
                said(
                    run.reference.outputs(parameters, rows.features()[row]),
                    (int) rows.labels()[row]));
          }
        }
        run.step(rows);
      }
      Metrics metrics = run.evaluation().cumulative();
      if (spec.classes() == 2) {
        assertThat(metrics.model().auc())
            .isCloseTo(auc(all), within(metrics.aucError() + 1e-6))
            .isGreaterThan(0.6);
        assertThat(metrics.aucError()).isLessThan(0.02);
      }
      // Two rows may be on the other side of a bin's edge.
      assertThat(metrics.model().calibrationError())
          .isCloseTo(calibrationError(all), within(4.0 / all.size()));
    }
  }

  private static Said said(double[] outputs, int label) {
    double[] z = outputs.length == 1 ? new double[] {0, outputs[0]} : outputs;
    double sum = 0;
    int best = 0;
    for (int c = 0; c < z.length; c++) {
      sum += Math.exp(z[c]);
      best = z[c] > z[best] ? c : best;
    }
    return z.length == 2
        ? new Said(Math.exp(z[1]) / sum, label == 1)
        : new Said(Math.exp(z[best]) / sum, label == best);
  }

  private static double auc(List<Said> all) {
    double won = 0;
    double pairs = 0;
    for (Said positive : all) {
      for (Said negative : all) {
        if (positive.came && !negative.came) {
          pairs++;
          won += (Math.signum(positive.probability - negative.probability) + 1) / 2;
        }
      }
    }
    return won / pairs;
  }

  private static double calibrationError(List<Said> all) {
    double[] gaps = new double[15];
    for (Said row : all) {
      gaps[Math.min((int) (15 * row.probability), 14)] += row.probability - (row.came ? 1 : 0);
    }
    return Arrays.stream(gaps).map(Math::abs).sum() / all.size();
  }

  @Test
  void shouldKeepPrequentialMetricsOfNumbers() {
    SplittableRandom random = new SplittableRandom(SEED);
    ModelSpec spec = spec(new LossConfig.Huber(1), SGD, Activation.RELU, 4, 1);
    try (Run run = new Run(spec, 7, random)) {
      double absolute = 0;
      double squares = 0;
      double fadingAbsolute = 0;
      double fadingRows = 0;
      int count = 0;
      for (int step = 0; step < 20; step++) {
        Rows rows = Minibatches.random(spec, 7, false, random);
        double[] parameters = doubles(run.session.parameters());
        for (int row = 0; row < 7; row++) {
          double error =
              run.reference.outputs(parameters, rows.features()[row])[0] - rows.labels()[row];
          absolute += Math.abs(error);
          squares += error * error;
          fadingAbsolute = fadingAbsolute * 0.98 + Math.abs(error);
          fadingRows = fadingRows * 0.98 + 1;
          count++;
        }
        run.step(rows);
      }
      Evaluation evaluation = run.evaluation();
      close("mae", evaluation.cumulative().mae(), absolute / count, 1);
      close("rmse", evaluation.cumulative().model().rmse(), Math.sqrt(squares / count), 1);
      close("windowed mae", evaluation.windowed().mae(), fadingAbsolute / fadingRows, 1);
      assertThat(evaluation.cumulative().accuracy()).isNaN();
    }
  }

  @Test
  void shouldGoOnToTheBitFromASavedState() {
    SplittableRandom random = new SplittableRandom(SEED);
    ModelSpec spec =
        spec(
            new LossConfig.Softmax(),
            new OptimizerConfig.AdamW(0.01, 0.9, 0.999, 1e-8, 0.01, 1),
            Activation.SILU,
            9,
            70,
            4);
    List<Rows> rows = Minibatches.random(spec, 10, 40, true, random);
    try (Run first = new Run(spec, 40, random);
        Run second = new Run(spec, 40, random)) {
      rows.subList(0, 5).forEach(first::step);
      State state = new State();
      first.session.save(state);
      second.session.restore(state);
      rows.subList(5, 10).forEach(first::step);
      rows.subList(5, 10).forEach(second::step);
      assertThat(second.session.weightsSha256()).isEqualTo(first.session.weightsSha256());
      assertThat(second.evaluation()).isEqualTo(first.evaluation());
      assertThat(second.read(Region.OPTIMIZER)).isEqualTo(first.read(Region.OPTIMIZER));
    }
  }

  // Spikes of the loss.

  private static final int JUDGED_ROWS = 16;
  private static final double LOSS_SPIKE = 6;

  /** Of more parameters than a block of cuda has threads: blocks must agree. */
  private static final ModelSpec JUDGED =
      spec(
          new LossConfig.Squared(),
          new OptimizerConfig.Adam(0.001, 0.9, 0.999, 1e-8, 1),
          Activation.RELU,
          4,
          70,
          1);

  /** Labels {@code scale} times as large: a loss about its square as high. */
  private static Rows scaled(double scale, SplittableRandom random) {
    Rows rows = Minibatches.random(JUDGED, JUDGED_ROWS, true, random);
    for (int row = 0; row < rows.count(); row++) {
      rows.labels()[row] *= (float) scale;
    }
    return rows;
  }

  /** A finite step, held against the reference. */
  private static Status judged(Run run, Rows rows, ReferenceLosses expected, String what) {
    float[] before = run.read(Region.PARAMETERS);
    Status status = run.step(rows);
    assertThat(status).as(what).isEqualTo(expected.judge(run.result.loss()));
    expected.check(run.state(), what);
    float[] after = run.read(Region.PARAMETERS);
    for (Tensor tensor : run.program.parameters().tensors()) {
      int from = tensor.offset();
      int to = from + tensor.size();
      assertThat(Arrays.equals(after, from, to, before, from, to))
          .as("%s: %s is as it was", what, tensor.name())
          .isEqualTo(status == Status.SPIKE);
    }
    return status;
  }

  private static void train(Run run, int steps, ReferenceLosses expected, SplittableRandom random) {
    for (int step = 0; step < steps; step++) {
      String what = "step " + step;
      assertThat(judged(run, scaled(1, random), expected, what)).as(what).isEqualTo(Status.APPLIED);
    }
  }

  @Test
  void shouldEvaluateASpikeOfTheLossButNotApplyIt() {
    SplittableRandom random = new SplittableRandom(SEED);
    try (Run run = new Run(JUDGED, JUDGED_ROWS, random, LOSS_SPIKE)) {
      ReferenceLosses expected = new ReferenceLosses(LOSS_SPIKE);
      train(run, 40, expected, random);
      float[] parameters = run.read(Region.PARAMETERS);
      float[] optimizer = run.read(Region.OPTIMIZER);
      TrainingState before = run.state();
      Rows spike = scaled(10, random);

      assertThat(judged(run, spike, expected, "spike")).isEqualTo(Status.SPIKE);

      double loss = run.reference.loss(doubles(parameters), spike);
      close("loss of a spike", run.result.loss(), loss, 1);
      assertThat(run.read(Region.PARAMETERS)).isEqualTo(parameters);
      assertThat(run.read(Region.OPTIMIZER)).isEqualTo(optimizer);
      TrainingState after = run.state();
      for (int power : new int[] {TrainingState.BETA1_POWER, TrainingState.BETA2_POWER}) {
        assertThat(after.values()[power]).isEqualTo(before.values()[power]);
      }
      assertThat(after.stepsApplied()).isEqualTo(40);
      assertThat(after.stepsSkipped()).isEqualTo(1);
      int counted = 0;
      for (float weight : spike.weights()) {
        counted += weight == 0 ? 0 : 1;
      }
      assertThat(after.evaluation().rows()).isEqualTo(before.evaluation().rows() + counted);
      train(run, 1, expected, random);
      assertThat(run.read(Region.PARAMETERS)).isNotEqualTo(parameters);
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 0.5, 3})
  void shouldKeepMeanAndVarianceOfAllFiniteLosses(double lossSpike) {
    SplittableRandom random = new SplittableRandom(SEED);
    try (Run run = new Run(JUDGED, JUDGED_ROWS, random, lossSpike)) {
      ReferenceLosses expected = new ReferenceLosses(lossSpike);
      int spikes = 0;
      for (int step = 0; step < 320; step++) {
        String what = "step " + step;
        Rows rows = scaled(random.nextInt(10) == 0 ? 1 + random.nextDouble(30) : 1, random);
        switch (random.nextInt(20)) {
          case 0 -> {
            rows.features()[0][1] = Float.NaN;
            assertThat(run.step(rows)).as(what).isEqualTo(Status.NOT_FINITE);
            expected.check(run.state(), what);
          }
          case 1 -> {
            Arrays.fill(rows.weights(), 0);
            assertThat(run.step(rows)).as(what).isEqualTo(Status.WEIGHTLESS);
            expected.check(run.state(), what);
          }
          default -> spikes += judged(run, rows, expected, what) == Status.SPIKE ? 1 : 0;
        }
      }
      assertThat(spikes > 0).isEqualTo(lossSpike > 0);
      assertThat(run.state().stepsApplied() + run.state().stepsSkipped()).isEqualTo(320);
    }
  }

  @ParameterizedTest
  @CsvSource({"31, 6, APPLIED", "32, 6, SPIKE", "60, 0, APPLIED"})
  void shouldJudgeLossesByThoseOfEnoughSteps(int steps, double lossSpike, Status status) {
    SplittableRandom random = new SplittableRandom(SEED);
    try (Run run = new Run(JUDGED, JUDGED_ROWS, random, lossSpike)) {
      ReferenceLosses expected = new ReferenceLosses(lossSpike);
      train(run, steps, expected, random);
      assertThat(judged(run, scaled(10, random), expected, "jump")).isEqualTo(status);
    }
  }

  /** The bound moves with the step that it judges: whoever came too late to the old one would judge by another. */
  @ParameterizedTest
  @ValueSource(doubles = {2, 3, 4, 6, 8, 10})
  void shouldJudgeALossByTheBoundFromBeforeIt(double lossSpike) {
    SplittableRandom random = new SplittableRandom(SEED);
    try (Run run = new Run(JUDGED, JUDGED_ROWS, random, lossSpike)) {
      ReferenceLosses expected = new ReferenceLosses(lossSpike);
      train(run, 32, expected, random);
      for (double share : new double[] {1 + 1e-4, 1 - 1e-4}) {
        Rows rows = ofLoss(expected.bound() * share, run, random);
        assertThat(judged(run, rows, expected, "bound * " + share))
            .isEqualTo(share > 1 ? Status.SPIKE : Status.APPLIED);
      }
    }
  }

  /** Labels as far from the outputs as it takes. */
  private static Rows ofLoss(double loss, Run run, SplittableRandom random) {
    Rows rows = scaled(1, random);
    double[] parameters = doubles(run.session.parameters());
    for (int row = 0; row < rows.count(); row++) {
      double output = run.reference.outputs(parameters, rows.features()[row])[0];
      rows.labels()[row] = (float) (output + Math.sqrt(2 * loss));
    }
    return rows;
  }

  @Test
  void shouldAcceptALastingChangeOfTheLossAfterSomeSteps() {
    SplittableRandom random = new SplittableRandom(SEED);
    try (Run run = new Run(JUDGED, JUDGED_ROWS, random, LOSS_SPIKE)) {
      ReferenceLosses expected = new ReferenceLosses(LOSS_SPIKE);
      train(run, 300, expected, random);
      int spikes = 0;
      while (judged(run, scaled(10, random), expected, "after " + spikes) == Status.SPIKE) {
        spikes++;
      }
      assertThat(spikes).isEqualTo(128);
      train(run, 20, expected, random);
    }
  }

  @Test
  void shouldJudgeByTheLossesOfASavedState() {
    SplittableRandom random = new SplittableRandom(SEED);
    try (Run first = new Run(JUDGED, JUDGED_ROWS, random, LOSS_SPIKE);
        Run second = new Run(JUDGED, JUDGED_ROWS, random, LOSS_SPIKE)) {
      ReferenceLosses expected = new ReferenceLosses(LOSS_SPIKE);
      train(first, 40, expected, random);
      State state = new State();
      first.session.save(state);
      second.session.restore(state);
      expected.check(second.state(), "restored");
      assertThat(judged(second, scaled(10, random), expected, "spike")).isEqualTo(Status.SPIKE);
      assertThat(second.session.weightsSha256()).isEqualTo(first.session.weightsSha256());
    }
  }

  private static double[] doubles(float[] values) {
    double[] doubles = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      doubles[i] = values[i];
    }
    return doubles;
  }

  private static void close(String what, float[] actual, double[] expected, double leastScale) {
    double scale = leastScale;
    for (double value : expected) {
      scale = Math.max(scale, Math.abs(value));
    }
    for (int i = 0; i < expected.length; i++) {
      close(what + " [" + i + "]", actual[i], expected[i], scale);
    }
  }

  private static void close(String what, double actual, double expected, double scale) {
    double most = TOLERANCE * Math.max(scale, Math.abs(expected));
    if (!(Math.abs(actual - expected) <= most)) {
      assertThat(actual).as("%s within %s", what, most).isEqualTo(expected);
    }
  }
}
