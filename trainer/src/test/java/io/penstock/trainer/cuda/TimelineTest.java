package io.penstock.trainer.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class TimelineTest {
  private static double[] of(double... values) {
    return values;
  }

  @Test
  void shouldTellWhichShareOfTheCopiesIsHidden() {
    // Copies of 10 µs: one beside nothing, one half beside the first step, one wholly beside the
    // second.
    Timeline timeline =
        new Timeline(of(0, 105, 115), of(10, 115, 125), of(10, 115, 215), of(110, 210, 310));
    assertThat(timeline.hiddenShare(0)).isCloseTo((0 + 5 + 10) / 30.0, within(1e-12));
    assertThat(timeline.hiddenShare(1)).isCloseTo(15 / 20.0, within(1e-12));
    assertThat(timeline.copyMicros(0)).isEqualTo(10);
    assertThat(timeline.computeMicros(1)).isEqualTo(95);
    assertThat(timeline.stepMicros(1)).isEqualTo(100);
  }

  @Test
  void shouldCallNothingCopiedAllHidden() {
    assertThat(new Timeline(of(1, 2), of(1, 2), of(1, 5), of(5, 9)).hiddenShare(1)).isEqualTo(1);
  }

  @Test
  void shouldRefuseTimesThatAreNotWhole() {
    assertThatThrownBy(() -> new Timeline(of(1), of(1, 2), of(1, 2), of(1, 2)))
        .hasMessageContaining("not whole");
  }
}
