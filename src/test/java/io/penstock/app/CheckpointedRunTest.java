package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.app.RunOptions.Beginning;
import io.penstock.app.checkpoint.Checkpoint;
import io.penstock.app.checkpoint.CheckpointDirectory;
import io.penstock.app.checkpoint.Disk;
import io.penstock.config.Config;
import io.penstock.config.Config.HttpConfig;
import io.penstock.trainer.cpu.CpuDevice;
import io.penstock.trainer.device.Device;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs with checkpoints on a real disk: what is kept, what is gone on from, and that no fault of the disk stops training. */
class CheckpointedRunTest {
  private static final String STREAM =
      """
      source: { generator: { stream: agrawal, records: 60_000, seed: 5, noise: 5% } }
      features: [ standardize: { fields: number } ]
      batch: { size: 48, maxDelay: none }
      model: { mlp: { hidden: [16] } }
      optimizer: { adam: { learningRate: 0.003 } }
      http: none
      """;

  private static final String ENDLESS = "source.generator.records=none";

  private @TempDir Path folder;

  private String yaml() {
    return STREAM
        + "checkpoint: { directory: '%s', every: none, everyRows: 1000 }%n".formatted(folder);
  }

  @Test
  void shouldGoOnWhereAStoppedRunEndedAsIfItHadNotBeen() {
    String records = "source.generator.records=600_000";
    RunSnapshot whole = Runs.train(STREAM, records);
    RunSnapshot stopped;
    try (Run run = run(yaml(), Beginning.RESUMED, new CpuDevice(), Disk.REAL, records)) {
      run.start();
      Runs.await(() -> run.snapshot().rows().trained() > 5000, "trains");
      run.stop();
      stopped = Runs.end(run);
    }
    assertThat(stopped.rows().trained()).isLessThan(600_000);
    assertThat(newest().state().longs("ledger.trained")[0]).isEqualTo(stopped.rows().trained());
    assertThat(stopped.saved().rows()).isEqualTo(stopped.rows().trained());

    RunSnapshot end = end(yaml(), Beginning.RESUMED, records);

    assertThat(end.saved().resumedRows()).isEqualTo(stopped.rows().trained());
    assertThat(end.outcome()).isEqualTo(whole.outcome());
    assertThat(end.cumulative()).isEqualTo(whole.cumulative());
    assertThat(end.window()).isEqualTo(whole.window());
    assertThat(end.batches()).isEqualTo(whole.batches());
    assertThat(end.rows()).isEqualTo(whole.rows());
    assertThat(end(yaml(), Beginning.RESUMED, records).outcome())
        .as("gone on from its very end")
        .isEqualTo(whole.outcome());
  }

  @Test
  void shouldKeepAsManyAsConfigured() throws IOException {
    checkpoint(5, Beginning.RESUMED);
    assertThat(CheckpointDirectory.files(folder)).hasSize(3);
    long newest = newest().number();
    checkpoint(2, Beginning.FRESH, "evaluation.window=77", "checkpoint.keep=1");
    assertThat(CheckpointDirectory.files(folder)).hasSize(1);
    try (var old = Files.list(folder.resolve("superseded-%012d".formatted(newest)))) {
      assertThat(old).as("--fresh moves the old ones out of the way").hasSize(3);
    }
  }

  private void checkpoint(int times, Beginning beginning, String... sets) {
    String[] endless = Arrays.copyOf(sets, sets.length + 1);
    endless[sets.length] = ENDLESS;
    try (Run run = run(yaml(), beginning, new CpuDevice(), Disk.REAL, endless)) {
      run.start();
      for (int i = 0; i < times; i++) {
        run.checkpoint().join();
      }
      run.stop();
      Runs.end(run);
    }
  }

  @Test
  void shouldGoOnTrainingAndSaySoWhileNothingCanBeWritten() {
    AtomicBoolean broken = new AtomicBoolean(true);
    AtomicInteger failures = new AtomicInteger();
    Disk disk =
        new Disk() {
          @Override
          public void force(FileChannel file) throws IOException {
            if (broken.get()) {
              failures.incrementAndGet();
              throw new IOException("Input/output error");
            }
            Disk.super.force(file);
          }
        };
    RunSnapshot end;
    try (Run run = run(yaml(), Beginning.RESUMED, new CpuDevice(), disk, ENDLESS)) {
      run.start();
      Runs.await(() -> run.snapshot().saved().failed() > 1, "fails: %s", run.snapshot());
      assertThat(run.snapshot().saved().failure()).contains("Input/output error");
      assertThat(run.snapshot().state().isEnd()).isFalse();
      assertThat(CheckpointDirectory.files(folder)).isEmpty();

      broken.set(false);
      Runs.await(() -> run.snapshot().saved().written() > 1, "writes: %s", run.snapshot());
      run.stop();
      end = Runs.end(run);
    }
    assertThat(end.failure()).isNull();
    assertThat(end.saved().failure()).as("those after could be written").isNull();
    assertThat(end.saved().failed()).isEqualTo(failures.get());
    assertThat(Summary.of(end, DeadLetters.countedOnly(), new MetricHistory(10), List.of()))
        .contains("could not be written, those after could");
    assertThat(newest().state().longs("ledger.trained")[0]).isEqualTo(end.rows().trained());
  }

