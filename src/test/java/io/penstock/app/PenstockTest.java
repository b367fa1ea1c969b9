package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.app.RunSnapshot.Phase;
import io.penstock.config.SourceConfig;
import io.penstock.config.SourceConfig.DriftKind;
import io.penstock.config.SourceConfig.GeneratorStream;
import io.penstock.pipeline.PartitionCursor;
import io.penstock.pipeline.Rejections.Reason;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PenstockTest {
  private final Capture capture = new Capture();
  private final FakeEngine engine = new FakeEngine();

  @Test
  void shouldTrainToTheEndOfTheSourceAndSumUp(@TempDir Path folder) throws IOException {
    engine.runs = _ -> endingWith(FakeRun.snapshot(Phase.ENDED, 1000, 0));
    Path report = folder.resolve("report.json");

    int code =
        run("train", "c.yaml", "--set", "a.b=1", "--max-records", "7", "--report", "" + report);

    assertThat(code).as(capture.err()).isZero();
    assertThat(engine.asked).containsExactly("config c.yaml [a.b=1]");
    assertThat(engine.options).singleElement().returns(7L, RunOptions::maxRecords);
    assertThat(capture.out()).contains("Trained on 1,000 rows from tcp://127.0.0.1:9000");
    assertThat(capture.err()).contains("training from tcp://127.0.0.1:9000 on cpu");
    assertThat(Files.readString(report)).contains("\"records\" : 1000");
    try (var files = Files.list(folder)) {
      assertThat(files).as("no half-written file is left").containsExactly(report);
    }
  }

  @Test
  void shouldPassOnWhatAGpuBenchmarkIsAskedFor() {
    assertThat(run("bench", "gpu", "--only", "grid,soak", "--soak", "6m", "--python", "py"))
        .isEqualTo(ExitCode.EMULATED);
    assertThat(run("bench", "gpu", "--only", "grid,soak")).isEqualTo(ExitCode.EMULATED);
    assertThat(engine.asked.getFirst())
        .contains("sections=[GRID, SOAK]", "limit=PT8M", "soak=PT6M", "python=py");
    assertThat(engine.asked.getLast()).as("no soak asked for").contains("sections=[GRID],");
    assertThat(run("bench", "gpu", "--soak", "long")).isEqualTo(ExitCode.USAGE);
    assertThat(capture.err()).contains("--soak: must be a time such as 90s or 6m, not 'long'");
  }

  @Test
  void shouldExitWithOneAndStillReportWhenTheRunFails(@TempDir Path folder) throws IOException {
    engine.runs = _ -> endingWith(FakeRun.snapshot(Phase.FAILED, 900, 0, 0, "the device is gone"));
    Path report = folder.resolve("report.json");

    assertThat(run("train", "c.yaml", "--report", "" + report)).isEqualTo(1);

    assertThat(capture.out()).contains("The run failed: the device is gone").contains("900 rows");
    assertThat(Files.readString(report)).contains("\"failure\" : \"the device is gone\"");
  }

  @Test
  void shouldEndTheRunWhenTooManyRowsAreRejectedOnTheWay() {
    FakeRun run =
        new FakeRun() {
          @Override
          public void start() {
            become(FakeRun.snapshot(Phase.RUNNING, 900, 100));
          }
        };
    engine.runs = _ -> run;

    assertThat(run("train", "c.yaml")).isEqualTo(1);

    assertThat(capture.out())
        .contains(
            "The run failed: 100 of 1,000 rows rejected (10%), more than errors.maxRate allows (1%)")
        .contains("Trained on 900 rows");
    assertThat(run.closed).isTrue();
  }

  @Test
  void shouldFailAtTheEndWhenFewRowsCameAndTooManyWereRejected() {
    engine.runs = _ -> endingWith(FakeRun.snapshot(Phase.ENDED, 9, 1));

    assertThat(run("train", "c.yaml")).isEqualTo(1);

    assertThat(capture.out()).contains("1 of 10 rows rejected (10%)");
  }

  @Test
  void shouldFindAnUnwritableReportBeforeTheRunStarts(@TempDir Path folder) {
    Path report = folder.resolve("missing/report.json");

    assertThat(run("train", "c.yaml", "--report", "" + report)).isEqualTo(2);

    assertThat(capture.err())
        .startsWith("penstock: --report: cannot write " + report + " (no such file or folder")
        .doesNotContain("\tat ");
    assertThat(engine.options).as("no run was made").isEmpty();
  }

  @Test
  void shouldSayWhichPortOfHttpIsInUseBeforeTheRunStarts() throws IOException {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      engine.config =
          FakeEngine.config(FakeEngine.GENERATOR, "", 0.01, taken.getLocalPort(), Duration.ZERO);
      FakeRun run = new FakeRun();
      engine.runs = _ -> run;

      assertThat(run("train", "c.yaml")).isEqualTo(2);

      assertThat(capture.err())
          .contains("http.port: cannot listen on 127.0.0.1:" + taken.getLocalPort())
          .contains("--set http.port=N");
      assertThat(run.snapshot().state()).isEqualTo(Phase.STARTING);
      assertThat(run.closed).isTrue();
    }
  }

  @Test
  void shouldKeepRejectedRowsWhereTheConfigurationSays(@TempDir Path folder) throws IOException {
    Path dead = folder.resolve("state/dead");
    engine.config = FakeEngine.config(FakeEngine.GENERATOR, "" + dead, 0.5, -1, Duration.ZERO);
    engine.runs =
        options -> {
          byte[] row = "1,x".getBytes(StandardCharsets.UTF_8);
          options
              .rejections()
              .reject(new PartitionCursor(0, 0, 0, 0), 4, Reason.NUMBER, "x: 'x'", row, 0, 3);
          return endingWith(FakeRun.snapshot(Phase.ENDED, 9, 1));
        };

    assertThat(run("train", "c.yaml")).isZero();

    assertThat(capture.out()).contains("rejected     1 row (number 1), kept in " + dead);
    assertThat(Files.readString(dead)).contains("\"source\":\"generator\"").contains("\"row\":4");
  }

  @Test
  void shouldNameAnErrorInOneLineUnlessTheWholeStoryIsAskedFor() {
    engine.runs =
        _ -> {
          throw new StartException("source.tcp.port: 9000 is in use");
        };

    assertThat(run("train", "c.yaml")).isEqualTo(2);

    assertThat(capture.err()).isEqualTo("penstock: source.tcp.port: 9000 is in use\n");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "train | Missing required parameter: 'CONFIG'",
        "train c.yaml --max-records x | Invalid value for option '--max-records'",
        "train c.yaml --max-records -1 | --max-records: must be 0 or more, not -1",
        "train c.yaml --bogus | Unknown option: '--bogus'",
        "bogus | Unmatched argument at index 0: 'bogus'",
        "feed sea --to http://127.0.0.1:1 | --to: must be tcp://HOST:PORT",
        "feed sea --to tcp://127.0.0.1 | --to: must be tcp://HOST:PORT",
        "feed sea --to tcp://127.0.0.1:1 --rate -5 | --rate: must be 0 or more",
        "feed no-such --to tcp://127.0.0.1:1 | neither a file that can be read nor one of the streams",
        "feed sea --to tcp://h:1 --set features=3 | --set features=3: features is not known",
        "feed rbf --to tcp://h:1 --set classes=1 | --set classes=1: classes must be 2 to 1000, not 1",
        "feed rbf --to tcp://h:1 --noise 0.1 | noise must be left out: rbf has none",
        "bench steps --threads 0 | --threads: must be 1 or more, not 0",
      })
  void shouldExitWithTwoAndSayWhatIsWrong(String arguments, String message) {
    assertThat(run(arguments.split(" ", -1))).isEqualTo(2);
    assertThat(capture.err()).contains(message).doesNotContain("\tat ");
  }

  @Test
  void shouldFeedAStreamWithDriftAtARate() {
    int code =
        run(
            "feed",
            "agrawal",
            "--to",
            "tcp://127.0.0.1:9000",
            "--rate",
            "500",
            "--records",
            "2000",
            "--seed",
            "3",
            "--drift-at",
            "1000");

    assertThat(code).as(capture.err()).isZero();
    SourceConfig.Generator expected =
        new SourceConfig.Generator(
            GeneratorStream.AGRAWAL,
            2000,
            3,
            0,
            0,
            List.of(new SourceConfig.DriftConfig(1000, DriftKind.ABRUPT, 0, 1)));
    assertThat(engine.fed)
        .isEqualTo(new FeedRequest(new FeedRequest.Input.Stream(expected), "127.0.0.1", 9000, 500));
    assertThat(capture.err()).contains("sent 2,000 rows, 39.1 KiB, in 2.0 s: 1.00 k rows/s");
  }

  @Test
  void shouldFeedAStreamWithSettingsOfItsOwnAndTheNoiseOfTheLiterature() {
    int code =
        run("feed", "hyperplane", "--to", "tcp://h:1", "--set", "features=20", "--set=drifting=3");

    assertThat(code).as(capture.err()).isZero();
    SourceConfig.Generator expected =
        new SourceConfig.Generator(
            new SourceConfig.Hyperplane(20, 3, 0.001, 0.1), 0, 42, 0, 0.05, List.of());
    assertThat(engine.fed)
        .isEqualTo(new FeedRequest(new FeedRequest.Input.Stream(expected), "h", 1, 0));
  }

  @Test
  void shouldNameEveryStreamThatCanBeFed() {
    assertThat(run("feed", "--help")).isZero();
    assertThat(capture.out().replaceAll("\\s+", " "))
        .contains("or: " + String.join(", ", GeneratorStream.words()) + ".");
  }

  @Test
  void shouldGiveAStreamTheSameDefaultsWithAndWithoutOptions() {
    run("feed", "sea", "--to", "tcp://h:1");
    FeedRequest bare = engine.fed;

    run("feed", "sea", "--to", "tcp://h:1", "--noise", "0");

    assertThat(bare).isNotNull().isEqualTo(engine.fed);
  }

  @Test
  void shouldFeedAFileAsItIs(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("rows.csv"), "a,b\n1,2\n");

    assertThat(run("feed", "" + file, "--to", "tcp://127.0.0.1:9000")).isZero();
    assertThat(engine.fed)
        .isEqualTo(new FeedRequest(new FeedRequest.Input.Lines(file), "127.0.0.1", 9000, 0));

    assertThat(run("feed", "" + file, "--to", "tcp://127.0.0.1:9000", "--seed", "1")).isEqualTo(2);
  }

  @Test
  void shouldFeedAsAProducer() {
    assertThat(run("feed", "sea", "--to", "tcp://h:1", "--producer", "p-1", "--until-durable"))
        .as(capture.err())
        .isZero();
    assertThat(Objects.requireNonNull(engine.fed).acknowledged())
        .isEqualTo(new FeedRequest.Acknowledged("p-1", true, Duration.ofMinutes(1)));

    assertThat(run("feed", "sea", "--to", "tcp://h:1", "--producer", "a b")).isEqualTo(2);
    assertThat(run("feed", "sea", "--to", "tcp://h:1", "--until-durable")).isEqualTo(2);
  }

  @Test
  void shouldListDevicesWithTheReasonsAgainstThem() {
    engine.devices =
        List.of(
            new Engine.DeviceReport("cpu", true, "AVX2"),
            new Engine.DeviceReport("cuda", false, "no libcuda.so.1"));

    assertThat(run("devices")).isZero();

    assertThat(capture.out())
        .contains("cpu    usable     AVX2")
        .contains("cuda   not usable no libcuda.so.1");
  }

  @Test
  void shouldPassBenchOptionsOn() {
    assertThat(run("bench", "steps", "--threads", "2")).isZero();
    assertThat(run("bench", "stages")).isZero();
    assertThat(engine.asked).containsExactly("steps cpu 2", "stages 3.0");
  }

  @Test
  void shouldTellItsVersionAndItsCommands() {
    assertThat(run("--version")).isZero();
    assertThat(capture.out()).matches("penstock \\d+\\.\\d+\\.\\d+.*\n");

    assertThat(run("--help")).isZero();
    assertThat(capture.out()).contains("train", "check", "feed", "devices", "bench", "Exit codes");
  }

  private static FakeRun endingWith(RunSnapshot end) {
    return new FakeRun() {
      @Override
      public void start() {
        become(end);
      }
    };
  }

  private int run(String... args) {
    return Penstock.run(engine, capture.terminal(0), args);
  }
}
