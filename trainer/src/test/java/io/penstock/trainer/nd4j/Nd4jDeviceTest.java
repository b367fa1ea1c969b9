package io.penstock.trainer.nd4j;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("nd4j")
class Nd4jDeviceTest {
  @Test
  void shouldNameItsBackendInReports() {
    Nd4jDevice device = Nd4jDevice.open();
    assertThat(device.name()).isEqualTo("nd4j");
    assertThat(device.label()).startsWith("nd4j (nd4j-").contains("1.0.0-M2.1");
    assertThat(device.description()).isEqualTo(Nd4jDevice.find());
  }
}
