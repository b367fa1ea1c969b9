package io.penstock.app.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/** What checkpoints ask of the file system: the moments at which it may fail or the process may die. */
public interface Disk {
  /** The file system itself. */
  Disk REAL = new Disk() {};

  /** Opens a file for reading. */
  default FileChannel open(Path file) throws IOException {
    return FileChannel.open(file, StandardOpenOption.READ);
  }

  /** Opens a file for writing, empty. */
  default FileChannel create(Path file) throws IOException {
    return FileChannel.open(
        file,
        StandardOpenOption.CREATE,
        StandardOpenOption.WRITE,
        StandardOpenOption.TRUNCATE_EXISTING);
  }

  /** Writes all that remains in the buffer. */
  default void write(FileChannel file, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      file.write(bytes);
    }
  }

  /** Returns when the file's bytes are on the medium. */
  default void force(FileChannel file) throws IOException {
    file.force(true);
  }

  /** Gives a file its final name, at once. */
  default void move(Path from, Path to) throws IOException {
    Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  /** Returns when the folder's names are on the medium. */
  default void forceNames(Path folder) throws IOException {
    try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  /** Deletes a file that is no longer wanted. */
  default void delete(Path file) throws IOException {
    Files.deleteIfExists(file);
  }
}
