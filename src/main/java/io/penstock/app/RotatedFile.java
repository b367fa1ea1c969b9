package io.penstock.app;

import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * A file of lines that is moved aside when it is full: to {@code FILE.1}, what was there to {@code FILE.2}, and so on.
 *
 * @param path of the file that is written to
 * @param maxBytes that it has at most, a longer line alone excepted
 * @param keep how many files stay beside it
 */
record RotatedFile(Path path, long maxBytes, int keep) {

  /**
   * What was deleted.
   *
   * @param lines in those files
   */
  record Deleted(int files, long lines) {
    static final Deleted NONE = new Deleted(0, 0);

    Deleted plus(Deleted more) {
      return new Deleted(files + more.files, lines + more.lines);
    }
  }

  /** Makes the folder, and ends a line that a crash has cut off; returns the file's size. */
  long prepare() throws IOException {
    Path folder = path.toAbsolutePath().getParent();
    if (folder != null) {
      Files.createDirectories(folder);
    }
    if (!Files.isRegularFile(path) || Files.size(path) == 0) {
      return 0;
    }
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      file.seek(file.length() - 1);
      if (file.read() != '\n') {
        file.write('\n');
      }
      return file.length();
    }
  }

  /** Moves the file aside, and deletes those beyond what is to be kept. */
  Deleted moveAside() throws IOException {
    Deleted deleted = Deleted.NONE;
    for (Map.Entry<Integer, Path> old : aside(path).descendingMap().entrySet()) {
      deleted = deleted.plus(move(old.getValue(), old.getKey() + 1));
    }
    return deleted.plus(move(path, 1));
  }

  private Deleted move(Path from, int number) throws IOException {
    if (!Files.exists(from)) {
      return Deleted.NONE; // somebody else has taken it away
    }
    if (number <= keep) {
      Files.move(from, numbered(number), StandardCopyOption.REPLACE_EXISTING);
      return Deleted.NONE;
    }
    long lines = lines(from);
    Files.delete(from);
    return new Deleted(1, lines);
  }

  private Path numbered(int number) {
    return path.resolveSibling(path.getFileName() + "." + number);
  }

  /** The files that were moved aside, by their numbers: the higher, the older. */
  static NavigableMap<Integer, Path> aside(Path path) throws IOException {
    NavigableMap<Integer, Path> found = new TreeMap<>();
    String prefix = path.getFileName() + ".";
    Path folder = path.toAbsolutePath().getParent();
    try (Stream<Path> files = Files.list(folder == null ? Path.of("/") : folder)) {
      files.forEach(
          file -> {
            String name = file.getFileName().toString();
            String number = name.startsWith(prefix) ? name.substring(prefix.length()) : "";
            if (number.matches("[1-9]\\d{0,8}")) {
              found.put(Integer.valueOf(number), path.resolveSibling(name));
            }
          });
    }
    return found;
  }

  private static long lines(Path file) throws IOException {
    long lines = 0;
    byte[] buffer = new byte[1 << 16];
    try (InputStream in = Files.newInputStream(file)) {
      for (int length = in.read(buffer); length >= 0; length = in.read(buffer)) {
        for (int i = 0; i < length; i++) {
          lines += buffer[i] == '\n' ? 1 : 0;
        }
      }
    }
    return lines;
  }
}
