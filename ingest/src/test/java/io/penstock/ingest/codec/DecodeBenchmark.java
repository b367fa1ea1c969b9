package io.penstock.ingest.codec;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.penstock.config.FormatConfig;
import io.penstock.ingest.codec.RowDecoder.Progress;
import io.penstock.pipeline.Block;
import io.penstock.pipeline.BlockLayout;
import io.penstock.pipeline.BlockPool;
import io.penstock.pipeline.BlockSchema;
import io.penstock.pipeline.BlockSchema.Column;
import io.penstock.pipeline.BlockSchema.Kind;
import io.penstock.pipeline.BlockSchema.Label;
import io.penstock.pipeline.PartitionCursor;
import io.penstock.pipeline.SourceContext;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Rows a second of the decoder alone, on rows as {@code ../shared/peers/gen_cov.py} makes them: {@code DecodeBenchmark FILE.csv
 * [number|flag] [CLASSES]}. To be held against {@code ../shared/peers/csv_limit.c} in the same run.
 */
final class DecodeBenchmark {
  private static final int READ_BYTES = 64 << 10;
  private static final int RUNS = 15;

  private DecodeBenchmark() {}

  public static void main(String[] args) throws IOException {
    byte[] data = Files.readAllBytes(Path.of(args[0]));
    int lineEnd = 0;
    while (data[lineEnd] != '\n') {
      lineEnd++;
    }
    List<String> names = CsvHeader.parse(data, 0, lineEnd, ',');
    boolean flags = args.length > 1 && args[1].equals("flag");
    int classes = args.length > 2 ? Integer.parseInt(args[2]) : 7;
    List<Column> columns = new ArrayList<>();
    for (int i = 0; i < names.size() - 1; i++) {
      columns.add(new Column(names.get(i), flags && i >= 10 ? Kind.FLAG : Kind.NUMBER, false));
    }
    BlockSchema schema =
        new BlockSchema(columns, new Label(names.getLast(), classes, List.of()), "", "");
    ByteBuf bytes = Unpooled.directBuffer(data.length).writeBytes(data);
    double[] rates = new double[RUNS];
    long rows = 0;
    long rejected = 0;
    for (int run = 0; run < RUNS; run++) {
      try (BlockPool pool = new BlockPool(BlockLayout.of(schema), 4 << 20)) {
        RecordedRejections rejections = new RecordedRejections();
        SourceContext context = Decoding.context(pool, rejections);
        RowDecoder decoder =
            RowDecoder.of(
                new FormatConfig.Csv(true, ",", List.of(), List.of()),
                schema,
                new ClassNumbering(),
                new PartitionCursor(0, 0, 0, 0),
                context,
                1 << 20);
        long start = System.nanoTime();
        rows = decode(bytes, decoder);
        rates[run] = rows * 1e9 / (System.nanoTime() - start);
        rejected = rejections.count();
      }
    }
    bytes.release();
    Arrays.sort(rates);
    System.out.printf(
        "{\"decoder\": \"RowDecoder\", \"schema\": \"%s\", \"rows\": %d, \"rejected\": %d, \"rowsPerSecond\": %.0f, \"best\": %.0f}%n",
        flags ? "flag" : "number", rows, rejected, rates[RUNS / 2], rates[RUNS - 1]);
  }

  private static long decode(ByteBuf bytes, RowDecoder decoder) {
    long rows = 0;
    for (int at = 0; at < bytes.readableBytes(); at += READ_BYTES) {
      ByteBuf read = bytes.slice(at, Math.min(READ_BYTES, bytes.readableBytes() - at));
      while (decoder.decode(read, 0) == Progress.BLOCK_FULL) {
        rows += release(decoder);
      }
    }
    decoder.finish();
    while (decoder.decode(Unpooled.EMPTY_BUFFER, 0) == Progress.BLOCK_FULL) {
      rows += release(decoder);
    }
    return rows + release(decoder);
  }

  private static int release(RowDecoder decoder) {
    Block block = decoder.takeBlock();
    if (block == null) {
      return 0;
    }
    int rows = block.rows();
    block.release();
    return rows;
  }
}
