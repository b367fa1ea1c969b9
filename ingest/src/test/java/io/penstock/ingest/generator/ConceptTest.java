package io.penstock.ingest.generator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.penstock.config.SourceConfig.DriftConfig;
import io.penstock.config.SourceConfig.DriftKind;
import org.junit.jupiter.api.Test;

class ConceptTest {

  /** MOA nests one {@code ConceptDriftStream} in the other: the later one's coin is tossed first. */
  @Test
  void shouldTossACoinForEachOfTwoDriftsThatOverlap() {
    Concept concept =
        new Concept(
            Settings.sea(
                0,
                3,
                0,
                new DriftConfig(1000, DriftKind.GRADUAL, 400, 1),
                new DriftConfig(1200, DriftKind.GRADUAL, 300, 2)));
    int draws = 100_000;
    for (int row = 700; row <= 1500; row += 100) {
      double[] share = new double[4];
      for (int i = 0; i < draws; i++) {
        share[concept.of(row, (i + 0.5) / draws)] += 1.0 / draws;
      }
      double first = 1 / (1 + Math.exp(-4.0 * (row - 1000) / 400));
      double second = 1 / (1 + Math.exp(-4.0 * (row - 1200) / 300));
      assertThat(share[2]).isCloseTo(second, within(2.0 / draws));
      assertThat(share[1]).isCloseTo((1 - second) * first, within(2.0 / draws));
      assertThat(share[3]).isCloseTo((1 - second) * (1 - first), within(2.0 / draws));
    }
  }

  @Test
  void shouldFollowTheLastOfTheAbruptDriftsThatHaveHappened() {
    Concept concept =
        new Concept(
            Settings.sea(
                0,
                0,
                0,
                new DriftConfig(10, DriftKind.ABRUPT, 0, 1),
                new DriftConfig(20, DriftKind.ABRUPT, 0, 0),
                new DriftConfig(30, DriftKind.ABRUPT, 0, 3)));
    double[] chances = {0, 0.5, Math.nextDown(1.0)};
    for (double chance : chances) {
      for (int row = 0; row < 40; row++) {
        int expected = row < 10 ? 0 : row < 20 ? 1 : row < 30 ? 0 : 3;
        assertThat(concept.of(row, chance)).isEqualTo(expected);
      }
    }
  }
}
