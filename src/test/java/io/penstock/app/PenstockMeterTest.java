package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class PenstockMeterTest {

  /** With {@code -Dpenstock.write=true} the page is written instead. */
  @Test
  void shouldBeDescribedByThePageInTheDocs() throws IOException {
    Path page = Path.of(System.getProperty("penstock.home", ".."), "src/docs/metrics.md");
    if (Boolean.getBoolean("penstock.write")) {
      Files.writeString(page, PenstockMeter.page());
    }

    assertThat(Files.readString(page))
        .as("src/docs/metrics.md is not current; run this test with -Dpenstock.write=true")
        .isEqualTo(PenstockMeter.page());
  }
}
