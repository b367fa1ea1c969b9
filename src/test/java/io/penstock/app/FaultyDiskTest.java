package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.app.RunOptions.Beginning;
import io.penstock.app.checkpoint.Checkpoint;
import io.penstock.app.checkpoint.CheckpointDirectory;
import io.penstock.config.Config;
import io.penstock.trainer.Trainer;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Faults that the kernel itself reports to a real process: it goes on training, says so wherever somebody may look, keeps the last
 * good checkpoint, and saves again when it can.
 */
class FaultyDiskTest {
  private static final List<String> NO_LAUNCHER = List.of();

  private @TempDir Path folder;

  private static String yaml(Path checkpoints) {
    return """
        source: { generator: { stream: agrawal, seed: 5, noise: 5%% } }
        features: [ standardize: { fields: number } ]
        batch: { size: 509, maxDelay: none }
        model: { mlp: { hidden: [256] } }
        optimizer: { adam: { learningRate: 0.003 } }
        checkpoint: { directory: '%s', every: none, everyRows: 5000 }
        http: { port: 0 }
        """
        .formatted(checkpoints);
  }

  private WatchedRun run(List<String> launcher, String shell, Path checkpoints) throws IOException {
    Path config = Files.writeString(folder.resolve("run.yaml"), yaml(checkpoints));
    return new WatchedRun(launcher, shell, folder.resolve("said.txt"), config);
  }

  private WatchedRun run(Path checkpoints) throws IOException {
    return run(NO_LAUNCHER, "", checkpoints);
  }

  private static double written(WatchedRun run) {
    return run.meter("penstock_checkpoint_written_total");
  }

  private static double failed(WatchedRun run) {
    return run.meter("penstock_checkpoint_failed_total");
  }

  private static void awaitWritten(WatchedRun run) {
    double before = written(run);
    Runs.await(() -> written(run) > before, "a checkpoint is written");
  }

  /** That checkpoints fail, one after the other, for this reason, and that it trains nevertheless. */
  private static void requireTrouble(WatchedRun run, String why) {
    Runs.await(() -> failed(run) > 1, "checkpoints fail");
    assertThat(run.health().path("checkpointFailure").asString()).contains(why);
    assertThat(run.said())
        .contains("no checkpoint could be written; training goes on, what it learns is not safe")
        .contains(why);
    double rows = run.meter("penstock_trained_rows_total");
    Runs.await(() -> run.meter("penstock_trained_rows_total") > rows, "it trains");
  }

  private static void requireWell(WatchedRun run) {
    awaitWritten(run);
    awaitWritten(run);
    assertThat(run.health().has("checkpointFailure")).as("%s", run.health()).isFalse();
  }

  private static long rows(Checkpoint checkpoint) {
    return checkpoint.state().longs(Trainer.TRAINED)[0];
  }

  private static void requireNoPart(Path checkpoints) throws IOException {
    try (var files = Files.list(checkpoints)) {
      assertThat(files).noneMatch(file -> file.toString().endsWith(".part"));
    }
  }

  /** That the next run goes on from this checkpoint, and saves. */
  private static void requireGoingOn(Path checkpoints, Checkpoint last) {
    assertThat(trainHere(checkpoints)).isEqualTo(rows(last));
    assertThat(rows(CheckpointDirectory.read(checkpoints))).isGreaterThan(rows(last));
  }

  /** A run in this process until it has saved; answers with the rows that it went on after. */
  private static long trainHere(Path checkpoints) {
    RunOptions options = new RunOptions(0, Beginning.RESUMED, new Rejected());
    try (Run run = new Wiring().run(Config.parse(yaml(checkpoints)), options)) {
      run.start();
      Runs.await(() -> run.snapshot().saved().written() > 1, "it saves");
      run.stop();
      return Runs.end(run).saved().resumedRows();
    }
  }

  @Test
  void shouldGoOnThoughItsFolderIsReadOnly() throws Exception {
    Path checkpoints = folder.resolve("checkpoints");
    Checkpoint last;
    try (WatchedRun run = run(checkpoints)) {
      awaitWritten(run);
      ReadOnly readOnly = ReadOnly.make(checkpoints);
      try {
        requireTrouble(run, checkpoints.resolve(".checkpoint.part").toString());
        last = CheckpointDirectory.read(checkpoints);
        assertThat(run.end("KILL")).isEqualTo(128 + 9);
      } finally {
        readOnly.undo();
      }
    }
    requireGoingOn(checkpoints, last);
  }

  @Test
  void shouldSaveAgainWhenItsFolderIsBack() throws Exception {
    Path checkpoints = folder.resolve("checkpoints");
    Path aside = folder.resolve("aside");
    try (WatchedRun run = run(checkpoints)) {
      awaitWritten(run);
      Files.move(checkpoints, aside);
      requireTrouble(run, checkpoints.toString());
      Checkpoint last = CheckpointDirectory.read(aside);
      Files.move(aside, checkpoints);
      requireWell(run);
      assertThat(run.end("TERM")).isEqualTo(143);
      assertThat(rows(CheckpointDirectory.read(checkpoints))).isGreaterThan(rows(last));
    }
  }

