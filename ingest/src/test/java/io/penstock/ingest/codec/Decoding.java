package io.penstock.ingest.codec;

import com.sun.management.ThreadMXBean;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.penstock.config.FormatConfig;
import io.penstock.ingest.codec.RowDecoder.Progress;
import io.penstock.pipeline.Block;
import io.penstock.pipeline.BlockLayout;
import io.penstock.pipeline.BlockPool;
import io.penstock.pipeline.BlockSchema;
import io.penstock.pipeline.BlockSchema.Column;
import io.penstock.pipeline.PartitionCursor;
import io.penstock.pipeline.Rejections;
import io.penstock.pipeline.SourceContext;
import io.penstock.pipeline.StageMeter;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.IntSupplier;
import org.agrona.concurrent.SystemEpochNanoClock;

/** What tests need to run a decoder and to look at what came out. */
public final class Decoding {

  /**
   * A decoded row, bit for bit.
   *
   * @param features bits of the float, or the category's hash
   * @param label bits of the float
   */
  public record Row(long number, List<Long> features, int label, int weight, long time) {}

  /** All that one document gave, and where the partition stands behind it. */
  public record Result(
      List<Row> rows,
      List<RecordedRejections.Rejected> rejected,
      long nextRow,
      long nextOffset,
      int held) {}

  private Decoding() {}

  public static SourceContext context(BlockPool pool, Rejections rejections) {
    return new SourceContext(
        0, 1, pool, rejections, new SystemEpochNanoClock(), new StageMeter("ingest"), Map.of());
  }

  public static BlockPool pool(BlockSchema schema, int rows, int blocks) {
    BlockLayout layout = new BlockLayout(schema, rows);
    return new BlockPool(layout, layout.byteSize() * blocks);
  }

  public static Result decode(BlockSchema schema, FormatConfig format, String document) {
    return decode(
        schema, format, document.getBytes(StandardCharsets.UTF_8), 1 << 20, () -> 1 << 20);
  }

  /** Decodes a document handed over in reads of the lengths that {@code reads} gives. */
  public static Result decode(
      BlockSchema schema,
      FormatConfig format,
      byte[] document,
      int maxLineBytes,
      IntSupplier reads) {
    RecordedRejections rejections = new RecordedRejections();
    List<Row> rows = new ArrayList<>();
    PartitionCursor cursor = new PartitionCursor(0, 0, 0, 0);
    long[] next = new long[2];
    try (BlockPool pool = pool(schema, 7, 4)) {
      RowDecoder decoder =
          RowDecoder.of(
              format,
              schema,
              new ClassNumbering(),
              cursor,
              context(pool, rejections),
              maxLineBytes);
      int at = 0;
      while (at < document.length) {
        int length = Math.min(document.length - at, reads.getAsInt());
        drain(decoder, Unpooled.wrappedBuffer(document, at, length), rows, next);
        at += length;
      }
      decoder.finish();
      drain(decoder, Unpooled.EMPTY_BUFFER, rows, next);
      take(decoder, rows, next);
      return new Result(rows, rejections.rows(), next[0], next[1], pool.held());
    }
  }

  private static void drain(RowDecoder decoder, ByteBuf in, List<Row> rows, long[] next) {
    while (decoder.decode(in, 1) == Progress.BLOCK_FULL) {
      take(decoder, rows, next);
    }
  }

  private static void take(RowDecoder decoder, List<Row> rows, long[] next) {
    Block block = decoder.takeBlock();
    if (block != null) {
      rows.addAll(rows(block));
      next[0] = block.nextRow();
      next[1] = block.nextOffset();
      block.release();
    }
  }

  public static List<Row> rows(Block block) {
    List<Row> rows = new ArrayList<>();
    BlockLayout layout = block.layout();
    BlockSchema schema = layout.schema();
    for (int r = 0; r < block.rows(); r++) {
      List<Long> features = new ArrayList<>();
      for (int c = 0; c < schema.columns().size(); c++) {
        Column column = schema.columns().get(c);
        features.add(
            column.kind() == BlockSchema.Kind.CATEGORY
                ? longAt(block, layout.columnOffset(c), r)
                : (long) intAt(block, layout.columnOffset(c), r));
      }
      rows.add(
          new Row(
              longAt(block, layout.rowOffset(), r),
              features,
              intAt(block, layout.labelOffset(), r),
              schema.weighted() ? intAt(block, layout.weightOffset(), r) : 0,
              schema.timed() ? longAt(block, layout.timeOffset(), r) : 0));
    }
    return rows;
  }

  private static int intAt(Block block, long offset, int row) {
    MemorySegment memory = block.memory();
    return memory
        .asSlice(offset + 4L * row, 4)
        .asByteBuffer()
        .order(ByteOrder.LITTLE_ENDIAN)
        .getInt();
  }

  private static long longAt(Block block, long offset, int row) {
    MemorySegment memory = block.memory();
    return memory
        .asSlice(offset + 8L * row, 8)
        .asByteBuffer()
        .order(ByteOrder.LITTLE_ENDIAN)
        .getLong();
  }

  /** Decodes the same bytes again and again, as a steady state does. */
  static void decodeAndRelease(RowDecoder decoder, ByteBuf bytes, int times) {
    for (int i = 0; i < times; i++) {
      bytes.readerIndex(0);
      while (decoder.decode(bytes, 0) == Progress.BLOCK_FULL) {
        Block block = decoder.takeBlock();
        if (block != null) {
          block.release();
        }
      }
    }
  }

  /** By this thread, so far. */
  public static long allocatedBytes() {
    return ((ThreadMXBean) ManagementFactory.getThreadMXBean()).getCurrentThreadAllocatedBytes();
  }
}
