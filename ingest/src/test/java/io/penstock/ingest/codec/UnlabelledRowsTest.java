package io.penstock.ingest.codec;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.config.FormatConfig;
import io.penstock.config.FormatConfig.UnknownFields;
import io.penstock.ingest.codec.UnlabelledRows.Next;
import io.penstock.pipeline.Block;
import io.penstock.pipeline.BlockLayout;
import io.penstock.pipeline.BlockPool;
import io.penstock.pipeline.BlockSchema;
import io.penstock.pipeline.BlockSchema.Column;
import io.penstock.pipeline.BlockSchema.Kind;
import io.penstock.pipeline.BlockSchema.Label;
import io.penstock.pipeline.BlockSchema.Rules;
import io.penstock.pipeline.CategoryHash;
import io.penstock.pipeline.PartitionCursor;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Rows to be predicted: the same values as in training, however they are cut and whatever stands beside them. */
class UnlabelledRowsTest {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final BlockSchema SCHEMA =
      new BlockSchema(
          List.of(
              new Column("size", Kind.NUMBER, true),
              new Column("lift", Kind.FLAG, false),
              new Column("city", Kind.CATEGORY, true)),
          new Label("price", 3, List.of()),
          "weight",
          "sold");
  private static final FormatConfig.Csv CSV =
      new FormatConfig.Csv(true, ",", List.of(), List.of("NA"));

  private final BlockLayout layout = new BlockLayout(SCHEMA, 64);
  private final BlockPool pool = new BlockPool(layout, 4 * layout.byteSize());
  private final Block block =
      Objects.requireNonNull(pool.tryAcquire(0, new PartitionCursor(0, 0, 0, 0)));

  @AfterEach
  void close() {
    block.release();
    pool.close();
  }

  /** Yields few bytes at a time. */
  private static InputStream dripping(String text, SplittableRandom random) {
    return new ByteArrayInputStream(text.getBytes(UTF_8)) {
      @Override
      public synchronized int read(byte[] to, int from, int length) {
        return super.read(to, from, Math.min(length, random.nextInt(1, 50)));
      }
    };
  }

  private String row(int row) {
    float size = block.memory().get(FLOAT, layout.columnOffset(0) + 4L * row);
    float lift = block.memory().get(FLOAT, layout.columnOffset(1) + 4L * row);
    long city = block.memory().get(LONG, layout.columnOffset(2) + 8L * row);
    return size + " " + lift + " " + city;
  }

  private static String expected(float size, int lift, String city) {
    return size + " " + (float) lift + " " + (city.isEmpty() ? 0 : CategoryHash.of(city));
  }

  @Test
  void shouldReadTheSameValuesHoweverTheBytesCome() throws IOException {
    SplittableRandom random = new SplittableRandom(12);
    CsvRows rows = new CsvRows(CSV, block, false, 1 << 20);
    for (int round = 0; round < 200; round++) {
      StringBuilder text = new StringBuilder("city,weight,size,extra,lift\n");
      List<String> expected = new ArrayList<>();
      for (int row = 0; row < 60; row++) {
        String city = List.of("Oslo", "a,b", "\"q\"", "two\nlines", "").get(random.nextInt(5));
        boolean missing = random.nextInt(4) == 0;
        float size = missing ? Float.NaN : random.nextInt(1000) / 8f;
        int lift = random.nextInt(2);
        text.append('"').append(city.replace("\"", "\"\"")).append("\",x,");
        text.append(missing ? (lift == 0 ? "NA" : "") : Float.toString(size));
        text.append(",\"").append("e".repeat(random.nextInt(40))).append("\",").append(lift);
        text.append(random.nextInt(2) == 0 ? "\r\n" : "\n");
        if (random.nextInt(10) == 0) {
          text.append('\n');
        }
        expected.add(expected(size, lift, city));
      }
      rows.beginWithHeader(dripping(text.toString(), random));
      for (int row = 0; row < 60; row++) {
        assertThat(rows.next(row)).as(rows.refusal()).isEqualTo(Next.ROW);
        assertThat(row(row)).isEqualTo(expected.get(row));
      }
      assertThat(rows.next(0)).isEqualTo(Next.END);
    }
  }

  @Test
  void shouldTakeColumnsInOrderWithOrWithoutThoseThatAreNoFeatures() throws IOException {
    CsvRows rows = new CsvRows(CSV, block, false, 1 << 20);
    for (String text : List.of("5,1,Bern,1,2024-01-01,2", "5,1,Bern", "\n5,1,Bern\n")) {
      rows.begin(new ByteArrayInputStream(text.getBytes(UTF_8)), List.of());
      assertThat(rows.next(0)).as(rows.refusal()).isEqualTo(Next.ROW);
      assertThat(row(0)).isEqualTo(expected(5, 1, "Bern"));
      assertThat(rows.next(1)).isEqualTo(Next.END);
    }
    List<String> order = List.of("price", "city", "ignored", "lift", "size");
    for (String text : List.of("3,Bern,x,1,5", "Bern,x,1,5")) {
      rows.begin(new ByteArrayInputStream(text.getBytes(UTF_8)), order);
      assertThat(rows.next(0)).as(rows.refusal()).isEqualTo(Next.ROW);
      assertThat(row(0)).isEqualTo(expected(5, 1, "Bern"));
    }
  }

