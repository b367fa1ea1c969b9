package io.penstock.ingest.codec;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.FormatConfig;
import io.penstock.pipeline.BlockSchema;
import io.penstock.pipeline.BlockSchema.Column;
import io.penstock.pipeline.BlockSchema.Kind;
import io.penstock.pipeline.BlockSchema.Label;
import io.penstock.pipeline.CategoryHash;
import java.io.ByteArrayOutputStream;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Random documents, against what their values are known to be and against themselves cut at other bytes. */
class CsvDecoderPropertyTest {
  private static final int DOCUMENTS = 400;
  private static final FormatConfig.Csv HEADER =
      new FormatConfig.Csv(true, ",", List.of(), List.of());
  private static final BlockSchema SCHEMA =
      new BlockSchema(
          List.of(
              new Column("n", Kind.NUMBER, false),
              new Column("m", Kind.NUMBER, true),
              new Column("f1", Kind.FLAG, false),
              new Column("f2", Kind.FLAG, true),
              new Column("n1", Kind.NUMBER, false),
              new Column("n2", Kind.NUMBER, false),
              new Column("n3", Kind.NUMBER, false),
              new Column("c", Kind.CATEGORY, true)),
          new Label("y", 3, List.of("low", "mid", "a \"high\", one")),
          "w",
          "");
  private static final String[] WORDS = {
    "x", "ä", "日本", "a,b", "say \"hi\"", "two\nlines", "cr\r\nlf", "🦊", " pad ", "\"", "", "#1"
  };

  @Test
  void shouldDecodeWhatWasWrittenWhereverItIsCut() {
    for (int seed = 0; seed < DOCUMENTS; seed++) {
      Document document = new Document(new SplittableRandom(seed));
      SplittableRandom cuts = new SplittableRandom(seed);
      int longest = 1 + cuts.nextInt(1 + cuts.nextInt(200));
      Decoding.Result result =
          Decoding.decode(
              SCHEMA, HEADER, document.bytes(), 1 << 16, () -> 1 + cuts.nextInt(longest));
      assertThat(result.rejected()).as("seed %d", seed).isEmpty();
      assertThat(result.rows()).as("seed %d", seed).isEqualTo(document.rows);
      assertThat(result.nextOffset()).as("seed %d", seed).isEqualTo(document.lastRowEnd);
      assertThat(result.held()).isZero();
    }
  }

  @Test
  void shouldGiveTheSameForAnyBytesWhereverTheyAreCut() {
    byte[] alphabet = "0123456789,,,,,\n\n\n\"\"\"\r. -eE\u00e9x".getBytes(StandardCharsets.UTF_8);
    BlockSchema schema =
        new BlockSchema(
            List.of(new Column("a", Kind.NUMBER, true), new Column("b", Kind.CATEGORY, true)),
            new Label("y", 0, List.of()),
            "",
            "");
    FormatConfig.Csv noHeader = new FormatConfig.Csv(false, ",", List.of(), List.of());
    for (int seed = 0; seed < DOCUMENTS * 4; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      byte[] bytes = new byte[random.nextInt(1500)];
      for (int i = 0; i < bytes.length; i++) {
        bytes[i] = alphabet[random.nextInt(alphabet.length)];
      }
      int maxLineBytes = 1 + random.nextInt(120);
      Decoding.Result whole =
          Decoding.decode(schema, noHeader, bytes, maxLineBytes, () -> Integer.MAX_VALUE);
      Decoding.Result single = Decoding.decode(schema, noHeader, bytes, maxLineBytes, () -> 1);
      Decoding.Result cut =
          Decoding.decode(schema, noHeader, bytes, maxLineBytes, () -> 1 + random.nextInt(90));
      assertThat(single).as("seed %d", seed).isEqualTo(whole);
      assertThat(cut).as("seed %d", seed).isEqualTo(whole);
      assertThat(whole.rows().size() + whole.rejected().size())
          .as("seed %d: every row is decoded or rejected", seed)
          .isEqualTo((int) whole.nextRow());
    }
  }

  @Test
  void shouldNeverFailOnGarbage() {
    for (int seed = 0; seed < DOCUMENTS; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      byte[] header = "n,m,f1,f2,n1,n2,n3,c,y,w\n".getBytes(StandardCharsets.UTF_8);
      byte[] bytes = new byte[header.length + random.nextInt(20_000)];
      random.nextBytes(bytes);
      System.arraycopy(header, 0, bytes, 0, header.length);
      Decoding.Result result =
          Decoding.decode(SCHEMA, HEADER, bytes, 1000, () -> 1 + random.nextInt(3000));
      assertThat(result.rows().size() + result.rejected().size())
          .as("seed %d", seed)
          .isEqualTo((int) result.nextRow());
    }
  }

