package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.app.SourceLedger.CsvRow;
import io.penstock.app.checkpoint.Checkpoint;
import io.penstock.app.checkpoint.CheckpointDirectory;
import io.penstock.app.checkpoint.Disk;
import io.penstock.pipeline.State;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

/**
 * Whether the check of {@link Crashes} would notice: a restore that is wrong is one that is right, of a cut that is wrong. So a
 * cut from the middle of a run is changed as each mutant would restore it, and gone on from.
 */
class RestoreMutantsTest {
  /** What matters only where a run goes back; PoisonGuardTest holds it. */
  private static final Set<String> ONLY_FOR_ROLLBACKS =
      Set.of("guard.recent", "guard.learningRate");

  private static final String POSITIONS = "positions";
  private static final String COUNTS = "assembler.counts";
  private static final int ALL = 1000;

  private static final int ROWS = 60_000;

  private @TempDir Path folder;
  private int runs;

  private Workload workload = Workload.generator(1);
  private Path cut = Path.of("cut");
  private Ending whole = new Ending(JsonMapper.shared().createObjectNode(), Map.of());

  /** A run to its end, and a checkpoint of it that has rows of an unfinished minibatch. */
  private void train(Workload trained) throws IOException {
    workload = trained;
    @Nullable Path found = null;
    for (int attempt = 0; attempt < 20 && found == null; attempt++) {
      Path own = folder();
      whole = run(own);
      found =
          CheckpointDirectory.files(own.resolve("checkpoints")).stream()
              .filter(this::isInTheMiddle)
              .reduce((earlier, later) -> later)
              .orElse(null);
    }
    cut = Objects.requireNonNull(found, "no checkpoint in mid-run");
  }

  private boolean isInTheMiddle(Path file) {
    State state = CheckpointDirectory.read(file).state();
    long unfinished = state.longs(COUNTS)[2];
    long rows = state.longs(COUNTS)[1];
    return unfinished > 0 && rows < workload.ledger().acceptedRows() - 1000;
  }

  private Path folder() throws IOException {
    return Files.createDirectories(folder.resolve("run-" + ++runs));
  }

  private Ending run(Path own) throws IOException {
    Capture said = new Capture();
    Path report = own.resolve("report.json");
    int exit =
        Penstock.run(
            new Wiring(),
            said.terminal(0),
            "train",
            workload.write(own, "cpu", ALL).toString(),
            "--report",
            report.toString());
    if (exit != ExitCode.OK) {
      throw new IOException("the run failed: " + said.err() + said.out());
    }
    return Ending.of(report, own.resolve("checkpoints"));
  }

  /** Goes on from the cut as {@code mutant} changes it. */
  private Ending resume(UnaryOperator<State> mutant) throws IOException {
    Checkpoint right = CheckpointDirectory.read(cut);
    Path own = folder();
    try (CheckpointDirectory checkpoints =
        new CheckpointDirectory(own.resolve("checkpoints"), ALL, Disk.REAL)) {
      checkpoints.write(
          new Checkpoint(
              right.number(),
              right.created(),
              right.version(),
              right.configuration(),
              right.columns(),
              right.features(),
              mutant.apply(right.state())));
    }
    return run(own);
  }

  @Test
  void shouldFindARestoreOfAFileThatIsWrong() throws IOException {
    train(Workload.csv(folder, ROWS));

    findsNothingInARightRestore();
    findsNextRowInEveryCheckpoint();
    findsARowSkippedOrRepeated();
    findsAnUnfinishedMinibatchDroppedOrRepeated();
    findsAnyArrayForgotten();
  }

  @Test
  void shouldFindARestoreThatIsWrongByARowOfAGenerator() throws IOException {
    train(Workload.generator(300_000));
    requireFound("skips a row", state -> at(state, row(state) + 1, row(state) + 1));
    requireFound("repeats a row", state -> at(state, row(state) - 1, row(state) - 1));
  }

  private void findsNothingInARightRestore() throws IOException {
    Ending end = resume(state -> state);

    assertThat(end.differences(whole)).isEmpty();
    workload.ledger().requireIn(end.report());
  }

