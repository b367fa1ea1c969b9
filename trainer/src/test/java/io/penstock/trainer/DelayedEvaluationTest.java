package io.penstock.trainer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.penstock.config.LossConfig;
import io.penstock.config.ModelConfig;
import io.penstock.config.OptimizerConfig;
import io.penstock.config.SchemaConfig.LabelConfig;
import io.penstock.config.SchemaConfig.LabelType;
import io.penstock.pipeline.Barrier;
import io.penstock.pipeline.SlotFiller;
import io.penstock.pipeline.SlotFiller.Rows;
import io.penstock.pipeline.SlotLayout;
import io.penstock.pipeline.SlotRing;
import io.penstock.pipeline.StageMeter;
import io.penstock.pipeline.State;
import io.penstock.trainer.cpu.CpuDevice;
import io.penstock.trainer.device.Device;
import io.penstock.trainer.device.DeviceSession;
import io.penstock.trainer.device.LateDevice;
import io.penstock.trainer.model.Evaluation;
import io.penstock.trainer.model.ExactMetrics;
import io.penstock.trainer.model.InitialParameters;
import io.penstock.trainer.model.Lowering;
import io.penstock.trainer.model.Metrics;
import io.penstock.trainer.model.ModelSpec;
import io.penstock.trainer.model.Program;
import io.penstock.trainer.model.Scores;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Scores by old weights and old labels, against a simulation in double precision that keeps them all. */
@Timeout(300)
class DelayedEvaluationTest {
  private static final long SEED = 20261125;
  private static final int WINDOW = 300;
  private static final int FEATURES = 3;
  private static final double RATE = 0.2;
  private static final int SLOTS = 4;
  private static final ModelSpec CLASSES =
      spec(new ModelConfig.Logistic(ModelConfig.Initial.ZERO), LabelType.CLASS, 2);
  private static final ModelSpec NUMBERS =
      spec(new ModelConfig.Linear(ModelConfig.Initial.ZERO), LabelType.NUMBER, 0);

  private static ModelSpec spec(ModelConfig model, LabelType type, int classes) {
    return ModelSpec.of(
        model,
        new LossConfig.Auto(),
        new OptimizerConfig.Sgd(RATE, 0),
        new LabelConfig("y", type, classes, List.of()),
        FEATURES);
  }

  /** A concept that turns, so that old weights are wrong ones, and labels that resemble the one before. */
  private static List<Rows> minibatches(boolean classes, int rows, int capacity, boolean ragged) {
    SplittableRandom random = new SplittableRandom(SEED);
    List<Rows> list = new ArrayList<>();
    int row = 0;
    while (row < rows) {
      int count = Math.min(rows - row, ragged ? 1 + random.nextInt(capacity) : capacity);
      float[][] features = new float[count][FEATURES];
      float[] labels = new float[count];
      float[] weights = new float[count];
      for (int i = 0; i < count; i++, row++) {
        double angle = row / 80.0;
        double slow = 1.5 * Math.sin(row / 9.0);
        for (int f = 0; f < FEATURES; f++) {
          features[i][f] = (float) (random.nextGaussian() + (f == 2 ? slow : 0));
        }
        double z =
            2 * Math.cos(angle) * features[i][0] + 2 * Math.sin(angle) * features[i][1] + slow;
        double noisy = z + 0.3 * random.nextGaussian();
        labels[i] = classes ? noisy > 0 ? 1 : 0 : (float) noisy;
        weights[i] = ragged && random.nextInt(5) == 0 ? 0 : ragged ? 1 + random.nextInt(3) : 1;
      }
      weights[0] = 1;
      list.add(new Rows(features, labels, weights));
    }
    return list;
  }

  /** Ring, session and trainer, driven by hand. */
  private static final class Run implements AutoCloseable {
    final SlotRing ring;
    final DeviceSession session;
    final Trainer trainer;
    final DelayedEvaluation delayed;
    private long now;
    private long row;

