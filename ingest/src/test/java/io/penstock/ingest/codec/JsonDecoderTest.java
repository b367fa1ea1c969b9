package io.penstock.ingest.codec;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.penstock.config.FormatConfig;
import io.penstock.config.FormatConfig.UnknownFields;
import io.penstock.pipeline.BlockPool;
import io.penstock.pipeline.BlockSchema;
import io.penstock.pipeline.BlockSchema.Column;
import io.penstock.pipeline.BlockSchema.Kind;
import io.penstock.pipeline.BlockSchema.Label;
import io.penstock.pipeline.BlockSchema.Rules;
import io.penstock.pipeline.CategoryHash;
import io.penstock.pipeline.PartitionCursor;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JsonDecoderTest {
  private static final FormatConfig.Json JSON = new FormatConfig.Json(UnknownFields.IGNORE);
  private static final FormatConfig.Json STRICT = new FormatConfig.Json(UnknownFields.REJECT);
  private static final Label NUMBER = new Label("y", 0, List.of());
  private static final BlockSchema PLAIN =
      new BlockSchema(
          List.of(new Column("a", Kind.NUMBER, false), new Column("b", Kind.NUMBER, true)),
          NUMBER,
          "",
          "");

  @ParameterizedTest
  @ValueSource(
      strings = {
        "0",
        "7",
        "-0",
        "-12",
        "1234567",
        "12345678",
        "0.5",
        "-3.25",
        "1e3",
        "1.5E-3",
        "2e+2",
        "0.1",
        "16777217",
        "0.30000001192092896",
        "123456.7654321",
        "9007199254740993",
        "1e-50",
        "3.4028234663852886e38",
        "1.17549435E-38",
        "0e0",
        "0.000001",
        "9999999.9999999"
      })
  void shouldReadANumberAsCsvDoes(String number) {
    float expected = Float.parseFloat(number);

    assertThat(features(PLAIN, "{\"a\":%s,\"b\": %<s ,\"y\":0}\n".formatted(number)))
        .containsExactly(bits(expected), bits(expected));
    assertThat(features(PLAIN, "{\"a\":\" %s \",\"y\":0,\"b\":\"%<s\"}\n".formatted(number)))
        .as("in a string")
        .containsExactly(bits(expected), bits(expected));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"a\":1,\"y\":2}|",
        "{\"a\":1,\"b\":null,\"y\":2}|",
        "{\"a\":1,\"b\":\"\",\"y\":2}|",
        "{\"b\":1,\"y\":2}|missing: a: a value is needed (or an impute step), not ''",
        "{\"a\":null,\"y\":2}|missing: a: a value is needed (or an impute step), not 'null'",
        "{}|missing: a: a value is needed (or an impute step), not ''",
        "{\"a\":\"x\",\"y\":2}|number: a: must be a finite decimal number in the range of a float, not 'x'",
        "{\"a\":true,\"y\":2}|number: a: must be a finite decimal number in the range of a float, not 'true'",
        "{\"a\":1e39,\"y\":2}|number: a: must be a finite decimal number in the range of a float, not '1e39'",
        "{\"a\":[1],\"y\":2}|syntax: byte 5: a: must be a value, not an object or an array, not '[1]'",
        "{\"a\":1,\"y\":2,\"a\":1}|syntax: byte 17: a: must be there once, not ''",
        "[1,2]|syntax: byte 0: must be a JSON object, not '[1,2]'",
        "{\"a\":1,\"y\":2} x|syntax: byte 14: must be a JSON object, not 'x'",
        "{\"a\":01,\"y\":2}|syntax: byte 5: must be a JSON object, not '01,\"y\":2}'",
      })
  void shouldSayWhatIsWrong(String row, String rejection) {
    Decoding.Result result = Decoding.decode(PLAIN, JSON, row + "\n{\"y\":4,\"a\":3}\n");

    assertThat(result.rejected())
        .extracting(r -> r.reason().name().toLowerCase(java.util.Locale.ROOT) + ": " + r.detail())
        .isEqualTo(rejection == null ? List.of() : List.of(rejection));
    assertThat(result.rows()).as("no trace").hasSize(rejection == null ? 2 : 1);
    assertThat(result.rows().getLast().features()).containsExactly(bits(3), bits(Float.NaN));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "{",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":1,",
        "{\"a\":1,}",
        "{a:1}",
        "{\"a\":1 \"y\":2}",
        "{\"a\":+1,\"y\":1}",
        "{\"a\":.5,\"y\":1}",
        "{\"a\":5.,\"y\":1}",
        "{\"a\":1e,\"y\":1}",
        "{\"a\":--1,\"y\":1}",
        "{\"a\":1.2.3,\"y\":1}",
        "{\"a\":0x1,\"y\":1}",
        "{\"a\":NaN,\"y\":1}",
        "{\"a\":1,\"y\":1}}",
        "{\"a\":1,\"y\":1},",
        "{\"a\":1,\"y\":1}{}",
        "{\"a\":tru,\"y\":1}",
        "{\"a\":1,\"y\":1,\"z\":\"\\x\"}",
        "{\"a\":1,\"y\":1,\"z\":\"\\u12g4\"}",
        "{\"a\":1,\"y\":1,\"z\":\"a\tb\"}",
        "{\"a\":1,\"y\":1,\"z\":[1,2}",
        "{\"a\":1,\"y\":1,\"z\":{\"q\":}}",
        "{\"a\":1,\"y\":1,\"z\":[1,]}",
        "{\"a\":1,\"y\":1,\"z\":nul}",
        "{\"a\":1,\"y\":1,\"z\":01}",
        "null",
        "\"x\"",
        "{\"a\" 1}",
        "{,}"
      })
  void shouldRejectWhatIsNotJson(String row) {
    String before = "{\"a\":1,\"b\":2,\"y\":3}\n";
    Decoding.Result result = Decoding.decode(PLAIN, JSON, before + " " + row + "\n" + before);

    assertThat(result.rejected()).extracting(r -> r.reason().name()).containsExactly("SYNTAX");
    assertThat(result.rows()).extracting(Decoding.Row::number).containsExactly(0L, 2L);
  }

  @Test
  void shouldFindFieldsAtTheirPaths() {
    BlockSchema schema =
        new BlockSchema(
            List.of(
                new Column("user.age", Kind.NUMBER, false),
                new Column("user.home.city", Kind.CATEGORY, false),
                new Column("items[1].price", Kind.NUMBER, false),
                new Column("items[0]", Kind.NUMBER, true),
                new Column("[\"a.b\"][\"c[\"]", Kind.NUMBER, false),
                new Column("[\"say \\\"x\\\\\"]", Kind.FLAG, false)),
            new Label("out.class", 2, List.of("no", "yes")),
            "meta.weight",
            "meta.at");
    String row =
        """
        {"skip":{"user":{"age":9},"x":"}]\\"{"},"user":{"home":{"city":"Oslo","city2":[[],{}]},"age":41},\
        "items":[null,{"price":2.5,"z":1},3],"a.b":{"c[":4},"say \\"x\\\\":true,\
        "meta":{"weight":2,"at":"1970-01-01T00:00:01Z"},"out":{"class":"yes"}}
        """;
    Decoding.Result result = Decoding.decode(schema, JSON, row);

    assertThat(result.rejected()).isEmpty();
    assertThat(result.rows())
        .containsExactly(
            new Decoding.Row(
                0,
                List.of(
                    bits(41),
                    CategoryHash.of("Oslo"),
                    bits(2.5f),
                    bits(Float.NaN),
                    bits(4),
                    bits(1)),
                (int) bits(1),
                (int) bits(2),
                1_000_000_000));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"a.", ".a", "a..b", "a[", "a[x]", "a[1", "a[\"x]", "[1]", "a]b.", "a[0]b"})
  void shouldRefuseWhatIsNoPath(String path) {
    BlockSchema schema =
        new BlockSchema(List.of(new Column(path, Kind.NUMBER, false)), NUMBER, "", "");

    assertThatThrownBy(() -> Decoding.decode(schema, JSON, ""))
        .isInstanceOf(SourceException.class)
        .hasMessageContaining("schema: '%s' is no path in JSON".formatted(path));
  }

  @Test
  void shouldRefuseAFieldThatIsAValueAndAnObject() {
    BlockSchema schema =
        new BlockSchema(
            List.of(new Column("u", Kind.NUMBER, false), new Column("u.age", Kind.NUMBER, false)),
            NUMBER,
            "",
            "");

    assertThatThrownBy(() -> Decoding.decode(schema, JSON, ""))
        .isInstanceOf(SourceException.class)
        .hasMessageContaining("schema: 'u' is named as a value and as");
  }

  @Test
  void shouldReadCategoriesAsTheTextTheyStandFor() {
    BlockSchema schema =
        new BlockSchema(List.of(new Column("c", Kind.CATEGORY, true)), NUMBER, "", "");
    String rows =
        """
        {"c":"plain","y":0}
        {"c":"tab\\t quote\\" slash\\/ \\\\ \\u00e4\\u65E5\\ud83e\\udd8a","y":0}
        {"c":"日本🦊 long enough to need more than one word","y":0}
        {"c":12.50,"y":0}
        {"c":true,"y":0}
        {"c":"","y":0}
        {"c":"\\u0000","y":0}
        {"\\u0063":"key","y":0}
        """;
    Decoding.Result result = Decoding.decode(schema, JSON, rows);

    assertThat(result.rejected()).isEmpty();
    assertThat(result.rows())
        .extracting(row -> row.features().getFirst())
        .containsExactly(
            CategoryHash.of("plain"),
            CategoryHash.of("tab\t quote\" slash/ \\ ä日🦊"),
            CategoryHash.of("日本🦊 long enough to need more than one word"),
            CategoryHash.of("12.50"),
            CategoryHash.of("true"),
            0L,
            CategoryHash.of("\0"),
            CategoryHash.of("key"));
  }

  @Test
  void shouldRejectTextThatIsNoUnicode() {
    BlockSchema schema =
        new BlockSchema(List.of(new Column("c", Kind.CATEGORY, true)), NUMBER, "", "");
    byte[] overlong = "{\"c\":\"\u00c0\u00af\",\"y\":0}\n".getBytes(StandardCharsets.ISO_8859_1);

    assertThat(Decoding.decode(schema, JSON, overlong, 1000, () -> 1000).rejected())
        .extracting(r -> r.reason().name())
        .containsExactly("SYNTAX");
    for (String half : List.of("\\ud83e", "\\udd8a", "\\ud83e\\u0041", "\\ud83ex")) {
      assertThat(
              Decoding.decode(schema, JSON, "{\"c\":\"%s\",\"y\":0}\n".formatted(half)).rejected())
          .as(half)
          .extracting(r -> r.reason().name())
          .containsExactly("SYNTAX");
    }
  }

  @Test
  void shouldReadFlagsAndClasses() {
    BlockSchema flags =
        new BlockSchema(
            List.of(new Column("f", Kind.FLAG, false)),
            new Label("y", 2, List.of("false", "true")),
            "",
            "");
    Decoding.Result result =
        Decoding.decode(
            flags,
            JSON,
            """
            {"f":true,"y":true}
            {"f":0,"y":"false"}
            {"f":"1","y":false}
            {"f":1.0,"y":true}
            {"f":2,"y":true}
            {"f":1,"y":1}
            """);
    assertThat(result.rows())
        .extracting(row -> row.features().getFirst())
        .containsExactly(bits(1), bits(0), bits(1), bits(1));
    assertThat(result.rows())
        .extracting(row -> (long) row.label())
        .containsExactly(bits(1), bits(0), bits(0), bits(1));
    assertThat(result.rejected())
        .extracting(r -> r.reason().name())
        .containsExactly("FLAG", "LABEL");

    BlockSchema integers =
        new BlockSchema(
            List.of(new Column("f", Kind.FLAG, false)), new Label("y", 3, List.of()), "", "");
    Decoding.Result classes =
        Decoding.decode(
            integers,
            JSON,
            "{\"y\":3,\"f\":0}\n{\"y\":\"1\",\"f\":0}\n{\"y\":2.0,\"f\":0}\n{\"y\":0,\"f\":0}\n{\"y\":1.5,\"f\":0}\n");
    assertThat(classes.rows())
        .extracting(row -> (long) row.label())
        .containsExactly(bits(0), bits(1), bits(2));
    assertThat(classes.rejected())
        .extracting(r -> r.reason().name())
        .containsExactly("LABEL", "LABEL");
  }

  @Test
  void shouldRejectFieldsThatTheSchemaDoesNotNameWhereAsked() {
    String rows =
        "{\"a\":1,\"y\":0}\n{\"a\":1,\"zz\":{\"a\":2},\"y\":0}\n{\"a\":1,\"y\":0,\"b\":2}\n";

    assertThat(Decoding.decode(PLAIN, JSON, rows).rows()).hasSize(3);
    Decoding.Result strict = Decoding.decode(PLAIN, STRICT, rows);
    assertThat(strict.rows()).hasSize(2);
    assertThat(strict.rejected())
        .extracting(r -> r.reason().name() + ": " + r.detail())
        .containsExactly("UNKNOWN: byte 8: its fields must be in the schema, not 'zz'");
  }

  @Test
  void shouldFollowProducersThatChangeTheOrderOfTheirKeys() {
    StringBuilder rows = new StringBuilder();
    String[] orders = {
      "{\"a\":1,\"b\":2,\"y\":3}",
      "{\"y\":3,\"b\":2,\"a\":1}",
      "{\"extra\":0,\"a\":1,\"another key, a long one\":{},\"y\":3,\"b\":2}",
      "{ \"b\" : 2 , \"y\" : 3 ,\t\"a\" : 1 }\r",
      "{\"a\":1,\"ab\":5,\"y\":3,\"b\":2,\"\":1}"
    };
    for (int i = 0; i < 200; i++) {
      rows.append(orders[(i * 7 + i / 11) % orders.length]).append('\n');
    }
    Decoding.Result result = Decoding.decode(PLAIN, JSON, rows.toString());

    assertThat(result.rejected()).isEmpty();
    assertThat(result.rows()).hasSize(200);
    assertThat(result.rows())
        .allMatch(
            row -> row.features().equals(List.of(bits(1), bits(2))) && row.label() == bits(3));
  }

  @Test
  void shouldTakeBomBlankLinesAndALastRowWithoutNewline() {
    String rows = "\ufeff\n\r\n{\"a\":1,\"y\":0}\r\n\n{\"a\":2,\"y\":0}";
    Decoding.Result result = Decoding.decode(PLAIN, JSON, rows);

    assertThat(result.rejected()).isEmpty();
    assertThat(result.rows())
        .extracting(row -> row.features().getFirst())
        .containsExactly(bits(1), bits(2));
    assertThat(result.nextOffset()).isEqualTo(rows.getBytes(StandardCharsets.UTF_8).length);
  }

  @Test
  void shouldReadVectorsOfTheirSizeAlone() {
    Rules element = new Rules("e", -1, 1, "");
    List<Column> columns =
        IntStream.range(0, 20)
            .mapToObj(i -> new Column("e[%d]".formatted(i), Kind.NUMBER, false, element))
            .toList();
    BlockSchema schema = new BlockSchema(columns, NUMBER, "", "");
    String values = IntStream.range(0, 20).mapToObj(i -> "0." + i).collect(joining(", "));
    String row = "{\"e\":[%s],\"y\":1}\n";
    Decoding.Result result =
        Decoding.decode(
            schema,
            JSON,
            row.formatted(values)
                + row.formatted(values + ",1")
                + row.formatted("1")
                + row.formatted(values.replace("0.3", "null"))
                + row.formatted(values.replace("0.3", "1.5"))
                + row.formatted("")
                + "{\"e\":{},\"y\":1}\n");

    assertThat(result.rows()).hasSize(1);
    assertThat(result.rows().getFirst().features())
        .isEqualTo(IntStream.range(0, 20).mapToObj(i -> bits(Float.parseFloat("0." + i))).toList());
    assertThat(result.rejected())
        .extracting(r -> r.reason().name() + ": " + r.detail())
        .containsExactly(
            "COLUMN_COUNT: byte %d: e: must have 20 elements, it has 21, not ''"
                .formatted(values.length() + 9),
            "COLUMN_COUNT: byte 8: e: must have 20 elements, it has 1, not ''",
            "MISSING: e[3]: a value is needed (or an impute step), not 'null'",
            "RANGE: e[3]: must be -1.0 to 1.0 (min, max), not '1.5'",
            "COLUMN_COUNT: byte 7: e: must have 20 elements, it has 0, not ''",
            "SYNTAX: byte 5: e: must be an array, not '{}'");
  }

  @Test
  void shouldFillInWhatIsMissing() {
    Rules seven = new Rules("", Float.NEGATIVE_INFINITY, 10, "7");
    BlockSchema schema =
        new BlockSchema(
            List.of(
                new Column("a", Kind.NUMBER, false, seven),
                new Column("c", Kind.CATEGORY, false, new Rules("", 0, 0, "none"))),
            NUMBER,
            "",
            "");
    List<Long> filled = List.of(bits(7), CategoryHash.of("none"));
    FormatConfig.Csv csv = new FormatConfig.Csv(false, ",", List.of(), List.of());

    assertThat(features(schema, "{\"y\":1}\n")).isEqualTo(filled);
    assertThat(features(schema, "{\"a\":null,\"c\":\"\",\"y\":1}\n")).isEqualTo(filled);
    Decoding.Result rows = Decoding.decode(schema, csv, ",,1\n8,x,1\n11,x,1\n");
    assertThat(rows.rows())
        .extracting(Decoding.Row::features)
        .containsExactly(filled, List.of(bits(8), CategoryHash.of("x")));
    assertThat(rows.rejected())
        .extracting(r -> r.reason().name() + ": " + r.detail())
        .containsExactly("RANGE: a: must be at most 10.0 (max), not '11'");
  }

  @Test
  void shouldBoundDepthAndLength() {
    String deep = "{\"a\":1,\"y\":0,\"z\":%s}\n";
    assertThat(
            Decoding.decode(PLAIN, JSON, deep.formatted("[".repeat(500) + "]".repeat(500))).rows())
        .hasSize(1);
    assertThat(Decoding.decode(PLAIN, JSON, deep.formatted("[".repeat(100_000))).rejected())
        .extracting(r -> r.reason().name())
        .containsExactly("SYNTAX");

    byte[] rows =
        ("{\"a\":1,\"y\":0,\"z\":\"" + "x".repeat(200) + "\"}\n{\"a\":1,\"y\":0}\n")
            .getBytes(StandardCharsets.UTF_8);
    Decoding.Result result = Decoding.decode(PLAIN, JSON, rows, 100, () -> 64);
    assertThat(result.rejected()).extracting(r -> r.reason().name()).containsExactly("TOO_LONG");
    assertThat(result.rows()).hasSize(1);
  }

  @Test
  void shouldAllocateNothingForARowOfNumbers() {
    StringBuilder rows = new StringBuilder();
    for (int i = 0; i < 1000; i++) {
      rows.append(
          "{\"a\":%d.25,\"unwanted\":[1,{\"x\":\"y\"}],\"b\":-%<d,\"y\":1%<d12345678e-3}\n"
              .formatted(i));
    }
    ByteBuf bytes = Unpooled.copiedBuffer(rows, StandardCharsets.UTF_8);
    try (BlockPool pool = Decoding.pool(PLAIN, 1024, 4)) {
      RecordedRejections rejections = new RecordedRejections();
      RowDecoder decoder =
          RowDecoder.of(
              JSON,
              PLAIN,
              new ClassNumbering(),
              new PartitionCursor(0, 0, 0, 0),
              Decoding.context(pool, rejections),
              10_000);
      Decoding.decodeAndRelease(decoder, bytes, 20);
      long before = Decoding.allocatedBytes();
      Decoding.decodeAndRelease(decoder, bytes, 20);
      long allocated = Decoding.allocatedBytes() - before;
      decoder.release();

      assertThat(rejections.count()).isZero();
      assertThat(allocated).as("bytes for 20,000 rows").isLessThan(20_000);
    }
    bytes.release();
  }

  private static List<Long> features(BlockSchema schema, String row) {
    Decoding.Result result = Decoding.decode(schema, JSON, row);
    assertThat(result.rejected()).isEmpty();
    return result.rows().getFirst().features();
  }

  private static long bits(float value) {
    return Float.floatToRawIntBits(value);
  }
}