  private void findsNextRowInEveryCheckpoint() {
    for (Path file : CheckpointDirectory.files(Objects.requireNonNull(cut.getParent()))) {
      long[] position = CheckpointDirectory.read(file).state().longs(POSITIONS);
      if (position.length == 0) {
        continue; // of the beginning
      }
      int next = (int) position[2];
      List<CsvRow> rows = workload.rows();
      assertThat(position[3]).as("byte of row %d", next).isGreaterThan(rows.get(next - 1).offset());
      if (next < rows.size()) {
        assertThat(position[3]).isLessThanOrEqualTo(rows.get(next).offset());
      }
    }
  }

  private void findsARowSkippedOrRepeated() throws IOException {
    List<CsvRow> rows = workload.rows();
    requireFound("skips a row", state -> at(state, rows, row(state) + 1, row(state) + 1));
    requireFound("repeats a row", state -> at(state, rows, row(state) - 1, row(state) - 1));
    requireFound("skips the bytes of a row", state -> at(state, rows, row(state), row(state) + 1));
    requireFound("repeats the bytes", state -> at(state, rows, row(state), row(state) - 1));
    requireFound("skips a number", state -> at(state, rows, row(state) + 1, row(state)));
    requireFound("repeats a number", state -> at(state, rows, row(state) - 1, row(state)));
  }

  private void findsAnUnfinishedMinibatchDroppedOrRepeated() throws IOException {
    requireFound("drops it", RestoreMutantsTest::withoutUnfinished);
    requireFound("drops its last row", RestoreMutantsTest::withoutLastUnfinished);
    requireFound(
        "trains it twice",
        state -> at(state, workload.rows(), unfinished(state), unfinished(state)));
  }

  /** Each array that is saved matters here, but for one that holds nothing. */
  private void findsAnyArrayForgotten() {
    State right = CheckpointDirectory.read(cut).state();
    List<String> missed = new ArrayList<>();
    for (String name : right.arrays().keySet()) {
      boolean empty = cleared(CheckpointDirectory.read(cut).state(), name).equals(right);
      if (!empty && !ONLY_FOR_ROLLBACKS.contains(name) && !isFound(state -> cleared(state, name))) {
        missed.add(name);
      }
    }
    assertThat(missed).as("arrays that might be forgotten unnoticed").isEmpty();
  }

  private void requireFound(String what, UnaryOperator<State> mutant) throws IOException {
    Ending end = resume(mutant);
    assertThat(end.differences(whole)).as(what).isNotEmpty();
    assertThatThrownBy(() -> workload.ledger().requireIn(end.report()))
        .as("%s: the ledger", what)
        .isInstanceOf(AssertionError.class);
  }

  /** A run that fails is found, too. */
  private boolean isFound(UnaryOperator<State> mutant) {
    try {
      return !resume(mutant).differences(whole).isEmpty();
    } catch (IOException e) {
      return true;
    }
  }

  private static int row(State state) {
    return (int) state.longs(POSITIONS)[2];
  }

  private static State at(State state, List<CsvRow> rows, int number, int bytesOf) {
    return at(state, number, rows.get(bytesOf).offset());
  }

  private static State at(State state, long row, long offset) {
    state.put(POSITIONS, 0, 0, row, offset);
    return state;
  }

  /** The number of the first row of the unfinished minibatch. */
  private int unfinished(State state) {
    int row = row(state);
    for (long left = state.longs(COUNTS)[2]; left > 0; ) {
      row--;
      left -= Workload.isGood(workload.rows().get(row).values()) ? 1 : 0;
    }
    return row;
  }

  private static State withoutUnfinished(State state) {
    long[] counts = state.longs(COUNTS);
    state.put(COUNTS, counts[0], counts[1] - counts[2], 0);
    state.put("assembler.weightSum", 0.0);
    state.put("assembler.slot", new byte[0]);
    return state;
  }

  private static State withoutLastUnfinished(State state) {
    long[] counts = state.longs(COUNTS);
    state.put(COUNTS, counts[0], counts[1] - 1, counts[2] - 1);
    return state;
  }

  private static State cleared(State state, String name) {
    switch (state.arrays().get(name)) {
      case long[] longs -> state.put(name, new long[longs.length]);
      case double[] doubles -> state.put(name, new double[doubles.length]);
      case float[] floats -> state.put(name, new float[floats.length]);
      case byte[] bytes -> state.put(name, new byte[bytes.length]);
      case State.Matrix matrix ->
          state.put(
              name,
              new State.Matrix(
                  MemorySegment.ofArray(new float[matrix.rows() * matrix.columns()]),
                  matrix.rows(),
                  matrix.columns()));
      case null, default -> throw new IllegalStateException(name);
    }
    return state;
  }
}
