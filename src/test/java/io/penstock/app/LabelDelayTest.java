package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.penstock.app.RunOptions.Beginning;
import io.penstock.app.checkpoint.Disk;
import io.penstock.config.Config;
import io.penstock.trainer.cpu.CpuDevice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code evaluation.labelDelay} in whole runs: what is said, what is learnt, and what a run that goes on knows. */
class LabelDelayTest {
  private static final int ROWS = 3_000;

  @TempDir Path folder;

  /** Labels that stay as they are nine times of ten. */
  private static List<Integer> labels() {
    SplittableRandom random = new SplittableRandom(5);
    List<Integer> labels = new ArrayList<>();
    int label = 0;
    for (int row = 0; row < ROWS; row++) {
      label = random.nextInt(10) == 0 ? 1 - label : label;
      labels.add(label);
    }
    return labels;
  }

  private String yaml() throws IOException {
    SplittableRandom random = new SplittableRandom(6);
    StringBuilder csv = new StringBuilder("x,y\n");
    for (int label : labels()) {
      csv.append(label + random.nextGaussian()).append(',').append(label).append('\n');
    }
    return """
        source: { file: { path: '%s', format: { csv: { header: true } } } }
        schema: { label: { field: y, classes: 2 }, fields: { x: number } }
        batch: { size: 16, maxDelay: none }
        model: logistic
        http: none
        """
        .formatted(Files.writeString(folder.resolve("rows.csv"), csv));
  }

  private String checkpoints() {
    return "checkpoint: { directory: '%s', every: none }%n".formatted(folder.resolve("saved"));
  }

  private static Run run(String yaml, String... sets) {
    return TrainingRun.of(
        Config.parse(yaml, sets),
        new RunOptions(0, Beginning.RESUMED, new Rejected()),
        new CpuDevice(),
        Disk.REAL);
  }

  private static RunSnapshot end(String yaml, String... sets) {
    try (Run run = run(yaml, sets)) {
      run.start();
      return Runs.end(run);
    }
  }

  private static double noChange(int delay) {
    List<Integer> labels = labels();
    int right = 0;
    for (int row = delay + 1; row < ROWS; row++) {
      right += labels.get(row).equals(labels.get(row - delay - 1)) ? 1 : 0;
    }
    return (double) right / ROWS;
  }

  @Test
  void shouldScoreBaselinesAndModelByWhatIsKnownAndLearnAsItDoesWithout() throws IOException {
    RunSnapshot without = Runs.train(yaml());
    assertThat(without.cumulative().noChange().accuracy()).isCloseTo(noChange(0), within(1e-12));
    assertThat(ReportWriter.json(without).get("labelDelay").asInt()).isZero();

    for (int delay : new int[] {1, 7, 40}) {
      RunSnapshot end = Runs.train(yaml(), "evaluation.labelDelay=" + delay);

      assertThat(end.cumulative().noChange().accuracy()).isCloseTo(noChange(delay), within(1e-12));
      assertThat(end.cumulative().noChange().accuracy())
          .isLessThan(without.cumulative().noChange().accuracy());
      assertThat(end.cumulative().logLoss()).isNotEqualTo(without.cumulative().logLoss());
      assertThat(end.outcome()).isEqualTo(without.outcome());
      assertThat(ReportWriter.json(end).get("labelDelay").asInt()).isEqualTo(delay);
      assertThat(Summary.of(end, DeadLetters.countedOnly(), new MetricHistory(10), List.of()))
          .contains("\n  labels %s late\n".formatted(Texts.count(delay, "row")));
    }
  }

  @Test
  void shouldSayOfACheckpointWhatTheRunSaid() throws IOException {
    RunSnapshot end = end(yaml() + checkpoints(), "evaluation.labelDelay=40");

    Inspection saved = Inspection.of(folder.resolve("saved"), "inspect");

    assertThat(saved.evaluation().cumulative()).isEqualTo(end.cumulative());
    assertThat(saved.evaluation().windowed()).isEqualTo(end.window());
    assertThat(new InspectionPage(saved).text()).contains("\n  labels 40 rows late\n");
  }

  @Test
  void shouldHaveBaselinesKnowLabelsLateWhereNothingIsLearnt() throws Exception {
    RunSnapshot end = end(yaml() + checkpoints(), "evaluation.labelDelay=40");

    SavedEvaluation again =
        SavedEvaluation.of(
            Inspection.of(folder.resolve("saved"), "evaluate"), folder.resolve("rows.csv"));

    assertThat(again.evaluation().cumulative().noChange()).isEqualTo(end.cumulative().noChange());
    assertThat(again.evaluation().cumulative().constant()).isEqualTo(end.cumulative().constant());
    assertThat(again.evaluation().cumulative().logLoss()).isLessThan(end.cumulative().logLoss());
    assertThat(again.text()).contains("\n  labels 40 rows late\n");
  }

  @Test
  void shouldGoOnWhereAStoppedRunEndedAsIfItHadNotBeen() {
    String yaml =
        """
        source: { generator: { stream: agrawal, records: 600_000, seed: 5, noise: 5% } }
        features: [ standardize: { fields: number } ]
        batch: { size: 48, maxDelay: none }
        model: { mlp: { hidden: [16] } }
        optimizer: { adam: { learningRate: 0.003 } }
        evaluation: { labelDelay: 500 }
        http: none
        """;
    RunSnapshot whole = Runs.train(yaml);
    try (Run run = run(yaml + checkpoints())) {
      run.start();
      Runs.await(() -> run.snapshot().rows().trained() > 5000, "trains");
      run.stop();
      assertThat(Runs.end(run).rows().trained()).isLessThan(600_000);
    }

    RunSnapshot end = end(yaml + checkpoints());

    assertThat(end.saved().resumedRows()).isPositive();
    assertThat(end.outcome()).isEqualTo(whole.outcome());
    assertThat(end.cumulative()).isEqualTo(whole.cumulative());
    assertThat(end.window()).isEqualTo(whole.window());
  }

  @Test
  void shouldNotGoOnWithAnotherDelay() throws IOException {
    String yaml = yaml() + checkpoints();
    end(yaml, "evaluation.labelDelay=40");

    assertThatThrownBy(() -> end(yaml, "evaluation.labelDelay=41", "evaluation.window=77"))
        .isInstanceOf(StartException.class)
        .hasMessageContaining("\n  evaluation.labelDelay: 41, was 40\n")
        .hasMessageNotContaining("evaluation.window");
  }

  @Test
  void shouldRefuseADelayThatTakesTooMuchMemory() throws IOException {
    String yaml = yaml();

    assertThatThrownBy(
            () ->
                Runs.train(
                    yaml,
                    "model={mlp: {hidden: [4000, 4000]}}",
                    "evaluation.labelDelay=1000",
                    "batch.size=32"))
        .isInstanceOf(StartException.class)
        .hasMessageStartingWith(
            "evaluation.labelDelay: 1000 rows late are 34 copies of the weights at batch.size 32, and ")
        .hasMessageEndingWith("choose a smaller evaluation.labelDelay, or a larger batch.size");
  }
}
