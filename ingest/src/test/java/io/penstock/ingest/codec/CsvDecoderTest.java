package io.penstock.ingest.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

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
import io.penstock.pipeline.Rejections.Reason;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CsvDecoderTest {
  private static final FormatConfig.Csv HEADER =
      new FormatConfig.Csv(true, ",", List.of(), List.of());
  private static final FormatConfig.Csv NO_HEADER =
      new FormatConfig.Csv(false, ",", List.of(), List.of());
  private static final String NAMES = "a,f,c,w,t,y\n";
  private static final BlockSchema SCHEMA =
      new BlockSchema(
          List.of(
              new Column("a", Kind.NUMBER, false),
              new Column("f", Kind.FLAG, false),
              new Column("c", Kind.CATEGORY, false)),
          new Label("y", 3, List.of()),
          "w",
          "t");
  private static final BlockSchema PLAIN =
      new BlockSchema(
          List.of(new Column("a", Kind.NUMBER, false), new Column("b", Kind.NUMBER, false)),
          new Label("y", 7, List.of()),
          "",
          "");

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          1,0,x,1,0       | COLUMN_COUNT | 5 columns, where there must be 6
          1,0,x,1,0,1,7   | COLUMN_COUNT | 7 columns, where there must be 6
          zero,0,x,1,0,1  | NUMBER       | a: must be a finite decimal number in the range of a float, not 'zero'
          NaN,0,x,1,0,1   | NUMBER       | a: must be a finite decimal number in the range of a float, not 'NaN'
          1e39,0,x,1,0,1  | NUMBER       | a: must be a finite decimal number in the range of a float, not '1e39'
          -Infinity,0,x,1,0,1 | NUMBER   | a: must be a finite decimal number in the range of a float, not '-Infinity'
          ,0,x,1,0,1      | MISSING      | a: a value is needed (or an impute step), not ''
          1,,x,1,0,1      | MISSING      | f: a value is needed (or an impute step), not ''
          1,0,,1,0,1      | MISSING      | c: a value is needed (or an impute step), not ''
          1,2,x,1,0,1     | FLAG         | f: must be 0 or 1, not '2'
          1,yes,x,1,0,1   | FLAG         | f: must be 0 or 1, not 'yes'
          1,0,x,-1,0,1    | WEIGHT       | w: must be a finite number, 0 or more, not '-1'
          1,0,x,Infinity,0,1 | WEIGHT    | w: must be a finite number, 0 or more, not 'Infinity'
          1,0,x,1,noon,1  | TIME         | t: must be ISO 8601, or seconds or milliseconds since 1970, not 'noon'
          1,0,x,1,0,4     | LABEL        | y: must be a class, 0 to 2 or 1 to 3, not '4'
          1,0,x,1,0,1.5   | LABEL        | y: must be a class, 0 to 2 or 1 to 3, not '1.5'
          1,0,x,1,0,-1    | LABEL        | y: must be a class, 0 to 2 or 1 to 3, not '-1'
          1,0,x,1,0,      | MISSING      | y: a value is needed, not ''
          1,0,"x"y,1,0,1  | SYNTAX       | column 3: a quoted value must end with its quote, and any other has none: '"x"y,1,0,1'
          1,0,x"y,1,0,1   | SYNTAX       | column 3: a quoted value must end with its quote, and any other has none: 'x"y,1,0,1'
          """)
  void shouldRejectARowWithFieldRuleAndValueAndGoOn(String row, Reason reason, String detail) {
    Decoding.Result result =
        Decoding.decode(SCHEMA, HEADER, NAMES + "5,1,u,1,0,1\n" + row + "\n6,0,v,1,0,2\n");
    assertThat(result.rejected()).containsExactly(new Rejected(1, reason, detail, row));
    assertThat(result.rows()).extracting(Decoding.Row::number).containsExactly(0L, 2L);
    assertThat(result.nextRow()).isEqualTo(3);
  }

  @Test
  void shouldRejectACategoryThatIsNotUtf8() {
    byte[] bytes = (NAMES + "1,0,?,1,0,1\n").getBytes(StandardCharsets.UTF_8);
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = bytes[i] == '?' ? (byte) 0xff : bytes[i];
    }
    Decoding.Result result = Decoding.decode(SCHEMA, HEADER, bytes, 1000, () -> 5);
    assertThat(result.rejected())
        .extracting(Rejected::reason, Rejected::raw)
        .containsExactly(tuple(Reason.SYNTAX, "1,0,\u00ff,1,0,1"));
  }

  @Test
  void shouldLoseOnlyTheLineWhoseQuoteIsNeverClosed() {
    Decoding.Result result = Decoding.decode(PLAIN, NO_HEADER, "1,2,3\n1,\"2,3\n4,5,6\n7,8,1\n");
    assertThat(result.rows()).extracting(Decoding.Row::number).containsExactly(0L, 2L, 3L);
    assertThat(result.rejected())
        .extracting(Rejected::row, Rejected::reason, Rejected::raw)
        .containsExactly(tuple(1L, Reason.SYNTAX, "1,\"2,3"));
  }

  @Test
  void shouldPassOverALineOfAHundredMegabytesWithoutHoldingIt() {
    RecordedRejections rejections = new RecordedRejections();
    ByteBuf part = Unpooled.wrappedBuffer("7".repeat(1 << 16).getBytes(StandardCharsets.US_ASCII));
    try (BlockPool pool = Decoding.pool(PLAIN, 64, 4)) {
      RowDecoder decoder = decoder(PLAIN, NO_HEADER, pool, rejections, 10_000);
      feed(decoder, "1,2,3\n");
      long before = Decoding.allocatedBytes();
      for (int i = 0; i < 1600; i++) {
        decoder.decode(part.readerIndex(0), 0);
      }
      assertThat(Decoding.allocatedBytes() - before).isLessThan(1 << 20);
      feed(decoder, "\n4,5,6\n");
      Block block = take(decoder);
      assertThat(Decoding.rows(block)).extracting(Decoding.Row::number).containsExactly(0L, 2L);
      block.release();
    }
    assertThat(rejections.rows())
        .extracting(Rejected::row, Rejected::reason, Rejected::detail)
        .containsExactly(
            tuple(1L, Reason.TOO_LONG, "the row is 104857600 bytes long; at most 10000 are taken"));
  }

  @Test
  void shouldResumeBeforeALongRowWhoseEndHasNotCome() {
    try (BlockPool pool = Decoding.pool(PLAIN, 64, 4)) {
      RowDecoder decoder = decoder(PLAIN, NO_HEADER, pool, new RecordedRejections(), 20);
      feed(decoder, "1,2,3\n" + "9".repeat(50));
      Block block = take(decoder);
      assertThat(block.nextRow()).isEqualTo(1);
      assertThat(block.nextOffset()).isEqualTo(6);
      block.release();
    }
  }

  @Test
  void shouldTakeRowsOfExactlyTheLongestLength() {
    Decoding.Result result =
        Decoding.decode(
            PLAIN,
            NO_HEADER,
            "1,22,3\n1,222,3\n1,1,1".getBytes(StandardCharsets.UTF_8),
            6,
            () -> 4);
    assertThat(result.rows()).extracting(Decoding.Row::number).containsExactly(0L, 2L);
    assertThat(result.rejected()).extracting(Rejected::reason).containsExactly(Reason.TOO_LONG);
  }

  @Test
  void shouldCountClassesFromOneWhenTheLastClassHasBeenSeen() {
    Decoding.Result result = Decoding.decode(PLAIN, NO_HEADER, "1,1,7\n1,1,3\n1,1,0\n1,1,7.0\n");
    assertThat(labels(result)).containsExactly(0f, 3f, 0f);
    assertThat(result.rejected())
        .containsExactly(
            new Rejected(2, Reason.LABEL, "y: 0 in a stream whose classes count from 1", "1,1,0"));
  }

  @Test
  void shouldCountClassesFromZeroWhenZeroHasBeenSeen() {
    Decoding.Result result = Decoding.decode(PLAIN, NO_HEADER, "1,1,0\n1,1,6\n1,1,7\n");
    assertThat(labels(result)).containsExactly(0f, 6f);
    assertThat(result.rejected())
        .extracting(Rejected::detail)
        .containsExactly("y: 7 in a stream whose 7 classes count from 0");
  }

  @Test
  void shouldNotLearnTheNumberingFromARejectedRow() {
    Decoding.Result result = Decoding.decode(PLAIN, NO_HEADER, "1,x,0\n1,1,7\n");
    assertThat(labels(result)).containsExactly(0f);
    assertThat(result.rejected()).hasSize(1);
  }

  @Test
  void shouldShareTheNumberingAmongPartitionsOfASource() {
    RecordedRejections rejections = new RecordedRejections();
    ClassNumbering numbering = new ClassNumbering();
    try (BlockPool pool = Decoding.pool(PLAIN, 64, 4)) {
      for (int partition = 0; partition < 2; partition++) {
        RowDecoder decoder =
            RowDecoder.of(
                NO_HEADER,
                PLAIN,
                numbering,
                new PartitionCursor(0, partition, 0, 0),
                Decoding.context(pool, rejections),
                1000);
        feed(decoder, partition == 0 ? "1,1,7\n" : "1,1,0\n");
        decoder.release();
      }
      assertThat(pool.held()).isZero();
    }
    assertThat(rejections.rows()).extracting(Rejected::reason).containsExactly(Reason.LABEL);
  }

  @Test
  void shouldMoveThePositionPastRejectedRowsWithABlockWithoutRows() {
    Decoding.Result result = Decoding.decode(PLAIN, NO_HEADER, "x\ny\n\n");
    assertThat(result.rows()).isEmpty();
    assertThat(result.nextRow()).isEqualTo(2);
    assertThat(result.nextOffset()).isEqualTo(5);
  }

  @Test
  void shouldRejectTheRowThatALostConnectionTore() {
    RecordedRejections rejections = new RecordedRejections();
    try (BlockPool pool = Decoding.pool(PLAIN, 64, 4)) {
      RowDecoder decoder = decoder(PLAIN, NO_HEADER, pool, rejections, 1000);
      feed(decoder, "1,2,3\n4,5,6");
      decoder.finishTorn();
      assertThat(decoder.decode(Unpooled.EMPTY_BUFFER, 0)).isEqualTo(Progress.ENDED);
      Block block = take(decoder);
      assertThat(block.rows()).isEqualTo(1);
      block.release();
    }
    assertThat(rejections.rows())
        .containsExactly(new Rejected(1, Reason.SYNTAX, "connection lost in mid-row", "4,5,6"));
  }

  @Test
  void shouldMapColumnsByTheHeaderOfEachPartition() {
    Decoding.Result there = Decoding.decode(PLAIN, HEADER, "a,b,y\n1,2,3\n");
    Decoding.Result other = Decoding.decode(PLAIN, HEADER, "y,more,b,a\n3,x,2,1\n");
    assertThat(other.rows()).isEqualTo(there.rows());
  }

  @Test
  void shouldTakeTheConfiguredColumnsWhereThereIsNoHeader() {
    FormatConfig.Csv csv = new FormatConfig.Csv(false, ";", List.of("y", "b", "a"), List.of());
    Decoding.Result result = Decoding.decode(PLAIN, csv, "3;2;1\r\n");
    assertThat(result.rows()).isEqualTo(Decoding.decode(PLAIN, NO_HEADER, "1,2,3\n").rows());
  }

  @Test
  void shouldNameTheFieldThatAHeaderLacks() {
    assertThatThrownBy(() -> Decoding.decode(PLAIN, HEADER, "a,x,y\n1,2,3\n"))
        .isInstanceOf(SourceException.class)
        .hasMessage(
            "source 0, partition 0: no column 'b', which the schema names; columns are: a, x, y");
  }

  @Test
  void shouldRefuseADelimiterThatNumbersNeed() {
    assertThatThrownBy(
            () ->
                Decoding.decode(
                    PLAIN, new FormatConfig.Csv(false, ".", List.of(), List.of()), "1.2.3\n"))
        .isInstanceOf(SourceException.class)
        .hasMessageContaining("format.csv.delimiter");
  }

  @Test
  void shouldHoldNoBlockBeforeARowHasComeWhole() {
    try (BlockPool pool = Decoding.pool(PLAIN, 64, 4)) {
      RowDecoder decoder = decoder(PLAIN, HEADER, pool, new RecordedRejections(), 1000);
      feed(decoder, "a,b,y\n1,2");
      assertThat(pool.held()).isZero();
      feed(decoder, ",3\n");
      assertThat(pool.held()).isOne();
      decoder.release();
      assertThat(pool.held()).isZero();
    }
  }

  @Test
  void shouldAllocateNothingPerRow() {
    StringBuilder rows = new StringBuilder();
    for (int i = 0; i < 1000; i++) {
      rows.append(i).append(",-").append(i).append(".25,").append(i % 7).append('\n');
    }
    ByteBuf bytes = Unpooled.copiedBuffer(rows, StandardCharsets.UTF_8);
    // A block costs one small object, whatever its rows: blocks of the size that runs have.
    try (BlockPool pool = Decoding.pool(PLAIN, 1024, 4)) {
      RowDecoder decoder = decoder(PLAIN, NO_HEADER, pool, new RecordedRejections(), 1000);
      Decoding.decodeAndRelease(decoder, bytes, 20);
      long before = Decoding.allocatedBytes();
      Decoding.decodeAndRelease(decoder, bytes, 50);
      assertThat(Decoding.allocatedBytes() - before).as("bytes for 50000 rows").isLessThan(50_000);
    }
    bytes.release();
  }

  private static List<Float> labels(Decoding.Result result) {
    return result.rows().stream().map(row -> Float.intBitsToFloat(row.label())).toList();
  }

  private static RowDecoder decoder(
      BlockSchema schema,
      FormatConfig.Csv csv,
      BlockPool pool,
      RecordedRejections rejections,
      int max) {
    return RowDecoder.of(
        csv,
        schema,
        new ClassNumbering(),
        new PartitionCursor(0, 0, 0, 0),
        Decoding.context(pool, rejections),
        max);
  }

  private static Block take(RowDecoder decoder) {
    return Objects.requireNonNull(decoder.takeBlock(), "rows were decoded");
  }

  private static void feed(RowDecoder decoder, String text) {
    decoder.decode(Unpooled.copiedBuffer(text, StandardCharsets.UTF_8), 0);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          ?,0,x,1     | NaN
          NA,0,x,1    | NaN
          -9,0,x,1    | NaN
          999,0,x,1   | NaN
          99,0,x,1    | 99
          """)
  void shouldTakeConfiguredTextsAsMissing(String row, Float expected) {
    FormatConfig.Csv csv =
        new FormatConfig.Csv(false, ",", List.of(), List.of("?", "NA", "-9", "999"));
    assertThat(Float.intBitsToFloat((int) (long) features(csv, row + "\n").getFirst()))
        .isEqualTo(expected);
  }

  @Test
  void shouldTakeMissingCategoriesAsNoneAndQuotedTextsAsThemselves() {
    FormatConfig.Csv csv = new FormatConfig.Csv(false, ",", List.of(), List.of("?"));
    FormatConfig.Csv plain = new FormatConfig.Csv(false, ",", List.of(), List.of());
    assertThat(features(csv, "1,0,?,1\n").get(2)).isZero();
    assertThat(features(csv, "1,0,\"?\",1\n").get(2))
        .isEqualTo(features(plain, "1,0,?,1\n").get(2));
  }

  @Test
  void shouldRejectAMissingTextWhereAValueIsNeeded() {
    FormatConfig.Csv csv = new FormatConfig.Csv(false, ",", List.of(), List.of("?"));
    assertThat(Decoding.decode(PLAIN, csv, "1,?,0\n1,2,?\n").rejected())
        .extracting(Rejected::reason)
        .containsExactly(Reason.MISSING, Reason.MISSING);
  }

  private static List<Long> features(FormatConfig.Csv csv, String document) {
    BlockSchema schema =
        new BlockSchema(
            List.of(
                new Column("a", Kind.NUMBER, true),
                new Column("f", Kind.FLAG, true),
                new Column("c", Kind.CATEGORY, true)),
            new Label("y", 2, List.of()),
            "",
            "");
    return Decoding.decode(schema, csv, document).rows().getFirst().features();
  }
}