    /**
     * @param delay -1: none at all
     */
    Run(Device device, ModelSpec spec, int capacity, int delay) {
      Program program = Lowering.lower(spec, SlotLayout.of(capacity, FEATURES), WINDOW);
      ring = new SlotRing(SLOTS, program.layout(), device.slotMemory());
      session = device.open(program, InitialParameters.of(spec, SEED));
      trainer = new Trainer(ring, session, new StageMeter("device"), () -> now++, () -> 1_000_000);
      delayed = new DelayedEvaluation(session, Math.max(0, delay));
      if (delay >= 0) {
        trainer.evaluate(delayed);
      }
    }

    void train(List<Rows> minibatches) {
      for (Rows rows : minibatches) {
        while (!SlotFiller.offer(ring, row, rows, row)) {
          trainer.doWork();
        }
        row += rows.count();
      }
    }

    State pass(Barrier barrier) {
      while (!SlotFiller.offer(ring, barrier)) {
        trainer.doWork();
      }
      while (!barrier.saved().isDone()) {
        trainer.doWork();
      }
      return barrier.saved().join();
    }

    Evaluation finish() {
      trainer.endOfStream();
      while (!trainer.isDone()) {
        trainer.doWork();
      }
      return trainer.status().evaluation();
    }

    @Override
    public void close() {
      delayed.close();
      session.close();
      ring.close();
    }
  }

  /** One layer and SGD in double precision; nothing is ever thrown away. */
  private static final class Simulation {
    final boolean classes;
    final int capacity;
    final int delay;
    final ExactMetrics all;
    final ExactMetrics fading;
    final List<Double> noChange = new ArrayList<>();
    final List<Double> constant = new ArrayList<>();
    private final List<double[]> weights = new ArrayList<>();
    private final List<Integer> weightRows = new ArrayList<>();
    private final List<Double> labels = new ArrayList<>();

    Simulation(boolean classes, int capacity, int delay) {
      this.classes = classes;
      this.capacity = capacity;
      this.delay = delay;
      all = new ExactMetrics(classes ? 2 : 0, 1);
      fading = new ExactMetrics(classes ? 2 : 0, 1 - 1.0 / WINDOW);
      weights.add(new double[FEATURES + 1]);
      weightRows.add(0);
    }

    private static double output(double[] w, float[] x) {
      double z = w[FEATURES];
      for (int f = 0; f < FEATURES; f++) {
        z += w[f] * x[f];
      }
      return z;
    }

    /** Minibatch after minibatch; weights are kept where a full minibatch's rows, and delay/1024, have come since. */
    Simulation over(List<Rows> minibatches) {
      double[] now = new double[FEATURES + 1];
      for (Rows rows : minibatches) {
        int first = labels.size();
        double[] known = now;
        boolean finite =
            Arrays.stream(rows.features()).allMatch(x -> Double.isFinite(output(known, x)));
        for (int i = 0; i < rows.count(); i++) {
          boolean counts = finite && rows.weights()[i] != 0;
          if (counts) {
            judge(rows.features()[i], rows.labels()[i], old(first - delay));
          }
          labels.add(counts ? (double) rows.labels()[i] : Double.NaN);
        }
        now = finite ? step(now, rows) : now;
        if (labels.size() - weightRows.getLast() >= Math.max(capacity, delay / 1024.0)) {
          weights.add(now);
          weightRows.add(labels.size());
        }
      }
      return this;
    }

    private double[] old(int rows) {
      double[] best = weights.getFirst();
      for (int i = 0; i < weights.size(); i++) {
        best = weightRows.get(i) <= rows ? weights.get(i) : best;
      }
      return best;
    }