  @Test
  void shouldNeedTheEventTimeWhereFeaturesAreMadeOfIt() throws IOException {
    CsvRows rows = new CsvRows(CSV, block, true, 1 << 20);
    ObjectRow objects = ObjectRow.ofNames(block, true, List.of());
    rows.begin(
        new ByteArrayInputStream("5,1,Bern,2024-01-01T00:00:01Z\n5,1,Bern,\n".getBytes(UTF_8)),
        List.of());
    assertThat(rows.next(0)).as(rows.refusal()).isEqualTo(Next.ROW);
    assertThat(decode(objects, 1, "{\"lift\": 1, \"sold\": 1704067201}")).isNull();
    for (int row = 0; row < 2; row++) {
      assertThat(block.memory().get(LONG, layout.timeOffset() + 8L * row))
          .isEqualTo(1_704_067_201_000_000_000L);
    }
    assertThat(rows.next(0)).isEqualTo(Next.REFUSED);
    assertThat(rows.refusal()).startsWith("sold: a value is needed");
    assertThat(decode(objects, 1, "{\"lift\": 1}")).startsWith("sold: a value is needed");
    assertThatThrownBy(
            () ->
                rows.beginWithHeader(
                    new ByteArrayInputStream("size,lift,city\n5,1,Bern\n".getBytes(UTF_8))))
        .hasMessageContaining("no column 'sold'");
  }

  @Test
  void shouldGrowForALongRowAndRefuseOneThatIsTooLong() throws IOException {
    CsvRows rows = new CsvRows(CSV, block, false, 100_000);
    String city = "c".repeat(90_000);
    rows.begin(new ByteArrayInputStream(("1,0," + city + "\n2,0,x\n").getBytes(UTF_8)), List.of());
    assertThat(rows.next(0)).isEqualTo(Next.ROW);
    assertThat(row(0)).isEqualTo(expected(1, 0, city));
    assertThat(rows.next(0)).isEqualTo(Next.ROW);
    byte[] tooLong = ("1,0," + "c".repeat(300_000)).getBytes(UTF_8);
    assertThatThrownBy(() -> rows.begin(new ByteArrayInputStream(tooLong), List.of()))
        .isInstanceOf(SourceException.class)
        .hasMessageContaining("longer than 100000 bytes");
  }

  @Test
  void shouldLoseOneRowToAQuoteThatIsNeverClosed() throws IOException {
    CsvRows rows = new CsvRows(CSV, block, false, 1 << 20);
    rows.begin(new ByteArrayInputStream("1,0,a\n2,0,\"b\n3,0,c\n4,0,d".getBytes(UTF_8)), List.of());
    assertThat(rows.next(0)).isEqualTo(Next.ROW);
    assertThat(rows.next(1)).isEqualTo(Next.REFUSED);
    assertThat(rows.refusal()).contains("a quoted value must end with its quote");
    assertThat(rows.next(1)).isEqualTo(Next.ROW);
    assertThat(rows.next(2)).isEqualTo(Next.ROW);
    assertThat(row(2)).isEqualTo(expected(4, 0, "d"));
    assertThat(rows.next(3)).isEqualTo(Next.END);
  }

  private static @Nullable String decode(ObjectRow rows, int row, String json) {
    byte[] text = ("x" + json + "x").getBytes(UTF_8);
    return rows.decode(text, 1, text.length - 1, row);
  }

  @Test
  void shouldTakeFieldsInAnyOrderAndWhatIsNotGivenForMissing() {
    ObjectRow rows = ObjectRow.ofNames(block, false, List.of("NA", "-9"));
    for (String size : List.of("\"NA\"", "\"\"", "null", "-9", "\"-9\"")) {
      String json = "{\"lift\": true,\n \"price\": [1], \"size\": %s}".formatted(size);
      assertThat(decode(rows, 3, json)).as(json).isNull();
      assertThat(row(3)).isEqualTo(expected(Float.NaN, 1, ""));
    }
    assertThat(decode(rows, 4, "{\"size\": -9.5, \"city\": 7, \"lift\": \"0\"}")).isNull();
    assertThat(row(4)).isEqualTo(expected(-9.5f, 0, "7"));

    assertThat(decode(rows, 5, "{\"size\": \"big\", \"lift\": 2}"))
        .isEqualTo("size: must be a finite decimal number in the range of a float, not 'big'");
    assertThat(decode(rows, 5, "{}")).startsWith("lift: a value is needed");
    assertThat(decode(rows, 5, "{\"lift\": 1, \"lift\": 1}"))
        .isEqualTo("byte 20: lift: must be there once, not ''");
    assertThat(decode(rows, 5, "[1]")).isEqualTo("byte 0: must be a JSON object, not '[1]'");
  }