  /** A document and the rows it stands for. */
  private static final class Document {
    private final SplittableRandom random;
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final List<Decoding.Row> rows = new ArrayList<>();
    private final String lineEnd;
    private long lastRowEnd;

    Document(SplittableRandom random) {
      this.random = random;
      lineEnd = random.nextBoolean() ? "\n" : "\r\n";
      if (random.nextInt(4) == 0) {
        out.writeBytes(new byte[] {(byte) 0xef, (byte) 0xbb, (byte) 0xbf});
      }
      write("\"n\",m,f1,f2,n1,n2,n3,junk,c,y,w" + lineEnd);
      int count = random.nextInt(40);
      for (int i = 0; i < count; i++) {
        if (random.nextInt(10) == 0) {
          write(lineEnd);
        }
        row(i, i == count - 1 && random.nextBoolean());
      }
    }

    byte[] bytes() {
      return out.toByteArray();
    }

    private void row(int number, boolean last) {
      List<Long> features = new ArrayList<>();
      List<String> fields = new ArrayList<>();
      number(features, fields, false);
      number(features, fields, true);
      flag(features, fields, false);
      flag(features, fields, true);
      for (int i = 0; i < 3; i++) {
        number(features, fields, false);
      }
      fields.add(quote(WORDS[random.nextInt(WORDS.length)], false));
      String category = WORDS[random.nextInt(WORDS.length)];
      features.add(category.isEmpty() ? 0 : CategoryHash.of(category));
      fields.add(quote(category, false));
      int label = random.nextInt(3);
      fields.add(quote(SCHEMA.label().classNames().get(label), true));
      String weight = Integer.toString(random.nextInt(5));
      fields.add(weight);
      write(String.join(",", fields) + (last ? "" : lineEnd));
      lastRowEnd = out.size();
      rows.add(
          new Decoding.Row(
              number,
              features,
              Float.floatToRawIntBits(label),
              Float.floatToRawIntBits(Float.parseFloat(weight)),
              0));
    }

    private void number(List<Long> features, List<String> fields, boolean nullable) {
      if (nullable && random.nextInt(4) == 0) {
        features.add((long) Float.floatToRawIntBits(Float.NaN));
        fields.add(random.nextBoolean() ? "" : random.nextBoolean() ? "\"\"" : "  ");
        return;
      }
      String text = numberText();
      features.add((long) Float.floatToRawIntBits(Float.parseFloat(text)));
      fields.add(quote(random.nextInt(8) == 0 ? " " + text + " " : text, true));
    }

    private String numberText() {
      return switch (random.nextInt(8)) {
        case 0, 1, 2 -> Integer.toString(random.nextInt(10));
        case 3 -> Integer.toString(random.nextInt());
        case 4 -> Long.toString(random.nextLong() >>> random.nextInt(64));
        case 5 -> Double.toString(random.nextDouble(-1e6, 1e6));
        case 6 -> BigDecimal.valueOf(random.nextLong(), random.nextInt(-10, 30)).toString();
        default -> Float.toString(random.nextFloat());
      };
    }

    private void flag(List<Long> features, List<String> fields, boolean nullable) {
      if (nullable && random.nextInt(4) == 0) {
        features.add((long) Float.floatToRawIntBits(Float.NaN));
        fields.add("");
        return;
      }
      boolean set = random.nextBoolean();
      features.add((long) Float.floatToRawIntBits(set ? 1 : 0));
      String[] texts = set ? new String[] {"1", "true", "1.0"} : new String[] {"0", "False", "-0"};
      fields.add(texts[random.nextInt(4) == 0 ? random.nextInt(3) : 0]);
    }

    private String quote(String text, boolean number) {
      boolean must = text.contains(",") || text.contains("\"") || text.contains("\n");
      boolean may = random.nextInt(number ? 10 : 3) == 0;
      return must || may ? '"' + text.replace("\"", "\"\"") + '"' : text;
    }

    private void write(String text) {
      out.writeBytes(text.getBytes(StandardCharsets.UTF_8));
    }
  }
}
