package io.penstock.ingest.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class CsvHeaderTest {

  @Test
  void shouldTakeOffMarkQuotesSpaceAndLineEnd() {
    assertThat(parse("\ufeff\"a,b\", c ,\"d \"\"e\"\"\",ö\r\n", ','))
        .containsExactly("a,b", "c", "d \"e\"", "ö");
  }

  @Test
  void shouldKeepEmptyNamesInTheirPlace() {
    assertThat(parse("\ta\t\n", '\t')).containsExactly("", "a", "");
  }

  @Test
  void shouldReadTheFirstLineThatIsNotBlankAndNoFurther() throws IOException {
    ByteArrayInputStream in = in("\r\n\n\"a\nb\",c\n1,2\n");
    assertThat(CsvHeader.read(in, 100, ',')).containsExactly("a\nb", "c");
    assertThat(in.available()).isEqualTo(4);
  }

  @Test
  void shouldRefuseAHeaderThatDoesNotEnd() {
    assertThatThrownBy(() -> CsvHeader.read(in("a".repeat(101)), 100, ','))
        .isInstanceOf(SourceException.class)
        .hasMessageContaining("within 100 bytes");
    assertThatThrownBy(() -> CsvHeader.read(in(""), 100, ',')).isInstanceOf(SourceException.class);
  }

  private static ByteArrayInputStream in(String text) {
    return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
  }

  private static List<String> parse(String text, char delimiter) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return CsvHeader.parse(bytes, 0, bytes.length, delimiter);
  }

  @Test
  void shouldWriteNamesAsTheyAreRead() {
    List<String> names =
        List.of("plain", "with space", "a;b", "say \"x\"", "", "two\nlines", "größe");
    byte[] line = CsvHeader.line(names, ';').getBytes(StandardCharsets.UTF_8);

    assertThat(CsvHeader.parse(line, 0, line.length, ';')).isEqualTo(names);
  }
}