  /** Whatever the last row has left behind this one. */
  @Test
  void shouldRefuseEveryPartOfAnObject() {
    String whole = "{\"size\":-12.5e1,\"lift\":true,\"city\":\"São \\u00e9\",\"x\":[{\"y\":null}]}";
    byte[] text = whole.getBytes(UTF_8);
    ObjectRow rows = ObjectRow.ofNames(block, false, List.of());
    for (int end = 0; end < text.length; end++) {
      assertThat(rows.decode(text, 0, text.length, 0)).isNull();
      assertThat(rows.decode(text, 0, end, 1)).as("%d bytes", end).isNotNull();
    }
    assertThat(row(0)).isEqualTo(expected(-125, 1, "São é"));
  }

  @Test
  void shouldTakeFieldsByTheirNamesOrWhereTheseArePaths() {
    BlockSchema schema =
        new BlockSchema(
            List.of(
                new Column("a", Kind.NUMBER, true),
                new Column("a.b", Kind.NUMBER, true),
                new Column("c.d", Kind.NUMBER, true),
                new Column("e..f]", Kind.NUMBER, true),
                new Column("v[0]", Kind.NUMBER, true, Rules.ofElement("v")),
                new Column("v[1]", Kind.NUMBER, true, Rules.ofElement("v"))),
            new Label("y", 2, List.of()),
            "",
            "");
    withBlock(
        schema,
        (wide, numbers) -> {
          ObjectRow rows = ObjectRow.ofNames(wide, false, List.of());
          for (String json :
              List.of(
                  "{\"a\":1,\"a.b\":2,\"c.d\":3,\"e..f]\":4,\"v[0]\":5,\"v[1]\":6}",
                  "{\"a\":1,\"a.b\":2,\"c\":{\"x\":0,\"d\":3},\"e..f]\":4,\"v\":[5,6],\"y\":{}}")) {
            assertThat(decode(rows, 0, json)).as(json).isNull();
            assertThat(numbers.get()).as(json).containsExactly(1f, 2f, 3f, 4f, 5f, 6f);
          }
          assertThat(decode(rows, 0, "{\"v[1]\":6}")).isNull();
          assertThat(numbers.get().subList(4, 6)).containsExactly(Float.NaN, 6f);
          assertThat(decode(rows, 0, "{\"c.d\":3,\"c\":{\"d\":3}}"))
              .isEqualTo("byte 18: c.d: must be there once, not ''");
          assertThat(decode(rows, 0, "{\"v\":[5]}")).contains("v: must have 2 elements, it has 1");
          assertThat(decode(rows, 0, "{\"a\":{\"b\":2}}"))
              .isEqualTo("byte 5: a: must be a value, not an object or an array, not '{\"b\":2}'");
        });
  }

  @Test
  void shouldTakeFieldsAtTheirPathsAloneWhereTheTrainingDoes() {
    BlockSchema schema =
        new BlockSchema(
            List.of(
                new Column("a.b", Kind.NUMBER, true), new Column("[\"a.c\"]", Kind.NUMBER, true)),
            new Label("meta.y", 2, List.of()),
            "meta.w",
            "");
    withBlock(
        schema,
        (wide, numbers) -> {
          ObjectRow rows =
              ObjectRow.ofPaths(wide, false, new FormatConfig.Json(UnknownFields.REJECT));
          assertThat(
                  decode(rows, 0, "{\"meta\":{\"y\":[\"?\"],\"w\":-1},\"a\":{\"b\":2},\"a.c\":3}"))
              .isNull();
          assertThat(numbers.get()).containsExactly(2f, 3f);
          assertThat(decode(rows, 0, "{}")).isNull();
          assertThat(numbers.get()).containsExactly(Float.NaN, Float.NaN);
          assertThat(decode(rows, 0, "{\"a.b\":2}"))
              .isEqualTo("byte 2: its fields must be in the schema, not 'a.b'");
          assertThat(decode(rows, 0, "{\"meta\":{\"z\":1}}")).contains("not 'z'");

          ObjectRow ignoring =
              ObjectRow.ofPaths(wide, false, new FormatConfig.Json(UnknownFields.IGNORE));
          assertThat(decode(ignoring, 0, "{\"a.b\":2,\"a.c\":3}")).isNull();
          assertThat(numbers.get()).containsExactly(Float.NaN, 3f);
        });
  }

  private static void withBlock(BlockSchema schema, BiConsumer<Block, Supplier<List<Float>>> test) {
    BlockLayout wide = new BlockLayout(schema, 8);
    try (BlockPool pool = new BlockPool(wide, 4 * wide.byteSize())) {
      Block block = Objects.requireNonNull(pool.tryAcquire(0, new PartitionCursor(0, 0, 0, 0)));
      test.accept(
          block,
          () ->
              IntStream.range(0, schema.columns().size())
                  .mapToObj(column -> block.memory().get(FLOAT, wide.columnOffset(column)))
                  .toList());
      block.release();
    }
  }
}
