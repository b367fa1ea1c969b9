package io.penstock.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.config.Precision;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** In a build without profiles. */
class DevicesTest {
  private final ByteArrayOutputStream said = new ByteArrayOutputStream();
  private final PrintStream err = new PrintStream(said, true, StandardCharsets.UTF_8);

  @Test
  void shouldSayWhichOptionBringsNd4j() {
    assertThatThrownBy(() -> Devices.open("nd4j", Precision.FLOAT32, err))
        .isInstanceOf(StartException.class)
        .hasMessageStartingWith("device: nd4j cannot be used: no ND4J backend is on the class path")
        .hasMessageContaining("./penstock --with nd4j");
  }

  @Test
  void shouldListNd4jAsNotUsableAndSayNothingOfItWhereAutoTakesAnother() {
    assertThat(Devices.reports())
        .anySatisfy(
            report -> {
              assertThat(report.name()).isEqualTo("nd4j");
              assertThat(report.usable()).isFalse();
              assertThat(report.what()).contains("--with nd4j");
            });
    Devices.open("auto", Precision.FLOAT32, err);
    assertThat(said.toString(StandardCharsets.UTF_8)).doesNotContain("nd4j");
  }
}
