package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.app.GpuReport.End;
import io.penstock.app.GpuReport.Place;
import io.penstock.app.GpuReport.Section;
import io.penstock.app.GpuReport.Verdict;
import io.penstock.app.GpuTargets.Outcome;
import io.penstock.app.GpuTargets.Target;
import io.penstock.trainer.device.StepShape;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What is made of figures; all of them are invented here. */
class GpuTargetsTest {
  private static final Place PLACE = new Place("c0ffee", "570.1", "now", "a machine");
  private static final String DEVICE =
      "{'what': 'device', 'kind': 'gpu', 'name': 'Invented', 'description': 'Invented GPU'}";
  private static final List<String> GOOD =
      List.of(
          DEVICE,
          "{'what': 'stream', 'dims': [9, 3], 'batch': 8, 'residentMicros': 50, 'streamedMicros': 90,"
              + " 'hiddenShare': 0.1, 'copyMicros': 45, 'slotBytes': 10}",
          "{'what': 'stream', 'dims': [9, 9], 'batch': 8, 'residentMicros': 500, 'streamedMicros': 510,"
              + " 'hiddenShare': 0.97, 'copyMicros': 100, 'slotBytes': 1000}",
          "{'what': 'plainCopy', 'bytes': 1000, 'bytesPerSecond': 1.05e7}",
          "{'what': 'step', 'dims': [54, 64, 7], 'batch': 256, 'precision': 'float32',"
              + " 'streamedMicros': 19.9, 'residentMicros': 17, 'torchMicros': 45}",
          "{'what': 'step', 'dims': [784, 512, 512, 10], 'batch': 256, 'precision': 'float32',"
              + " 'streamedMicros': 100, 'residentMicros': 95, 'torchMicros': 98}",
          "{'what': 'products', 'dims': [1, 1], 'precision': 'tf32', 'productsMicros': 81, 'stepMicros': 100}",
          "{'what': 'products', 'dims': [1, 1], 'precision': 'bf16', 'productsMicros': 80, 'stepMicros': 100}",
          "{'what': 'cpu', 'dims': [54, 64, 7], 'batch': 256, 'stepMicros': 70}");

  private static List<JsonNode> lines(List<String> texts) {
    return texts.stream().map(t -> JsonMapper.shared().readTree(t.replace('\'', '"'))).toList();
  }

  private static List<String> good() {
    List<String> lines = new ArrayList<>(GOOD);
    for (GpuGrid.Point point : GpuGrid.steps(false)) {
      StepShape shape = point.shape();
      boolean isThere =
          shape.batch() == 256 && (shape.equals(GpuGrid.QUICK) || shape.dims().size() == 4);
      if (!isThere || (GpuGrid.isSmall(shape.dims()) && !shape.equals(GpuGrid.QUICK))) {
        lines.add(
            "{'what': 'step', 'dims': %s, 'batch': %d, 'precision': 'x', 'streamedMicros': 10, 'torchMicros': 30}"
                .formatted(shape.dims(), shape.batch()));
      }
    }
    return lines;
  }

  private static List<JsonNode> with(String from, String to) {
    return lines(good().stream().map(line -> line.replace(from, to)).toList());
  }

  private static List<Target> missed(List<JsonNode> lines) {
    return GpuTargets.of(lines, false).stream()
        .filter(target -> target.outcome() == Outcome.MISSED)
        .toList();
  }

  private static GpuReport report(End end, List<JsonNode> lines) {
    return new GpuReport(PLACE, List.of(new Section(GpuSection.GRID, end, 1.5, "", lines)));
  }

  @Test
  void shouldMeetWhatIsMetAndLookOnlyAtLongStepsForCopies() {
    assertThat(GpuTargets.of(lines(good()), false))
        .allSatisfy(target -> assertThat(target.outcome()).isEqualTo(Outcome.MET))
        .extracting(Target::measured)
        .containsExactly(
            "1.020",
            "0.970",
            "0.952",
            "19.9",
            "0.810",
            "0.800",
            "2.26, 9 of 9 points",
            "0.98, 18 of 18 points");
  }

  @Test
  void shouldMissEachTargetByItself() {
    List<String> changes =
        List.of(
            "'streamedMicros': 510>'streamedMicros': 516",
            "0.97>0.949",
            "1.05e7>1.2e7",
            "19.9>20.1",
            "'productsMicros': 81>'productsMicros': 79.9",
            "'productsMicros': 80>'productsMicros': 79.9",
            "'torchMicros': 45>'torchMicros': 39",
            "'torchMicros': 98>'torchMicros': 96");
    List<String> names = new ArrayList<>();
    for (String change : changes) {
      int to = change.indexOf('>');
      List<Target> missed = missed(with(change.substring(0, to), change.substring(to + 1)));
      assertThat(missed).as(change).hasSize(1);
      names.add(missed.getFirst().what());
    }
    assertThat(names).doesNotHaveDuplicates();
  }

