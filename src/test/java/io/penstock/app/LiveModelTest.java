package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.within;

import io.penstock.app.LiveModel.NoModel;
import io.penstock.app.RunOptions.Beginning;
import io.penstock.config.Config;
import io.penstock.config.Config.HttpConfig;
import io.penstock.pipeline.Slot;
import io.penstock.pipeline.SlotMemory;
import io.penstock.pipeline.State;
import io.penstock.trainer.Trainer;
import io.penstock.trainer.cpu.CpuDevice;
import io.penstock.trainer.device.Device;
import io.penstock.trainer.device.DeviceSession;
import io.penstock.trainer.device.StepResult;
import io.penstock.trainer.device.StepResult.Status;
import io.penstock.trainer.model.Program;
import io.penstock.trainer.model.Region;
import io.penstock.trainer.model.TrainingState;
import java.io.BufferedWriter;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.agrona.concurrent.EpochNanoClock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Answers while training runs at full speed: always of one cut, and those that its weights and operators give. */
class LiveModelTest {
  private @TempDir Path folder;

  private static List<Model.Prediction> ask(LiveModel model, List<Map<String, Object>> rows)
      throws IOException {
    AnswerWriter.Objects answers = new AnswerWriter.Objects();
    var _ = model.answer(FittedModel.maps(rows), answers, 0);
    return answers.predictions();
  }

  /**
   * Its parameters are the number of the step, all but the weight of the first feature, which is 1; they are written one by one,
   * so that whoever looks in the middle of a step sees both.
   */
  private static final class CountingDevice implements Device {
    private final Device cpu = new CpuDevice();

    @Override
    public String name() {
      return "counting";
    }

    @Override
    public String description() {
      return "counts steps";
    }

    @Override
    public SlotMemory slotMemory() {
      return cpu.slotMemory();
    }

    @Override
    public DeviceSession open(Program program, float[] first) {
      float[] parameters = new float[program.parameters().size()];
      TrainingState state = new TrainingState(program.metrics());
      StepResult ended = new StepResult();
      return new DeviceSession() {
        private int steps;
        private boolean waits;

        @Override
        public Program program() {
          return program;
        }

        @Override
        public boolean trySubmit(Slot slot) {
          if (waits) {
            return false;
          }
          steps++;
          for (int i = 0; i < parameters.length; i++) {
            parameters[i] = i == 0 ? 1 : steps;
            for (int wait = 0; wait < 50; wait++) {
              Thread.onSpinWait();
            }
          }
          ended.set(slot.sequence(), Status.APPLIED, 0);
          waits = true;
          return true;
        }

        @Override
        public boolean poll(StepResult result) {
          if (waits) {
            result.set(ended);
          }
          boolean was = waits;
          waits = false;
          return was;
        }

        @Override
        public void read(Region region, MemorySegment to) {
          if (region == Region.PARAMETERS) {
            MemorySegment.copy(MemorySegment.ofArray(parameters), 0, to, 0, 4L * parameters.length);
          }
        }

        @Override
        public void write(Region region, float[] from) {}

        @Override
        public void read(TrainingState to) {
          to.set(state);
        }

        @Override
        public void write(TrainingState from) {
          state.set(from);
        }

        @Override
        public void close() {}
      };
    }
  }