  @Test
  void shouldKeepTheLastGoodOneWhereNoFileMayBecomeSoLarge() throws Exception {
    Path checkpoints = folder.resolve("checkpoints");
    assertThat(trainHere(checkpoints)).isZero();
    Checkpoint last = CheckpointDirectory.read(checkpoints);
    long bytes = Files.size(CheckpointDirectory.files(checkpoints).getLast());
    try (WatchedRun bounded = run(NO_LAUNCHER, "ulimit -f " + bytes / 1024 / 2, checkpoints)) {
      requireTrouble(bounded, "File too large");
      requireNoPart(checkpoints);
      assertThat(bounded.end("TERM")).isEqualTo(143);
    }
    assertThat(CheckpointDirectory.read(checkpoints)).isEqualTo(last);
    requireGoingOn(checkpoints, last);
  }

  @Test
  void shouldSaveAgainWhenAFullDiskHasRoom() throws Exception {
    Path disk = Files.createDirectory(folder.resolve("disk"));
    List<String> launcher = mountNamespace();
    try (WatchedRun run =
        run(launcher, "mount -t tmpfs -o size=2m tmpfs '%s'".formatted(disk), disk)) {
      // The mount is the process's own; so it is seen, and gone with it.
      Path seen = Path.of("/proc/%d/root%s".formatted(run.pid(), disk.toRealPath()));
      Path ballast = seen.resolve("ballast");
      awaitWritten(run);
      Runs.await(
          () -> {
            fill(ballast); // again, while old checkpoints are deleted
            return failed(run) > 1;
          },
          "the disk is full");
      requireTrouble(run, "No space left on device");
      requireNoPart(seen);
      Checkpoint last = CheckpointDirectory.read(seen);
      Path copy = Files.createDirectory(folder.resolve("copy"));
      for (Path file : CheckpointDirectory.files(seen)) {
        Files.copy(file, copy.resolve(file.getFileName().toString()));
      }

      Files.delete(ballast);
      requireWell(run);
      assertThat(rows(CheckpointDirectory.read(seen))).isGreaterThan(rows(last));
      assertThat(run.end("TERM")).isEqualTo(143);
      requireGoingOn(copy, last);
    }
  }

  private static void fill(Path file) {
    byte[] bytes = new byte[4096];
    try (OutputStream out =
        Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
      for (int i = 0; i < 100_000; i++) {
        out.write(bytes);
      }
    } catch (IOException full) {
      assertThat(full).hasMessageContaining("No space left on device");
    }
  }

  /** What gives a command mounts of its own; the test is skipped where nobody may have that. */
  private static List<String> mountNamespace() throws IOException, InterruptedException {
    List<List<String>> launchers =
        List.of(
            List.of("unshare", "--mount", "--propagation", "private"),
            List.of(
                "unshare",
                "--mount",
                "--map-current-user",
                "--keep-caps",
                "--propagation",
                "private"));
    StringBuilder refusals = new StringBuilder();
    for (List<String> launcher : launchers) {
      Shell tried = Shell.run(launcher, "mount -t tmpfs tmpfs /mnt");
      if (tried.exit() == 0) {
        return launcher;
      }
      refusals.append(tried.said());
    }
    return Assumptions.abort("no disk can be mounted here: " + refusals);
  }

  /** A command of bash, ended. */
  private record Shell(int exit, String said) {
    static Shell run(List<String> launcher, String command) throws InterruptedException {
      try {
        ProcessBuilder builder = new ProcessBuilder("bash", "-c", command);
        builder.command().addAll(0, launcher);
        Process process = builder.redirectErrorStream(true).start();
        String said = process.inputReader().readAllAsString();
        return new Shell(process.waitFor(), said);
      } catch (IOException e) {
        return new Shell(-1, e.toString());
      }
    }
  }

  /** A folder in which nobody may create a file, root included: by its permissions, or where these do not bind by an attribute. */
  private record ReadOnly(Path folder, String undone) {
    static ReadOnly make(Path folder) throws InterruptedException {
      StringBuilder refusals = new StringBuilder();
      for (List<String> way :
          List.of(List.of("chmod a-w", "chmod u+w"), List.of("chattr +i", "chattr -i"))) {
        Shell tried = Shell.run(NO_LAUNCHER, way.getFirst() + " '%s'".formatted(folder));
        ReadOnly made = new ReadOnly(folder, way.getLast());
        if (tried.exit() == 0 && !mayCreate(folder)) {
          return made;
        }
        refusals.append(way.getFirst()).append(": ").append(tried.said()).append("; ");
        made.undo();
      }
      return Assumptions.abort("no folder can be made read-only here: " + refusals);
    }

    private static boolean mayCreate(Path folder) {
      try {
        Files.delete(Files.createTempFile(folder, "may", ""));
        return true;
      } catch (IOException e) {
        return false;
      }
    }

    void undo() throws InterruptedException {
      var _ = Shell.run(NO_LAUNCHER, undone + " '%s'".formatted(folder));
    }
  }
}
