package io.penstock.ingest.codec;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.penstock.config.FormatConfig;
import io.penstock.ingest.codec.RecordedRejections.Rejected;
import io.penstock.ingest.codec.RowDecoder.Progress;
import io.penstock.pipeline.Block;
import io.penstock.pipeline.BlockPool;
import io.penstock.pipeline.BlockSchema;
import io.penstock.pipeline.BlockSchema.Column;
import io.penstock.pipeline.BlockSchema.Kind;
import io.penstock.pipeline.BlockSchema.Label;
import io.penstock.pipeline.PartitionCursor;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** The decoder where each line is a row: what a sender can number without knowing about quotes. */
class LinesDecoderTest {
  private static final int MAX_LINE_BYTES = 80;
  private static final FormatConfig.Csv CSV = new FormatConfig.Csv(true, ",", List.of(), List.of());
  private static final BlockSchema SCHEMA =
      new BlockSchema(
          List.of(new Column("a", Kind.NUMBER, false), new Column("c", Kind.CATEGORY, false)),
          new Label("y", 0, List.of()),
          "",
          "");

  private record Decoded(
      List<Long> rows, List<Long> rejected, long next, boolean complete, boolean overrun) {}

  @Test
  void shouldNumberLinesFromTheFirstWhateverTheirQuotes() {
    Decoded decoded = decode("1,x,1\n2,\"un\nclosed\",1\n3,\"q, \"\"r\"\"\",1\r\n", 100, 1 << 20);
    assertThat(decoded.rows).containsExactly(100L, 103L);
    assertThat(decoded.rejected).containsExactly(101L, 102L);
    assertThat(decoded.next).isEqualTo(104);
    assertThat(decoded.complete).isFalse();
  }

  @Test
  void shouldNotTakeForARowWhatHasNoLineEnd() {
    Decoded decoded = decode("1,x,1\n2,x,1", 0, 1 << 20);
    assertThat(decoded.rows).containsExactly(0L);
    assertThat(decoded.rejected).isEmpty();
    assertThat(decoded.next).isEqualTo(1);
  }

  @Test
  void shouldNotCountAnOverlongLineBeforeItsEnd() {
    String torn = "1,x,1\n" + "z".repeat(100_000);
    assertThat(decode(torn, 0, 1000).next).isEqualTo(1);
    Decoded whole = decode(torn + "\n5,x,1\n", 0, 1000);
    assertThat(whole.rejected).containsExactly(1L);
    assertThat(whole.rows).containsExactly(0L, 2L);
  }

  @Test
  void shouldEndAtAnEmptyLine() {
    Decoded decoded = decode("1,x,1\n\r\n\n\n", 0, 1 << 20);
    assertThat(decoded).isEqualTo(new Decoded(List.of(0L), List.of(), 1, true, false));
    assertThat(decode("1,x,1\n\n2,x,1\n", 0, 1 << 20))
        .isEqualTo(new Decoded(List.of(0L), List.of(), 1, true, true));
    assertThat(decode("\n", 7, 1).next).isEqualTo(7);
  }

  /** However the bytes are cut, and wherever in them a sender begins anew. */
  @Test
  void shouldNumberEveryLineAsTheSenderDoes() {
    SplittableRandom random = new SplittableRandom(5);
    for (int i = 0; i < 400; i++) {
      List<String> lines = new ArrayList<>();
      int count = random.nextInt(1, 40);
      for (int line = 0; line < count; line++) {
        lines.add(line(random));
      }
      Decoded whole = decode(String.join("\n", lines) + "\n\n", 0, 1 << 20);
      assertThat(whole.next).as("%s", lines).isEqualTo(count);
      assertThat(whole.complete).isTrue();
      assertThat(whole.rows.size() + whole.rejected.size()).isEqualTo(count);

      int from = random.nextInt(count);
      String rest = String.join("\n", lines.subList(from, count)) + "\n\n";
      Decoded again = decode(rest, from, random.nextInt(1, 60));
      assertThat(again.rows).isEqualTo(whole.rows.stream().filter(row -> row >= from).toList());
      assertThat(again.rejected)
          .isEqualTo(whole.rejected.stream().filter(row -> row >= from).toList());
    }
  }

  private static String line(SplittableRandom random) {
    return switch (random.nextInt(6)) {
      case 0 -> "1,\"quoted, \"\"twice\"\"\",3";
      case 1 -> "2,\"never closed,3";
      case 2 -> "w".repeat(random.nextInt(1, 3 * MAX_LINE_BYTES));
      case 3 -> " ";
      default -> random.nextInt(1000) + ",city,2";
    };
  }

  @Test
  void shouldAllocateNothingARow() {
    byte[] text = "1.5,x,3\n".repeat(1000).getBytes(StandardCharsets.UTF_8);
    ByteBuf bytes = Unpooled.wrappedBuffer(text);
    try (BlockPool pool = Decoding.pool(SCHEMA, 1024, 4)) {
      RowDecoder decoder = decoder(pool, new RecordedRejections(), 0, 1000);
      Decoding.decodeAndRelease(decoder, bytes, 20);
      long before = Decoding.allocatedBytes();
      Decoding.decodeAndRelease(decoder, bytes, 50);
      assertThat(Decoding.allocatedBytes() - before).as("bytes for 50000 rows").isLessThan(50_000);
    }
    bytes.release();
  }

  private static RowDecoder decoder(
      BlockPool pool, RecordedRejections rejections, long first, int maxLineBytes) {
    return RowDecoder.ofLines(
        CSV,
        List.of("a", "c", "y"),
        SCHEMA,
        new ClassNumbering(),
        new PartitionCursor(0, 0, 0, 0),
        first,
        Decoding.context(pool, rejections),
        maxLineBytes);
  }

  private static Decoded decode(String text, long first, int readBytes) {
    RecordedRejections rejections = new RecordedRejections();
    List<Long> rows = new ArrayList<>();
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    try (BlockPool pool = Decoding.pool(SCHEMA, 7, 4)) {
      RowDecoder decoder = decoder(pool, rejections, first, MAX_LINE_BYTES);
      long next = first;
      for (int at = 0; at <= bytes.length; at += readBytes) {
        int length = Math.min(readBytes, bytes.length - at);
        next = drain(decoder, Unpooled.wrappedBuffer(bytes, at, length), rows, next);
      }
      decoder.finish();
      next = drain(decoder, Unpooled.EMPTY_BUFFER, rows, next);
      return new Decoded(
          rows,
          rejections.rows().stream().map(Rejected::row).toList(),
          next,
          decoder.isComplete(),
          decoder.isOverrun());
    }
  }

  private static long drain(RowDecoder decoder, ByteBuf in, List<Long> rows, long before) {
    long next = before;
    boolean full = true;
    while (full) {
      full = decoder.decode(in, 1) == Progress.BLOCK_FULL;
      Block block = decoder.takeBlock();
      if (block != null) {
        Decoding.rows(block).forEach(row -> rows.add(row.number()));
        assertThat(block.nextOffset()).isEqualTo(block.nextRow());
        next = block.nextRow();
        block.release();
      }
    }
    return next;
  }
}