  /** The last value that the imputation has seen is the number of a row, the weights are that of the step. */
  @Test
  void shouldNeverAnswerByWeightsOrOperatorsOfTwoCuts() throws Exception {
    int batch = 32;
    int others = 30;
    Path file = folder.resolve("rows.csv");
    StringBuilder fields = new StringBuilder("row: number");
    StringBuilder zeros = new StringBuilder();
    for (int i = 0; i < others; i++) {
      fields.append(", f").append(i).append(": number");
      zeros.append(",0");
    }
    try (BufferedWriter rows = Files.newBufferedWriter(file)) {
      for (int row = 0; row < 300_000; row++) {
        rows.write(row + zeros.toString() + ",0\n");
      }
    }
    Config config =
        Config.parse(
            """
            source: { file: { path: '%s', format: { csv: { header: false } } } }
            schema: { label: { field: y, type: number }, fields: { %s } }
            features: [ impute: { fields: row, with: last } ]
            batch: { size: %d, maxDelay: none }
            model: { linear: { initial: zero } }
            pipeline: { slots: 4 }
            predictions: { maxAge: 0s }
            http: none
            """
                .formatted(file, fields, batch));
    List<Map<String, Object>> rows = new ArrayList<>();
    for (int one = -2; one < others; one++) {
      Map<String, Object> row = new HashMap<>();
      for (int i = 0; i < others; i++) {
        row.put("f" + i, i == one ? 1 : 0);
      }
      row.put("row", one == -2 ? null : 0);
      rows.add(row);
    }
    Set<Long> steps = ConcurrentHashMap.newKeySet();
    AtomicInteger answered = new AtomicInteger();
    try (TrainingRun run =
            new TrainingRun(
                config,
                new RunOptions(0, Beginning.FRESH, new Rejected()),
                new CountingDevice(),
                null);
        ExecutorService readers = Executors.newFixedThreadPool(6)) {
      LiveModel model = run.model();
      run.start();
      Runs.await(() -> run.snapshot().rows().trained() > 0, "nothing is trained");
      List<Future<?>> ends = new ArrayList<>();
      for (int reader = 0; reader < 6; reader++) {
        ends.add(
            readers.submit(
                () -> {
                  while (!run.snapshot().state().isEnd()) {
                    model.ready().join();
                    List<Model.Prediction> values = ask(model, rows);
                    long step = (long) value(values.get(1));
                    for (Model.Prediction value : values.subList(2, values.size())) {
                      assertThat((long) value(value)).isEqualTo(2 * step);
                    }
                    long seen = (long) value(values.getFirst()) - step + 1;
                    assertThat(seen / batch).as("rows seen by operators").isEqualTo(step);
                    steps.add(step);
                    answered.incrementAndGet();
                  }
                  return null;
                }));
      }
      for (Future<?> end : ends) {
        end.get();
      }
    }
    assertThat(steps).as("cuts, answered %d times", answered.get()).hasSizeGreaterThan(3);
  }

  private static float value(Model.Prediction prediction) {
    return ((Model.Prediction.OfNumber) prediction).value();
  }

  private static final Config LEARNING =
      Config.parse(
          """
          source: { generator: { stream: agrawal, seed: 5, noise: 5% } }
          features: [ standardize: { fields: number } ]
          batch: { size: 64, maxDelay: none }
          model: { mlp: { hidden: [16], activation: tanh } }
          predictions: { maxAge: 20ms }
          http: none
          """);

  /** Cuts as the model takes them, kept by the number of rows. */
  private static final class KeptCuts implements LiveModel.Origin {
    private final TrainingRun run;
    private final Map<Long, State> cuts = new ConcurrentHashMap<>();

    KeptCuts(TrainingRun run) {
      this.run = run;
    }

    @Override
    public CompletableFuture<State> cut() {
      return run.cut()
          .thenApply(
              state -> {
                State copy = state.withoutMatrices();
                state
                    .arrays()
                    .forEach(
                        (name, array) -> {
                          if (array instanceof State.Matrix matrix) {
                            copy.put(name, matrix.toArray());
                          }
                        });
                cuts.put(state.longs(Trainer.TRAINED)[0], copy);
                return state;
              });
    }

    @Override
    public long rows() {
      return run.snapshot().rows().trained();
    }

    @Override
    public List<String> columns() {
      return List.of();
    }
  }

