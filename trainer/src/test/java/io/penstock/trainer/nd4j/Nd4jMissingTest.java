package io.penstock.trainer.nd4j;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

/** Where no backend is on the class path. */
class Nd4jMissingTest {
  @Test
  void shouldNameTheOptionThatBringsABackend() {
    assertThatThrownBy(Nd4jDevice::open)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("no ND4J backend is on the class path")
        .hasMessageContaining("./penstock --with nd4j ");
    assertThatThrownBy(Nd4jDevice::find).hasMessageContaining("--with nd4j-cuda");
  }
}
