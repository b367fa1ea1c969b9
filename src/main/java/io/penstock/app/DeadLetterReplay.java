package io.penstock.app;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.penstock.pipeline.Rejections;
import io.penstock.pipeline.Rejections.Reason;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The rows of dead letters, to be sent again as they came, behind the header that they came under. Files are read as long as
 * they were when this was made: a run that rejects the rows once more appends them to the same file. Not thread-safe.
 */
final class DeadLetterReplay implements AutoCloseable {
  private static final JsonMapper JSON = JsonMapper.shared();
  private static final int BUFFER_BYTES = 1 << 16;

  private final List<Opened> files;
  private final Map<String, Long> rowsByHeader = new LinkedHashMap<>();
  private long cut;
  private long withoutRow;
  private long unreadable;

  /** A file as it was when it was opened; moved aside or deleted since, it can still be read. */
  private record Opened(FileChannel channel, long bytes) {
    BufferedReader reader() {
      return new BufferedReader(new InputStreamReader(new FileBytes(this), UTF_8), BUFFER_BYTES);
    }
  }

  /** A line. */
  private static final class Letter {
    private final String header;
    private final byte @Nullable [] row;
    private final boolean withoutRow;

    /** Of a row that was accepted: its text was no longer there when it turned out that it is not trained on. */
    static Letter withoutRow() {
      return new Letter("", null, true);
    }

    /**
     * @param header empty: the row came under none
     * @param row null: there is only a part of it
     */
    Letter(String header, byte @Nullable [] row) {
      this(header, row, false);
    }

    private Letter(String header, byte @Nullable [] row, boolean withoutRow) {
      this.header = header;
      this.row = row;
      this.withoutRow = withoutRow;
    }

    boolean isWithoutRow() {
      return withoutRow;
    }

    String header() {
      return header;
    }

    byte @Nullable [] row() {
      return row;
    }
  }