  @Test
  void shouldAnswerOverHttpAsDoublePrecisionDoesFromTheSameCutAtFullSpeed() throws Exception {
    DeadLetters letters = DeadLetters.countedOnly();
    List<String> names = LEARNING.schema().fields().keySet().stream().toList();
    SplittableRandom random = new SplittableRandom(9);
    try (TrainingRun run =
            new TrainingRun(
                LEARNING,
                new RunOptions(0, Beginning.FRESH, new Rejected()),
                new CpuDevice(),
                null);
        LiveModel model = new LiveModel(LEARNING, new SteadyEpochClock());
        HttpEndpoint http =
            new HttpEndpoint(
                new HttpConfig(0, "127.0.0.1"), run::snapshot, run::checkpoint, model, letters);
        HttpClient client = HttpClient.newHttpClient()) {
      KeptCuts kept = new KeptCuts(run);
      run.start();
      Runs.await(() -> run.snapshot().rows().trained() > 10_000, "nothing is trained");
      model.follow(kept);
      Set<Long> cuts = new HashSet<>();
      long first = 0;
      for (int request = 0; request < 100_000 && cuts.size() < 12; request++) {
        double[][] rows = new double[20][];
        StringBuilder body = new StringBuilder(String.join(",", names)).append('\n');
        for (int i = 0; i < rows.length; i++) {
          rows[i] = row(random);
          for (int f = 0; f < rows[i].length; f++) {
            body.append(f == 0 ? "" : ",").append((long) rows[i][f]);
          }
          body.append('\n');
        }
        HttpResponse<String> response =
            client.send(
                HttpRequest.newBuilder(URI.create(http.address() + "/v1/predict"))
                    .header("Content-Type", "text/csv")
                    .POST(HttpRequest.BodyPublishers.ofString(body.toString()))
                    .build(),
                HttpResponse.BodyHandlers.ofString());
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        JsonNode json = JsonMapper.shared().readTree(response.body());
        long trained = json.get("model").get("rows").longValue();
        first = first == 0 ? trained : first;
        cuts.add(trained);
        State cut = Objects.requireNonNull(kept.cuts.get(trained));
        for (int i = 0; i < rows.length; i++) {
          JsonNode answer = json.get("predictions").get(i);
          double expected = probability(cut, names, rows[i]);
          double p = answer.get("probabilities").get("1").doubleValue();
          assertThat(p).isCloseTo(expected, within(2e-6));
          assertThat(answer.get("class").stringValue()).isEqualTo(expected > 0.5 ? "1" : "0");
        }
      }
      assertThat(cuts).as("cuts that were answered from").hasSizeGreaterThanOrEqualTo(12);
      assertThat(run.snapshot().rows().trained()).isGreaterThan(first);
    }
  }

  private static double[] row(SplittableRandom random) {
    return new double[] {
      random.nextInt(20_000, 150_000),
      random.nextInt(2) * random.nextInt(10_000, 75_000),
      random.nextInt(20, 81),
      random.nextInt(5),
      random.nextInt(1, 21),
      random.nextInt(9),
      random.nextInt(50_000, 1_350_000),
      random.nextInt(1, 31),
      random.nextInt(500_000)
    };
  }

  /** By the fitted moments themselves, not by what the operators have made of them. */
  private static double probability(State cut, List<String> names, double[] row) {
    double[] x = new double[row.length];
    for (int f = 0; f < row.length; f++) {
      State fitted = cut.scope("operators." + names.get(f) + ".0");
      double[] moments = fitted.doubles("moments");
      double deviation = Math.sqrt(moments[1] / fitted.longs("count")[0]);
      x[f] = (row[f] - moments[0]) / deviation;
    }
    double[] hidden = layer(x, cut.floats("model.layer0.weight"), cut.floats("model.layer0.bias"));
    for (int h = 0; h < hidden.length; h++) {
      hidden[h] = Math.tanh(hidden[h]);
    }
    double z = layer(hidden, cut.floats("model.layer1.weight"), cut.floats("model.layer1.bias"))[0];
    return 1 / (1 + Math.exp(-z));
  }

  private static double[] layer(double[] x, float[] weights, float[] bias) {
    double[] y = new double[bias.length];
    for (int o = 0; o < y.length; o++) {
      y[o] = bias[o];
      for (int i = 0; i < x.length; i++) {
        y[o] += x[i] * weights[i * y.length + o];
      }
    }
    return y;
  }

  /** A run without a run, and a clock set by hand. */
  private static final class ByHand implements LiveModel.Origin {
    final List<CompletableFuture<State>> asked = new ArrayList<>();
    long rows = 100;
    long nanos = 1_000_000_000L;

    EpochNanoClock clock() {
      return () -> nanos;
    }

    void complete(int index, long trained) {
      State cut = TestModels.trained(SEA, List.of(), trained);
      cut.onRelease(released::incrementAndGet);
      asked.get(index).complete(cut);
    }

    final AtomicInteger released = new AtomicInteger();

    @Override
    public CompletableFuture<State> cut() {
      asked.add(new CompletableFuture<>());
      return asked.getLast();
    }

    @Override
    public long rows() {
      return rows;
    }

    @Override
    public List<String> columns() {
      return List.of();
    }
  }

  private static final Config SEA =
      Config.parse(
          """
          source: { generator: { stream: sea } }
          model: { logistic: {} }
          predictions: { maxAge: 1s }
          """);

  private static final List<Map<String, Object>> ROW = List.of(Map.of("x0", 1, "x1", 2, "x2", 3));

  private static long rowsOfAnswer(LiveModel model) throws IOException {
    return model.answer(FittedModel.maps(ROW), new AnswerWriter.Objects(), 0).rows();
  }

