package io.penstock.ingest.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class CsvTextsTest {
  private static List<List<String>> rows(String text) throws IOException {
    CsvTexts reader = reader(text, 1000);
    List<List<String>> rows = new ArrayList<>();
    for (List<String> row = reader.next(); row != null; row = reader.next()) {
      rows.add(row);
    }
    return rows;
  }

  private static CsvTexts reader(String text, int maxLineBytes) {
    return new CsvTexts(
        new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)), ',', maxLineBytes);
  }

  @Test
  void shouldCutRowsWhereTheyEnd() throws IOException {
    assertThat(rows("\uFEFFa,b\r\n\n\"x\"\"\n,\", y \n,\nlast,é"))
        .containsExactly(
            List.of("a", "b"), List.of("x\"\n,", " y "), List.of("", ""), List.of("last", "é"));
  }

  @Test
  void shouldReadRowsOfAnyLengthAcrossItsWindow() throws IOException {
    SplittableRandom random = new SplittableRandom(1);
    List<List<String>> expected = new ArrayList<>();
    StringBuilder text = new StringBuilder();
    for (int row = 0; row < 2000; row++) {
      String value = "v".repeat(random.nextInt(1, 400)) + (row % 3 == 0 ? "\n" : "") + row;
      expected.add(List.of("r" + row, value));
      text.append("r").append(row).append(",\"").append(value).append("\"\n");
    }

    assertThat(rows(text.toString())).isEqualTo(expected);
  }

  @Test
  void shouldRefuseWhatHasNoRows() {
    CsvTexts reader = reader("a,\"" + "x".repeat(200_000), 1000);

    assertThatThrownBy(reader::next)
        .isInstanceOf(SourceException.class)
        .hasMessageContaining("no row ends within 1000 bytes from 'a,\"xxx")
        .hasMessageContaining("is a quote missing");
  }
}
