package io.penstock.ingest.codec;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.penstock.config.FormatConfig;
import io.penstock.config.FormatConfig.UnknownFields;
import io.penstock.ingest.codec.RowDecoder.Progress;
import io.penstock.pipeline.Block;
import io.penstock.pipeline.BlockLayout;
import io.penstock.pipeline.BlockPool;
import io.penstock.pipeline.BlockSchema;
import io.penstock.pipeline.BlockSchema.Column;
import io.penstock.pipeline.BlockSchema.Kind;
import io.penstock.pipeline.BlockSchema.Label;
import io.penstock.pipeline.CategoryHash;
import io.penstock.pipeline.PartitionCursor;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.function.ToLongFunction;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.sym.PropertyNameMatcher;
import tools.jackson.core.util.Named;

/**
 * Rows a second of processor time of the JSON decoder, and of Jackson's streaming parser over the same bytes into the same
 * blocks, run in turns:
 * {@code JsonDecodeBenchmark [covertype|decimals|doubles|mixed]}. Jackson has what it offers for speed: one parser over all rows,
 * fields matched by {@link PropertyNameMatcher}, its fast parser of floats.
 */
final class JsonDecodeBenchmark {
  private static final int ROWS = 40_000;
  private static final int READ_BYTES = 64 << 10;
  private static final int RUNS = 31;
  private static final ThreadMXBean CPU = ManagementFactory.getThreadMXBean();

  private JsonDecodeBenchmark() {}

  public static void main(String[] args) {
    for (String kind :
        args.length > 0 ? args : new String[] {"covertype", "decimals", "doubles", "mixed"}) {
      run(kind);
    }
  }

  private static void run(String kind) {
    List<Column> columns = new ArrayList<>();
    int fields = kind.equals("covertype") ? 54 : 20;
    for (int i = 0; i < fields; i++) {
      boolean category = kind.equals("mixed") && i % 4 == 3;
      columns.add(new Column("field_" + i, category ? Kind.CATEGORY : Kind.NUMBER, category));
    }
    BlockSchema schema = new BlockSchema(columns, new Label("label", 7, List.of()), "", "");
    byte[] data = rows(kind, fields);
    ByteBuf bytes = Unpooled.directBuffer(data.length).writeBytes(data);
    double[] ours = new double[RUNS];
    double[] jackson = new double[RUNS];
    long[] sums = new long[2];
    for (int run = 0; run < RUNS; run++) {
      try (BlockPool pool = new BlockPool(BlockLayout.of(schema), 4 << 20)) {
        long start = CPU.getCurrentThreadCpuTime();
        sums[0] = penstock(bytes, schema, pool, JsonDecodeBenchmark::release);
        ours[run] = ROWS * 1e9 / (CPU.getCurrentThreadCpuTime() - start);
        start = CPU.getCurrentThreadCpuTime();
        sums[1] = jackson(data, schema, pool, JsonDecodeBenchmark::release);
        jackson[run] = ROWS * 1e9 / (CPU.getCurrentThreadCpuTime() - start);
      }
    }
    try (BlockPool pool = new BlockPool(BlockLayout.of(schema), 4 << 20)) {
      sums[0] = penstock(bytes, schema, pool, JsonDecodeBenchmark::sum);
      sums[1] = jackson(data, schema, pool, JsonDecodeBenchmark::sum);
    }
    bytes.release();
    Arrays.sort(ours);
    Arrays.sort(jackson);
    double median = ours[RUNS / 2];
    System.out.printf(
        Locale.ROOT,
        "{\"rows\": \"%s\", \"bytesPerRow\": %d, \"penstock\": %.0f, \"jackson\": %.0f, \"ratio\": %.2f, \"penstockMBps\": %.0f, \"same\": %b}%n",
        kind,
        data.length / ROWS,
        median,
        jackson[RUNS / 2],
        median / jackson[RUNS / 2],
        median * data.length / ROWS / 1e6,
        sums[0] == sums[1]);
  }

  private static byte[] rows(String kind, int fields) {
    SplittableRandom random = new SplittableRandom(7);
    StringBuilder text = new StringBuilder();
    for (int row = 0; row < ROWS; row++) {
      for (int i = 0; i < fields; i++) {
        text.append(i == 0 ? '{' : ',').append("\"field_").append(i).append("\":");
        text.append(value(kind, i, random));
      }
      text.append(",\"label\":").append(random.nextInt(7)).append("}\n");
    }
    return text.toString().getBytes(StandardCharsets.US_ASCII);
  }