  @Test
  void shouldCutOnlyWhenAskedAndWhenTheLastCutHasComeOfAge() throws Exception {
    ByHand run = new ByHand();
    try (LiveModel model = new LiveModel(SEA, run.clock())) {
      model.follow(run);
      assertThat(run.asked).as("nobody has asked").isEmpty();

      CompletableFuture<?> first = model.ready();
      CompletableFuture<?> beside = model.ready();
      assertThat(run.asked).as("two that wait share a cut").hasSize(1);
      assertThat(first).isNotDone();
      run.complete(0, 100);
      first.join();
      beside.join();
      assertThat(rowsOfAnswer(model)).isEqualTo(100);
      assertThat(run.released).hasValue(1);

      run.rows = 200;
      run.nanos += 400_000_000;
      assertThat(model.ready()).isDone();
      assertThat(run.asked).as("young").hasSize(1);

      run.nanos += 300_000_000;
      assertThat(model.ready()).as("answered by the last while the next comes").isDone();
      assertThat(model.ready()).isDone();
      assertThat(run.asked).hasSize(2);
      assertThat(rowsOfAnswer(model)).isEqualTo(100);

      run.nanos += 400_000_000;
      CompletableFuture<?> old = model.ready();
      assertThat(old).as("too old").isNotDone();
      assertThat(run.asked).hasSize(2);
      run.complete(1, 200);
      old.join();
      assertThat(rowsOfAnswer(model)).isEqualTo(200);

      run.nanos += 3_600_000_000_000L;
      assertThat(model.ready()).as("nothing has been trained since").isDone();
      assertThat(run.asked).hasSize(2);
      assertThat(run.released).hasValue(2);
    }
  }

  @Test
  void shouldAnswerByTheLastCutWhereTheTrainerDoesNotComeToTheNext() throws Exception {
    ByHand run = new ByHand();
    try (LiveModel model = new LiveModel(SEA, run.clock())) {
      model.follow(run);
      CompletableFuture<?> first = model.ready();
      run.complete(0, 100);
      first.join();
      run.rows = 200;
      run.nanos += 5_000_000_000L;
      model.ready().join(); // as long as may be waited
      assertThat(rowsOfAnswer(model)).isEqualTo(100);

      run.asked.get(1).completeExceptionally(new IllegalStateException("the run was stopped"));
      CompletableFuture<?> next = model.ready();
      run.asked.get(2).completeExceptionally(new IllegalStateException("the run was stopped"));
      next.join();
      assertThat(rowsOfAnswer(model)).isEqualTo(100);
    }
  }

  @Test
  void shouldForgetWhatTheRunHasGoneBackFrom() throws Exception {
    ByHand spoilt = new ByHand();
    ByHand next = new ByHand();
    try (LiveModel model = new LiveModel(SEA, spoilt.clock())) {
      model.follow(spoilt);
      CompletableFuture<?> first = model.ready();
      spoilt.complete(0, 100);
      first.join();
      spoilt.rows = 200;
      spoilt.nanos += 700_000_000;
      model.ready().join();
      assertThat(spoilt.asked).hasSize(2);

      model.leave();
      assertThat(cause(model.ready())).isInstanceOf(NoModel.class);
      next.rows = 50;
      model.follow(next);
      CompletableFuture<?> ready = model.ready();
      spoilt.complete(1, 200); // late, of a way that was not gone on
      Runs.await(() -> spoilt.released.get() == 2, "the late cut is not released");
      assertThat(ready).isNotDone();
      next.complete(0, 50);
      ready.join();
      assertThat(rowsOfAnswer(model)).isEqualTo(50);
    }
  }

  @Test
  void shouldSayThatThereIsNoModelBeforeTheFirstRow() throws Exception {
    ByHand run = new ByHand();
    try (LiveModel model = new LiveModel(SEA, run.clock())) {
      assertThat(cause(model.ready())).hasMessageContaining("first header");
      run.rows = 0;
      model.follow(run);
      assertThat(cause(model.ready())).hasMessageContaining("no row has been trained on");
      assertThat(run.asked).isEmpty();
      assertThatThrownBy(() -> rowsOfAnswer(model)).isInstanceOf(NoModel.class);
    }
  }

  private static Throwable cause(CompletableFuture<?> failed) {
    return LiveModel.cause(catchThrowableOfType(CompletionException.class, failed::join));
  }
}
