package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.app.Model.Prediction.Refused;
import io.penstock.app.RunOptions.Beginning;
import io.penstock.app.checkpoint.Disk;
import io.penstock.config.Config;
import io.penstock.ingest.netty.Feed;
import io.penstock.trainer.cpu.CpuDevice;
import io.penstock.trainer.device.Device;
import io.penstock.trainer.device.LateDevice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Streams with bad numbers in them, on real files: the run ends with a good model, and each row that it did without is named. */
class RollbackTest {
  private static final int ROWS = 48_000;
  private static final int FROM = 24_000;

  private @TempDir Path folder;

  /** What is wrong with a stretch of rows. */
  enum Poison {
    NONE,
    /** Another unit, and labels that are wrong: losses are a thousand times as large. */
    UNIT {
      @Override
      String row(double x0, double x1, int y) {
        return line(1000 * x0, -1000 * x1, 1 - y);
      }
    },
    /** Sums of squares are infinite: what standardizes has lost all it knew. */
    HUGE {
      @Override
      String row(double x0, double x1, int y) {
        return line(1e30 * Math.abs(x0), 1e30 * Math.abs(x1), y);
      }
    };

    String row(double x0, double x1, int y) {
      return line(x0, x1, y);
    }

    private static String line(double x0, double x1, int y) {
      return String.format(Locale.ROOT, "%.6g,%.6g,%d", x0, x1, y);
    }
  }

  /** Rows without a header. */
  private static List<String> rows(Poison poison, int length) {
    SplittableRandom random = new SplittableRandom(3);
    List<String> rows = new ArrayList<>();
    for (int row = 0; row < ROWS; row++) {
      double x0 = 5 + 2 * random.nextGaussian();
      double x1 = random.nextGaussian() - 1;
      int y = (x0 - 5) / 2 + x1 + 1 + 0.3 * random.nextGaussian() > 0 ? 1 : 0;
      boolean bad = row >= FROM && row < FROM + length;
      rows.add((bad ? poison : Poison.NONE).row(x0, x1, y));
    }
    return rows;
  }

  private Path file(List<String> rows) throws IOException {
    Path file = Files.createTempFile(folder, "rows", ".csv");
    return Files.writeString(file, "x0,x1,y\n" + String.join("\n", rows) + "\n");
  }

  private Path dead() {
    return folder.resolve("dead.jsonl");
  }

  private String yaml(Path file) {
    return """
        source: { file: { path: '%s', format: { csv: { header: true } } } }
        schema:
          label: { field: y, type: class, classes: 2 }
          fields: { x0: number, x1: number }
        features: [ standardize: { fields: number } ]
        batch: { size: 48, maxDelay: none }
        model: { mlp: { hidden: [8] } }
        optimizer: { adam: { learningRate: 0.01 } }
        errors: { lossSpike: 6 }
        http: none
        """
        .formatted(file);
  }

  private String checkpoints(String name) {
    return "checkpoint: { directory: '%s', every: none, everyRows: 2000 }%n"
        .formatted(folder.resolve(name));
  }

  private RunSnapshot train(String yaml, Device device, String... sets) {
    try (DeadLetters letters = DeadLetters.to(dead(), List.of("file"));
        Run run =
            TrainingRun.of(
                Config.parse(yaml, sets),
                new RunOptions(0, Beginning.RESUMED, null, letters, letters),
                device,
                Disk.REAL)) {
      run.start();
      return Runs.end(run);
    }
  }

  /** Rows that dead letters of that reason name. */
  private Set<Long> named(String... reasons) {
    Set<Long> rows = new TreeSet<>();
    for (String line : Runs.lines(dead())) {
      JsonNode letter = JsonMapper.shared().readTree(line);
      if (Set.of(reasons).contains(letter.get("reason").asString())) {
        rows.add(letter.get("row").asLong());
      }
    }
    return rows;
  }

  private void requireAllNamed(RunSnapshot end, int rows) {
    JsonNode report = ReportWriter.json(end);
    SourceLedger.ofRows(rows).requireIn(report);
    Set<Long> leftOut = named("leftOut");
    SourceLedger.ofRows(leftOut).requireAll("leftOut", report);
    Set<Long> skipped = named("lossSpike", "notFinite");
    skipped.removeAll(leftOut);
    SourceLedger.ofRows(skipped).requireAll("skipped", report);
  }

