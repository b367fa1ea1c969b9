package io.penstock.app.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import io.penstock.pipeline.State;
import io.penstock.trainer.model.ParameterLayout;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A checkpoint that was cut off or changed is never taken for a whole one, wherever it happened. */
class DamagedCheckpointTest {
  private @TempDir Path folder;
  private Path file = Path.of("checkpoint");
  private byte[] whole = {};

  @BeforeEach
  void writeCheckpoints() throws IOException {
    try (CheckpointDirectory directory = new CheckpointDirectory(folder, 3, Disk.REAL)) {
      for (int number = 1; number <= 3; number++) {
        file = directory.write(checkpoint(number)).file();
      }
    }
    whole = Files.readAllBytes(file);
  }

  private static Checkpoint checkpoint(long number) {
    State state = new State();
    state.put("positions", 0, 0, 100 * number, 1234);
    state.put("evaluation", 0.5, -0.0, Double.NaN);
    state.put("assembler.slot", new byte[] {1, 2, 3});
    state.put(
        "model.layer0.weight",
        new State.Matrix(MemorySegment.ofArray(new float[] {1, 2, 3, 4, 5, 6}), 3, 2));
    state.put("model.layer0.bias", 0.25f, -1);
    return new Checkpoint(
        number,
        Instant.EPOCH,
        "test",
        "seed: 42\n",
        List.of("a", "b", "y"),
        List.of("a", "b"),
        state);
  }

  @Test
  void shouldReadAWholeOne() {
    Checkpoint read = CheckpointDirectory.read(file);

    assertThat(read).isEqualTo(checkpoint(3));
  }

  @Test
  void shouldNotReadOneThatIsCutOffAtAnyByte() throws IOException {
    for (int length = 0; length < whole.length; length++) {
      requireDamaged(Arrays.copyOf(whole, length), "cut off at byte " + length);
    }
  }

  @Test
  void shouldNotReadOneWithAnyByteChanged() throws IOException {
    SplittableRandom random = new SplittableRandom(1);
    for (int at = 0; at < whole.length; at++) {
      byte[] bytes = whole.clone();
      bytes[at] ^= (byte) random.nextInt(1, 256);
      requireDamaged(bytes, "byte %d is %d instead of %d".formatted(at, bytes[at], whole[at]));
    }
  }

  @Test
  void shouldNotReadOneWithBytesTooMuch() throws IOException {
    requireDamaged(Arrays.copyOf(whole, whole.length + 1), "a byte more");
    byte[] twice = Arrays.copyOf(whole, 2 * whole.length);
    System.arraycopy(whole, 0, twice, whole.length, whole.length);
    requireDamaged(twice, "written twice");
  }

  @Test
  void shouldNotTakeWeightsFromOneWithAnyByteChangedOrCutOff() throws IOException {
    SplittableRandom random = new SplittableRandom(2);
    ParameterLayout layout = layout();
    assertThat(Weights.read(file, layout)).startsWith(1, 2, 3, 4, 5, 6).endsWith(0.25f, -1);
    for (int at = 0; at < whole.length; at++) {
      byte[] bytes = whole.clone();
      bytes[at] ^= (byte) random.nextInt(1, 256);
      requireNoWeights(bytes, layout, "changed at byte " + at);
      requireNoWeights(Arrays.copyOf(whole, at), layout, "cut off at byte " + at);
    }
  }

  private static ParameterLayout layout() {
    return new ParameterLayout(
        List.of(
            new ParameterLayout.Tensor("layer0.weight", 0, 3, 2),
            new ParameterLayout.Tensor("layer0.bias", 16, 1, 2)),
        18);
  }

  @Test
  void shouldGoBackToTheOneBeforeAndSaySo() throws IOException {
    damage(file);
    String said = resumed(2);

    assertThat(said)
        .contains(file + ": is not a whole safetensors file")
        .contains("going on to the one before");
  }

  @Test
  void shouldGoBackToTheLastWholeOneOverAllThatAreNot() throws IOException {
    damage(file);
    Files.write(CheckpointDirectory.file(folder, 2), new byte[0]);

    assertThat(resumed(1)).contains("000003", "000002");
  }

  @Test
  void shouldSayWhatToDoWhereNoneIsWhole() throws IOException {
    for (Path each : CheckpointDirectory.files(folder)) {
      damage(each);
    }
    try (CheckpointDirectory directory = new CheckpointDirectory(folder, 3, Disk.REAL)) {
      assertThatThrownBy(directory::resume)
          .isInstanceOf(CheckpointException.class)
          .hasMessage(
              "checkpoint.directory: of 3 checkpoints in %s none is whole; put one back, or begin anew with --fresh",
              folder);
    }
  }

  @Test
  void shouldNotCountADamagedOneAmongThoseThatItKeeps() throws IOException {
    damage(file);
    try (CheckpointDirectory directory = new CheckpointDirectory(folder, 2, Disk.REAL)) {
      assertThat(directory.resume().orElseThrow().number()).isEqualTo(2);
      assertThat(directory.nextNumber()).isEqualTo(4);
      directory.write(checkpoint(4));
      damage(CheckpointDirectory.file(folder, 4));
    }

    assertThat(resumed(2)).contains("000004", "000003");
  }

  private static void damage(Path file) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length / 2] ^= 1;
    Files.write(file, bytes);
  }

  /** What the log said when this number was gone on from. */
  private String resumed(long number) {
    PrintStream err = System.err;
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    System.setErr(new PrintStream(said, true, StandardCharsets.UTF_8));
    try (CheckpointDirectory directory = new CheckpointDirectory(folder, 3, Disk.REAL)) {
      assertThat(directory.resume().orElseThrow()).isEqualTo(checkpoint(number));
    } finally {
      System.setErr(err);
    }
    return said.toString(StandardCharsets.UTF_8);
  }

  private void requireDamaged(byte[] bytes, String how) throws IOException {
    Files.write(file, bytes);
    try {
      fail("%s: read as %s", how, CheckpointDirectory.read(file));
    } catch (CheckpointException e) {
      assertThat(e).hasMessageStartingWith(file.toString());
    } catch (RuntimeException e) {
      fail(how + ": not said as it should be", e);
    }
  }

  private void requireNoWeights(byte[] bytes, ParameterLayout layout, String how)
      throws IOException {
    Files.write(file, bytes);
    try {
      fail("%s: read as %s", how, Arrays.toString(Weights.read(file, layout)));
    } catch (CheckpointException e) {
      assertThat(e).hasMessageStartingWith(file.toString());
    } catch (RuntimeException e) {
      fail(how + ": not said as it should be", e);
    }
  }
}