  private static String value(String kind, int field, SplittableRandom random) {
    return switch (kind) {
      case "covertype" -> Integer.toString(field < 10 ? random.nextInt(4000) : random.nextInt(2));
      case "decimals" -> "%.4f".formatted(random.nextDouble(-100, 100));
      case "doubles" -> Double.toString(random.nextDouble());
      default ->
          switch (field % 4) {
            case 0 -> Integer.toString(random.nextInt(1000));
            case 1 -> "%.2f".formatted(random.nextDouble(1000));
            case 2 -> Integer.toString(random.nextInt(2));
            default -> "\"category-" + random.nextInt(100) + '"';
          };
    };
  }

  private static long penstock(
      ByteBuf bytes, BlockSchema schema, BlockPool pool, ToLongFunction<Block> taken) {
    RowDecoder decoder =
        RowDecoder.of(
            new FormatConfig.Json(UnknownFields.IGNORE),
            schema,
            new ClassNumbering(0),
            new PartitionCursor(0, 0, 0, 0),
            Decoding.context(pool, new RecordedRejections()),
            1 << 20);
    long sum = 0;
    for (int at = 0; at < bytes.readableBytes(); at += READ_BYTES) {
      ByteBuf read = bytes.slice(at, Math.min(READ_BYTES, bytes.readableBytes() - at));
      while (decoder.decode(read, 0) == Progress.BLOCK_FULL) {
        sum += taken.applyAsLong(Objects.requireNonNull(decoder.takeBlock()));
      }
    }
    Block last = decoder.takeBlock();
    return sum + (last == null ? 0 : taken.applyAsLong(last));
  }

  private static long jackson(
      byte[] data, BlockSchema schema, BlockPool pool, ToLongFunction<Block> taken) {
    BlockLayout layout = pool.layout();
    PartitionCursor cursor = new PartitionCursor(0, 0, 0, 0);
    int fields = schema.columns().size();
    boolean[] categories = new boolean[fields + 1];
    long[] offsets = new long[fields + 1];
    List<Named> names = new ArrayList<>();
    for (int i = 0; i < fields; i++) {
      categories[i] = schema.columns().get(i).kind() == Kind.CATEGORY;
      offsets[i] = layout.columnOffset(i);
      names.add(Named.fromString(schema.columns().get(i).name()));
    }
    offsets[fields] = layout.labelOffset();
    names.add(Named.fromString("label"));
    JsonFactory factory =
        JsonFactory.builder().enable(StreamReadFeature.USE_FAST_DOUBLE_PARSER).build();
    PropertyNameMatcher matcher = factory.constructNameMatcher(names, false);
    long sum = 0;
    int row = 0;
    long number = 0;
    Block block = Objects.requireNonNull(pool.tryAcquire(1, cursor));
    long address = block.memory().address();
    try (JsonParser parser =
        factory.createParser(ObjectReadContext.empty(), data, 0, data.length)) {
      while (parser.nextToken() == JsonToken.START_OBJECT) {
        int found = 0;
        int field;
        while ((field = parser.nextNameMatch(matcher)) != PropertyNameMatcher.MATCH_END_OBJECT) {
          parser.nextToken();
          if (field < 0) {
            parser.skipChildren();
          } else if (categories[field]) {
            byte[] utf8 = parser.getString().getBytes(StandardCharsets.UTF_8);
            RowWriter.MEMORY.set(
                RowWriter.LONG,
                address + offsets[field] + 8L * row,
                CategoryHash.of(utf8, 0, utf8.length));
            found++;
          } else {
            RowWriter.MEMORY.set(
                RowWriter.FLOAT, address + offsets[field] + 4L * row, parser.getFloatValue());
            found++;
          }
        }
        if (found != fields + 1) {
          throw new IllegalStateException("a value is missing");
        }
        RowWriter.MEMORY.set(
            RowWriter.LONG, address + layout.rowOffset() + (long) row * Long.BYTES, number++);
        if (++row == layout.capacityRows()) {
          block.seal(row, number, number, 0);
          sum += taken.applyAsLong(block);
          block = Objects.requireNonNull(pool.tryAcquire(1, cursor));
          address = block.memory().address();
          row = 0;
        }
      }
    }
    block.seal(row, number, number, 0);
    return sum + taken.applyAsLong(block);
  }

  private static long release(Block block) {
    int rows = block.rows();
    block.release();
    return rows;
  }

  private static long sum(Block block) {
    long sum = Decoding.rows(block).stream().mapToLong(Decoding.Row::hashCode).sum();
    block.release();
    return sum;
  }
}