  /** Each takes as long as 10,000 rows do; one is due all the time. */
  @Test
  void shouldGoOnTrainingWhileCheckpointsTakeLongerThanTheirInterval() {
    AtomicReference<Run> running = new AtomicReference<>();
    AtomicInteger atOnce = new AtomicInteger();
    AtomicInteger mostAtOnce = new AtomicInteger();
    Disk slow =
        new Disk() {
          @Override
          public void force(FileChannel file) throws IOException {
            mostAtOnce.accumulateAndGet(atOnce.incrementAndGet(), Math::max);
            Run run = running.get();
            if (run != null && run.snapshot().state() == RunSnapshot.Phase.RUNNING) {
              long before = run.snapshot().rows().trained();
              Runs.await(
                  () ->
                      run.snapshot().state() != RunSnapshot.Phase.RUNNING
                          || run.snapshot().rows().trained() > before + 10_000,
                  "trains while a checkpoint is written");
            }
            Disk.super.force(file);
            atOnce.decrementAndGet();
          }
        };
    try (Run run = run(yaml(), Beginning.RESUMED, new CpuDevice(), slow, ENDLESS)) {
      run.start(); // the checkpoint of the beginning is written in here
      running.set(run);
      Runs.await(() -> run.snapshot().saved().written() > 4, "writes: %s", run.snapshot());
      run.stop();
      RunSnapshot end = Runs.end(run);
      assertThat(end.failure()).isNull();
      assertThat(end.saved().failed()).isZero();
      assertThat(newest().state().longs("ledger.trained")[0]).isEqualTo(end.rows().trained());
    }
    assertThat(mostAtOnce.get()).as("written at once").isEqualTo(1);
  }

  @Test
  void shouldKeepTheLastGoodCheckpointWhenTheDiskIsFull() {
    AtomicInteger written = new AtomicInteger();
    Disk disk =
        new Disk() {
          @Override
          public void write(FileChannel file, ByteBuffer bytes) throws IOException {
            if (written.incrementAndGet() > 2) { // two for a file: its content, its digest
              bytes.limit(bytes.position() + bytes.remaining() / 2);
              Disk.super.write(file, bytes);
              throw new IOException("No space left on device");
            }
            Disk.super.write(file, bytes);
          }
        };
    String records = "source.generator.records=400_000";
    RunSnapshot end = end(yaml(), Beginning.RESUMED, new CpuDevice(), disk, records);

    assertThat(end.failure()).isNull();
    assertThat(end.rows().trained()).isEqualTo(400_000);
    assertThat(end.saved().written()).isEqualTo(1);
    assertThat(end.saved().failure()).contains("No space left on device");
    assertThat(folder).isDirectoryNotContaining(file -> file.toString().endsWith(".part"));
    assertThat(newest().number()).isEqualTo(1);
    assertThat(end(yaml(), Beginning.RESUMED, records).outcome()).isEqualTo(end.outcome());
  }

  @Test
  void shouldEndInTimeThoughTheTrainerDoesNotReachTheCut() throws InterruptedException {
    GatedDevice device = new GatedDevice();
    long trained;
    try (Run run = run(yaml(), Beginning.RESUMED, device, Disk.REAL, ENDLESS)) {
      run.start();
      CompletableFuture<Checkpoints.Made> made = run.checkpoint();
      int[] steps = {0};
      Runs.await(
          () -> {
            device.open(10);
            steps[0] += 10;
            return made.isDone();
          },
          "writes");
      trained = 48L * steps[0];
      Runs.await(() -> run.snapshot().rows().trained() == trained, "trains");
      run.stop();
      assertThat(run.awaitEnd(Runs.LONG)).isTrue();
      assertThat(run.snapshot().rows().trained()).isEqualTo(trained);
    }
    assertThat(newest().state().longs("ledger.trained")[0]).isBetween(0L, trained);
  }

