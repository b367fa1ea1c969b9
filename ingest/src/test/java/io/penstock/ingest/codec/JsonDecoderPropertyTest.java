package io.penstock.ingest.codec;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.FormatConfig;
import io.penstock.config.FormatConfig.UnknownFields;
import io.penstock.pipeline.BlockSchema;
import io.penstock.pipeline.BlockSchema.Column;
import io.penstock.pipeline.BlockSchema.Kind;
import io.penstock.pipeline.BlockSchema.Label;
import io.penstock.pipeline.CategoryHash;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonPointer;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Random documents, held against Jackson's trees of their rows, and against themselves cut at other bytes. */
class JsonDecoderPropertyTest {
  private static final int DOCUMENTS = 300;
  private static final FormatConfig.Json JSON = new FormatConfig.Json(UnknownFields.IGNORE);
  private static final JsonMapper JACKSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .build();

  private static final JsonMapper PLAIN_JACKSON =
      JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();

  private static final BlockSchema SCHEMA =
      new BlockSchema(
          List.of(
              new Column("n", Kind.NUMBER, true),
              new Column("a long name, longer than words", Kind.NUMBER, true),
              new Column("user.age", Kind.NUMBER, true),
              new Column("user.name", Kind.CATEGORY, true),
              new Column("items[0].price", Kind.NUMBER, true),
              new Column("items[2]", Kind.CATEGORY, true),
              new Column("[\"d.o[t]s\"]", Kind.NUMBER, true),
              new Column("flag", Kind.FLAG, true),
              new Column("ünï\u00f8", Kind.CATEGORY, true)),
          new Label("y", 0, List.of()),
          "",
          "");
  private static final List<String> POINTERS =
      List.of(
          "/n",
          "/a long name, longer than words",
          "/user/age",
          "/user/name",
          "/items/0/price",
          "/items/2",
          "/d.o[t]s",
          "/flag",
          "/ünïø");

  @Test
  void shouldDecodeWhatJacksonReadsWhereverItIsCut() {
    for (int seed = 0; seed < DOCUMENTS; seed++) {
      Document document = new Document(seed);
      SplittableRandom cuts = new SplittableRandom(seed);
      int longest = 1 + cuts.nextInt(1 + cuts.nextInt(300));
      Decoding.Result result =
          Decoding.decode(SCHEMA, JSON, document.bytes(), 1 << 16, () -> 1 + cuts.nextInt(longest));
      assertThat(result.rejected()).as("seed %d", seed).isEmpty();
      assertThat(result.rows()).as("seed %d", seed).isEqualTo(document.expected());
      assertThat(result.held()).isZero();
    }
  }

  @Test
  void shouldRejectWhatJacksonRejectsAndGiveTheSameWhereverItIsCut() {
    byte[] alphabet =
        "{}[]\":,,0123456789-+.eE\\utruefalsn \t\r\n\nay\u00e9".getBytes(StandardCharsets.UTF_8);
    for (int seed = 0; seed < DOCUMENTS; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      byte[] bytes = new Document(seed).bytes();
      int changes = 1 + random.nextInt(1 + bytes.length / 40);
      for (int i = 0; i < changes && bytes.length > 0; i++) {
        bytes[random.nextInt(bytes.length)] = alphabet[random.nextInt(alphabet.length)];
      }
      Decoding.Result whole = Decoding.decode(SCHEMA, JSON, bytes, 2000, () -> Integer.MAX_VALUE);
      assertThat(Decoding.decode(SCHEMA, JSON, bytes, 2000, () -> 1))
          .as("seed %d", seed)
          .isEqualTo(whole);
      assertThat(Decoding.decode(SCHEMA, JSON, bytes, 2000, () -> 1 + random.nextInt(90)))
          .as("seed %d", seed)
          .isEqualTo(whole);
      assertThat(whole.rows().size() + whole.rejected().size())
          .as("seed %d: every row is decoded or rejected", seed)
          .isEqualTo((int) whole.nextRow());
      for (RecordedRejections.Rejected rejected : whole.rejected()) {
        boolean json = isObject(rejected.raw().getBytes(StandardCharsets.ISO_8859_1));
        boolean syntax = rejected.detail().contains("must be a JSON object");
        assertThat(syntax && json).as("seed %d: %s", seed, rejected).isFalse();
      }
      checkAccepted(bytes, whole, seed);
    }
  }