    private void judge(float[] x, double label, double[] w) {
      double z = output(w, x);
      double margin = label == 1 ? z : -z;
      ExactMetrics.Row row =
          classes
              ? new ExactMetrics.Row(
                  label,
                  z > 0 ? 1 : 0,
                  z,
                  Math.max(-margin, 0) + Math.log1p(Math.exp(-Math.abs(margin))))
              : new ExactMetrics.Row(label, z, 0, (z - label) * (z - label) / 2);
      all.add(row);
      fading.add(row);
      List<Double> known =
          labels.subList(0, Math.max(0, labels.size() - delay)).stream()
              .filter(y -> !y.isNaN())
              .toList();
      noChange.add(known.isEmpty() ? classes ? -1 : 0 : known.getLast());
      constant.add(
          classes ? majority(known) : known.stream().mapToDouble(y -> y).average().orElse(0));
    }

    /** Of equally frequent ones, the one that was so first. */
    private static double majority(List<Double> known) {
      int[] seen = new int[2];
      int most = -1;
      for (double y : known) {
        seen[(int) y]++;
        most = most < 0 || seen[(int) y] > seen[most] ? (int) y : most;
      }
      return most;
    }

    private double[] step(double[] w, Rows rows) {
      double[] next = w.clone();
      double sum = 0;
      for (float weight : rows.weights()) {
        sum += weight;
      }
      for (int i = 0; i < rows.count(); i++) {
        float[] x = rows.features()[i];
        double z = output(w, x);
        double error = (classes ? 1 / (1 + Math.exp(-z)) : z) - rows.labels()[i];
        double g = RATE * error * rows.weights()[i] / sum;
        for (int f = 0; f < FEATURES; f++) {
          next[f] -= g * x[f];
        }
        next[FEATURES] -= g;
      }
      return next;
    }
  }

  private static void check(Evaluation evaluation, Simulation expected) {
    assertThat(evaluation.rows()).isEqualTo(expected.all.rows());
    check(evaluation.cumulative(), expected.all, expected);
    check(evaluation.windowed(), expected.fading, expected);
  }

  private static void check(Metrics metrics, ExactMetrics exact, Simulation expected) {
    if (expected.classes) {
      check(metrics.model(), exact, exact::model);
      check(metrics.noChange(), exact, expected.noChange::get);
      check(metrics.constant(), exact, expected.constant::get);
      assertThat(metrics.logLoss()).isCloseTo(exact.logLoss(), within(1e-5));
    } else {
      checkNumbers(metrics.model(), exact, exact::model, 1e-4);
      checkNumbers(metrics.noChange(), exact, expected.noChange::get, 1e-9);
      checkNumbers(metrics.constant(), exact, expected.constant::get, 1e-9);
    }
  }

  private static void check(Scores scores, ExactMetrics exact, ExactMetrics.OfRow said) {
    assertThat(scores.accuracy()).isCloseTo(exact.accuracy(said), within(1e-9));
    double[] others = exact.precisionRecallF1(said);
    assertThat(scores.precision()).isCloseTo(others[0], within(1e-9));
    assertThat(scores.recall()).isCloseTo(others[1], within(1e-9));
    assertThat(scores.f1()).isCloseTo(others[2], within(1e-9));
  }

  private static void checkNumbers(
      Scores scores, ExactMetrics exact, ExactMetrics.OfRow said, double tolerance) {
    assertThat(scores.mae())
        .isCloseTo(exact.mean(i -> Math.abs(said.of(i) - exact.label(i))), within(tolerance));
    assertThat(scores.rmse()).isCloseTo(Math.sqrt(exact.squaredError(said)), within(tolerance));
  }