  @Test
  void shouldRefuseAFolderThatAnotherRunUses() {
    try (Run first = run(yaml(), Beginning.RESUMED)) {
      assertThatThrownBy(() -> run(yaml(), Beginning.RESUMED))
          .isInstanceOf(StartException.class)
          .hasMessageContaining(
              "%s is in use by another run (process %d)"
                  .formatted(folder, ProcessHandle.current().pid()));
      first.start();
      Runs.end(first);
    }
    end(yaml(), Beginning.RESUMED);
  }

  @Test
  void shouldGoOnWithAnotherLearningRateAndRefuseAnotherModelNamingWhatDiffers() {
    end(yaml(), Beginning.RESUMED);

    RunSnapshot end =
        end(yaml(), Beginning.RESUMED, "optimizer.adam.learningRate=0.1", "batch.maxDelay=1s");
    assertThat(end.saved().resumedRows()).isEqualTo(60_000);

    assertThatThrownBy(
            () -> end(yaml(), Beginning.RESUMED, "model.mlp.hidden=[17]", "batch.size=64"))
        .isInstanceOf(StartException.class)
        .hasMessageContaining("model.mlp.hidden[0]: 17, was 16")
        .hasMessageContaining("batch.size: 64, was 48")
        .hasMessageContaining("--weights-only")
        .hasMessageContaining("--fresh");
  }

  @Test
  void shouldBeginAnewWithTheWeightsAndOperatorsOfARunBefore() {
    RunSnapshot first = end(yaml(), Beginning.RESUMED);
    RunSnapshot again =
        end(yaml(), Beginning.WEIGHTS_ONLY, "optimizer=sgd", "source.generator.seed=6");

    assertThat(again.saved().resumedRows()).isZero();
    assertThat(again.rows().trained()).isEqualTo(60_000);
    assertThat(again.cumulative().accuracy())
        .as("it begins with what was learnt")
        .isGreaterThan(first.cumulative().accuracy() + 0.02);
    assertThatThrownBy(() -> end(yaml(), Beginning.WEIGHTS_ONLY, "model.mlp.hidden=[17]"))
        .hasMessageContaining("layer0.weight")
        .hasMessageContaining("[9, 17]");
  }

  @Test
  void shouldSayThatThereAreNoWeightsToTake() {
    assertThatThrownBy(() -> run(yaml(), Beginning.WEIGHTS_ONLY))
        .hasMessageContaining("has no checkpoint to take weights from");
  }

  @Test
  void shouldMakeACheckpointOnDemand() throws Exception {
    try (Run run =
            run(
                STREAM + "checkpoint: { directory: '%s' }%n".formatted(folder),
                Beginning.RESUMED,
                new CpuDevice(),
                Disk.REAL,
                ENDLESS);
        HttpEndpoint http =
            new HttpEndpoint(
                new HttpConfig(0, "127.0.0.1"),
                run::snapshot,
                run::checkpoint,
                run.model(),
                DeadLetters.countedOnly());
        HttpClient client = HttpClient.newHttpClient()) {
      run.start();
      HttpResponse<String> made =
          client.send(
              HttpRequest.newBuilder(URI.create(http.address() + "/v1/checkpoint"))
                  .POST(HttpRequest.BodyPublishers.noBody())
                  .build(),
              HttpResponse.BodyHandlers.ofString());
      assertThat(made.statusCode()).as(made.body()).isEqualTo(200);
      // The first is of the beginning.
      assertThat(made.body()).contains("checkpoint-000000000002.safetensors");
      run.stop();
      Runs.end(run);
    }
    try (Run none = Runs.of(STREAM, new Rejected(), 0)) {
      assertThatThrownBy(() -> none.checkpoint().get(1, TimeUnit.MINUTES))
          .hasMessageContaining("no checkpoint.directory is configured");
    }
  }

  private Checkpoint newest() {
    return CheckpointDirectory.read(folder);
  }

  private static RunSnapshot end(String yaml, Beginning beginning, String... sets) {
    return end(yaml, beginning, new CpuDevice(), Disk.REAL, sets);
  }

  private static RunSnapshot end(
      String yaml, Beginning beginning, Device device, Disk disk, String... sets) {
    try (Run run = run(yaml, beginning, device, disk, sets)) {
      run.start();
      return Runs.end(run);
    }
  }

  private static Run run(String yaml, Beginning beginning) {
    return run(yaml, beginning, new CpuDevice(), Disk.REAL);
  }

  private static Run run(
      String yaml, Beginning beginning, Device device, Disk disk, String... sets) {
    return TrainingRun.of(
        Config.parse(yaml, sets), new RunOptions(0, beginning, new Rejected()), device, disk);
  }
}