  private DeadLetterReplay(List<Opened> files) throws IOException {
    this.files = files;
    for (Opened file : files) {
      BufferedReader lines = file.reader();
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        count(line);
      }
    }
  }

  private void count(String line) {
    if (line.isBlank()) {
      return;
    }
    Optional<Letter> letter = letter(line);
    if (letter.isEmpty()) {
      unreadable++;
    } else if (letter.get().isWithoutRow()) {
      withoutRow++;
    } else if (letter.get().row() == null) {
      cut++;
    } else {
      rowsByHeader.merge(letter.get().header(), 1L, Long::sum);
    }
  }

  /**
   * The dead letters in a file and, before them, in those that were moved aside from it; nothing where it holds something else.
   *
   * @throws IOException where they cannot be read
   */
  static Optional<DeadLetterReplay> of(Path path) throws IOException {
    List<Path> paths = new ArrayList<>(RotatedFile.aside(path).descendingMap().values());
    paths.add(path);
    paths.removeIf(file -> !Files.isRegularFile(file));
    if (!begins(path)
        && (Files.size(path) > 0 || paths.stream().noneMatch(DeadLetterReplay::begins))) {
      return Optional.empty();
    }
    List<Opened> opened = new ArrayList<>();
    try {
      for (Path file : paths) {
        if (begins(file)) {
          FileChannel channel = FileChannel.open(file);
          opened.add(new Opened(channel, channel.size()));
        }
      }
      return Optional.of(new DeadLetterReplay(opened));
    } catch (IOException e) {
      close(opened);
      throw e;
    }
  }

  /** Whether the first line is a dead letter. */
  private static boolean begins(Path path) {
    try (InputStream in = Files.newInputStream(path)) {
      if (in.read() != '{') {
        return false;
      }
      BufferedReader lines = new BufferedReader(new InputStreamReader(in, UTF_8), BUFFER_BYTES);
      String rest = lines.readLine();
      return rest != null && letter("{" + rest).isPresent();
    } catch (IOException e) {
      return false;
    }
  }

  private static Optional<Letter> letter(String line) {
    JsonNode json;
    try {
      json = JSON.readTree(line);
    } catch (JacksonException e) {
      return Optional.empty();
    }
    JsonNode text = json.path("raw");
    JsonNode bytes = json.path("rawBase64");
    if (!json.path("source").isString()
        || !json.path("partition").isNumber()
        || !json.path("row").isNumber()
        || !json.path("reason").isString()) {
      return Optional.empty();
    }
    if (DeadLetters.isWithoutRow(json.path("reason").asString())) {
      return Optional.of(Letter.withoutRow());
    }
    if (!(text.isString() || bytes.isString())) {
      return Optional.empty();
    }
    boolean part =
        json.path("rawCut").asBoolean(false)
            || json.path("reason").asString().equals(DeadLetters.name(Reason.TOO_LONG))
            || json.path("detail").asString("").equals(Rejections.TORN);
    try {
      byte[] row =
          text.isString()
              ? text.asString().getBytes(UTF_8)
              : Base64.getDecoder().decode(bytes.asString());
      return Optional.of(new Letter(json.path("header").asString(""), part ? null : row));
    } catch (IllegalArgumentException notBase64) {
      return Optional.empty();
    }
  }

  /** Headers that rows came under, empty for none, with the number of their rows. */
  Map<String, Long> rowsByHeader() {
    return Collections.unmodifiableMap(rowsByHeader);
  }

  /** Rows that can be sent. */
  long rows() {
    return rowsByHeader.values().stream().mapToLong(Long::longValue).sum();
  }

  /** A header, where there is one, and all rows that came under it, a line each. */
  InputStream lines(String header) {
    return new Rows(header);
  }

  /** What can be sent and what cannot, for people. */
  String note() {
    List<String> not = new ArrayList<>();
    if (cut > 0) {
      not.add("%s of which only a part was kept".formatted(Texts.count(cut, "row")));
    }
    if (withoutRow > 0) {
      not.add(
          "%s that were accepted but not trained on, kept without their text"
              .formatted(Texts.count(withoutRow, "row")));
    }
    if (unreadable > 0) {
      not.add("%s that cannot be read".formatted(Texts.count(unreadable, "line")));
    }
    return "dead letters of %s: %s to send%s%s"
        .formatted(
            Texts.count(files.size(), "file"),
            Texts.count(rows(), "row"),
            rowsByHeader.size() > 1
                ? " under %s, a connection each"
                    .formatted(Texts.count(rowsByHeader.size(), "header"))
                : "",
            not.isEmpty() ? "" : "; not sent: " + String.join(", ", not));
  }

  @Override
  public void close() {
    close(files);
  }

  private static void close(List<Opened> files) {
    for (Opened file : files) {
      try {
        file.channel().close();
      } catch (IOException e) {
        // It was only read.
      }
    }
  }

  /** The lines to send, made as they are wanted. */
  private final class Rows extends InputStream {
    private final String header;
    private final Deque<Opened> left = new ArrayDeque<>(files);
    private @Nullable BufferedReader lines;
    private byte[] line;
    private int at;

    Rows(String header) {
      this.header = header;
      line = header.isEmpty() ? new byte[0] : (header + "\n").getBytes(UTF_8);
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] to, int from, int length) throws IOException {
      while (at == line.length) {
        byte[] next = next();
        if (next == null) {
          return -1;
        }
        line = next;
        at = 0;
      }
      int count = Math.min(length, line.length - at);
      System.arraycopy(line, at, to, from, count);
      at += count;
      return count;
    }

    private byte @Nullable [] next() throws IOException {
      while (true) {
        if (lines == null) {
          if (left.isEmpty()) {
            return null;
          }
          lines = left.remove().reader();
        }
        String text = lines.readLine();
        if (text == null) {
          lines = null;
          continue;
        }
        Letter letter = letter(text).orElse(null);
        if (letter != null && letter.row() != null && letter.header().equals(header)) {
          byte[] row = Arrays.copyOf(letter.row(), letter.row().length + 1);
          row[row.length - 1] = '\n';
          return row;
        }
      }
    }
  }

  /** The bytes of a file up to where it ended when it was opened. */
  private static final class FileBytes extends InputStream {
    private final Opened file;
    private long position;

    FileBytes(Opened file) {
      this.file = file;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] to, int from, int length) throws IOException {
      int most = (int) Math.min(length, file.bytes() - position);
      int count = most == 0 ? -1 : file.channel().read(ByteBuffer.wrap(to, from, most), position);
      position += Math.max(0, count);
      return count;
    }
  }
}
