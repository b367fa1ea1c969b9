package io.penstock.app;

import io.penstock.pipeline.PartitionCursor;
import io.penstock.pipeline.Rejections;
import io.penstock.pipeline.Slot;
import io.penstock.trainer.SkippedRows;
import io.penstock.trainer.device.StepResult;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Base64;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.StreamWriteFeature;
import tools.jackson.core.json.JsonFactory;

/**
 * Rejected rows: counted by reason, and written to a file as one JSON line each, so that they can be looked at, mended and
 * fed again ({@link DeadLetterReplay}). So are rows that were accepted but not trained on, with their features. Each line has all that this takes, the header included, so that lines may be picked out
 * freely. The file is appended to, and moved aside where it is full. Where it cannot be written any more (a full disk) the run
 * goes on, rows are still counted, and {@link #failure} tells.
 */
final class DeadLetters implements Rejections, SkippedRows, AutoCloseable {
  static final int MAX_RAW_BYTES = 64 << 10;

  /** The reason of rows that were left out after a rollback. */
  static final String LEFT_OUT = "leftOut";

  /** Letters wait until they are so many bytes, or until {@link #flush}. */
  private static final int PENDING_BYTES = 8 << 10;

  private static final JsonFactory JSON =
      JsonFactory.builder().disable(StreamWriteFeature.AUTO_CLOSE_TARGET).build();

  private final List<String> sources;
  private final @Nullable RotatedFile file;
  private final ByteArrayOutputStream letter = new ByteArrayOutputStream();

  /** Whole lines: whoever reads the file meanwhile, or after a crash, finds no half ones. */
  private final ByteArrayOutputStream pending = new ByteArrayOutputStream();

  private final Map<Reason, LongAdder> counts = new EnumMap<>(Reason.class);
  private @Nullable OutputStream out;
  private long bytes;
  private RotatedFile.Deleted deleted = RotatedFile.Deleted.NONE;
  private @Nullable IOException failure;

  private DeadLetters(List<String> sources, @Nullable RotatedFile file) {
    this.sources = List.copyOf(sources);
    this.file = file;
    for (Reason reason : Reason.values()) {
      counts.put(reason, new LongAdder());
    }
  }

  /** Rows are only counted. */
  static DeadLetters countedOnly() {
    return new DeadLetters(List.of(), null);
  }

  /**
   * One file, however large it grows.
   *
   * @param sources names of the sources by their index
   * @throws StartException where the file cannot be written
   */
  static DeadLetters to(Path file, List<String> sources) {
    return to(new RotatedFile(file, Long.MAX_VALUE, 0), sources);
  }

  /**
   * A file, and those that are moved aside.
   *
   * @param sources names of the sources by their index
   * @throws StartException where the file cannot be written
   */
  static DeadLetters to(RotatedFile file, List<String> sources) {
    DeadLetters letters = new DeadLetters(sources, file);
    try {
      letters.open(file);
    } catch (IOException e) {
      throw new StartException(
          "errors.deadLetters: cannot write %s (%s); name a file that can be written, or leave the key out"
              .formatted(file.path(), Causes.of(e)),
          e);
    }
    return letters;
  }