  @Test
  void shouldNotCallTheComparisonMetWherePointsAreMissing() {
    List<Target> targets = GpuTargets.of(lines(GOOD), false);
    assertThat(targets.subList(6, 8))
        .allSatisfy(target -> assertThat(target.outcome()).isEqualTo(Outcome.NOT_MEASURED))
        .extracting(Target::measured)
        .containsExactly("2.26, 1 of 9 points", "0.98, 2 of 18 points");
  }

  @Test
  void shouldSayWhatWasNotMeasured() {
    assertThat(GpuTargets.of(lines(List.of(DEVICE)), false))
        .allSatisfy(target -> assertThat(target.outcome()).isEqualTo(Outcome.NOT_MEASURED));
  }

  @Test
  void shouldHoldMemoryOfASoakToBeFlat() {
    List<String> memory = new ArrayList<>();
    for (int second = 1; second <= 9; second++) {
      memory.add(
          "{'what': 'memory', 'second': %d, 'gpuBytes': 5, 'pinnedBytes': %d, 'residentBytes': %d}"
              .formatted(second, second == 9 ? 8 : 7, 100_000_000L * Math.min(second, 4)));
    }
    List<Target> targets = GpuTargets.of(lines(memory), false);
    assertThat(targets.subList(targets.size() - 3, targets.size()))
        .extracting(Target::outcome)
        .containsExactly(Outcome.MET, Outcome.MISSED, Outcome.MET);
  }

  @Test
  void shouldPassOnlyWholeRunsOnAGpuThatMissNothing() {
    assertThat(report(End.DONE, lines(good())).verdict()).isEqualTo(Verdict.PASSED);
    assertThat(report(End.CUT_OFF, lines(good())).verdict()).isEqualTo(Verdict.FAILED);
    assertThat(report(End.FAILED, lines(good())).verdict()).isEqualTo(Verdict.FAILED);
    assertThat(report(End.NOT_RUN, lines(good())).verdict()).isEqualTo(Verdict.FAILED);
    assertThat(report(End.DONE, with("19.9", "20.1")).verdict()).isEqualTo(Verdict.FAILED);
    assertThat(report(End.DONE, lines(GOOD.subList(1, 4))).verdict())
        .as("no device was seen")
        .isEqualTo(Verdict.FAILED);
  }

  @Test
  void shouldTellGpuDriverCommitAndWhereTheGpuPassesTheProcessor() {
    assertThat(report(End.DONE, lines(good())).table())
        .contains("| GPU | Invented GPU |", "| driver | 570.1 |", "| commit | c0ffee |")
        .contains("| 54-64-7 · 256 | float32 | 19.9 | 17.0 | 45.0 | 2.26 |")
        .contains("| 54-64-7 · 256 | 12.9 M | 3.66 M | cuda |")
        .doesNotContain("emulator");
  }

  @Test
  void shouldNeverLetAnEmulatorsFiguresLookLikeAGpus() {
    List<JsonNode> emulated =
        lines(GOOD.stream().map(line -> line.replace("}", ", 'emulated': true}")).toList());
    GpuReport report = report(End.DONE, emulated);
    assertThat(report.verdict()).isEqualTo(Verdict.EMULATOR);
    assertThat(report.verdict().exitCode()).isEqualTo(3);
    assertThat(report(End.FAILED, emulated).verdict()).isEqualTo(Verdict.FAILED);
    assertThat(GpuTargets.of(emulated, true))
        .allSatisfy(target -> assertThat(target.outcome()).isEqualTo(Outcome.EMULATED))
        .allSatisfy(target -> assertThat(target.measured()).isEmpty());
    assertThat(report.json().path("deviceKind").asString()).isEqualTo("emulator");
    assertThat(report.json().path("emulated").asBoolean()).isTrue();
    assertThat(report.table())
        .contains("No number in it is a figure of a GPU")
        .contains("54-64-7 · 256 (emulator)");
    // One line of an emulator is enough.
    List<JsonNode> mixed = new ArrayList<>(lines(good()));
    mixed.add(emulated.getFirst());
    assertThat(report(End.DONE, mixed).verdict()).isEqualTo(Verdict.EMULATOR);
  }
}