  /** What was taken must be JSON to Jackson too. */
  private static void checkAccepted(byte[] bytes, Decoding.Result whole, int seed) {
    List<Long> accepted = whole.rows().stream().map(Decoding.Row::number).toList();
    String text = new String(bytes, StandardCharsets.ISO_8859_1);
    text = text.startsWith("\u00ef\u00bb\u00bf") ? text.substring(3) : text;
    long number = 0;
    for (String line : text.split("\n", -1)) {
      if (line.isEmpty() || line.equals("\r")) {
        continue;
      }
      // Jackson looks at the UTF-8 of keys and of what is skipped, too.
      boolean ascii = line.chars().allMatch(c -> c < 0x80);
      if (accepted.contains(number) && ascii) {
        assertThat(isObject(line.getBytes(StandardCharsets.ISO_8859_1)))
            .as("seed %d, row %d: %s", seed, number, line)
            .isTrue();
      }
      number++;
    }
  }

  private static boolean isObject(byte[] row) {
    try {
      return PLAIN_JACKSON.readTree(row).isObject();
    } catch (JacksonException e) {
      return false;
    }
  }

  @Test
  void shouldNeverFailOnGarbage() {
    for (int seed = 0; seed < DOCUMENTS; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      byte[] bytes = new byte[random.nextInt(20_000)];
      random.nextBytes(bytes);
      for (int at = 0; at < bytes.length; at += 1 + random.nextInt(80)) {
        bytes[at] = (byte) "{\"\n:,".charAt(random.nextInt(5));
      }
      Decoding.Result result =
          Decoding.decode(SCHEMA, JSON, bytes, 1000, () -> 1 + random.nextInt(3000));
      assertThat(result.rows().size() + result.rejected().size())
          .as("seed %d", seed)
          .isEqualTo((int) result.nextRow());
    }
  }

  /** Rows of objects whose keys mostly come in one order; what they stand for is asked of Jackson. */
  private static final class Document {
    private static final String[] WORDS = {
      "x",
      "ä",
      "日本",
      "a,b",
      "say \"hi\"",
      "two\nlines",
      "}{][",
      "🦊🦊",
      " pad ",
      "\\",
      "",
      "\u0001",
      "ßß ßß ßß ßß ßß"
    };
    private final SplittableRandom random;
    private final StringBuilder text = new StringBuilder();
    private final List<String> rows = new ArrayList<>();
    private final String lineEnd;

    Document(int seed) {
      random = new SplittableRandom(seed);
      lineEnd = random.nextBoolean() ? "\n" : "\r\n";
      text.append(random.nextInt(4) == 0 ? "\ufeff" : "");
      int count = random.nextInt(30);
      for (int i = 0; i < count; i++) {
        text.append(random.nextInt(10) == 0 ? lineEnd : "");
        StringBuilder row = new StringBuilder(space());
        object(members(), row);
        row.append(space());
        rows.add(row.toString());
        text.append(row).append(i == count - 1 && random.nextBoolean() ? "" : lineEnd);
      }
    }

