package io.penstock.app;

import io.penstock.app.checkpoint.Disk;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * A disk in whose use the process dies, as in a power cut: bytes that were not forced are lost, names that were not forced are
 * the old ones.
 */
final class MortalDisk implements Disk {
  /** The exit code of the death. */
  static final int EXIT = 77;

  private final Death death;
  private final Map<FileChannel, Path> open = new HashMap<>();
  private final Set<Path> unforced = new HashSet<>();
  private final Map<Path, Path> unforcedNames = new HashMap<>();
  private int times;

  /** What the process dies in. */
  enum Moment {
    /** Before a checkpoint is read. */
    OPEN,
    /** A run is restored, nothing of it has begun. */
    RESTORED,
    CREATE,
    /** Half of the bytes are written. */
    WRITE,
    FORCE,
    MOVE,
    /** The file has its name, but the folder may not know. */
    FORCE_NAMES,
    DELETE
  }

  /**
   * When the process dies.
   *
   * @param time the how manieth such moment, from 1
   */
  record Death(Moment moment, int time) {
    static Death parse(String text) {
      String[] parts = text.split(":", 2);
      return new Death(
          Moment.valueOf(parts[0].toUpperCase(Locale.ROOT)), Integer.parseInt(parts[1]));
    }

    @Override
    public String toString() {
      return moment.name().toLowerCase(Locale.ROOT) + ":" + time;
    }
  }

  MortalDisk(Death death) {
    this.death = death;
  }

  /** Dies if it is time to; what is called on every moment. */
  void at(Moment moment) {
    if (isTime(moment)) {
      die();
    }
  }

  private synchronized boolean isTime(Moment moment) {
    return moment == death.moment() && ++times == death.time();
  }

  private void die() {
    try {
      for (Path file : unforced) {
        loseHalf(file);
      }
      for (Map.Entry<Path, Path> moved : unforcedNames.entrySet()) {
        Files.move(moved.getValue(), moved.getKey(), StandardCopyOption.REPLACE_EXISTING);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      Runtime.getRuntime().halt(EXIT);
    }
  }

  private static void loseHalf(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.truncate(channel.size() / 2);
    }
  }

  @Override
  public FileChannel open(Path file) throws IOException {
    at(Moment.OPEN);
    return Disk.super.open(file);
  }

  @Override
  public FileChannel create(Path file) throws IOException {
    at(Moment.CREATE);
    FileChannel channel = Disk.super.create(file);
    open.put(channel, file);
    unforced.add(file);
    return channel;
  }

  @Override
  public void write(FileChannel file, ByteBuffer bytes) throws IOException {
    if (isTime(Moment.WRITE)) {
      Disk.super.write(file, bytes.slice(bytes.position(), bytes.remaining() / 2));
      die();
    }
    Disk.super.write(file, bytes);
  }

  @Override
  public void force(FileChannel file) throws IOException {
    at(Moment.FORCE);
    Disk.super.force(file);
    unforced.remove(open.remove(file));
  }

  @Override
  public void move(Path from, Path to) throws IOException {
    at(Moment.MOVE);
    Disk.super.move(from, to);
    if (unforced.remove(from)) {
      unforced.add(to);
    }
    unforcedNames.put(from, to);
  }

  @Override
  public void forceNames(Path folder) throws IOException {
    at(Moment.FORCE_NAMES);
    Disk.super.forceNames(folder);
    unforcedNames.clear();
  }

  @Override
  public void delete(Path file) throws IOException {
    at(Moment.DELETE);
    Disk.super.delete(file);
  }
}