  private void open(RotatedFile to) throws IOException {
    bytes = to.prepare();
    out = Files.newOutputStream(to.path(), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
  }

  @Override
  public void reject(
      PartitionCursor cursor,
      long row,
      Reason reason,
      String detail,
      byte[] raw,
      int from,
      int to) {
    if (file != null) {
      write(
          cursor.key(),
          row,
          name(reason),
          detail,
          json -> {
            if (!cursor.header().isEmpty()) {
              json.writeStringProperty("header", cursor.header());
            }
            boolean part = reason == Reason.TOO_LONG || detail.equals(TORN);
            writeRaw(json, raw, from, to, part);
          });
    }
    counter(reason).increment();
  }

  @Override
  public void skipped(Slot slot, StepResult result) {
    if (file == null) {
      return;
    }
    String detail =
        "minibatch %d not trained on: loss %s".formatted(slot.sequence(), result.loss());
    for (int i = 0; i < slot.validRows(); i++) {
      int row = i;
      write(
          slot.partition(row),
          slot.rowNumber(row),
          name(result.status()),
          detail,
          json -> writeFeatures(json, slot, row));
    }
  }

  private static void writeFeatures(JsonGenerator json, Slot slot, int row) {
    json.writeArrayPropertyStart("features");
    for (int feature = 0; feature < slot.layout().features(); feature++) {
      json.writeNumber(slot.feature(feature, row));
    }
    json.writeEndArray();
    json.writeNumberProperty("label", slot.label(row));
    json.writeNumberProperty("weight", slot.weight(row));
  }

  @Override
  public void leftOut(long partition, long row) {
    if (file != null) {
      write(partition, row, LEFT_OUT, "left out after a rollback", json -> {});
    }
  }

  @Override
  public long count() {
    long sum = 0;
    for (LongAdder counter : counts.values()) {
      sum += counter.sum();
    }
    return sum;
  }

  long count(Reason reason) {
    return counter(reason).sum();
  }

  /** Reasons that occurred, with their counts. */
  Map<Reason, Long> byReason() {
    Map<Reason, Long> found = new EnumMap<>(Reason.class);
    for (Reason reason : Reason.values()) {
      if (count(reason) > 0) {
        found.put(reason, count(reason));
      }
    }
    return found;
  }

  /** Where the rows are; null where they are only counted. */
  @Nullable Path file() {
    return file == null ? null : file.path();
  }

  /** Files that were deleted to make room for newer ones. */
  synchronized RotatedFile.Deleted deleted() {
    return deleted;
  }

  /** Why rows are no longer written, where that is so. */
  synchronized @Nullable IOException failure() {
    return failure;
  }

  /** Makes what was rejected so far visible in the file; called every now and then. */
  synchronized void flush() {
    if (out != null) {
      try {
        writePending(out);
      } catch (IOException e) {
        giveUp(e);
      }
    }
  }

  @Override
  public synchronized void close() {
    if (out != null) {
      try (OutputStream last = out) {
        writePending(last);
      } catch (IOException e) {
        failure = e;
      }
      out = null;
    }
  }

  /** The reason as it stands in files and meters. */
  static String name(Reason reason) {
    return switch (reason) {
      case COLUMN_COUNT -> "columnCount";
      case NUMBER -> "number";
      case FLAG -> "flag";
      case MISSING -> "missing";
      case LABEL -> "label";
      case WEIGHT -> "weight";
      case TIME -> "time";
      case TOO_LONG -> "tooLong";
      case SYNTAX -> "syntax";
      case UNKNOWN -> "unknown";
      case RANGE -> "range";
    };
  }

  /** Likewise, of a row whose step was not applied. */
  private static String name(StepResult.Status status) {
    return switch (status) {
      case APPLIED -> "applied";
      case NOT_FINITE -> "notFinite";
      case WEIGHTLESS -> "weightless";
      case SPIKE -> "lossSpike";
    };
  }

  /** Whether letters of that reason have no text of the row: it had been accepted. */
  static boolean isWithoutRow(String reason) {
    return reason.equals(LEFT_OUT)
        || Arrays.stream(StepResult.Status.values()).anyMatch(s -> name(s).equals(reason));
  }

  private LongAdder counter(Reason reason) {
    return Objects.requireNonNull(counts.get(reason));
  }

  /**
   * Writes a letter.
   *
   * @param partition {@link PartitionCursor#key()}
   * @param contents writes what there is of the row itself
   */
  private synchronized void write(
      long partition, long row, String reason, String detail, Consumer<JsonGenerator> contents) {
    if (out == null) {
      return;
    }
    try {
      letter.reset();
      try (JsonGenerator json = JSON.createGenerator(ObjectWriteContext.empty(), letter)) {
        json.writeStartObject();
        json.writeStringProperty("source", source(PartitionCursor.source(partition)));
        json.writeNumberProperty("partition", PartitionCursor.partition(partition));
        json.writeNumberProperty("row", row);
        json.writeStringProperty("reason", reason);
        json.writeStringProperty("detail", detail);
        contents.accept(json);
        json.writeEndObject();
      }
      letter.write('\n');
      append(Objects.requireNonNull(file));
    } catch (IOException e) {
      giveUp(e);
    } catch (tools.jackson.core.JacksonException e) {
      giveUp(new IOException(e));
    }
  }

  private void append(RotatedFile to) throws IOException {
    if (bytes > 0 && bytes + letter.size() > to.maxBytes()) {
      try (OutputStream full = Objects.requireNonNull(out)) {
        writePending(full);
      }
      deleted = deleted.plus(to.moveAside());
      open(to);
    }
    letter.writeTo(pending);
    bytes += letter.size();
    if (pending.size() >= PENDING_BYTES) {
      writePending(Objects.requireNonNull(out));
    }
  }

  private void writePending(OutputStream to) throws IOException {
    pending.writeTo(to);
    pending.reset();
  }

  /**
   * Writes the row.
   *
   * @param part whether not all of it is there to be written
   */
  private static void writeRaw(JsonGenerator json, byte[] raw, int from, int to, boolean part) {
    boolean cut = to - from > MAX_RAW_BYTES;
    int end = cut ? from + MAX_RAW_BYTES : to;
    String text = utf8(raw, from, cut ? characterStart(raw, from, end) : end);
    if (text != null) {
      json.writeStringProperty("raw", text);
    } else {
      json.writeStringProperty(
          "rawBase64", Base64.getEncoder().encodeToString(Arrays.copyOfRange(raw, from, end)));
    }
    if (cut || part) {
      json.writeBooleanProperty("rawCut", true);
    }
  }

  /** Moves a cut back so that it does not split a character. */
  private static int characterStart(byte[] raw, int from, int end) {
    int at = end;
    while (at > from && end - at < 4 && (raw[at] & 0xc0) == 0x80) {
      at--;
    }
    return at;
  }

  private static @Nullable String utf8(byte[] raw, int from, int to) {
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(ByteBuffer.wrap(raw, from, to - from))
          .toString();
    } catch (CharacterCodingException notUtf8) {
      return null;
    }
  }

  private String source(int index) {
    return index >= 0 && index < sources.size() ? sources.get(index) : Integer.toString(index);
  }

  private void giveUp(IOException e) {
    failure = e;
    out = null;
  }
}