  @ParameterizedTest
  @CsvSource({
    "1, 0",
    "1, 1",
    "1, 7",
    "1, 100",
    "1, 1200",
    "1, 5000",
    "16, 1",
    "16, 15",
    "16, 16",
    "16, 17",
    "16, 50",
    "16, 1000"
  })
  void shouldScoreByWeightsAndLabelsThatAreOldEnough(int capacity, int delay) {
    for (ModelSpec spec : List.of(CLASSES, NUMBERS)) {
      boolean classes = spec.classes() > 0;
      List<Rows> minibatches = minibatches(classes, 1501, capacity, false);
      try (Run run = new Run(new CpuDevice(), spec, capacity, delay)) {
        run.train(minibatches);
        check(run.finish(), new Simulation(classes, capacity, delay).over(minibatches));
      }
    }
  }

  @Test
  void shouldTellADelayFromOneThatTakesOneMinibatchMore() {
    List<Rows> minibatches = minibatches(true, 1501, 16, false);
    double earlier = new Simulation(true, 16, 32).over(minibatches).all.logLoss();
    double later = new Simulation(true, 16, 33).over(minibatches).all.logLoss();

    assertThat(later - earlier).as("what the other test would see").isGreaterThan(1e-3);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 10, 40, 200})
  void shouldCountRowsWhateverMinibatchesHoldAndWhateverBecomesOfThem(int delay) {
    for (ModelSpec spec : List.of(CLASSES, NUMBERS)) {
      boolean classes = spec.classes() > 0;
      List<Rows> minibatches = minibatches(classes, 1500, 16, true);
      for (int at : new int[] {9, 10, 60}) {
        minibatches.get(at).features()[0][1] = Float.POSITIVE_INFINITY;
      }
      try (Run run = new Run(new LateDevice(new CpuDevice(), 2, SEED), spec, 16, delay)) {
        run.train(minibatches);
        Simulation expected = new Simulation(classes, 16, delay).over(minibatches);
        check(run.finish(), expected);
        assertThat(run.trainer.status().stepsSkipped()).isEqualTo(3);
        assertThat(expected.all.rows()).isLessThan(1400);
      }
    }
  }

  @Test
  void shouldSayLessByNoChangeTheLaterLabelsComeWhereTheyResembleTheOneBefore() {
    List<Rows> minibatches = minibatches(true, 1501, 16, false);
    List<Double> reached = new ArrayList<>();
    for (int delay : new int[] {0, 2, 8, 14}) {
      try (Run run = new Run(new CpuDevice(), CLASSES, 16, delay)) {
        run.train(minibatches);
        reached.add(run.finish().cumulative().noChange().accuracy());
      }
    }
    assertThat(reached).isSortedAccordingTo((a, b) -> Double.compare(b, a)).doesNotHaveDuplicates();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 16})
  void shouldEvaluateAsStepsDoWhereNothingIsLate(int capacity) {
    for (ModelSpec spec : List.of(CLASSES, NUMBERS)) {
      List<Rows> minibatches = minibatches(spec.classes() > 0, 1501, capacity, false);
      try (Run plain = new Run(new CpuDevice(), spec, capacity, -1);
          Run zero = new Run(new CpuDevice(), spec, capacity, 0)) {
        plain.train(minibatches);
        zero.train(minibatches);
        Evaluation steps = plain.finish();
        Evaluation late = zero.finish();
        assertThat(late.rows()).isEqualTo(steps.rows());
        assertThat(late.cumulative()).isEqualTo(steps.cumulative());
        assertThat(late.windowed().model()).isEqualTo(steps.windowed().model());
        assertThat(late.windowed().constant()).isEqualTo(steps.windowed().constant());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 3})
  void shouldChangeNothingOfWhatIsLearnt(int late) {
    List<Rows> minibatches = minibatches(true, 1500, 16, true);
    try (Run plain = new Run(new LateDevice(new CpuDevice(), late, SEED), CLASSES, 16, -1);
        Run delayed = new Run(new LateDevice(new CpuDevice(), late, SEED), CLASSES, 16, 50)) {
      for (Run run : List.of(plain, delayed)) {
        run.train(minibatches);
        run.finish();
      }
      assertThat(delayed.session.weightsSha256()).isEqualTo(plain.session.weightsSha256());
      assertThat(delayed.trainer.status().evaluation())
          .isNotEqualTo(plain.trainer.status().evaluation());
    }
  }

  @Test
  void shouldGoOnToTheBitFromAStateSavedInMidRun() {
    List<Rows> minibatches = minibatches(true, 1500, 16, true);
    int count = minibatches.size();
    Evaluation whole;
    try (Run run = new Run(new CpuDevice(), CLASSES, 16, 50)) {
      run.train(minibatches);
      whole = run.finish();
    }
    for (int cut : new int[] {0, 1, 2, 5, 50, count - 1, count}) {
      State state;
      try (Run first = new Run(new LateDevice(new CpuDevice(), 2, SEED), CLASSES, 16, 50)) {
        first.train(minibatches.subList(0, cut));
        State released = first.pass(new Barrier(1, 0));
        released.release();
        state = first.pass(new Barrier(2, 0));
        first.train(minibatches.subList(cut, count));
        assertThat(first.finish()).as("a barrier changes nothing").isEqualTo(whole);
        try (Run second = new Run(new CpuDevice(), CLASSES, 16, 50)) {
          second.trainer.restore(state);
          second.train(minibatches.subList(cut, count));
          assertThat(second.finish()).as("cut at %d", cut).isEqualTo(whole);
        }
      }
    }
  }

  @Test
  void shouldTakeOverAnEarlierStateInMidStream() {
    List<Rows> minibatches = minibatches(true, 1500, 16, true);
    int count = minibatches.size();
    try (Run run = new Run(new LateDevice(new CpuDevice(), 2, SEED), CLASSES, 16, 50);
        Run without = new Run(new CpuDevice(), CLASSES, 16, 50)) {
      run.train(minibatches.subList(0, 40));
      State cut = run.pass(new Barrier(1, 0));
      run.train(minibatches.subList(40, 55));
      run.pass(new Barrier(2, 0, cut));
      cut.release();
      run.train(minibatches.subList(55, count));
      without.train(minibatches.subList(0, 40));
      without.train(minibatches.subList(55, count));
      assertThat(run.finish()).isEqualTo(without.finish());
    }
  }

  @Test
  @Tag("alone")
  void shouldAllocateNothingInSteadyState() {
    List<Rows> minibatches = minibatches(true, 60 * 16, 16, false);
    try (Run run = new Run(new CpuDevice(), CLASSES, 16, 50)) {
      com.sun.management.ThreadMXBean threads =
          (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
      long least = Long.MAX_VALUE;
      int done = 0;
      for (int round = 0; round < 200_000 && least > 0; round++) {
        for (int i = 0; i < SLOTS; i++) {
          SlotFiller.offer(run.ring, done, minibatches.get(done % 60), 0);
          done++;
        }
        long before = threads.getCurrentThreadAllocatedBytes();
        run.trainer.doWork();
        least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
      }
      assertThat(least).as("bytes allocated by %d steps", SLOTS).isZero();
    }
  }

  @Test
  void shouldRefuseADelayThatTakesTooManyCopiesOfTheWeights() {
    Program program =
        Lowering.lower(
            ModelSpec.of(
                new ModelConfig.Mlp(List.of(1000), ModelConfig.Activation.RELU),
                new LossConfig.Auto(),
                new OptimizerConfig.Sgd(RATE, 0),
                new LabelConfig("y", LabelType.NUMBER, 0, List.of()),
                1000),
            SlotLayout.of(16, 1000),
            WINDOW);
    DelayedEvaluation.requireMemory(program, 4000);
    assertThatThrownBy(() -> DelayedEvaluation.requireMemory(program, 5000))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "evaluation.labelDelay: 5000 rows late are 315 copies of the weights at batch.size 16, and 1204 MiB;"
                + " they may take 1024 MiB: choose a smaller evaluation.labelDelay, or a larger batch.size");
  }
}