  @ParameterizedTest
  @CsvSource({"UNIT, 1500, 10, 0", "UNIT, 333, 2, 100", "HUGE, 200, 1, 0"})
  void shouldTrainAsIfTheRowsThatItWentBackForHadNeverBeen(
      Poison poison, int length, int after, int labelDelay) throws IOException {
    List<String> rows = rows(poison, length);
    String late = "evaluation.labelDelay=" + labelDelay;
    RunSnapshot end =
        train(
            yaml(file(rows)) + checkpoints("a"),
            new CpuDevice(),
            "errors.rollbackAfter=" + after,
            late);

    assertThat(end.setbacks().rollbacks()).isPositive();
    assertThat(end.setbacks().skippedInARow()).isZero();
    requireAllNamed(end, ROWS);
    Set<Long> leftOut = named("leftOut");
    List<String> without = new ArrayList<>();
    for (int row = 0; row < ROWS; row++) {
      if (!leftOut.contains((long) row)) {
        without.add(rows.get(row));
      }
    }
    RunSnapshot plain =
        train(yaml(file(without)), new CpuDevice(), "errors.rollbackAfter=none", late);
    assertThat(end.outcome().weightsSha256()).isEqualTo(plain.outcome().weightsSha256());
    assertThat(end.cumulative()).isEqualTo(plain.cumulative());
    assertThat(end.rows().trained()).isEqualTo(plain.rows().trained());
    assertThat(end.rows().received()).isEqualTo(ROWS);
    assertThat(end.rows().notTrained()).isZero();
    RunSnapshot good = train(yaml(file(rows(Poison.NONE, 0))), new CpuDevice());
    assertThat(end.window().accuracy()).isGreaterThan(good.window().accuracy() - 0.01);
    assertThat(train(yaml(file(rows)), new CpuDevice()).window().accuracy())
        .as("without checkpoints, the harm is done")
        .isLessThan(good.window().accuracy() + (poison == Poison.HUGE ? -0.1 : 0.1));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void shouldGoBackToTheSamePlaceThoughStepsEndLate(int late) throws IOException {
    String yaml = yaml(file(rows(Poison.UNIT, 700)));
    RunSnapshot plain = train(yaml + checkpoints("a"), new CpuDevice());
    RunSnapshot end = train(yaml + checkpoints("b"), new LateDevice(new CpuDevice(), late, 5));
    assertThat(end.setbacks()).isEqualTo(plain.setbacks());
    assertThat(end.outcome()).isEqualTo(plain.outcome());
  }

  @Test
  void shouldGoOnWithTheRowsOfAFeatureThatIsNoNumberLeftOut() throws IOException {
    List<String> rows = rows(Poison.NONE, 0);
    for (int row = FROM; row < FROM + 700; row++) {
      rows.set(row, "NaN," + rows.get(row).substring(rows.get(row).indexOf(',') + 1));
    }
    RunSnapshot end =
        train(yaml(file(rows)) + checkpoints("a"), new CpuDevice(), "errors.maxRate=100%");
    assertThat(end.rows().rejected()).isEqualTo(700);
    assertThat(named("number")).hasSize(700).contains((long) FROM);
    assertThat(end.window().accuracy()).isGreaterThan(0.85);
  }

  /** Meters that fail, in the middle of two years of electricity. */
  @Test
  void shouldEndWithAGoodModelOfARealStream() throws IOException {
    List<String> lines = new ArrayList<>(Runs.lines(Runs.shared("elec2/electricity.csv.gz")));
    RunSnapshot good = train(elec2(lines), new CpuDevice());
    Files.delete(dead());
    for (int row = 20_000; row < 20_300; row++) {
      String[] values = lines.get(1 + row).split(",");
      Arrays.fill(values, 3, 8, "1e30");
      lines.set(1 + row, String.join(",", values));
    }
    RunSnapshot end = train(elec2(lines) + checkpoints("a"), new CpuDevice());

    requireAllNamed(end, lines.size() - 1);
    assertThat(named("leftOut")).contains(20_000L, 20_299L);
    assertThat(end.cumulative().accuracy()).isGreaterThan(good.cumulative().accuracy() - 0.01);
    assertThat(end.window().accuracy()).isGreaterThan(good.window().accuracy() - 0.01);
  }

  private String elec2(List<String> lines) throws IOException {
    Path file = Files.createTempFile(folder, "elec2", ".csv");
    Files.write(file, lines);
    return """
        source: { file: { path: '%s', format: { csv: { header: true } } } }
        schema:
          label: { field: class, type: class, classes: [DOWN, UP] }
          fields: { "*": number }
        features: [ standardize: { fields: number } ]
        batch: { size: 48, maxDelay: none }
        model: { mlp: { hidden: [16] } }
        optimizer: { adam: { learningRate: 0.003 } }
        errors: { lossSpike: 20, rollbackAfter: 1 }
        http: none
        """
        .formatted(file);
  }

  /** Lines over TCP cannot be had again: what was learnt before them is, and what came since is counted. */
  @Test
  void shouldTakeOverWhatWasLearntBeforeWhereRowsCannotBeHadAgain() throws IOException {
    Path file = file(rows(Poison.UNIT, 480));
    String yaml =
        yaml(file)
                .replaceFirst("source: .*", "source: { tcp: { port: 0, endAfterConnections: 1 } }")
            + checkpoints("a");
    RunSnapshot end;
    try (DeadLetters letters = DeadLetters.to(dead(), List.of("tcp"));
        Run run =
            TrainingRun.of(
                Config.parse(yaml),
                new RunOptions(0, Beginning.RESUMED, null, letters, letters),
                new CpuDevice(),
                Disk.REAL)) {
      run.start();
      Feed.to("127.0.0.1", Runs.port(run)).file(file, true).block(Runs.LONG);
      end = Runs.end(run);
    }
    assertThat(end.setbacks().rollbacks()).isPositive();
    assertThat(end.setbacks().skippedInARow()).isZero();
    assertThat(end.rows().lost()).isPositive();
    assertThat(end.rows().leftOut()).isZero();
    assertThat(end.rows().trained() + end.rows().skipped() + end.rows().lost()).isEqualTo(ROWS);
    assertThat(end.window().accuracy()).isGreaterThan(0.9);
  }

  /** Whoever asks meanwhile is answered; and in the end by what the run has come to, not by a way that it has left. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void shouldAnswerWhileItGoesBackAndFromThere(boolean replays) throws Exception {
    Path file = file(rows(Poison.UNIT, 480));
    String yaml = yaml(file) + checkpoints("a") + "predictions: { maxAge: 0s }\n";
    if (!replays) {
      yaml =
          yaml.replaceFirst("source: .*", "source: { tcp: { port: 0, endAfterConnections: 1 } }");
    }
    List<Map<String, Object>> asked =
        List.of(Map.of("x0", 5.5, "x1", -1), Map.of("x0", 3, "x1", 0));
    try (DeadLetters letters = DeadLetters.to(dead(), List.of("rows"));
        Run run =
            TrainingRun.of(
                Config.parse(yaml),
                new RunOptions(0, Beginning.RESUMED, null, letters, letters),
                new CpuDevice(),
                Disk.REAL);
        ExecutorService reader = Executors.newSingleThreadExecutor()) {
      run.start();
      Future<Integer> answers =
          reader.submit(
              () -> {
                int answered = 0;
                while (!run.snapshot().state().isEnd()) {
                  try {
                    run.model().ready().join();
                    assertThat(ask(run, asked)).hasSize(2).noneMatch(Refused.class::isInstance);
                    answered++;
                  } catch (CompletionException | LiveModel.NoModel none) {
                    assertThat(LiveModel.cause(none)).isInstanceOf(LiveModel.NoModel.class);
                  }
                }
                return answered;
              });
      if (!replays) {
        Feed.to("127.0.0.1", Runs.port(run)).file(file, true).block(Runs.LONG);
      }
      assertThat(Runs.end(run).setbacks().rollbacks()).isPositive();
      assertThat(answers.get()).isPositive();
      if (run.snapshot().rows().trained() == 0) {
        // A sender was done before the second checkpoint: all that it sent is lost, and nothing was
        // learnt.
        assertThat(replays).isFalse();
        return;
      }
      run.model().ready().join();
      try (Model saved = Model.saved(folder.resolve("a"))) {
        assertThat(ask(run, asked)).isEqualTo(saved.predict(asked).predictions());
      }
    }
  }

  private static List<Model.Prediction> ask(Run run, List<Map<String, Object>> rows)
      throws IOException {
    AnswerWriter.Objects answers = new AnswerWriter.Objects();
    var _ = run.model().answer(FittedModel.maps(rows), answers, 0);
    return answers.predictions();
  }

  @Test
  void shouldFindALearningRateThatWorks() throws IOException {
    String explosive =
        yaml(file(rows(Poison.NONE, 0)))
            .replace("adam: { learningRate: 0.01 }", "sgd: { learningRate: 10 }")
            .replace(
                "label: { field: y, type: class, classes: 2 }", "label: { field: y, type: number }")
            .replace("mlp: { hidden: [8] }", "linear: {}");
    RunSnapshot end = train(explosive + checkpoints("a"), new CpuDevice());
    assertThat(end.setbacks().learningRateFactor()).isLessThan(0.3);
    assertThat(end.window().mae()).isLessThan(0.4);
    requireAllNamed(end, ROWS);
    assertThat(train(explosive, new CpuDevice()).window().mae())
        .as("without checkpoints")
        .matches(mae -> !(mae < 0.4));
  }
}
