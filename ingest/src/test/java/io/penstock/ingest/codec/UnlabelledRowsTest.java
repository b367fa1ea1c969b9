package io.penstock.ingest.codec;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.config.FormatConfig;
import io.penstock.ingest.codec.UnlabelledRows.Next;
import io.penstock.pipeline.Block;
import io.penstock.pipeline.BlockLayout;
import io.penstock.pipeline.BlockPool;
import io.penstock.pipeline.BlockSchema;
import io.penstock.pipeline.BlockSchema.Column;
import io.penstock.pipeline.BlockSchema.Kind;
import io.penstock.pipeline.BlockSchema.Label;
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
    CsvRows rows = new CsvRows(CSV, block, 1 << 20);
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
    CsvRows rows = new CsvRows(CSV, block, 1 << 20);
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
  void shouldGrowForALongRowAndRefuseOneThatIsTooLong() throws IOException {
    CsvRows rows = new CsvRows(CSV, block, 100_000);
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
    CsvRows rows = new CsvRows(CSV, block, 1 << 20);
    rows.begin(new ByteArrayInputStream("1,0,a\n2,0,\"b\n3,0,c\n4,0,d".getBytes(UTF_8)), List.of());
    assertThat(rows.next(0)).isEqualTo(Next.ROW);
    assertThat(rows.next(1)).isEqualTo(Next.REFUSED);
    assertThat(rows.refusal()).contains("a quoted value must end with its quote");
    assertThat(rows.next(1)).isEqualTo(Next.ROW);
    assertThat(rows.next(2)).isEqualTo(Next.ROW);
    assertThat(row(2)).isEqualTo(expected(4, 0, "d"));
    assertThat(rows.next(3)).isEqualTo(Next.END);
  }

  @Test
  void shouldTakeFieldsInAnyOrderAndWhatIsNotGivenForMissing() {
    FieldRow row = new FieldRow(block, List.of("NA"));
    assertThat(row.field("price")).isEqualTo(-1);
    row.begin(3);
    put(row, "lift", "true");
    put(row, "size", "NA");
    assertThat(row.end()).isNull();
    assertThat(row(3)).isEqualTo(expected(Float.NaN, 1, ""));

    row.begin(4);
    put(row, "size", "big");
    put(row, "lift", "2");
    assertThat(row.end())
        .isEqualTo("size: must be a finite decimal number in the range of a float, not 'big'");
    row.begin(4);
    assertThat(row.end()).startsWith("lift: a value is needed");
  }

  private static void put(FieldRow row, String field, String text) {
    byte[] bytes = text.getBytes(UTF_8);
    row.put(row.field(field), bytes, 0, bytes.length);
  }
}
