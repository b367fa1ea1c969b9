package io.penstock.app.checkpoint;

import io.penstock.pipeline.State;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The checkpoints of one run in a folder: {@code checkpoint-000000000007.safetensors} and so on, the newest {@code keep} of them,
 * and {@code lock}, which dies with the process that holds it. Not thread-safe.
 */
public final class CheckpointDirectory implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(CheckpointDirectory.class);
  private static final Pattern NAME = Pattern.compile("checkpoint-(\\d{12})\\.safetensors");
  private static final String PART = ".checkpoint.part";

  private final Path folder;
  private final int keep;
  private final Disk disk;
  private final FileChannel lock;

  /** What a later run may go on from, the oldest first. */
  private final Deque<Kept> kept = new ArrayDeque<>();

  private record Kept(Path file, State positions) {}

  /**
   * A checkpoint as it was written.
   *
   * @param bytes of the file
   */
  public record Written(Path file, long bytes) {}

  /**
   * Makes the folder where it is missing, and takes its lock.
   *
   * @param keep checkpoints that stay, at least 1
   * @throws CheckpointException where it cannot be used, or another run uses it
   */
  public CheckpointDirectory(Path folder, int keep, Disk disk) {
    this.folder = folder;
    this.keep = keep;
    this.disk = disk;
    try {
      Files.createDirectories(folder);
      lock =
          FileChannel.open(
              folder.resolve("lock"),
              StandardOpenOption.CREATE,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE);
    } catch (IOException e) {
      throw unusable(folder, e);
    }
    try {
      take(lock, folder);
    } catch (IOException e) {
      close();
      throw unusable(folder, e);
    } catch (CheckpointException e) {
      close();
      throw e;
    }
  }

  private static CheckpointException unusable(Path folder, IOException why) {
    return new CheckpointException(
        "checkpoint.directory: %s cannot be used (%s); name a folder that this user may write to"
            .formatted(folder, why),
        why);
  }

  private static void take(FileChannel lock, Path folder) throws IOException {
    FileLock taken;
    try {
      taken = lock.tryLock();
    } catch (OverlappingFileLockException e) {
      taken = null;
    }
    ByteBuffer owner = ByteBuffer.allocate(20);
    if (taken == null) {
      lock.read(owner, 0);
      throw new CheckpointException(
          "checkpoint.directory: %s is in use by another run (process %s); stop that, or name another folder"
              .formatted(
                  folder,
                  new String(owner.array(), 0, owner.position(), StandardCharsets.US_ASCII)));
    }
    lock.truncate(0);
    lock.write(
        ByteBuffer.wrap(
            Long.toString(ProcessHandle.current().pid()).getBytes(StandardCharsets.US_ASCII)),
        0);
  }

  /** The files in a folder, the oldest first. */
  public static List<Path> files(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(file -> NAME.matcher(file.getFileName().toString()).matches())
          .sorted(Comparator.comparingLong(CheckpointDirectory::number))
          .toList();
    } catch (IOException e) {
      throw unusable(folder, e);
    }
  }

  private static long number(Path file) {
    Matcher matcher = NAME.matcher(file.getFileName().toString());
    return matcher.matches() ? Long.parseLong(matcher.group(1)) : -1;
  }

  /**
   * A checkpoint from a file, or the newest whole one of a folder.
   *
   * @throws CheckpointException where there is none
   */
  public static Checkpoint read(Path path) {
    if (!Files.isDirectory(path)) {
      return Checkpoint.read(Disk.REAL, path);
    }
    return newest(files(path), Disk.REAL)
        .orElseThrow(() -> new CheckpointException("%s: has no checkpoint".formatted(path)));
  }

  /**
   * The newest checkpoint that is whole; none where there are none at all. Damaged ones are named in the log.
   *
   * @throws CheckpointException where there are some, but none is whole
   */
  public Optional<Checkpoint> resume() {
    List<Path> files = files(folder);
    Optional<Checkpoint> newest = newest(files, disk);
    newest.ifPresent(
        checkpoint -> {
          for (Path file : files) {
            if (number(file) < checkpoint.number()) {
              remember(file);
            }
          }
          kept.add(new Kept(file(checkpoint.number()), checkpoint.state().withoutMatrices()));
        });
    return newest;
  }

  private void remember(Path file) {
    try {
      kept.add(new Kept(file, Checkpoint.read(disk, file).state().withoutMatrices()));
    } catch (CheckpointException e) {
      LOG.warn("{}", e.getMessage());
    }
  }

  private static Optional<Checkpoint> newest(List<Path> files, Disk disk) {
    Optional<Checkpoint> newest = firstWhole(files.reversed(), disk);
    if (newest.isPresent() || files.isEmpty()) {
      return newest;
    }
    throw new CheckpointException(
        "checkpoint.directory: of %d checkpoints in %s none is whole; put one back, or begin anew with --fresh"
            .formatted(files.size(), files.getFirst().getParent()));
  }

  /** The first that is whole; damaged ones are named in the log. */
  private static Optional<Checkpoint> firstWhole(List<Path> files, Disk disk) {
    for (Path file : files) {
      try {
        return Optional.of(Checkpoint.read(disk, file));
      } catch (CheckpointException e) {
        LOG.warn("{}; going on to the one before", e.getMessage());
      }
    }
    return Optional.empty();
  }

  /** Moves all checkpoints out of the way, into a folder of their own, which is returned; a run begins anew. */
  public Path supersede() {
    kept.clear();
    List<Path> files = files(folder);
    if (files.isEmpty()) {
      return folder;
    }
    Path old = folder.resolve("superseded-%012d".formatted(number(files.getLast())));
    try {
      Files.createDirectories(old);
      for (Path file : files) {
        disk.move(file, old.resolve(file.getFileName()));
      }
    } catch (IOException e) {
      throw unusable(folder, e);
    }
    LOG.info("the checkpoints of the run before are in {}", old);
    return old;
  }

  /** The number of the next checkpoint. */
  public long nextNumber() {
    List<Path> files = files(folder);
    return files.isEmpty() ? 1 : number(files.getLast()) + 1;
  }

  /**
   * Writes a checkpoint, so that it is there whole or not at all, then deletes those beyond what is to be kept.
   *
   * @throws IOException where that fails; those from before are as they were
   */
  public Written write(Checkpoint checkpoint) throws IOException {
    Path part = folder.resolve(PART);
    Path file = file(checkpoint.number());
    long bytes;
    try (FileChannel channel = disk.create(part)) {
      bytes = checkpoint.write(disk, channel);
      disk.force(channel);
    } catch (IOException e) {
      deletePart(part, e);
      throw e;
    }
    disk.move(part, file);
    disk.forceNames(folder);
    kept.add(new Kept(file, checkpoint.state().withoutMatrices()));
    prune();
    return new Written(file, bytes);
  }

  /** A full disk has room again for what others write. */
  private void deletePart(Path part, IOException why) {
    try {
      disk.delete(part);
    } catch (IOException e) {
      why.addSuppressed(e);
    }
  }

  private void prune() throws IOException {
    while (kept.size() > keep) {
      kept.remove();
    }
    // Damaged ones among them as well: what is older than all that are kept.
    long oldest = number(kept.getFirst().file());
    List<Path> old = new ArrayList<>(files(folder));
    old.removeIf(file -> number(file) >= oldest);
    for (Path file : old) {
      disk.delete(file);
    }
  }

  /** The state, but for its matrices, of the oldest checkpoint that a run may go on from: nothing before it is asked for again. */
  public Optional<State> oldest() {
    return Optional.ofNullable(kept.peekFirst()).map(Kept::positions);
  }

  /**
   * The newest checkpoint of those that {@code fits} says yes to, by their state without matrices; where there is none, the
   * oldest. Damaged ones are named in the log. All that are newer are deleted: the run is to go on from there another way.
   *
   * @throws CheckpointException where none is whole
   */
  public Checkpoint goBack(Predicate<State> fits) {
    List<Kept> candidates = new ArrayList<>(kept);
    Collections.reverse(candidates);
    List<Kept> wanted = new ArrayList<>(candidates);
    wanted.removeIf(candidate -> !fits.test(candidate.positions()));
    candidates.removeAll(wanted);
    wanted.addAll(candidates.reversed());
    Checkpoint found =
        firstWhole(wanted.stream().map(Kept::file).toList(), disk)
            .orElseThrow(
                () ->
                    new CheckpointException(
                        "checkpoint.directory: no checkpoint in %s is whole".formatted(folder)));
    forgetAfter(found.number());
    return found;
  }

  private void forgetAfter(long number) {
    while (number(kept.getLast().file()) > number) {
      Path file = kept.removeLast().file();
      try {
        disk.delete(file);
      } catch (IOException e) {
        LOG.warn("{}: cannot be deleted ({})", file, e.toString());
      }
    }
  }

  private Path file(long number) {
    return file(folder, number);
  }

  /** Where a folder has the checkpoint of that number. */
  public static Path file(Path folder, long number) {
    return folder.resolve("checkpoint-%012d.safetensors".formatted(number));
  }

  /** Lets another run have the folder. */
  @Override
  public void close() {
    try {
      lock.close();
    } catch (IOException e) {
      LOG.warn("{}: the lock could not be closed", folder, e);
    }
  }
}