    byte[] bytes() {
      return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    List<Decoding.Row> expected() {
      List<Decoding.Row> expected = new ArrayList<>();
      for (int i = 0; i < rows.size(); i++) {
        JsonNode tree = JACKSON.readTree(rows.get(i));
        List<Long> features = new ArrayList<>();
        for (int c = 0; c < POINTERS.size(); c++) {
          features.add(
              value(tree.at(JsonPointer.compile(POINTERS.get(c))), SCHEMA.columns().get(c)));
        }
        int label = Float.floatToRawIntBits(tree.get("y").decimalValue().floatValue());
        expected.add(new Decoding.Row(i, features, label, 0, 0));
      }
      return expected;
    }

    private static long value(JsonNode node, Column column) {
      boolean missing =
          node.isMissingNode()
              || node.isNull()
              || (node.isString() && node.stringValue().isEmpty());
      return switch (column.kind()) {
        case CATEGORY -> missing ? 0 : CategoryHash.of(node.asString());
        case FLAG ->
            bits(
                missing
                    ? Float.NaN
                    : node.isBoolean() ? (node.booleanValue() ? 1 : 0) : node.floatValue());
        case NUMBER -> bits(missing ? Float.NaN : number(node));
      };
    }

    private static float number(JsonNode node) {
      return node.isString()
          ? Float.parseFloat(node.stringValue())
          : node.decimalValue().floatValue();
    }

    private static long bits(float value) {
      return Float.floatToRawIntBits(value);
    }

    private Map<String, String> members() {
      Map<String, String> members = new LinkedHashMap<>();
      members.put("y", numberText());
      members.put("n", numberOrNone());
      members.put("a long name, longer than words", numberOrNone());
      members.put(
          "user", nested(Map.of("age", numberOrNone(), "name", string(word()), "other", any(3))));
      members.put(
          "items",
          "["
              + space()
              + nested(Map.of("price", numberOrNone()))
              + ","
              + any(2)
              + " ,"
              + string(word())
              + ","
              + any(1)
              + "]");
      members.put("d.o[t]s", numberOrNone());
      members.put(
          "flag", new String[] {"true", "false", "0", "1", "1.0", "null"}[random.nextInt(6)]);
      members.put("ünïø", string(word()));
      for (int i = random.nextInt(3); i > 0; i--) {
        members.put("unwanted " + random.nextInt(5), any(4));
      }
      for (String key : List.of("n", "user", "items", "flag")) {
        if (random.nextInt(8) == 0) {
          members.remove(key);
        }
      }
      return members;
    }

    private void object(Map<String, String> members, StringBuilder to) {
      List<String> keys = new ArrayList<>(members.keySet());
      if (random.nextInt(5) == 0) {
        Collections.shuffle(keys, new Random(random.nextLong()));
      }
      char before = '{';
      for (String key : keys) {
        to.append(before)
            .append(space())
            .append(string(key))
            .append(space())
            .append(':')
            .append(space());
        to.append(members.get(key)).append(space());
        before = ',';
      }
      to.append(members.isEmpty() ? "{}" : "}");
    }

    private String nested(Map<String, String> members) {
      StringBuilder text = new StringBuilder();
      object(new LinkedHashMap<>(members), text);
      return text.toString();
    }

    private String any(int depth) {
      return switch (random.nextInt(depth == 0 ? 4 : 6)) {
        case 0 -> numberText();
        case 1 -> string(word());
        case 2 -> "null";
        case 3 -> random.nextBoolean() ? "true" : "false";
        case 4 ->
            "["
                + any(depth - 1)
                + (random.nextBoolean() ? "," + any(depth - 1) : "")
                + space()
                + "]";
        default ->
            nested(
                random.nextInt(4) == 0
                    ? Map.of()
                    : Map.of("n", any(depth - 1), word(), any(depth - 1)));
      };
    }

    private String numberOrNone() {
      return switch (random.nextInt(8)) {
        case 0 -> "null";
        case 1 -> '"' + numberText() + '"';
        case 2 -> "\"\"";
        default -> numberText();
      };
    }

    private String numberText() {
      return switch (random.nextInt(9)) {
        case 0, 1 -> Integer.toString(random.nextInt(10));
        case 2 -> Integer.toString(random.nextInt());
        case 3 -> Long.toString(random.nextLong() >>> random.nextInt(64));
        case 4 -> Double.toString(random.nextDouble(-1e6, 1e6));
        case 5 -> BigDecimal.valueOf(random.nextLong(), random.nextInt(-10, 30)).toString();
        case 6 ->
            BigDecimal.valueOf(random.nextInt(-99_999, 99_999), random.nextInt(8)).toPlainString();
        case 7 -> random.nextInt(1000) + (random.nextBoolean() ? "e" : "E+") + random.nextInt(20);
        default -> Float.toString(random.nextFloat());
      };
    }

    private String word() {
      return WORDS[random.nextInt(WORDS.length)];
    }

    /** With one character or another written as an escape. */
    private String string(String word) {
      StringBuilder text = new StringBuilder("\"");
      for (int c : word.codePoints().toArray()) {
        if (c < ' ' || random.nextInt(12) == 0) {
          Character.toString(c).chars().forEach(unit -> text.append("\\u%04x".formatted(unit)));
        } else {
          text.append(c == '"' || c == '\\' ? "\\" : "").appendCodePoint(c);
        }
      }
      return text.append('"').toString();
    }

    private String space() {
      return random.nextInt(6) == 0 ? " \t".substring(random.nextInt(2)) : "";
    }
  }
}
